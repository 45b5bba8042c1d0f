//! What is pending, what the TLBs hold, and the hazards that follow.
//!
//! The tracker is told of every update that is deferred or done, of every access and read, of
//! switches, locks and returns. It keeps what software believes, what is pending and what CPUs have
//! cached apart from what is in memory, and asks the detection functions of
//! [`crate::hazard`]. It is a plain value and is told who executes, so that the machine of a
//! thread and the machine as a value share it.

mod freed;
mod now;
mod owed;
mod pending;
mod stale;
#[cfg(test)]
mod tests;

use crate::backend::{At, Deferred, Facts, Level};
use crate::hazard::{self, Hazard, Trigger};
use crate::hw::addr::{PMD_SHIFT, PTRS_PER_PTE, VirtAddr};
use crate::hw::limits::NR_CPUS;
use crate::hw::page_map::{Page, PageMap};
use crate::hw::pte::Pte;
pub use now::Now;
use owed::{Invalidations, Lost};
use pending::{Entry, Pending, Updates};
use stale::Stales;

const fn page(at: At) -> Page {
    Page::new(at.mm, at.addr)
}

/// What a machine with hazards tracked keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracker {
    /// What is known of the architecture.
    facts: Known,
    /// What is pending, by owner: the task on arm64, the CPU elsewhere.
    pending: Updates,
    /// What the batches owe of these, where they hold invalidations.
    owed: Invalidations,
    /// Cached translations: the hash page table as CPU 0 on powerpc hash, each CPU's TLB elsewhere.
    cached: [PageMap<Pte>; NR_CPUS],
    /// Cached translations that the entries no longer give.
    stale: Stales,
    /// Hazards that were found and not yet taken, each with the event that caused it.
    found: Vec<(Hazard, Option<u32>)>,
}

/// What is known of the architecture; the same in all states of one machine.
#[derive(Clone, Copy, Debug)]
struct Known(&'static Facts);

impl std::ops::Deref for Known {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.0
    }
}

impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

impl std::hash::Hash for Known {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl Tracker {
    /// Nothing is pending and nothing cached.
    #[must_use]
    pub fn new(facts: &'static Facts) -> Self {
        Self {
            facts: Known(facts),
            pending: Updates::default(),
            owed: Invalidations::default(),
            cached: Default::default(),
            stale: Stales::default(),
            found: Vec::new(),
        }
    }

    /// Tells whether anything was found since the last time.
    #[inline]
    #[must_use]
    pub fn has_found(&self) -> bool {
        !self.found.is_empty()
    }

    /// Takes what was found since the last time, in order.
    pub fn take_found(&mut self) -> Vec<(Hazard, Option<u32>)> {
        std::mem::take(&mut self.found)
    }

    /// Notes a hazard.
    pub fn report(&mut self, hazard: Hazard, cause: Option<u32>) {
        self.found.push((hazard, cause));
    }

    fn report_some(&mut self, hazard: Option<Hazard>, cause: Option<u32>) {
        if let Some(hazard) = hazard {
            self.report(hazard, cause);
        }
    }

    /// Whether an update is pending that the page at `at` depends on: of its entry or of one above.
    #[must_use]
    pub fn is_pending(&self, at: At) -> bool {
        self.pending.cause_on_walk(page(at)).is_some()
    }

    /// Whether any update is pending.
    #[must_use]
    pub(crate) fn has_pending(&self) -> bool {
        self.pending.iter().next().is_some()
    }

    /// What software believes the entry of the page at `at` to be, where stores to it are pending.
    #[must_use]
    pub fn latest(&self, at: At) -> Option<Pte> {
        self.pending.latest(page(at))
    }

    /// Whose list an update joins.
    #[inline]
    fn owner(&self, now: Now) -> u8 {
        if self.facts.defers_per_cpu() { now.cpu } else { now.task }
    }

    /// The updates of `nr` pages are deferred.
    #[inline]
    pub fn defer(&mut self, now: Now, at: At, nr: u16) {
        self.join(now, (0..nr).map(|n| Entry::pte(page(at.add_pages(n)))));
    }

    /// The update of the entry of `level` above `at` is deferred.
    pub fn defer_table(&mut self, now: Now, at: At, level: Level) {
        let order = level.order(self.facts.pgtable_levels);
        self.join(now, [Entry::above(page(at), order)].into_iter());
    }

    /// Updates of `entries` join the batch.
    #[inline]
    fn join(&mut self, now: Now, entries: impl Iterator<Item = Entry>) {
        let owner = self.owner(now);
        let (stores, oldest) = (self.facts.defers_stores(), self.pending.oldest_of(owner));
        let (seq, task) = (now.seq.saturating_sub(1), now.task);
        let interrupts = now.interrupts();
        let owes = self.facts.defers == Some(Deferred::Invalidation);
        for entry in entries {
            self.pending.push(owner, Pending { entry, seq, task, interrupts }, stores);
            if let Some(page) = entry.page().filter(|_| owes) {
                self.owed.push(owner, page, seq);
            }
        }
        let foreign = oldest.is_some_and(|oldest| oldest.task != now.task);
        let (count, per_cpu) = (now.preempt_count, self.facts.pins_task());
        let irq = count.in_interrupt();
        for hazard in hazard::defer(per_cpu, count.preemptible(), foreign && !irq) {
            let cause = oldest.filter(|_| hazard == Some(Hazard::ForeignBatch));
            self.report_some(hazard, cause.map(|oldest| oldest.seq));
        }
    }

