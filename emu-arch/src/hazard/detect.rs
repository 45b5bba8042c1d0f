//! Detection: one function per kind of damage, over plain facts.

use super::Hazard;
use crate::backend::Deferred;
use crate::hw::addr::Pfn;
use crate::hw::pte::Pte;

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
pub(crate) fn stale_read(seen: Pte, latest: Pte) -> Option<Hazard> {
    (seen != latest).then_some(Hazard::StaleRead)
}

/// A walk by software through an entry whose store is `pending` or not.
#[must_use]
pub(crate) fn stale_walk(pending: bool) -> Option<Hazard> {
    pending.then_some(Hazard::StaleRead)
}

/// A use of the cached translation `cached` for a page whose entry is `entry`.
#[must_use]
pub(crate) fn stale_translation(cached: Pte, entry: Pte) -> Option<Hazard> {
    let executes = |pte: Pte| pte.has(Pte::USER) && !pte.has(Pte::UXN);
    let wider =
        cached.has(Pte::WRITE) && !entry.has(Pte::WRITE) || executes(cached) && !executes(entry);
    let gone = !entry.is_valid() || cached.pfn() != entry.pfn();
    (gone || wider).then_some(Hazard::StaleTranslation)
}

/// A hash page table entry is made for a page that has `hpte` already.
#[must_use]
pub(crate) fn duplicate_hpte(hpte: Option<Pte>) -> Option<Hazard> {
    hpte.map(|_| Hazard::DuplicateHpte)
}

/// A TLB flush of a page whose update is `pending`.
#[must_use]
pub(crate) fn flush_before_stores(pending: Option<Deferred>) -> Option<Hazard> {
    (pending == Some(Deferred::Store)).then_some(Hazard::FlushBeforeStores)
}

/// A store to memory of a page whose update is `pending`.
#[must_use]
pub(crate) fn overtaken(pending: Option<Deferred>) -> Option<Hazard> {
    (pending == Some(Deferred::Store)).then_some(Hazard::Overtaken)
}

/// An update deferred into a batch: per CPU or not, with preemption possible or not, while the
/// oldest entry there is another task's or not.
#[must_use]
pub(crate) fn defer(per_cpu: bool, preemptible: bool, foreign: bool) -> [Option<Hazard>; 2] {
    [
        (per_cpu && preemptible).then_some(Hazard::BatchPreemptible),
        (per_cpu && foreign).then_some(Hazard::ForeignBatch),
    ]
}

/// A primitive returns in an interrupt; something that it has deferred `waits`, or nothing.
#[must_use]
pub(crate) fn irq_deferred(waits: bool) -> Option<Hazard> {
    waits.then_some(Hazard::IrqDeferred)
}

/// The per-CPU batch is taken into use: it must not be left, and the task may be moved or not.
#[must_use]
pub(crate) fn entered(per_cpu: bool, preemptible: bool) -> Option<Hazard> {
    (per_cpu && preemptible).then_some(Hazard::BatchPreemptible)
}

/// An entry that software took for `was` becomes `is`.
#[must_use]
pub(crate) fn replaced(was: Pte, is: Pte) -> Option<Hazard> {
    let both = was.is_present() && is.is_present();
    (both && was.pfn() != is.pfn()).then_some(Hazard::Replaced)
}

/// An entry maps the page of `is`, while a CPU may still have a translation to another, `stale`.
#[must_use]
pub(crate) fn bbm_violation(stale: Pfn, is: Pte) -> Option<Hazard> {
    (is.is_valid() && stale != is.pfn()).then_some(Hazard::BbmViolation)
}

/// A lock is released; a CPU may still use a translation that is gone, or not, and someone has
/// taken its flush upon himself, or not.
#[must_use]
pub(crate) fn unflushed(stale: bool, owned: bool) -> Option<Hazard> {
    (stale && !owned).then_some(Hazard::UnflushedAtUnlock)
}
