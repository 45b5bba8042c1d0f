//! The entries of `/proc/PID/pagemap`: which pages of a mapping are there, and what they are.
//!
//! Reads what `pte_to_pagemap_entry()` of fs/proc/task_mmu.c (v6.12 to v7.3) prints; see
//! Documentation/admin-guide/mm/pagemap.rst. It does not say which entries may be written: a page
//! that a fork shared may be exclusive again, with an entry that is still read-only.

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// It maps a page of no file that no other process maps.
    Exclusive,
    /// It maps a page of no file that others map too, since a fork, so that it may not be written;
    /// or the zero page. [`zero_pages`] tells which.
    Shared,
    /// It maps a page of a file, or one that several processes share.
    File,
    /// It is neither empty nor does it map a page: swapped, migrating, a guard.
    NotPresent,
}

/// Entries of the same kind that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// The first page, counted from the start of the mapping.
    pub first: u64,
    /// The number of pages.
    pub nr: u64,
    /// What they are.
    pub kind: PageKind,
}

impl PageKind {
    /// What the entry says; none for an empty one. The zero page and bare frames, for which
    /// `vm_normal_page()` finds no page, are of no file and not exclusive, as pages that a fork
    /// left.
    ///
    /// Fidelity: same as the flags `PM_*` of fs/proc/task_mmu.c v6.12 to v7.3.
    #[must_use]
    pub fn of(entry: u64) -> Option<Self> {
        let [exclusive, file, swap, present] = [56, 61, 62, 63].map(|n| entry >> n & 1 != 0);
        match (present, swap) {
            (true, _) if file => Some(Self::File),
            (true, _) if exclusive => Some(Self::Exclusive),
            (true, _) => Some(Self::Shared),
            (false, true) => Some(Self::NotPresent),
            (false, false) => None,
        }
    }
}

/// Appends `entry`, that of page `page`, to `runs`.
pub fn push(runs: &mut Vec<PageRun>, page: u64, entry: u64) {
    let Some(kind) = PageKind::of(entry) else { return };
    match runs.last_mut() {
        Some(last) if last.kind == kind && last.first + last.nr == page => last.nr += 1,
        _ => runs.push(PageRun { first: page, nr: 1, kind }),
    }
}

/// How many of the [`PageKind::Shared`] entries in `runs` map the zero page, where smaps counts
/// `anon` pages of no file: it counts what `vm_normal_page()` finds, and pagemap shows all.
#[must_use]
pub fn zero_pages(runs: &[PageRun], anon: u64) -> u64 {
    let of = |kind| runs.iter().filter(|run| run.kind == kind).map(|run| run.nr).sum::<u64>();
    let shared = of(PageKind::Shared);
    (of(PageKind::Exclusive) + shared).saturating_sub(anon).min(shared)
}
