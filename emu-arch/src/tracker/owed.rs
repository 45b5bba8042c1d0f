//! Invalidations that a batch owes, and those that it has lost.
//!
//! A batch that is emptied without an invalidation of one of its pages has forgotten it: nothing is
//! pending, and the old translation stays for as long as nobody else invalidates it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::hw::page_map::Page;
use crate::hw::pte::Pte;

/// An invalidation that a batch owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Owed {
    page: Page,
    /// The number of the primitive's event.
    seq: u32,
    /// Whose batch has it; no one's where it was lost before the primitive returned.
    owner: Option<u8>,
    /// The entry that the old translation is of; not known until the primitive returns.
    was: Option<Pte>,
}

/// A translation that no batch will invalidate any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lost {
    /// The entry that it is of.
    pub(super) was: Pte,
    /// The number of the event that changed the entry.
    pub(super) seq: u32,
}

/// All that is owed, in order, and what is lost, at most one of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Invalidations {
    owed: Vec<Owed>,
    lost: BTreeMap<Page, Lost>,
}

impl Invalidations {
    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty() && self.lost.is_empty()
    }

    /// The batch of `owner` owes one for `page`.
    pub(super) fn push(&mut self, owner: u8, page: Page, seq: u32) {
        self.owed.push(Owed { page, seq, owner: Some(owner), was: None });
    }

    /// The primitive has made another entry of `was`, which does no harm if it is not `gone`.
    /// Returns what is lost with it.
    pub(super) fn changed(&mut self, page: Page, was: Pte, gone: bool) -> Option<Lost> {
        let new = |owed: &Owed| owed.page == page && owed.was.is_none();
        if gone {
            self.owed.iter_mut().filter(|owed| new(owed)).for_each(|owed| owed.was = Some(was));
        } else {
            self.owed.retain(|owed| !new(owed));
        }
        self.lose(|owed| owed.owner.is_none() && owed.page == page).pop().map(|(_, lost)| lost)
    }

    /// The pages of `range` are invalidated.
    pub(super) fn done(&mut self, range: &Range<Page>) {
        self.owed.retain(|owed| !range.contains(&owed.page));
        self.lost.retain(|page, _| !range.contains(page));
    }

    /// The batch of `owner` is empty: returns what is lost with it.
    pub(super) fn emptied(&mut self, owner: u8) -> Vec<(Page, Lost)> {
        let own = |owed: &Owed| owed.owner == Some(owner);
        let lost = self.lose(|owed| own(owed) && owed.was.is_some());
        self.owed.iter_mut().filter(|owed| own(owed)).for_each(|owed| owed.owner = None);
        lost
    }

    /// Takes those that `are` from what is owed to what is lost, and returns them.
    fn lose(&mut self, are: impl Fn(&Owed) -> bool) -> Vec<(Page, Lost)> {
        let lost = self.owed.extract_if(.., |owed| are(owed));
        let lost: Vec<_> = lost
            .filter_map(|Owed { page, seq, was, .. }| was.map(|was| (page, Lost { was, seq })))
            .collect();
        lost.iter().for_each(|(page, lost)| {
            self.lost.entry(*page).or_insert(*lost);
        });
        lost
    }

    /// What is lost of `page`.
    pub(super) fn lost(&self, page: Page) -> Option<Lost> {
        self.lost.get(&page).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hw::addr::VirtAddr;

    #[test]
    fn what_a_batch_leaves_out_is_lost_until_somebody_invalidates_it() {
        let page = |n: u64| Page::new(1, VirtAddr::page(n << 12).unwrap());
        let mut owed = Invalidations::default();
        for n in 1..=4 {
            owed.push(0, page(n), n as u32);
        }
        for n in 1..=3 {
            assert_eq!(owed.changed(page(n), Pte(n), n != 3), None);
        }
        owed.done(&(page(1)..page(2)));
        let lost = |n: u64| Lost { was: Pte(n), seq: n as u32 };
        assert_eq!(owed.emptied(0), [(page(2), lost(2))], "3 does no harm");
        assert_eq!(owed.lost(page(4)), None, "its primitive has not returned");
        assert_eq!(owed.changed(page(4), Pte(4), true), Some(lost(4)));
        owed.done(&(page(2)..page(5)));
        assert!(owed.is_empty());
    }
}
