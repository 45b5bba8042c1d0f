//! What is deferred and not yet done: in the order of each batch, and by page.
//!
//! An update is of one entry of one level: two words of memory are never the same update. A batch
//! is filled by a walk and completed as a whole, so that both lists mostly grow at their ends
//! and are emptied at once; every other order is as correct, and slower.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use crate::hw::page_map::Page;
use crate::hw::pte::Pte;

/// An entry of a page table: that of a page, or one above that covers many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// The first page that it covers.
    first: Page,
    /// The number of pages that it covers, as a shift: 0 for one of the last level.
    order: u8,
}

impl Entry {
    /// The entry of `page`.
    pub(super) const fn pte(page: Page) -> Self {
        Self { first: page, order: 0 }
    }

    /// The entry above `page` that covers `1 << order` pages.
    pub(super) const fn above(page: Page, order: u8) -> Self {
        Self { first: page.align_down(order), order }
    }

    /// The page whose entry it is, where it is one of the last level.
    pub(super) fn page(self) -> Option<Page> {
        (self.order == 0).then_some(self.first)
    }

    /// Tells whether the address space is `mm`.
    pub(super) fn is_in(self, mm: u8) -> bool {
        self.first.table_in(mm).is_some()
    }

    /// Tells whether a walk to `page` goes through the entry.
    pub(super) fn covers(self, page: Page) -> bool {
        page.align_down(self.order) == self.first
    }

    /// Tells whether a walk to any page of `range` does.
    pub(super) fn meets(self, range: &Range<Page>) -> bool {
        self.first < range.end && range.start < self.first.saturating_add(1 << self.order)
    }
}

/// An update that is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) entry: Entry,
    /// The number of the primitive's event.
    pub(super) seq: u32,
    pub(super) task: u8,
    /// The interrupts in which the primitive runs that deferred it, until it returns; 0 outside.
    pub(super) interrupts: u32,
}

/// A page with stores pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    page: Page,
    /// How many stores are.
    stores: u32,
    /// What software believes the entry to be.
    latest: Option<Pte>,
}

/// All that is pending.
#[derive(Clone, Debug, Default)]
pub(super) struct Updates {
    /// The batches by owner, in the order of owners. One that was completed stays, for its memory.
    batches: Vec<(u8, Vec<Pending>)>,
    /// The pages with stores to their own entries pending, in the order of pages.
    waiting: Vec<Waiting>,
}

/// Batches with nothing in them do not count.
impl PartialEq for Updates {
    fn eq(&self, other: &Self) -> bool {
        self.batches().eq(other.batches()) && self.waiting == other.waiting
    }
}

impl Eq for Updates {}

impl Hash for Updates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.batches().for_each(|batch| batch.hash(state));
        self.waiting.hash(state);
    }
}

impl Updates {
    /// The batches that hold something.
    fn batches(&self) -> impl Iterator<Item = &(u8, Vec<Pending>)> {
        self.batches.iter().filter(|(_, batch)| !batch.is_empty())
    }

