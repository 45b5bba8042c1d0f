//! Hazards: the kinds of damage that misuse of the lazy MMU mode does, and how each is recognised.
//!
//! A hazard is something that a real machine may do wrong and that the kernel itself may not
//! notice. Each kind has one detection function over plain facts; the machine gathers the facts.

mod applies;
mod detect;
mod trigger;

use crate::backend::Facts;
use crate::id::UnknownId;
pub use trigger::{Trigger, Triggers};

use applies::*;
pub use detect::access_while_pending;
pub(crate) use detect::*;

macro_rules! hazards {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $trigger:ident, $applies:ident, $about:literal;)*) => {
        lazy_mmu::rows! {
            /// A kind of damage.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[non_exhaustive]
            pub enum Hazard, id, UnknownId::new("hazard") {
                $($(#[$meta])* $name = $id, $about;)*
            }
        }

        impl Hazard {
            /// The name of the property that the hazard does not appear; never changes.
            #[must_use]
            pub const fn no(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("no-", $id),)*
                }
            }

            /// What must happen for the hazard to be possible.
            #[must_use]
            pub const fn trigger(self) -> Trigger {
                match self {
                    $(Self::$name => Trigger::$trigger,)*
                }
            }

            /// Tells why the hazard cannot appear on an architecture, if so.
            ///
            /// # Errors
            /// What the architecture does not have.
            pub fn applies_to(self, facts: &Facts) -> Result<(), &'static str> {
                match self {
                    $(Self::$name => $applies(facts),)*
                }
            }
        }
    };
}