    /// A primitive returns: what it has deferred and done by then has not waited.
    #[inline]
    pub fn primitive_returned(&mut self, now: Now) {
        let interrupts = now.interrupts();
        if interrupts != 0 {
            let waits = self.pending.returned(self.owner(now), interrupts);
            self.report_some(hazard::irq_deferred(waits), None);
        }
    }

    /// The owner's batch is empty: all that it has deferred is done, but for invalidations that
    /// nobody made, which are lost.
    pub fn complete(&mut self, now: Now) {
        self.pending.complete(self.owner(now));
        for (page, lost) in self.owed.emptied(self.owner(now)) {
            self.lost(page, lost);
        }
    }

    /// A translation that the entry no longer gives stays.
    fn lost(&mut self, page: Page, Lost { was, seq }: Lost) {
        self.stale.insert(page, was.pfn(), seq);
        self.report(Hazard::LostInvalidation, Some(seq));
    }

    /// Tells whether it matters which translations die.
    #[must_use]
    pub fn has_cached(&self) -> bool {
        !self.stale.is_empty()
            || !self.owed.is_empty()
            || self.cached.iter().any(|cached| !cached.is_empty())
    }

    /// Translations of `nr` pages die.
    pub fn tlb_invalidate(&mut self, at: At, nr: u32) {
        for cached in self.cached.iter_mut().filter(|cached| !cached.is_empty()) {
            cached.remove_range(page(at), nr.into());
        }
        let range = page(at)..page(at).saturating_add(nr.into());
        self.owed.done(&range);
        if !self.stale.is_empty() {
            self.stale.remove_range(range);
        }
    }

    /// Someone takes the flush of `nr` pages upon himself: an `mmu_gather`, or reclaim.
    pub fn owned(&mut self, at: At, nr: u64) {
        self.stale.own(page(at)..page(at).saturating_add(nr));
    }

    /// The mode is on from now on.
    pub fn entered(&mut self, now: Now) {
        self.report_some(
            hazard::entered(self.facts.pins_task(), now.preempt_count.preemptible()),
            None,
        );
    }

    /// Code has asked for a TLB flush of `nr` pages, which is done now. Under Xen it waits behind
    /// the stores instead, so that the order is kept.
    pub fn flushed(&mut self, at: At, nr: u64) {
        if !self.facts.flush_passes_stores {
            return;
        }
        let range = page(at)..page(at).saturating_add(nr);
        let pending = self.pending.iter().find(|pending| pending.entry.meets(&range)).copied();
        let deferred = pending.and(self.facts.defers);
        self.report_some(hazard::flush_before_stores(deferred), pending.map(|p| p.seq));
    }

    /// A primitive has changed an entry, which has `after` in memory and had `before`; `latest`
    /// makes of what software believed it to be what it believes now. Tells whether it maps a page
    /// where a CPU had a translation cached.
    pub fn changed(
        &mut self,
        now: Now,
        at: At,
        before: Pte,
        after: Pte,
        latest: impl FnOnce(Pte) -> Pte,
    ) -> bool {
        let page = page(at);
        if !self.facts.defers_stores() {
            return self.translated(now, page, before, after);
        }
        let was = self.pending.latest(page).unwrap_or(before);
        let is = latest(was);
        let pending = self.pending.believe(page, is);
        let remade = self.translated(now, page, was, is);
        // An IPTE stores nothing that an older store could undo.
        if pending && before != after && !after.has(Pte::INVALID) {
            let cause = self.pending.cause(page);
            self.report_some(hazard::overtaken(self.facts.defers), cause);
        }
        remade
    }

    /// An entry that was `was` for software is `is`: what becomes of its translations. Tells
    /// whether it maps a page where a translation was cached since the entry was emptied.
    fn translated(&mut self, now: Now, page: Page, was: Pte, is: Pte) -> bool {
        let stale = if was.is_valid() { None } else { self.stale.get(page).copied() };
        let remade = is.is_valid() && stale.is_some();
        if let Some(stale) = stale.filter(|_| remade && self.facts.break_before_make) {
            self.report_some(hazard::bbm_violation(stale.pfn, is), Some(stale.seq));
        }
        self.report_some(hazard::replaced(was, is), None);
        if !self.owed.is_empty() {
            let gone = hazard::stale_translation(was, is).is_some();
            if let Some(lost) = self.owed.changed(page, was, gone) {
                self.lost(page, lost);
            }
        }
        let known = !self.stale.is_empty() && self.stale.get(page).is_some();
        if was.is_valid() || known {
            let gone = |cached: &Pte| hazard::stale_translation(*cached, is).is_some();
            let mut caching = self.cached.iter().filter(|cached| !cached.is_empty());
            let stale = caching.any(|cached| cached.get(page).is_some_and(gone))
                || self.owed.lost(page).is_some_and(|lost| gone(&lost.was));
            if stale && was.is_valid() {
                self.stale.insert(page, was.pfn(), now.seq.saturating_sub(1));
            } else if known && !stale {
                // An entry that was put back, with no fewer rights than any CPU has cached.
                self.stale.remove(page);
            }
        }
        if is.is_valid() && !self.stale.is_empty() {
            // The new place of a page.
            self.stale.mapped(is.pfn(), page);
        }
        remade
    }

