//! The emulated machine that makes the moves of a trace: any number of tasks and CPUs, on the
//! machine as a value, where a call can be left in its middle.

use std::collections::BTreeMap;

use emu_arch::kernel::{PteArgs, Step};
use emu_arch::replay::{Code, Local, Memory, Progress, Request, Seen};
use emu_arch::{Arch, ArchEffect, Kernel, Pte};
use lazy_mmu::design::{Call, Context, Design, StateBits, Value};
use lazy_mmu::sched::TaskStruct;

use crate::moves::{Act, Counter, Counters, Move, Reduced, Store};
use crate::trace::Task;

/// What the emulated kernel did at one move.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Its effects, in order.
    pub(crate) effects: Vec<ArchEffect>,
    /// Its stores to counters.
    pub(crate) stores: Vec<Store>,
    /// The `BUG_ON()` that it hit.
    pub(crate) bug: Option<&'static str>,
    /// The warning that it gave.
    pub(crate) warning: Option<&'static str>,
    /// An entry is not as the trace shows it, and was made so.
    pub(crate) assumed: bool,
    /// What cannot be: the task does not run there.
    pub(crate) impossible: Option<String>,
}

/// A CPU that does not execute at the moment.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    running: Task,
    per_cpu: u32,
}

/// An emulated machine with the tasks and CPUs of a trace.
pub(crate) struct Machine<'r> {
    arch: Arch,
    design: Design,
    code: Box<dyn Code>,
    /// The executing CPU, its task, and memory.
    local: Local,
    /// The number of the executing CPU and its task in the trace; none before the first move.
    current: Option<(u16, Task)>,
    cpus: BTreeMap<u16, Cpu>,
    /// Tasks that run on no CPU, or on one that does not execute.
    tasks: BTreeMap<Task, TaskStruct>,
    /// Calls that were left in their middle.
    left: BTreeMap<Task, (Step, Progress)>,
    reduced: &'r Reduced,
    numbers: BTreeMap<Task, u8>,
    seen: Seen,
}

impl<'r> Machine<'r> {
    pub(crate) fn new(arch: Arch, kernel: Kernel, reduced: &'r Reduced) -> Self {
        let design = kernel.design();
        let task = TaskStruct::default();
        Self {
            arch,
            design,
            code: arch.replay(kernel, design, None),
            local: Local { task, cpu: 0, per_cpu: 0, memory: Memory::new(arch) },
            current: None,
            cpus: BTreeMap::new(),
            tasks: BTreeMap::new(),
            left: BTreeMap::new(),
            reduced,
            numbers: BTreeMap::new(),
            seen: Seen { requests: Some(Vec::new()), ..Seen::default() },
        }
    }

    /// Makes a move.
    pub(crate) fn make(&mut self, made: &Move) -> Done {
        match made.act {
            Act::Map(args, used) => {
                return Done { assumed: self.map(&args, used), ..Done::default() };
            }
            Act::Forget(mm) => {
                self.local.memory.forget(mm);
                return Done::default();
            }
            Act::Step(_) | Act::Until(..) | Act::Rest | Act::Switch(_) => {}
        }
        self.run_on(made.cpu, made.task);
        let before = self.local.task.lazy_mmu_state;
        let mut done = Done::default();
        match made.act {
            Act::Switch(next) => return self.switch(made, next),
            Act::Step(_) | Act::Until(..) | Act::Rest if !self.runs(made.task) => {
                let what = "the task does not run on this CPU: its switch is not in the trace";
                done.impossible = Some(what.to_owned());
                return done;
            }
            Act::Step(step) => self.code.whole_step(&mut self.local, &step, &mut self.seen),
            Act::Until(step, point) => {
                let left = self.go_on(&step, Progress::default(), Some(point));
                match left {
                    Some(progress) => drop(self.left.insert(made.task, (step, progress))),
                    None => done.impossible = Some(format!("the call has no point {point}")),
                }
            }
            Act::Rest => {
                if let Some((step, progress)) = self.left.remove(&made.task) {
                    self.go_on(&step, progress, None);
                }
            }
            Act::Map(..) | Act::Forget(_) => {}
        }
        self.stores(made.task, before, self.local.task.lazy_mmu_state, &mut done);
        self.finish(done)
    }

    /// Sees to it that a page is mapped, and was used where `used`; tells whether it was mapped
    /// before, and not so.
    fn map(&mut self, args: &PteArgs, used: bool) -> bool {
        let pte = self.local.memory.entry(args.at());
        let is = pte != Pte::NONE;
        if is && (!used || pte.is_present() && self.arch.used(pte) == pte) {
            return false;
        }
        let arch = if used { self.arch } else { Arch::default() };
        self.local.memory.populate(args, arch);
        is
    }

    /// Does `step` from where it was left to `point`, or to its end.
    fn go_on(&mut self, step: &Step, from: Progress, point: Option<&str>) -> Option<Progress> {
        let mut from = from;
        while let Some(stop) = self.code.step(&mut self.local, step, &from, &mut self.seen) {
            from = stop.progress;
            if Some(stop.point) == point {
                return Some(from);
            }
        }
        None
    }

