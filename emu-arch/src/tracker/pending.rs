//! What is put off and not yet done: in the order of each batch, and by page.
//!
//! A batch is filled by a walk and settled as a whole, so that both lists mostly grow at their ends
//! and are emptied at once; every other order is as correct, and slower.

use std::hash::{Hash, Hasher};

use crate::hw::page_map::Page;
use crate::hw::pte::Pte;

/// An update that is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) page: Page,
    /// The number of the primitive's event.
    pub(super) seq: u32,
    pub(super) task: u8,
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
    /// The batches by owner, in the order of owners. One that was settled stays, for its memory.
    batches: Vec<(u8, Vec<Pending>)>,
    /// The pages with stores pending, in the order of pages.
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

    /// The number of the event of the oldest update of `page`, of whatever owner.
    pub(super) fn cause(&self, page: Page) -> Option<u32> {
        self.iter().find(|pending| pending.page == page).map(|pending| pending.seq)
    }

    /// Adds an update to the batch of `owner`, and to the stores that are pending if it is a
    /// `store`.
    #[inline]
    pub(super) fn push(&mut self, owner: u8, pending: Pending, store: bool) {
        self.batch(owner).push(pending);
        if !store {
            return;
        }
        match self.find(pending.page) {
            Ok(index) => self.waiting[index].stores += 1,
            Err(index) => {
                let waiting = Waiting { page: pending.page, stores: 1, latest: None };
                self.waiting.insert(index, waiting);
            }
        }
    }

    /// Makes all that `owner` has put off done: software goes by memory again.
    pub(super) fn complete(&mut self, owner: u8) {
        let done = std::mem::take(self.batch(owner));
        if self.batches().next().is_none() {
            self.waiting.clear();
        } else if !self.waiting.is_empty() {
            done.iter().for_each(|pending| self.forget(pending.page));
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

    fn pending(number: u64, seq: u32) -> Pending {
        let page = Page::new(1, VirtAddr::page(number << 12).unwrap());
        Pending { page, seq, task: 0 }
    }

    #[test]
    fn pages_are_found_in_any_order() {
        let mut updates = Updates::default();
        // 3 has all remainders modulo 17: every page in turn, three times.
        for step in 0..51 {
            let number = step * 3 % 17;
            assert_eq!(updates.find(pending(number, 0).page).is_ok(), step >= 17);
            updates.push(0, pending(number, 0), true);
        }
        assert!(updates.waiting.is_sorted_by_key(|waiting| waiting.page));
        assert!(updates.waiting.iter().all(|waiting| waiting.stores == 3));
        assert_eq!(updates.find(pending(17, 0).page), Err(17));
    }

    #[test]
    fn settled_batches_leave_no_trace() {
        let mut updates = Updates::default();
        for (owner, number, seq) in [(3, 7, 1), (0, 5, 2), (3, 6, 3), (3, 5, 4)] {
            updates.push(owner, pending(number, seq), true);
        }
        let five = pending(5, 0).page;
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
