//! A scenario on the machine as a value: the same record as on the machine of a thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use emu_arch::kernel::{self, Cpus, Step, TaskOp, idle};
use emu_arch::machine::NR_CPUS;
use emu_arch::replay::{Code, Local, Memory, Progress, Seen};
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::{Event, Record};

use super::driver::{Driver, Script, Stage};
use super::setup::Setup;
use super::value::{Inside, Scenario};

/// Runs `scenario` as [`super::run`] does, on the machine as a value: the record is the same, but
/// for remarks on claims that do not hold.
///
/// ```
/// use emu_arch::Arch;
/// use emu_lab::scenario::{self, Setup, parse};
///
/// let scenario = parse("enable\nset_pte_at 0xffff800008000000\ndisable").unwrap();
/// let setup = Setup { arch: Arch::ARM64, ..Setup::default() };
/// assert_eq!(scenario::run_replayed(&scenario, setup), scenario::run(&scenario, setup).record);
/// ```
#[must_use]
pub fn run_replayed(scenario: &Scenario, setup: Setup) -> Record {
    run_on_code(scenario, setup, setup.arch.replay(setup.kernel, setup.design, None))
}

/// Runs `scenario` on the machine as a value, whose code is `code`: that of `setup`, with a fault
/// in it or watched at each of its steps.
#[must_use]
pub fn run_on_code(scenario: &Scenario, setup: Setup, code: Box<dyn Code>) -> Record {
    let scenario = scenario.code(setup.mended);
    let lab = Lab::new(scenario, setup, code);
    let driver = Driver::new(Replayed(RefCell::new(lab)), &scenario.insides);
    for line in &scenario.steps {
        driver.line(line);
    }
    let mut lab = driver.stage.0.borrow_mut();
    let Lab { code, local, seen, .. } = &mut *lab;
    // The machine's first CPU has the last word.
    code.note_end(local, seen);
    seen.record.take().unwrap_or_default()
}

struct Replayed(RefCell<Lab>);

/// A machine with many tasks and CPUs.
struct Lab {
    code: Box<dyn Code>,
    /// The executing CPU, its task, and memory.
    local: Local,
    /// Every task that does not run on the executing CPU.
    saved: BTreeMap<u8, TaskStruct>,
    running: [u8; NR_CPUS],
    /// What the architecture keeps on each CPU but the executing one.
    per_cpu: [u32; NR_CPUS],
    seen: Seen,
    bugs: u32,
}

impl Lab {
    fn new(scenario: &Scenario, setup: Setup, code: Box<dyn Code>) -> Self {
        let Setup { arch, design, .. } = setup;
        let mut memory = Memory::new(arch);
        scenario.lines().for_each(|line| line.step.prepare(&mut memory, arch));
        Self {
            code,
            local: Local { task: TaskStruct::default(), cpu: 0, per_cpu: 0, memory },
            saved: BTreeMap::new(),
            running: std::array::from_fn(|cpu| if cpu == 0 { 0 } else { idle(cpu as u8) }),
            per_cpu: [0; NR_CPUS],
            seen: Seen { record: Some(Record::new(design)), ..Seen::default() },
            bugs: 0,
        }
    }

    fn note(&mut self, event: Event<'_>) {
        if let Some(record) = &mut self.seen.record {
            record.push(self.local.cpu, self.local.task.pid, event);
        }
    }

    /// Keeps what a step has left for whoever drives.
    fn done(&mut self) {
        self.bugs += u32::from(self.seen.bug.take().is_some());
        if let Some(child) = self.seen.forked.take() {
            self.saved.insert(child.pid, child);
        }
    }
}

impl Stage for Replayed {
    fn current(&self) -> (u8, u8) {
        let lab = self.0.borrow();
        (lab.local.task.pid, lab.local.cpu)
    }

    fn cpu_of(&self, pid: u8) -> Option<u8> {
        Cpus::cpu_of(&*self.0.borrow(), pid)
    }

    fn run_on(&self, cpu: u8) {
        self.0.borrow_mut().run_on(cpu);
    }

    fn context_switch(&self, cpu: u8, next: u8) {
        kernel::context_switch(&mut *self.0.borrow_mut(), cpu, next);
    }

    fn step(&self, step: &Step, inside: Option<(&Inside, Script)>) -> bool {
        let mut from = Progress::default();
        let mut waits = inside;
        loop {
            let stop = {
                let lab = &mut *self.0.borrow_mut();
                let stop = lab.code.step(&mut lab.local, step, &from, &mut lab.seen);
                lab.done();
                stop
            };
            let Some(stop) = stop else { break };
            from = stop.progress;
            if let Some((_, script)) =
                waits.take_if(|(inside, _)| inside.point == stop.point && inside.nth == stop.nth)
            {
                let (task, cpu) = self.current();
                self.note(Event::Away);
                let back_on = script().unwrap_or(cpu);
                self.context_switch(back_on, task);
                self.note(Event::Back);
            }
        }
        if *step == Step::Task(TaskOp::Schedule) {
            let (_, cpu) = self.current();
            self.context_switch(cpu, idle(cpu));
        }
        waits.is_none()
    }

    fn bugs(&self) -> u32 {
        self.0.borrow().bugs
    }

    fn note(&self, event: Event<'_>) {
        self.0.borrow_mut().note(event);
    }
}

impl Cpus for Lab {
    fn cpu(&self) -> u8 {
        self.local.cpu
    }

    fn running(&self, cpu: u8) -> u8 {
        self.running[usize::from(cpu)]
    }

    fn cpu_of(&self, pid: u8) -> Option<u8> {
        (0..NR_CPUS as u8).find(|cpu| self.running(*cpu) == pid)
    }

    fn run_on(&mut self, cpu: u8) {
        let from = self.local.cpu;
        if from == cpu {
            return;
        }
        self.swap_task(self.running(cpu));
        self.per_cpu[usize::from(from)] = self.local.per_cpu;
        self.local.per_cpu = self.per_cpu[usize::from(cpu)];
        self.local.cpu = cpu;
    }

    fn switch_out(&mut self, next: u8) -> bool {
        let bugs = self.bugs;
        self.code.switch_out(&mut self.local, next, &mut self.seen);
        self.done();
        self.bugs == bugs
    }

    fn swap(&mut self, next: u8) {
        self.swap_task(next);
        self.running[usize::from(self.local.cpu)] = next;
    }

    fn switch_in(&mut self) {
        self.code.switch_in(&mut self.local, &mut self.seen);
        self.done();
    }
}

impl Lab {
    fn swap_task(&mut self, to: u8) {
        let next = self.saved.remove(&to).unwrap_or_else(|| {
            self.code.switched_out(TaskStruct { pid: to, ..TaskStruct::default() })
        });
        let prev = std::mem::replace(&mut self.local.task, next);
        self.saved.insert(prev.pid, prev);
    }
}