    /// Software has read an entry and saw `seen`.
    pub fn read(&mut self, at: At, seen: Pte) {
        if !self.facts.defers_stores() {
            return;
        }
        let page = page(at);
        let latest = self.pending.latest(page);
        if let Some(hazard) = latest.and_then(|latest| hazard::stale_read(seen, latest)) {
            self.report(hazard, self.pending.cause(page));
        }
    }

    /// Software has gone down from the root to the page table of `at`.
    pub fn walked(&mut self, at: At) {
        if self.facts.defers_stores() {
            let above = self.pending.cause_above(page(at));
            self.report_some(hazard::stale_walk(above.is_some()), above);
        }
    }

    /// A CPU touched a page; its entry was `before` and is `after` in memory. Returns what that
    /// exercised.
    pub fn access(&mut self, now: Now, at: At, before: Pte, after: Pte) -> [Option<Trigger>; 2] {
        let page = page(at);
        let pending = self.pending.cause_on_walk(page);
        let hashed = self.facts.hash_table;
        let cpu = if hashed { 0 } else { usize::from(now.cpu) };
        let lost = self.owed.lost(page);
        let cached = self.cached[cpu].get(page).copied().or(lost.map(|lost| lost.was));
        if hashed && after.has(Pte::HASHPTE) && !before.has(Pte::HASHPTE) {
            // What is still to be invalidated is an entry of the hash page table too.
            let hpte = cached.or(pending.map(|_| before));
            self.report_some(hazard::duplicate_hpte(hpte), pending);
            *self.cached[cpu].get_or_insert(page, after) = after;
            return [Some(Trigger::HashInsert), None];
        }
        let hit = cached.map(|_| Trigger::CachedAccess);
        if let (Some(cause), Some(deferred)) = (pending, self.facts.defers) {
            self.report(hazard::access_while_pending(deferred), Some(cause));
            return [hit, None];
        }
        match cached {
            Some(cached) => self
                .report_some(hazard::stale_translation(cached, after), lost.map(|lost| lost.seq)),
            // An access that was refused leaves an entry that is present, and hashes nothing.
            None if after.is_valid() && (!hashed || after.has(Pte::HASHPTE)) => {
                self.cached[cpu].get_or_insert(page, after);
            }
            None => {}
        }
        [hit, None]
    }

    /// A call that must leave nothing pending returns, or a task gives up something.
    pub fn must_be_done(&mut self, now: Now, hazard: Hazard) {
        // A switch must leave nothing of anyone; a call speaks for its task alone, which may have
        // left work on another CPU.
        let own = |pending: &&Pending| pending.task == now.task;
        let oldest = if hazard == Hazard::BatchAtSwitch {
            self.pending.oldest_of(self.owner(now))
        } else {
            self.pending.iter().find(own).copied()
        };
        let oldest = oldest.map(|pending| pending.seq);
        if oldest.is_some() {
            self.report(hazard, oldest);
        }
    }

    /// The lock of the page table that maps `addr`, or of all of the kernel's where there is none,
    /// is released. The lock of a page table does not protect the entries above it.
    pub fn unlocked(&mut self, mm: u8, addr: Option<VirtAddr>) {
        let locked = addr.map(|addr| addr.get() >> PMD_SHIFT);
        let here = |entry: Entry| match (locked, entry.page()) {
            (None, _) => entry.is_in(mm),
            (Some(locked), Some(page)) => page.table_in(mm) == Some(locked),
            (Some(_), None) => false,
        };
        let oldest = self.pending.iter().find(|pending| here(pending.entry));
        let oldest = oldest.map(|pending| pending.seq);
        // The kernel's pages are flushed before their addresses are used again.
        let stale = addr.filter(|_| mm != 0).and_then(|addr| {
            let first = Page::new(mm, addr).first_of_table();
            let mut here = self.stale.at(first..first.saturating_add(PTRS_PER_PTE as u64));
            here.find(|(page, stale)| !stale.owned && self.pending.cause(*page).is_none())
        });
        let stale = stale.map(|(_, stale)| stale);
        if oldest.is_some() {
            self.report(Hazard::PendingAtUnlock, oldest);
        }
        let owned = stale.is_some_and(|stale| stale.owned);
        self.report_some(hazard::unflushed(stale.is_some(), owned), stale.map(|s| s.seq));
    }
}