hazards! {
    /// A CPU touches a page whose update still waits for its barriers (arm64): it may take a
    /// spurious fault.
    AccessPendingBarriers = "access-pending-barriers", Access, defers_barriers,
        "the access may fault: barriers are owed for the entry";
    /// A CPU touches a page whose new entry is not in memory yet (Xen PV, s390): a new mapping
    /// faults, a removed one still works.
    AccessPendingStore = "access-pending-store", Access, defers_stores,
        "the access goes by the old entry: the new one is not stored";
    /// A CPU touches a page whose old translation is still to be invalidated (powerpc hash,
    /// sparc64): a removed or protected page is still there.
    AccessPendingInvalidation = "access-pending-invalidation", Access, defers_invalidations,
        "the access goes by the old translation: it is not invalidated";
    /// A read of an entry sees the value before an update that is pending.
    StaleRead = "stale-read", Read, defers_stores,
        "the read does not see an update that is still pending";
    /// A CPU uses a cached translation that no longer agrees with the entry, and nothing is pending
    /// that would mend it.
    StaleTranslation = "stale-translation", CachedAccess, always,
        "the access goes by a cached translation that the entry no longer gives";
    /// Two hash page table entries are valid for one page (powerpc hash).
    DuplicateHpte = "duplicate-hpte", HashInsert, has_hash_table,
        "two hash page table entries are valid for the page";
    /// A TLB flush happens while a store that it is to follow is still pending.
    FlushBeforeStores = "flush-before-stores", Flush, flush_passes_stores,
        "the TLB flush comes before the stores that it is to follow";
    /// A store to an entry goes to memory ahead of an older one that is still queued.
    Overtaken = "overtaken", Update, defers_stores,
        "the store reaches memory ahead of an older one that waits";
    /// A CPU goes to another task with work of the outgoing one left in its batch.
    BatchAtSwitch = "batch-at-switch", Switch, defers_per_cpu,
        "the CPU goes on with work of another task in its batch";
    /// A per-CPU batch is touched while the task may be moved to another CPU.
    BatchPreemptible = "batch-preemptible", Defer, pins_task,
        "the task may leave the CPU whose batch it is using";
    /// A task adds to a per-CPU batch in which the work of another task waits.
    ForeignBatch = "foreign-batch", Defer, defers_per_cpu,
        "the update joins a batch in which another task's work waits";
    /// An update joins a batch that is full, up to v6.19: an interrupt's, while the batch is
    /// flushed. The kernel writes past the end of its array.
    BatchOverflow = "batch-overflow", FullBatch, defers_invalidations,
        "the update is written past the end of the batch's array";
    /// A batch is emptied without the invalidation of a page that has joined it, up to v6.19 in an
    /// interrupt: the old translation stays.
    LostInvalidation = "lost-invalidation", InterruptUpdate, defers_invalidations,
        "the batch forgets a page whose old translation is not invalidated";
    /// A lock is released while updates of the entries that it protects are pending.
    PendingAtUnlock = "pending-at-unlock", AnyUnlock, defers,
        "others may take the lock and see the entries as they were";
    /// A lock is released while a CPU may still use a translation that one of the entries it
    /// protects no longer gives, and no one has taken the flush upon himself.
    UnflushedAtUnlock = "unflushed-at-unlock", Unlock, always,
        "others may take the lock while CPUs use translations that are gone";
    /// A present entry is made to map another page without having been emptied before.
    Replaced = "replaced", Remap, always,
        "the entry maps another page, and the old one was never taken out";
    /// A page table is freed while a CPU has a translation through it (not on powerpc hash and
    /// sparc64) or, where stores are deferred, while a store to it or to an entry above it waits.
    FreedTable = "freed-table", TableFree, walks_tables,
        "something still reaches the page table that is freed";
    /// A page is freed while a CPU has a translation of it, or while the update that takes it out
    /// waits.
    FreedPage = "freed-page", PageFree, always,
        "a CPU may still reach the page that is freed";
    /// An entry maps another page while a CPU may still have the old translation: break-before-make
    /// asks for an invalid entry and a TLB invalidation in between (arm64). Of what asks for it,
    /// another page alone is looked at: memory types, block sizes, global and contiguous bits are
    /// not, and a valid entry that is replaced at once is `replaced`.
    BbmViolation = "bbm-violation", Remake, breaks_before_make,
        "the entry maps another page before the old translation is invalidated";
    /// An address space goes away while a batch holds invalidations for it (powerpc hash, sparc64):
    /// whoever is given its number may use the old translations until the flush, and the flush
    /// reads an `mm_struct` that is freed.
    ContextReused = "context-reused", ContextFree, defers_invalidations,
        "the old translations serve whoever gets its number";
    /// Updates are pending when a pause returns.
    PendingAtPause = "pending-at-pause", Pause, defers,
        "code in the pause counts on updates that are still pending";
    /// Updates are pending when a disable returns.
    PendingAtDisable = "pending-at-disable", Disable, defers,
        "the caller counts on updates that are still pending";
    /// A task gives up its CPU while updates of its own are pending.
    PendingAtSchedule = "pending-at-schedule", Schedule, defers,
        "updates wait for as long as the task does not run";
    /// A task exits while updates of its own are pending.
    PendingAtExit = "pending-at-exit", Exit, defers,
        "no one is left who would do the updates that wait";
    /// A task that must not sleep may sleep: "scheduling while atomic".
    SleepInAtomic = "sleep-in-atomic", Sleep, always,
        "scheduling while atomic";
    /// A task may sleep inside a section. An architecture's own code may where its sections leave
    /// preemption on and what they defer goes with the task (arm64).
    SleepInSection = "sleep-in-section", Sleep, always,
        "a section must not sleep: some architectures forbid it there";
    /// A task exits with preemption off or in interrupt.
    PreemptImbalance = "preempt-imbalance", Exit, always,
        "preemption was turned off and never on again";
    /// An update made in an interrupt is not done when its primitive returns.
    IrqDeferred = "irq-deferred", InterruptUpdate, defers,
        "an interrupt counts on an update that waits for the task";
    /// A `BUG_ON()` of the architecture was hit.
    ArchBug = "arch-bug", BugCheck, has_bug_on,
        "the architecture's code stops the task: BUG_ON()";
    /// A sanity check of the generic layer fired.
    ApiWarning = "api-warning", Call, always,
        "a sanity check of the kernel fires";
    /// A task has ended every section and pause that it began, and its mode is on: what it defers
    /// from now on nobody promises to do.
    ModeLeftOn = "mode-left-on", LastClose, always,
        "the mode is on with every section and pause closed";
    /// A task exits in a section or a pause: one that it began, that a fork has copied, or that a
    /// switch has counted though nobody began it (Xen PV v7.2).
    SectionAtExit = "section-at-exit", Exit, always,
        "the task exits with its count of sections or pauses not at zero";
}

impl Hazard {
    /// Whether only the caller of a primitive can cause it, whatever the architecture does: he
    /// replaces or frees what somebody can still reach.
    #[must_use]
    pub const fn is_callers(self) -> bool {
        matches!(
            self,
            Self::Replaced
                | Self::FreedTable
                | Self::FreedPage
                | Self::BbmViolation
                | Self::ContextReused
        )
    }

    /// Tells whether a record has an event for it: a warning or a BUG is one already.
    #[must_use]
    pub const fn has_event(self) -> bool {
        !matches!(self, Self::ApiWarning | Self::ArchBug)
    }
}
