//! What the kernel's code needs of the machine that it runs on, beside what a backend needs.

use lazy_mmu::design::{Role, StateBits, Warn};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::Event;

use crate::backend::{At, Backend, Hw};
use crate::hazard::{Hazard, Trigger};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::kernel::{ContextOp, Fault};
use crate::tracker::{Now, Tracker};

/// A machine with a current task, on which the kernel's code runs.
pub trait Host: Hw {
    /// The architecture's code.
    type Backend: Backend<PerCpu = Self::PerCpu>;

    /// Whether anybody observes what happens. Where nobody does, a primitive compiles to what it
    /// does to memory and to the batch.
    const OBSERVED: bool;

    /// The architecture's code.
    fn backend(&self) -> Self::Backend;
    /// Whether the code has the mistake `fault`.
    fn has(&self, _: Fault) -> bool {
        false
    }
    /// The number of the current task.
    fn pid(&self) -> u8;
    /// The design's state of the current task.
    fn state(&mut self) -> StateBits;
    /// The current task has made a call of the role; tells whether it was one that closes and left
    /// no section and no pause open.
    fn took_bracket(&mut self, role: Role) -> bool;
    /// The preempt count of the current task.
    fn preempt_count(&mut self) -> PreemptCount;
    /// Appends to the record, where one is written.
    fn note(&mut self, event: Event<'_>);
    /// Whether hazards are tracked.
    fn tracks_hazards(&self) -> bool;
    /// Calls `look` with the tracker, where hazards are tracked, and reports what it finds.
    fn track(&mut self, look: impl FnOnce(&mut Tracker, Now));
    /// Whether anybody counts what properties are about.
    const EXERCISES: bool = false;
    /// Notes that something happened that a property is about, for whoever counts.
    fn exercise(&mut self, _: Trigger) {}
    /// Reports what a sanity check has found.
    fn warn(&mut self, found: Warn);
    /// Changes the preempt count of the current task, as the task itself does.
    fn change_context(&mut self, op: ContextOp);
    /// Puts a task in place that runs nowhere yet: what `make` makes of the current one.
    fn dup_task(&mut self, make: impl FnOnce(TaskStruct) -> TaskStruct);
    /// Makes `owner` the holder of the lock `key` and returns who was.
    fn set_lock_owner(&mut self, key: (u8, u64), owner: Option<u8>) -> Option<u8>;
    /// Whether the current task holds a lock.
    fn holds_lock(&mut self) -> bool;
    /// Keeps what reclaim has deferred the flush of: `nr` pages from `at` on.
    fn push_batched(&mut self, at: At, nr: u16);
    /// Takes all that reclaim has deferred the flush of in address space `mm`.
    fn take_batched(&mut self, mm: u8) -> Vec<(VirtAddr, u16)>;
    /// What the caller keeps between `ptep_modify_prot_start()` and its commit: sets it and returns
    /// what was kept.
    fn set_started(&mut self, at: At, pte: Option<Pte>) -> Option<Pte>;
    /// Takes `nr` page frames that nothing else uses and returns the first.
    fn take_pfns(&mut self, nr: u16) -> u64;

    /// A primitive has returned `value`: an entry, or 0 and 1 for a yes or no.
    fn returned(&mut self, _value: u64) {}

    /// Reports a hazard that needs no tracker to be seen.
    fn report(&mut self, hazard: Hazard) {
        self.track(|tracker, _| tracker.report(hazard, None));
    }

    /// Reports `hazard` where the current task has work deferred.
    fn must_be_done(&mut self, hazard: Hazard) {
        self.track(|tracker, now| tracker.must_be_done(now, hazard));
    }

    /// Records something that the task does to itself, by the kernel's name of it.
    fn note_context(&mut self, name: &'static str) {
        let preempt_count = self.preempt_count();
        self.note(Event::Context { name, preempt_count, by_arch: false });
    }
}
