//! A scenario on the machine as a value: the same record as on the machine of a thread.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::machine::{NR_CPUS, idle};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::{Event, Record};

use super::{Code, Local, Memory, Progress, Seen, code};
use crate::scenario::{Inside, Line, Scenario, Setup, Step, TaskOp};

/// Runs `scenario` as [`crate::scenario::run`] does, without a thread-local: the record is the same,
/// but for remarks on claims that do not hold.
///
/// ```
/// use emu_arch::Arch;
/// use emu_lab::scenario::{self, Setup, parse};
///
/// let scenario = parse("enable\nset_pte_at 0xffff800008000000\ndisable").unwrap();
/// let setup = Setup { arch: Arch::Arm64, ..Setup::default() };
/// assert_eq!(emu_lab::value::run(&scenario, setup), scenario::run(&scenario, setup).record);
/// ```
#[must_use]
pub fn run(scenario: &Scenario, setup: Setup) -> Record {
    let scenario = scenario.code(setup.mended);
    let mut lab = Lab::new(scenario, setup);
    for line in scenario.lines() {
        lab.local.memory.prepare(&line.step, setup.arch);
    }
    for line in &scenario.steps {
        lab.line(line);
    }
    // The machine's first CPU has the last word.
    lab.code.note_end(&mut lab.local, &mut lab.seen);
    lab.seen.record.take().unwrap_or_default()
}

/// A machine with many tasks and CPUs, and the lines that fall into calls.
struct Lab<'s> {
    code: Box<dyn Code>,
    insides: &'s [Inside],
    /// The executing CPU, its task, and memory.
    local: Local,
    /// Every task that does not run on the executing CPU.
    saved: BTreeMap<u8, TaskStruct>,
    running: [u8; NR_CPUS],
    /// What the architecture keeps on each CPU but the executing one.
    per_cpu: [u32; NR_CPUS],
    seen: Seen,
    dead: BTreeSet<u8>,
}

impl<'s> Lab<'s> {
    fn new(scenario: &'s Scenario, setup: Setup) -> Self {
        let Setup { arch, kernel, design, .. } = setup;
        let memory = Memory::new(arch);
        let record = Some(Record::new(design));
        Self {
            code: code(arch, kernel, design, None),
            insides: &scenario.insides,
            local: Local { task: TaskStruct::default(), cpu: 0, per_cpu: 0, memory },
            saved: BTreeMap::new(),
            running: std::array::from_fn(|cpu| if cpu == 0 { 0 } else { idle(cpu as u8) }),
            per_cpu: [0; NR_CPUS],
            seen: Seen { record, ..Seen::default() },
            dead: BTreeSet::new(),
        }
    }

    fn note(&mut self, event: Event<'_>) {
        if let Some(record) = &mut self.seen.record {
            record.push(self.local.cpu, self.local.task.pid, event);
        }
    }

    /// Whether a `BUG_ON()` was hit since the last time.
    fn bug(&mut self) -> bool {
        self.seen.bug.take().is_some()
    }

    fn line(&mut self, line: &Line) {
        self.go_to(line);
        let mut died = self.bug();
        if !died && !self.dead.contains(&self.local.task.pid) {
            self.one(line);
            died = self.bug();
        }
        if died {
            self.dead.insert(self.local.task.pid);
            self.note(Event::Note("the task is dead"));
        }
    }

    fn go_to(&mut self, line: &Line) {
        if line.task > 0 {
            let runs_on = (0..NR_CPUS).find(|cpu| self.running[*cpu] == line.task);
            let cpu = line.cpu.or(runs_on.map(|cpu| cpu as u8)).unwrap_or(0);
            self.context_switch(cpu, line.task);
        } else if let Some(cpu) = line.cpu {
            self.run_on(cpu);
        }
    }

    /// Executes a line, and what falls into it.
    fn one(&mut self, line: &Line) {
        match line.inside {
            None => self.code.whole_step(&mut self.local, &line.step, &mut self.seen),
            Some(index) => self.step_with(&line.step, &self.insides[index as usize]),
        }
        match line.step {
            Step::Task(TaskOp::Schedule) => {
                self.context_switch(self.local.cpu, idle(self.local.cpu))
            }
            Step::Task(TaskOp::Fork { child }) => {
                let (pid, preempt_count) = (child, PreemptCount::default());
                let task = TaskStruct { pid, preempt_count, ..self.local.task };
                self.saved.insert(child, self.code.born(task));
            }
            _ => {}
        }
    }

    /// Does `step`, with `inside` at the first point of its name.
    fn step_with(&mut self, step: &Step, inside: &Inside) {
        let mut from = Progress::default();
        let mut waits = true;
        while let Some(stop) = self.code.step(&mut self.local, step, &from, &mut self.seen) {
            from = stop.progress;
            if waits && inside.point == stop.point && inside.nth == stop.nth {
                waits = false;
                self.fall_in(inside);
            }
        }
    }

    fn fall_in(&mut self, inside: &Inside) {
        let (cpu, task) = (self.local.cpu, self.local.task.pid);
        self.note(Event::Away);
        for line in &inside.steps {
            self.line(line);
        }
        self.context_switch(inside.back_on.unwrap_or(cpu), task);
        self.note(Event::Back);
    }

    /// Has `cpu` execute from now on; tasks stay where they are.
    fn run_on(&mut self, cpu: u8) {
        let from = self.local.cpu;
        if from == cpu {
            return;
        }
        self.swap(self.running[usize::from(cpu)]);
        self.per_cpu[usize::from(from)] = self.local.per_cpu;
        self.local.per_cpu = self.per_cpu[usize::from(cpu)];
        self.local.cpu = cpu;
    }

    fn swap(&mut self, to: u8) {
        let next = self
            .saved
            .remove(&to)
            .unwrap_or_else(|| self.code.born(TaskStruct { pid: to, ..TaskStruct::default() }));
        let prev = std::mem::replace(&mut self.local.task, next);
        self.saved.insert(prev.pid, prev);
    }

    fn context_switch(&mut self, cpu: u8, next: u8) {
        let elsewhere = (0..NR_CPUS).find(|from| self.running[*from] == next);
        if let Some(from) = elsewhere.map(|from| from as u8).filter(|from| *from != cpu) {
            self.context_switch(from, idle(from));
            if self.running[usize::from(from)] == next {
                return;
            }
        }
        self.run_on(cpu);
        if self.running[usize::from(cpu)] == next {
            return;
        }
        self.code.switch_out(&mut self.local, next, &mut self.seen);
        if self.seen.bug.is_some() {
            return;
        }
        self.swap(next);
        self.running[usize::from(cpu)] = next;
        self.code.switch_in(&mut self.local, &mut self.seen);
    }
}
