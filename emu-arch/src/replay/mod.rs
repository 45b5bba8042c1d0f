//! The machine as a plain value, on which a step goes on from point to point.
//!
//! The second host of the kernel's code, beside the machine of a thread. All that a task can reach is in a
//! [`Local`]; a step takes one from point to point, and may be left at any of them for an interrupt or
//! another task. Backend code is plain code and cannot be suspended. To resume a step, [`Code`]
//! executes it again from its start, answers its questions from the log in its [`Progress`], and
//! suppresses what it does, until it reaches the point where it was left: as `loom` re-executes a
//! program along the branches that it has taken.
//!
//! Key types: [`Local`], [`Progress`], [`Seen`], and [`Code`], the kernel's code that does a step.

mod calls;
mod exec;
mod host;
mod memory;

use lazy_mmu::Record;
use lazy_mmu::design::{Design, Hook};
use lazy_mmu::sched::TaskStruct;

use crate::backend::{At, Backend, Slot};
use crate::hazard::{Hazard, Triggers};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;
use crate::kernel::{self, Step};
use exec::World;

pub use crate::kernel::Fault;
pub use memory::Memory;
pub(crate) use memory::slot_of;

/// All that a task can reach while it runs on a CPU.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The task.
    pub task: TaskStruct,
    /// The CPU that it runs on.
    pub cpu: u8,
    /// What the architecture keeps on that CPU, as the number that [`Code`] knows it by; 0 after boot.
    pub per_cpu: u32,
    /// Page tables, what is pending, what is cached.
    pub memory: Memory,
}

/// How far a step has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The number of points behind it.
    points: u32,
    /// The answer to each question that the code has asked.
    answers: Vec<u64>,
}

/// A point inside a step, before its next store, hook or effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How far the step has come.
    pub progress: Progress,
    /// The name of the point, as scenarios have it.
    pub point: &'static str,
    /// Which of that name in the step, from 1.
    pub nth: u32,
    /// Interrupts are off, so that none arrives here on this CPU.
    pub irqs_off: bool,
    /// The next effect only records that work joined a batch; it does not change the machine.
    /// Interference here is equivalent to interference just before or after.
    pub mark: bool,
}

/// What a step did between two points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Where the events go, if anyone wants them.
    pub record: Option<Record>,
    /// The hazards found, in order.
    pub hazards: Vec<Hazard>,
    /// The hooks called, in order.
    pub hooks: Vec<Hook>,
    /// The condition of a `BUG_ON()` of the architecture that was hit: nothing goes on.
    pub bug: Option<&'static str>,
    /// The condition of a sanity check that found something.
    pub warning: Option<&'static str>,
    /// What happened that a property is about.
    pub exercised: Triggers,
    /// The task that was forked.
    pub forked: Option<TaskStruct>,
    /// Where the requests of arch code go, if anyone wants them.
    pub requests: Option<Vec<Request>>,
}

/// What arch code asks of the machine, one of the duties of a [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// An entry is written to memory.
    Write(Slot, Pte),
    /// The updates of that many pages join the batch.
    Defer(At, u16),
    /// All work in the batch is done.
    Complete,
    /// No CPU translates that many pages by an old entry any more.
    Invalidate(At, u32),
    /// An effect is executed.
    Effect(ArchEffect),
    /// A primitive returns: an entry, or 0 and 1 for a yes or no.
    Return(u64),
}

/// What the code is changed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// A mistake in it.
    pub fault: Option<Fault>,
    /// The most entries that a batch holds, where fewer than in the kernel.
    pub batch_max: Option<u16>,
}

impl From<Option<Fault>> for Setup {
    fn from(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }
}

/// The kernel's code for one architecture, version and design.
pub trait Code {
    /// Does `step` from where it stopped to its next point, or to its end.
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop>;
    /// Does all of `step`, whatever points are in it.
    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen);
    /// What a context switch does before the registers of the outgoing task are saved.
    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen);
    /// What a context switch does after it, for the incoming task.
    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen);
    /// `task` as one that has run before and was switched out.
    fn switched_out(&self, task: TaskStruct) -> TaskStruct;
    /// What the design answers arch code that asks for the mode.
    fn is_active(&self, task: &TaskStruct) -> bool;
    /// What the architecture itself remembers of the mode, where it does.
    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool>;
    /// What is outstanding on the CPU.
    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)>;
    /// The last lines of a record.
    fn note_end(&mut self, local: &mut Local, seen: &mut Seen);
}

/// The code of `backend` under `design`.
#[must_use]
pub fn of<B: Backend>(backend: B, design: Design, setup: impl Into<Setup>) -> Box<dyn Code> {
    Box::new(World::new(backend, design, setup.into()))
}

impl<B: Backend> Code for World<B> {
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop> {
        self.resume(local, from, seen, |exec| exec.execute(step))
    }

    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.execute(step));
    }

    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen) {
        self.whole(local, seen, |exec| kernel::switch_out(exec, next));
    }

    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| kernel::switch_in(exec));
    }

    fn switched_out(&self, task: TaskStruct) -> TaskStruct {
        kernel::switched_out(task, self.design, self.backend.switch_pauses())
    }

    fn is_active(&self, task: &TaskStruct) -> bool {
        let in_interrupt = task.preempt_count.in_interrupt();
        self.design.is_active(task.lazy_mmu_state)[usize::from(in_interrupt)]
    }

    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool> {
        let backend = self.backend;
        self.whole(local, &mut Seen::default(), |exec| backend.lazy_mode(exec))
    }

    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)> {
        let backend = self.backend;
        self.whole(local, &mut Seen::default(), |exec| backend.pending(exec))
    }

    fn note_end(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.note_end());
    }
}