    fn switch(&mut self, made: &Move, next: Task) -> Done {
        let mut done = Done::default();
        if !self.runs(made.task) {
            let what = "the task that is switched out does not run on this CPU";
            done.impossible = Some(what.to_owned());
        }
        let elsewhere = self.cpus.iter_mut().find(|(_, other)| other.running == next);
        if let Some((cpu, other)) = elsewhere {
            other.running = Task::new(0, *cpu);
            let what = "the task that is switched in runs on another CPU";
            done.impossible = Some(what.to_owned());
        }
        let before = self.local.task.lazy_mmu_state;
        let number = self.number(next);
        self.code.switch_out(&mut self.local, number, &mut self.seen);
        self.stores(made.task, before, self.local.task.lazy_mmu_state, &mut done);
        if self.seen.bug.is_none() {
            let next_task = self.take(next, true);
            let prev = std::mem::replace(&mut self.local.task, next_task);
            self.tasks.insert(made.task, prev);
            self.current = Some((made.cpu, next));
            let before = self.local.task.lazy_mmu_state;
            self.code.switch_in(&mut self.local, &mut self.seen);
            self.stores(next, before, self.local.task.lazy_mmu_state, &mut done);
        }
        self.finish(done)
    }

    fn runs(&self, task: Task) -> bool {
        self.current.is_some_and(|(_, running)| running == task)
    }

    /// Has `cpu` execute; `first` runs on it where nobody has been seen there.
    fn run_on(&mut self, cpu: u16, first: Task) {
        if self.current.is_some_and(|(at, _)| at == cpu) {
            return;
        }
        if let Some((from, running)) = self.current {
            self.cpus.insert(from, Cpu { running, per_cpu: self.local.per_cpu });
            self.tasks.insert(running, self.local.task);
        }
        let Cpu { running, per_cpu } =
            self.cpus.remove(&cpu).unwrap_or(Cpu { running: first, per_cpu: 0 });
        self.local.task = self.take(running, false);
        self.local.per_cpu = per_cpu;
        self.local.cpu = (usize::from(cpu) % emu_arch::machine::NR_CPUS) as u8;
        self.current = Some((cpu, running));
    }

    /// The state of `task`, as it was kept or as the trace finds it: running, or to be switched in.
    fn take(&mut self, task: Task, waits: bool) -> TaskStruct {
        let pid = self.number(task);
        if let Some(kept) = self.tasks.remove(&task) {
            return kept;
        }
        let born = self.reduced.born.get(&task);
        let lazy_mmu_state = born.map_or_else(StateBits::default, |born| self.counted(*born));
        let fresh = TaskStruct { pid, lazy_mmu_state, ..TaskStruct::default() };
        // A trace that shows the pauses of switches shows what the counter was before the switch.
        let known = born.is_some() && self.reduced.shows.contains(&Counter::Pause);
        if waits && !known { self.code.switched_out(fresh) } else { fresh }
    }

    /// The state of the design with these counters.
    fn counted(&self, counters: Counters) -> StateBits {
        let step = |state, call| {
            self.design.step(state, Context::default(), call).stored().unwrap_or(state)
        };
        let enabled =
            (0..counters.enable).fold(StateBits::default(), |state, _| step(state, Call::ENABLE));
        (0..counters.pause).fold(enabled, |state, _| step(state, Call::PAUSE))
    }

    /// The number that the machine knows a task by; tasks share one where there are very many.
    fn number(&mut self, task: Task) -> u8 {
        let next = self.numbers.len() % usize::from(emu_arch::machine::PID_MAX) + 1;
        *self.numbers.entry(task).or_insert(next as u8)
    }

    /// Appends the counters in which the states differ.
    fn stores(&self, task: Task, before: StateBits, after: StateBits, done: &mut Done) {
        for (was, is) in self.design.fields(before).zip(self.design.fields(after)) {
            let counters = [Counter::Enable, Counter::Pause];
            let counter = counters.into_iter().find(|counter| counter.name() == is.name);
            if let (Some(counter), Value::Count(value), true) = (counter, is.value, was != is)
                && let Ok(value) = u8::try_from(value)
            {
                done.stores.push(Store { task, counter, value });
            }
        }
    }

    /// Takes what was seen since the last move.
    fn finish(&mut self, mut done: Done) -> Done {
        let requests = self.seen.requests.as_mut().map(std::mem::take).unwrap_or_default();
        done.effects = requests
            .into_iter()
            .filter_map(|request| match request {
                Request::Effect(effect) => Some(effect),
                Request::Write(..)
                | Request::Defer(..)
                | Request::DeferTable(..)
                | Request::Complete
                | Request::Invalidate(..)
                | Request::Return(_) => None,
            })
            .collect();
        (done.bug, done.warning) = (self.seen.bug.take(), self.seen.warning.take());
        self.seen.hazards.clear();
        self.seen.hooks.clear();
        done
    }
}
