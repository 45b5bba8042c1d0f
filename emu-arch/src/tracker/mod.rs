//! What is pending, what the TLBs hold, and the hazards that follow.
//!
//! The tracker is told of every update that is put off or done, of every access and read, of
//! switches, locks and returns. It keeps what software believes, what is pending and what CPUs have
//! cached apart from what is in memory, and asks the detection functions of
//! [`crate::hazard`]. It is a plain value and is told who executes, so that the machine of a
//! thread and the machine as a value share it.

mod pending;
mod stale;

use lazy_mmu::preempt::PreemptCount;

use crate::backend::{At, Facts};
use crate::hazard::{self, Hazard, Trigger};
use crate::hw::addr::{PMD_SHIFT, PTRS_PER_PTE, VirtAddr};
use crate::hw::limits::NR_CPUS;
use crate::hw::page_map::{Page, PageMap};
use crate::hw::pte::Pte;
use pending::{Pending, Updates};
use stale::Stales;

/// Who executes, and when.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The CPU.
    pub cpu: u8,
    /// The task that runs on it.
    pub task: u8,
    /// The preempt count of that task.
    pub preempt_count: PreemptCount,
    /// The number of the next event of the record; 0 where nobody asks when.
    pub seq: u32,
}

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
        let (pending, stale) = (Updates::default(), Stales::default());
        Self { facts: Known(facts), pending, cached: Default::default(), stale, found: Vec::new() }
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

    /// Whether an update of the page at `at` is pending.
    #[must_use]
    pub fn is_pending(&self, at: At) -> bool {
        self.pending.cause(page(at)).is_some()
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

    /// Updates are put off.
    #[inline]
    pub fn defer(&mut self, now: Now, at: At, nr: u16) {
        let owner = self.owner(now);
        let (stores, oldest) = (self.facts.defers_stores(), self.pending.oldest_of(owner));
        let seq = now.seq.saturating_sub(1);
        for n in 0..nr {
            let page = page(At { addr: at.addr.add_pages(u64::from(n)), ..at });
            self.pending.push(owner, Pending { page, seq, task: now.task }, stores);
        }
        let foreign = oldest.is_some_and(|oldest| oldest.task != now.task);
        let (count, irq) = (now.preempt_count, now.preempt_count.in_interrupt());
        let per_cpu = self.facts.pins_task();
        for hazard in hazard::defer(per_cpu, count.preemptible(), irq, foreign) {
            let cause = oldest.filter(|_| hazard == Some(Hazard::ForeignBatch));
            self.report_some(hazard, cause.map(|oldest| oldest.seq));
        }
    }

    /// All that the owner's batch has put off is done.
    pub fn complete(&mut self, now: Now) {
        self.pending.complete(self.owner(now));
    }

    /// Tells whether it matters which translations die.
    #[must_use]
    pub fn has_cached(&self) -> bool {
        !self.stale.is_empty() || self.cached.iter().any(|cached| !cached.is_empty())
    }

    /// Translations of `nr` pages die.
    pub fn tlb_invalidate(&mut self, at: At, nr: u32) {
        for cached in self.cached.iter_mut().filter(|cached| !cached.is_empty()) {
            cached.remove_range(page(at), nr.into());
        }
        if !self.stale.is_empty() {
            self.stale.remove_range(page(at)..page(at).saturating_add(nr.into()));
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
        let pending = self.pending.iter().find(|pending| range.contains(&pending.page)).copied();
        let deferred = pending.and(self.facts.defers);
        self.report_some(hazard::flush_before_stores(deferred), pending.map(|p| p.seq));
    }

    /// A primitive has changed an entry, which has `after` in memory and had `before`; `latest`
    /// makes of what software believed it to be what it believes now.
    pub fn changed(
        &mut self,
        now: Now,
        at: At,
        before: Pte,
        after: Pte,
        latest: impl FnOnce(Pte) -> Pte,
    ) {
        let page = page(at);
        if !self.facts.defers_stores() {
            self.translated(now, page, before, after);
            return;
        }
        let was = self.pending.latest(page).unwrap_or(before);
        let is = latest(was);
        let pending = self.pending.believe(page, is);
        self.translated(now, page, was, is);
        // An IPTE stores nothing that an older store could undo.
        if pending && before != after && !after.has(Pte::INVALID) {
            let cause = self.pending.cause(page);
            self.report_some(hazard::overtaken(self.facts.defers), cause);
        }
    }

    /// An entry that was `was` for software is `is`: what becomes of its translations.
    fn translated(&mut self, now: Now, page: Page, was: Pte, is: Pte) {
        self.report_some(hazard::replaced(was, is), None);
        if was.is_present() {
            let gone = |cached: &Pte| hazard::stale_translation(*cached, is).is_some();
            let mut caching = self.cached.iter().filter(|cached| !cached.is_empty());
            if caching.any(|cached| cached.get(page).is_some_and(gone)) {
                self.stale.insert(page, was.pfn(), now.seq.saturating_sub(1));
            }
        }
        if is.is_present() && !self.stale.is_empty() {
            // An entry that was put back, or the new place of a page.
            let same = self.stale.get(page).is_some_and(|stale| stale.pfn == is.pfn());
            if same && !was.is_present() {
                self.stale.remove(page);
            }
            self.stale.mapped(is.pfn(), page);
        }
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

    /// A CPU touched a page; its entry was `before` and is `after` in memory. Returns what that
    /// exercised.
    pub fn access(&mut self, now: Now, at: At, before: Pte, after: Pte) -> [Option<Trigger>; 2] {
        let page = page(at);
        let pending = self.pending.cause(page);
        let hashed = self.facts.hash_table;
        let cpu = if hashed { 0 } else { usize::from(now.cpu) };
        let cached = self.cached[cpu].get(page).copied();
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
            Some(cached) => self.report_some(hazard::stale_translation(cached, after), None),
            // An access that was refused leaves an entry that is present, and hashes nothing.
            None if after.is_present() && (!hashed || after.has(Pte::HASHPTE)) => {
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
    /// is released.
    pub fn unlocked(&mut self, mm: u8, addr: Option<VirtAddr>) {
        let locked = addr.map(|addr| addr.get() >> PMD_SHIFT);
        let here = |page: Page| {
            let table = page.table_in(mm);
            table.is_some_and(|table| locked.is_none_or(|locked| table == locked))
        };
        let oldest = self.pending.iter().find(|pending| here(pending.page));
        let oldest = oldest.map(|pending| pending.seq);
        // The kernel's pages are flushed when their addresses are used again.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::addr::Pfn;

    #[test]
    fn a_page_that_no_access_reached_is_not_hashed() {
        let at = At { mm: 1, addr: VirtAddr::page(0x7f00_0000_0000).unwrap() };
        let now = Now { cpu: 0, task: 0, preempt_count: PreemptCount::default(), seq: 0 };
        let pte = Pte::user(Pfn(1), false, false);
        let mut tracker = Tracker::new(&<crate::powerpc::Hash as crate::backend::Backend>::FACTS);
        tracker.access(now, at, pte, pte);
        tracker.access(now, at, pte, pte.with(Pte::HASHPTE));
        assert_eq!(tracker.take_found(), []);
        tracker.access(now, at, pte, pte.with(Pte::HASHPTE));
        assert_eq!(tracker.take_found(), [(Hazard::DuplicateHpte, None)]);
    }
}
