//! Hazards: the kinds of damage that misuse of the lazy MMU mode does, and how each is recognised.
//!
//! A hazard is something that a real machine may do wrong and that the kernel itself may not notice.
//! Each kind has one detection function over plain facts; the machine gathers the facts.

use super::pte::Pte;

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hazard {
    /// A CPU touches a page whose update still waits for its barriers (arm64): it may take a
    /// spurious fault.
    AccessPendingBarriers,
    /// A CPU touches a page whose new entry is not in memory yet (Xen PV, s390): a new mapping
    /// faults, a removed one still works.
    AccessPendingStore,
    /// A CPU touches a page whose old translation is still to be invalidated (powerpc hash,
    /// sparc64): a removed or protected page is still there.
    AccessPendingInvalidation,
    /// A read of an entry sees the value before an update that is pending.
    StaleRead,
    /// A CPU uses a cached translation that no longer agrees with the entry, and nothing is pending
    /// that would mend it.
    StaleTranslation,
    /// Two hash page table entries are valid for one page (powerpc hash).
    DuplicateHpte,
    /// A TLB flush happens while a store that it is to follow is still pending.
    FlushBeforeStores,
    /// A store to an entry goes to memory ahead of an older one that is still queued.
    Overtaken,
    /// A CPU goes to another task with work of the outgoing one left in its batch.
    BatchAtSwitch,
    /// A per-CPU batch is touched while the task may be moved to another CPU.
    BatchPreemptible,
    /// A task adds to a per-CPU batch in which the work of another task waits.
    ForeignBatch,
    /// A lock is released while updates of the entries that it protects are pending.
    PendingAtUnlock,
    /// A lock is released while a CPU may still use a translation that one of the entries it protects
    /// no longer gives, and no one has taken the flush upon himself.
    UnflushedAtUnlock,
    /// A present entry is made to map another page without having been emptied before.
    Replaced,
    /// Updates are pending when a pause returns.
    PendingAtPause,
    /// Updates are pending when a disable returns.
    PendingAtDisable,
    /// A task gives up its CPU while updates of its own are pending.
    PendingAtSchedule,
    /// A task exits while updates of its own are pending.
    PendingAtExit,
    /// A task that must not sleep may sleep: "scheduling while atomic".
    SleepInAtomic,
    /// A task may sleep inside a section.
    SleepInSection,
    /// A task exits with preemption off or in interrupt.
    PreemptImbalance,
    /// An update made in an interrupt is put off.
    IrqDeferred,
    /// A `BUG_ON()` of the architecture was hit.
    ArchBug,
    /// A sanity check of the generic layer fired.
    ApiWarning,
    /// A task exits inside a section or a pause.
    SectionAtExit,
}

impl Hazard {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::AccessPendingBarriers,
        Self::AccessPendingStore,
        Self::AccessPendingInvalidation,
        Self::StaleRead,
        Self::StaleTranslation,
        Self::DuplicateHpte,
        Self::FlushBeforeStores,
        Self::Overtaken,
        Self::BatchAtSwitch,
        Self::BatchPreemptible,
        Self::ForeignBatch,
        Self::PendingAtUnlock,
        Self::UnflushedAtUnlock,
        Self::Replaced,
        Self::PendingAtPause,
        Self::PendingAtDisable,
        Self::PendingAtSchedule,
        Self::PendingAtExit,
        Self::SleepInAtomic,
        Self::SleepInSection,
        Self::PreemptImbalance,
        Self::IrqDeferred,
        Self::ArchBug,
        Self::ApiWarning,
        Self::SectionAtExit,
    ];

    /// The name that records, scenarios and the command use; never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        // One list of names serves both: "no-" and what follows.
        self.no().strip_prefix("no-").unwrap_or_default()
    }

    /// The name of the property that the hazard does not appear; never changes.
    #[must_use]
    pub const fn no(self) -> &'static str {
        match self {
            Self::AccessPendingBarriers => "no-access-pending-barriers",
            Self::AccessPendingStore => "no-access-pending-store",
            Self::AccessPendingInvalidation => "no-access-pending-invalidation",
            Self::StaleRead => "no-stale-read",
            Self::StaleTranslation => "no-stale-translation",
            Self::DuplicateHpte => "no-duplicate-hpte",
            Self::FlushBeforeStores => "no-flush-before-stores",
            Self::Overtaken => "no-overtaken",
            Self::BatchAtSwitch => "no-batch-at-switch",
            Self::BatchPreemptible => "no-batch-preemptible",
            Self::ForeignBatch => "no-foreign-batch",
            Self::PendingAtUnlock => "no-pending-at-unlock",
            Self::UnflushedAtUnlock => "no-unflushed-at-unlock",
            Self::Replaced => "no-replaced",
            Self::PendingAtPause => "no-pending-at-pause",
            Self::PendingAtDisable => "no-pending-at-disable",
            Self::PendingAtSchedule => "no-pending-at-schedule",
            Self::PendingAtExit => "no-pending-at-exit",
            Self::SleepInAtomic => "no-sleep-in-atomic",
            Self::SleepInSection => "no-sleep-in-section",
            Self::PreemptImbalance => "no-preempt-imbalance",
            Self::IrqDeferred => "no-irq-deferred",
            Self::ArchBug => "no-arch-bug",
            Self::ApiWarning => "no-api-warning",
            Self::SectionAtExit => "no-section-at-exit",
        }
    }

    /// One line on what it means, as a report says it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::AccessPendingBarriers => "the access may fault: barriers are owed for the entry",
            Self::AccessPendingStore => {
                "the access goes by the old entry: the new one is not stored"
            }
            Self::AccessPendingInvalidation => {
                "the access goes by the old translation: it is not invalidated"
            }
            Self::StaleRead => "the read does not see an update that is still pending",
            Self::StaleTranslation => {
                "the access goes by a cached translation that the entry no longer gives"
            }
            Self::DuplicateHpte => "two hash page table entries are valid for the page",
            Self::FlushBeforeStores => "the TLB flush comes before the stores that it is to follow",
            Self::Overtaken => "the store reaches memory ahead of an older one that waits",
            Self::BatchAtSwitch => "the CPU goes on with work of another task in its batch",
            Self::BatchPreemptible => "the task may leave the CPU whose batch it is using",
            Self::ForeignBatch => "the update joins a batch in which another task's work waits",
            Self::PendingAtUnlock => "others may take the lock and see the entries as they were",
            Self::UnflushedAtUnlock => {
                "others may take the lock while CPUs use translations that are gone"
            }
            Self::Replaced => "the entry maps another page, and the old one was never taken out",
            Self::PendingAtPause => "code in the pause counts on updates that are still pending",
            Self::PendingAtDisable => "the caller counts on updates that are still pending",
            Self::PendingAtSchedule => "updates wait for as long as the task does not run",
            Self::PendingAtExit => "no one is left who would do the updates that wait",
            Self::SleepInAtomic => "scheduling while atomic",
            Self::SleepInSection => "a section must not sleep: some architectures forbid it there",
            Self::PreemptImbalance => "preemption was turned off and never on again",
            Self::IrqDeferred => "an interrupt counts on an update that waits for the task",
            Self::ArchBug => "the architecture's code stops the task: BUG_ON()",
            Self::ApiWarning => "a sanity check of the kernel fires",
            Self::SectionAtExit => "a section or a pause was begun and never ended",
        }
    }

    /// Tells whether a record has an event for it: a warning or a BUG is one already.
    #[must_use]
    pub const fn has_event(self) -> bool {
        !matches!(self, Self::ApiWarning | Self::ArchBug)
    }

    /// Finds a kind by its name.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hazard| hazard.id() == id)
    }
}

