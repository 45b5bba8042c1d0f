//! What still reaches something that is freed: a page, a page table, an address space.

use super::pending::Pending;
use super::{Tracker, page};
use crate::backend::{At, Deferred};
use crate::hazard::Hazard;
use crate::hw::addr::PTRS_PER_PTE;

impl Tracker {
    /// The page table that mapped `at` is freed.
    pub fn table_freed(&mut self, at: At) {
        let first = page(at).first_of_table();
        let range = first..first.saturating_add(PTRS_PER_PTE as u64);
        let stores = self.facts.defers_stores();
        let reaches = |pending: &&Pending| match pending.entry.page() {
            Some(page) => stores && range.contains(&page),
            // Barriers that are owed keep no table: the store above is in memory.
            None => stores && pending.entry.covers(first),
        };
        let cause = self.pending.iter().find(reaches).map(|pending| pending.seq);
        // Where the hash table or the TSB fills the TLBs, no translation goes through the tables:
        // `tlb_needs_table_invalidate()`.
        let walks = self.facts.tlb_walks_tables;
        let cached = walks && self.cached.iter().any(|cached| cached.any(&range));
        if cause.is_some() || cached {
            self.report(Hazard::FreedTable, cause);
        }
    }

    /// The page that `at` mapped last is freed.
    pub fn page_freed(&mut self, at: At) {
        let page = page(at);
        // Barriers that are owed for an entry keep no page.
        let keeps = self.facts.defers.is_some_and(|deferred| deferred != Deferred::Barriers);
        let pending = self.pending.cause(page).filter(|_| keeps);
        let stale = self.stale.get(page).map(|stale| stale.seq);
        let cached = self.cached.iter().any(|cached| cached.get(page).is_some());
        if pending.is_some() || stale.is_some() || cached {
            self.report(Hazard::FreedPage, pending.or(stale));
        }
    }

    /// Address space `mm` is gone.
    pub fn context_destroyed(&mut self, mm: u8) {
        let owes = self.facts.defers == Some(Deferred::Invalidation);
        let of = |pending: &&Pending| owes && pending.entry.is_in(mm);
        let cause = self.pending.iter().find(of).map(|pending| pending.seq);
        if cause.is_some() {
            self.report(Hazard::ContextReused, cause);
        }
    }
}
