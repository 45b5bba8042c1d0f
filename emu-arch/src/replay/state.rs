//! The values of a machine that can be left: what a step works on, how far it has come, what it
//! did.

use lazy_mmu::Record;
use lazy_mmu::design::Hook;
use lazy_mmu::preempt::Layout;
use lazy_mmu::sched::TaskStruct;

use super::memory::Memory;
use crate::backend::{At, Level, Slot};
use crate::hazard::{Hazard, Triggers};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;
use crate::kernel::{Fault, Fix};

/// All that a task can reach while it runs on a CPU.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The task.
    pub task: TaskStruct,
    /// The CPU that it runs on.
    pub cpu: u8,
    /// What the architecture keeps on that CPU, as the number that [`Code`](super::Code) knows it
    /// by; 0 after boot.
    pub per_cpu: u32,
    /// Page tables, what is pending, what is cached.
    pub memory: Memory,
}

/// How far a step has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The number of points behind it.
    pub(super) points: u32,
    /// The answer to each question that the code has asked.
    pub(super) answers: Vec<u64>,
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
    /// The condition of a `BUG_ON()` that was hit: nothing goes on.
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

/// What arch code asks of the machine, one of the duties of a [`Backend`](crate::Backend).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// An entry is written to memory.
    Write(Slot, Pte),
    /// The updates of that many pages join the batch.
    Defer(At, u16),
    /// The update of an entry above the last level joins the batch.
    DeferTable(At, Level),
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
    /// A proposed fix.
    pub fix: Option<Fix>,
    /// The most entries that a batch holds, where fewer than in the kernel.
    pub batch_max: Option<u16>,
    /// Where the fields of the preempt count lie.
    pub layout: Layout,
}

impl From<Option<Fault>> for Setup {
    fn from(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }
}