    /// Every update: batch by batch, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.batches.iter().flat_map(|(_, batch)| batch)
    }

    /// The oldest update of `owner`.
    #[inline]
    pub(super) fn oldest_of(&self, owner: u8) -> Option<Pending> {
        let (_, batch) = self.batches.iter().find(|(of, _)| *of == owner)?;
        batch.first().copied()
    }

    /// The number of the event of the oldest update of the entry of `page`, of whatever owner.
    pub(super) fn cause(&self, page: Page) -> Option<u32> {
        self.find_entry(|entry| entry == Entry::pte(page))
    }

    /// The number of the event of the oldest update of an entry that a walk to `page` goes through,
    /// its own among them.
    pub(super) fn cause_on_walk(&self, page: Page) -> Option<u32> {
        self.find_entry(|entry| entry.covers(page))
    }

    /// The same, of the entries above its own.
    pub(super) fn cause_above(&self, page: Page) -> Option<u32> {
        self.find_entry(|entry| entry.page().is_none() && entry.covers(page))
    }

    fn find_entry(&self, wanted: impl Fn(Entry) -> bool) -> Option<u32> {
        self.iter().find(|pending| wanted(pending.entry)).map(|pending| pending.seq)
    }

    /// A primitive that `owner` executes in these `interrupts` returns; tells whether something
    /// that it deferred is pending.
    pub(super) fn returned(&mut self, owner: u8, interrupts: u32) -> bool {
        let own = self.batch(owner).iter_mut();
        let own = own.filter(|pending| pending.interrupts == interrupts);
        own.map(|pending| pending.interrupts = 0).count() > 0
    }

    /// Adds an update to the batch of `owner`, and to the stores that are pending if it is a
    /// `store`.
    #[inline]
    pub(super) fn push(&mut self, owner: u8, pending: Pending, store: bool) {
        self.batch(owner).push(pending);
        let Some(page) = pending.entry.page().filter(|_| store) else { return };
        match self.find(page) {
            Ok(index) => self.waiting[index].stores += 1,
            Err(index) => {
                let waiting = Waiting { page, stores: 1, latest: None };
                self.waiting.insert(index, waiting);
            }
        }
    }

    /// Makes all that `owner` has deferred done: software goes by memory again.
    pub(super) fn complete(&mut self, owner: u8) {
        let done = std::mem::take(self.batch(owner));
        if self.batches().next().is_none() {
            self.waiting.clear();
        } else if !self.waiting.is_empty() {
            let pages = done.iter().filter_map(|pending| pending.entry.page());
            pages.for_each(|page| self.forget(page));
        }
        let batch = self.batch(owner);
        *batch = done;
        batch.clear();
    }

    /// What software believes the entry of `page` to be, if it has a store pending and was asked
    /// since.
    #[inline]
    pub(super) fn latest(&self, page: Page) -> Option<Pte> {
        self.find(page).ok().and_then(|index| self.waiting[index].latest)
    }

    /// Notes that software believes the entry of `page` to be `latest`, if stores to it are
    /// pending; tells whether they are.
    #[inline]
    pub(super) fn believe(&mut self, page: Page, latest: Pte) -> bool {
        let found = self.find(page);
        if let Ok(index) = found {
            self.waiting[index].latest = Some(latest);
        }
        found.is_ok()
    }

    /// The batch of `owner`.
    #[inline]
    fn batch(&mut self, owner: u8) -> &mut Vec<Pending> {
        let index = self.batches.iter().position(|(of, _)| *of >= owner);
        let index = index.unwrap_or(self.batches.len());
        if self.batches.get(index).is_none_or(|(of, _)| *of != owner) {
            self.batches.insert(index, (owner, Vec::new()));
        }
        &mut self.batches[index].1
    }

    /// The index of `page`, or that where it would be. A walk asks for the last page or one behind
    /// it, or goes once more through pages without a gap.
    #[inline]
    fn find(&self, page: Page) -> Result<usize, usize> {
        let [first, .., last] = self.waiting.as_slice() else {
            return self.search(page);
        };
        if last.page < page {
            return Err(self.waiting.len());
        }
        if last.page == page {
            return Ok(self.waiting.len() - 1);
        }
        let guess = page.distance_from(first.page);
        if self.waiting.get(guess).is_some_and(|waiting| waiting.page == page) {
            return Ok(guess);
        }
        self.search(page)
    }

    fn search(&self, page: Page) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&page, |waiting| waiting.page)
    }

    /// A store to `page` is done, and others of another batch may be pending.
    fn forget(&mut self, page: Page) {
        let Ok(index) = self.find(page) else { return };
        let waiting = &mut self.waiting[index];
        (waiting.stores, waiting.latest) = (waiting.stores - 1, None);
        if waiting.stores == 0 {
            self.waiting.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::addr::VirtAddr;

    fn page(number: u64) -> Page {
        Page::new(1, VirtAddr::page(number << 12).unwrap())
    }

    fn pending(number: u64, seq: u32) -> Pending {
        Pending { entry: Entry::pte(page(number)), seq, task: 0, interrupts: 0 }
    }

    #[test]
    fn pages_are_found_in_any_order() {
        let mut updates = Updates::default();
        // 3 has all remainders modulo 17: every page in turn, three times.
        for step in 0..51 {
            let number = step * 3 % 17;
            assert_eq!(updates.find(page(number)).is_ok(), step >= 17);
            updates.push(0, pending(number, 0), true);
        }
        assert!(updates.waiting.is_sorted_by_key(|waiting| waiting.page));
        assert!(updates.waiting.iter().all(|waiting| waiting.stores == 3));
        assert_eq!(updates.find(page(17)), Err(17));
    }

    #[test]
    fn an_entry_above_is_a_word_of_its_own_and_covers_its_pages() {
        let mut updates = Updates::default();
        let above = Entry::above(page(513), 9);
        updates.push(0, Pending { entry: above, ..pending(0, 7) }, true);
        assert!(!updates.believe(page(513), Pte(1)), "no store to the page's own entry");
        for (number, on_walk) in [(511, None), (512, Some(7)), (1023, Some(7)), (1024, None)] {
            assert_eq!(updates.cause_on_walk(page(number)), on_walk);
            assert_eq!(updates.cause_above(page(number)), on_walk);
            assert_eq!(updates.cause(page(number)), None);
        }
        assert!(above.meets(&(page(0)..page(513))) && !above.meets(&(page(0)..page(512))));
        updates.push(0, pending(513, 8), true);
        assert_eq!(updates.cause(page(513)), Some(8));
        updates.complete(0);
        assert_eq!(updates, Updates::default());
    }

    #[test]
    fn completed_batches_leave_no_trace() {
        let mut updates = Updates::default();
        for (owner, number, seq) in [(3, 7, 1), (0, 5, 2), (3, 6, 3), (3, 5, 4)] {
            updates.push(owner, pending(number, seq), true);
        }
        let five = page(5);
        assert_eq!(updates.oldest_of(3).map(|oldest| oldest.seq), Some(1));
        assert_eq!(updates.cause(five), Some(2), "the lowest owner's comes first");
        assert!(updates.believe(five, Pte(3)));
        assert_eq!(updates.latest(five), Some(Pte(3)));
        updates.complete(3);
        let mut other = Updates::default();
        other.push(0, pending(5, 2), true);
        assert_eq!(updates, other);
        assert_eq!(updates.latest(five), None, "one store is done, and memory is right again");
        updates.complete(0);
        assert_eq!(updates, Updates::default());
        assert!(!updates.believe(five, Pte(1)));
    }
}
