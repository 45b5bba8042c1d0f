//! Invalidations that a batch owes, and those that it has lost.
//!
//! A batch that is emptied without an invalidation of one of its pages has forgotten it: nothing is
//! pending, and the old translation stays for as long as nobody else invalidates it.

use std::collections::{BTreeMap, VecDeque};
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

/// All that is owed, by page and the oldest first, and what is lost, at most one of a page.
///
/// A walk owes for pages that rise, and a flush goes through them in the same order: both ends are
/// what is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Invalidations {
    owed: VecDeque<Owed>,
    lost: BTreeMap<Page, Lost>,
}

impl Invalidations {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty() && self.lost.is_empty()
    }

    /// The places of what is owed for the pages of `range`.
    #[inline]
    fn of(&self, range: &Range<Page>) -> Range<usize> {
        let len = self.owed.len();
        let before = |owed: &Owed| owed.page < range.start;
        match (self.owed.front(), self.owed.back()) {
            (_, None) => 0..0,
            (_, Some(last)) if before(last) => len..len,
            (Some(first), _) if first.page >= range.end => 0..0,
            _ => {
                let start = self.owed.partition_point(before);
                let inside = self.owed.range(start..).take_while(|owed| owed.page < range.end);
                start..start + inside.count()
            }
        }
    }

    /// The batch of `owner` owes one for `page`.
    #[inline]
    pub(super) fn push(&mut self, owner: u8, page: Page, seq: u32) {
        let new = Owed { page, seq, owner: Some(owner), was: None };
        if self.owed.back().is_none_or(|last| last.page <= page) {
            self.owed.push_back(new);
        } else {
            let place = self.of(&(page..page.saturating_add(1))).end;
            self.owed.insert(place, new);
        }
    }

    /// The primitive has made another entry of `was`, which does no harm if it is not `gone`.
    /// Returns what is lost with it.
    #[inline]
    pub(super) fn changed(&mut self, page: Page, was: Pte, gone: bool) -> Option<Lost> {
        // A walk asks for the page that it has just joined.
        let len = self.owed.len();
        let before = |place: usize| self.owed.get(place).is_none_or(|owed| owed.page < page);
        if let (true, Some(owed)) = (before(len.wrapping_sub(2)), self.owed.back_mut())
            && owed.page == page
            && owed.owner.is_some()
            && gone
        {
            owed.was.get_or_insert(was);
            return None;
        }
        self.changed_at(page, was, gone)
    }

    fn changed_at(&mut self, page: Page, was: Pte, gone: bool) -> Option<Lost> {
        let here = self.of(&(page..page.saturating_add(1)));
        let mut lost = None;
        for place in here.rev() {
            let owed = &mut self.owed[place];
            if owed.was.is_none() {
                owed.was = gone.then_some(was);
            }
            match (owed.was, owed.owner) {
                (Some(_), Some(_)) => {}
                (None, _) => {
                    self.owed.remove(place);
                }
                (Some(was), None) => {
                    lost = Some(Lost { was, seq: owed.seq });
                    self.owed.remove(place);
                }
            }
        }
        if let Some(lost) = lost {
            self.lost.entry(page).or_insert(lost);
        }
        lost
    }

    /// The pages of `range` are invalidated.
    pub(super) fn done(&mut self, range: &Range<Page>) {
        let here = self.of(range);
        self.owed.drain(here);
        if !self.lost.is_empty() {
            self.lost.retain(|page, _| !range.contains(page));
        }
    }

    /// The batch of `owner` is empty: returns what is lost with it, the oldest first.
    pub(super) fn emptied(&mut self, owner: u8) -> Vec<(Page, Lost)> {
        let mut lost = Vec::new();
        self.owed.retain_mut(|owed| {
            let own = owed.owner == Some(owner);
            let was = owed.was.filter(|_| own);
            lost.extend(was.map(|was| (owed.page, Lost { was, seq: owed.seq })));
            if own {
                owed.owner = None;
            }
            was.is_none()
        });
        lost.sort_by_key(|(_, lost)| lost.seq);
        for (page, lost) in &lost {
            self.lost.entry(*page).or_insert(*lost);
        }
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
