//! One machine of a comparison: the code of a backend, and all that it can reach.

use lazy_mmu::design::Design;
use lazy_mmu::sched::TaskStruct;

use super::act::Act;
use crate::Arch;
use crate::backend::Backend;
use crate::hazard::{Hazard, Trigger};
use crate::hw::effect::{ArchEffect, Kind};
use crate::kernel::{PteArgs, Step, idle};
use crate::replay::{self, Code, Local, Memory, Request, Seen, Setup};

/// The code of a backend.
pub(super) struct Side {
    arch: Arch,
    pub(super) code: Box<dyn Code>,
}

/// All that the code can reach, on two CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) local: Local,
    /// What the architecture keeps on the other CPU.
    other: u32,
    /// The idle task of each CPU.
    idle: [TaskStruct; 2],
}

/// What an act did.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) requests: Vec<Request>,
    pub(super) hazards: Vec<Hazard>,
    /// The condition of a BUG or a warning.
    pub(super) bug: Option<&'static str>,
    /// A CPU used a cached translation.
    pub(super) used_cached: bool,
}

impl Side {
    pub(super) fn new<B: Backend>(backend: B, design: Design, setup: Setup) -> Self {
        Self { arch: Arch::of::<B>(), code: replay::of(backend, design, setup) }
    }

    /// A machine on which `mapped` is mapped and was used.
    pub(super) fn start(&self, mapped: &[PteArgs]) -> State {
        let mut memory = Memory::new(self.arch);
        mapped.iter().for_each(|args| memory.populate(args, self.arch));
        // The other CPU is idle already.
        let idle = [0, 1].map(|cpu| TaskStruct { pid: idle(cpu), ..TaskStruct::default() });
        let idle = [self.code.switched_out(idle[0]), idle[1]];
        let task = TaskStruct { pid: 1, ..TaskStruct::default() };
        let local = Local { task, cpu: 0, per_cpu: 0, memory };
        State { local, other: 0, idle }
    }

    /// Does `act`.
    pub(super) fn act(&mut self, state: &mut State, act: &Act) -> Done {
        let mut seen = Seen { requests: Some(Vec::new()), ..Seen::default() };
        match act {
            Act::Step(step) => self.code.whole_step(&mut state.local, step, &mut seen),
            Act::Migrate => self.migrate(state, &mut seen),
        }
        Done {
            requests: seen.requests.unwrap_or_default(),
            hazards: seen.hazards,
            bug: seen.bug.or(seen.warning),
            used_cached: seen.exercised.contains(Trigger::CachedAccess),
        }
    }

    /// The task is preempted and continues on the other CPU.
    fn migrate(&mut self, state: &mut State, seen: &mut Seen) {
        let cpu = usize::from(state.local.cpu);
        let task = self.switch(state, state.idle[cpu], seen);
        state.idle[cpu] = std::mem::replace(&mut state.local.task, state.idle[1 - cpu]);
        state.local.cpu = 1 - state.local.cpu;
        std::mem::swap(&mut state.local.per_cpu, &mut state.other);
        state.idle[1 - cpu] = self.switch(state, task, seen);
    }

    /// Switches the CPU to `next` and returns the task that ran there.
    fn switch(&mut self, state: &mut State, next: TaskStruct, seen: &mut Seen) -> TaskStruct {
        self.code.switch_out(&mut state.local, next.pid, seen);
        let prev = std::mem::replace(&mut state.local.task, next);
        self.code.switch_in(&mut state.local, seen);
        prev
    }

    /// A machine after one more flush hook.
    pub(super) fn flushed(&mut self, state: &State) -> State {
        let mut state = state.clone();
        self.act(&mut state, &Act::Step(Step::Task(crate::kernel::TaskOp::ArchFlush)));
        state
    }
}

impl Done {
    /// The effects that the mode can defer, in order.
    pub(super) fn delayable(&self) -> impl Iterator<Item = ArchEffect> + '_ {
        let effects = self.requests.iter().filter_map(|request| {
            if let Request::Effect(effect) = request { Some(*effect) } else { None }
        });
        effects.filter(|effect| effect.kind == Kind::Delayable)
    }

    /// What the act did for others to see: the names of its effects, and whether a translation was
    /// invalidated.
    pub(super) fn acts(&self) -> Vec<&'static str> {
        let mut acts: Vec<_> = self.delayable().map(|effect| effect.name).collect();
        if self.requests.iter().any(|request| matches!(request, Request::Invalidate(..))) {
            acts.push("tlb_invalidate()");
        }
        acts.sort_unstable();
        acts.dedup();
        acts
    }

    pub(super) fn defers(&self) -> bool {
        let defers =
            |request: &Request| matches!(request, Request::Defer(..) | Request::DeferTable(..));
        self.requests.iter().any(defers)
    }

    /// What the primitive returned.
    pub(super) fn returned(&self) -> Option<u64> {
        self.requests.iter().rev().find_map(|request| {
            if let Request::Return(value) = request { Some(*value) } else { None }
        })
    }

    pub(super) fn faults(&self) -> bool {
        self.requests.contains(&Request::Effect(ArchEffect::PAGE_FAULT))
    }
}
