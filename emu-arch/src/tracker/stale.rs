//! Translations that CPUs may still use though no entry gives them: by page, by frame, by where the
//! frame has gone.
//!
//! A walk makes many of them at once, so that each question has an index of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::hw::addr::Pfn;
use crate::hw::page_map::Page;

/// A translation that some CPU may still use though the entry no longer gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stale {
    /// The page frame that it leads to.
    pub(super) pfn: Pfn,
    /// The number of the event that changed the entry.
    pub(super) seq: u32,
    /// Someone has taken the flush upon himself.
    pub(super) owned: bool,
    /// The page that maps the frame now, where it was moved.
    moved: Option<Page>,
}

/// All stale translations, at most one of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Stales {
    pages: BTreeMap<Page, Stale>,
    /// The pages of each frame.
    frames: BTreeSet<(u64, Page)>,
    /// The stale pages of each page that maps their frame now.
    moved: BTreeSet<(Page, Page)>,
}

impl Stales {
    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The translation of `page` to `pfn` is stale since the event `seq`.
    pub(super) fn insert(&mut self, page: Page, pfn: Pfn, seq: u32) {
        self.remove(page);
        self.pages.insert(page, Stale { pfn, seq, owned: false, moved: None });
        self.frames.insert((pfn.0, page));
    }

    pub(super) fn get(&self, page: Page) -> Option<&Stale> {
        self.pages.get(&page)
    }

    pub(super) fn remove(&mut self, page: Page) {
        let Some(stale) = self.pages.remove(&page) else { return };
        self.frames.remove(&(stale.pfn.0, page));
        if let Some(to) = stale.moved {
            self.moved.remove(&(to, page));
        }
    }

    pub(super) fn remove_range(&mut self, range: Range<Page>) {
        while let Some((&page, _)) = self.pages.range(range.clone()).next() {
            self.remove(page);
        }
    }

    /// Someone takes the flush of the pages of `range` upon himself.
    pub(super) fn own(&mut self, range: Range<Page>) {
        self.pages.range_mut(range).for_each(|(_, stale)| stale.owned = true);
    }

    /// The page `to` maps `pfn` from now on.
    pub(super) fn mapped(&mut self, pfn: Pfn, to: Page) {
        let Self { pages, frames, moved } = self;
        let of_frame = frames.range((pfn.0, Page::FIRST)..=(pfn.0, Page::LAST));
        for (_, page) in of_frame {
            let Some(stale) = pages.get_mut(page) else { continue };
            if let Some(before) = stale.moved.replace(to) {
                moved.remove(&(before, *page));
            }
            moved.insert((to, *page));
        }
    }

    /// The translations of pages in `range`, and those whose frames have moved there, the lowest
    /// page first.
    pub(super) fn at(&self, range: Range<Page>) -> impl Iterator<Item = (Page, Stale)> + '_ {
        let moved = self.moved.range((range.start, Page::FIRST)..(range.end, Page::FIRST));
        let moved: BTreeSet<Page> = moved.map(|(_, page)| *page).collect();
        let mut here = self.pages.range(range).map(|(page, stale)| (*page, *stale)).peekable();
        let mut gone = moved.into_iter().peekable();
        std::iter::from_fn(move || {
            let next_here = here.peek().map(|(page, _)| *page);
            match (next_here, gone.peek().copied()) {
                (Some(page), Some(other)) if page == other => {
                    gone.next();
                    here.next()
                }
                (Some(page), Some(other)) if other < page => {
                    gone.next().and_then(|page| Some((page, *self.pages.get(&page)?)))
                }
                (Some(_), _) => here.next(),
                (None, Some(_)) => {
                    gone.next().and_then(|page| Some((page, *self.pages.get(&page)?)))
                }
                (None, None) => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Pfn, Stales};
    use crate::hw::addr::VirtAddr;

    #[test]
    fn a_frame_is_found_where_it_was_and_where_it_is() {
        let page = |n: u64| Page::new(1, VirtAddr::page(0x7f00_0000_0000 + (n << 12)).unwrap());
        let mut stales = Stales::default();
        stales.insert(page(1), Pfn(7), 3);
        stales.insert(page(2), Pfn(8), 4);
        stales.mapped(Pfn(7), page(600));
        let at = |stales: &Stales, from, to| -> Vec<u32> {
            stales.at(page(from)..page(to)).map(|(_, stale)| stale.seq).collect()
        };
        assert_eq!(at(&stales, 0, 512), [3, 4]);
        assert_eq!(at(&stales, 512, 1024), [3]);
        assert_eq!(at(&stales, 0, 1024), [3, 4]);
        stales.mapped(Pfn(7), page(2000));
        assert_eq!(at(&stales, 512, 1024), []);
        stales.remove_range(page(0)..page(2));
        assert_eq!((at(&stales, 0, 3000), stales.is_empty()), (vec![4], false));
        stales.remove(page(2));
        assert_eq!(stales, Stales::default());
    }
}