/// What an architecture puts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deferred {
    /// The barriers after a store (arm64).
    Barriers,
    /// The store itself (Xen PV, s390).
    Store,
    /// The invalidation of the old translation (powerpc hash, sparc64).
    Invalidation,
}

/// What an access to a page does whose update is `pending`.
#[must_use]
pub const fn access_while_pending(pending: Deferred) -> Hazard {
    match pending {
        Deferred::Barriers => Hazard::AccessPendingBarriers,
        Deferred::Store => Hazard::AccessPendingStore,
        Deferred::Invalidation => Hazard::AccessPendingInvalidation,
    }
}

/// A read that finds `seen` where software's last word is `latest`.
#[must_use]
pub fn stale_read(seen: Pte, latest: Pte) -> Option<Hazard> {
    (seen != latest).then_some(Hazard::StaleRead)
}

/// A use of the cached translation `cached` for a page whose entry is `entry`.
#[must_use]
pub fn stale_translation(cached: Pte, entry: Pte) -> Option<Hazard> {
    let wider = cached.has(Pte::WRITE) && !entry.has(Pte::WRITE);
    let gone = !entry.is_present() || cached.pfn() != entry.pfn();
    (gone || wider).then_some(Hazard::StaleTranslation)
}

/// A hash page table entry is made for a page that has `hpte` already.
#[must_use]
pub fn duplicate_hpte(hpte: Option<Pte>) -> Option<Hazard> {
    hpte.map(|_| Hazard::DuplicateHpte)
}

/// A TLB flush of a page whose update is `pending`.
#[must_use]
pub fn flush_before_stores(pending: Option<Deferred>) -> Option<Hazard> {
    (pending == Some(Deferred::Store)).then_some(Hazard::FlushBeforeStores)
}

/// A store to memory of a page whose update is `pending`.
#[must_use]
pub fn overtaken(pending: Option<Deferred>) -> Option<Hazard> {
    (pending == Some(Deferred::Store)).then_some(Hazard::Overtaken)
}

/// An update put off into a batch: per CPU or not, with preemption possible or not, in interrupt or
/// not, while the oldest entry there is another task's or not.
#[must_use]
pub fn put_off(
    per_cpu: bool,
    preemptible: bool,
    in_interrupt: bool,
    foreign: bool,
) -> [Option<Hazard>; 3] {
    [
        in_interrupt.then_some(Hazard::IrqDeferred),
        (per_cpu && preemptible).then_some(Hazard::BatchPreemptible),
        (per_cpu && foreign && !in_interrupt).then_some(Hazard::ForeignBatch),
    ]
}

/// The per-CPU batch is taken into use: it must not be left, and the task may be moved or not.
#[must_use]
pub fn entered(per_cpu: bool, preemptible: bool) -> Option<Hazard> {
    (per_cpu && preemptible).then_some(Hazard::BatchPreemptible)
}

/// An entry that software took for `was` becomes `is`.
#[must_use]
pub fn replaced(was: Pte, is: Pte) -> Option<Hazard> {
    let both = was.is_present() && is.is_present();
    (both && was.pfn() != is.pfn()).then_some(Hazard::Replaced)
}

/// A lock is released; a CPU may still use a translation that is gone, or not, and someone has taken
/// its flush upon himself, or not.
#[must_use]
pub fn unflushed(stale: bool, owned: bool) -> Option<Hazard> {
    (stale && !owned).then_some(Hazard::UnflushedAtUnlock)
}
