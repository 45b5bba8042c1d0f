//! Which pages of an address space are in its page tables, and which tables there are.

use std::collections::{BTreeMap, BTreeSet};

use emu_mm::proc::Pages;

use crate::space::{Flags, Space, Vma};

/// Bytes that one page table maps, as a shift.
const PMD_SHIFT: u32 = 21;
/// Bytes of a page, as a shift.
const PAGE_SHIFT: u32 = 12;

/// How many pages an address space has at most: 32 GiB.
pub const PAGES_MAX: u64 = 1 << 23;

/// Pages of one kind that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first page, from address 0 on.
    pub first: u64,
    /// How many.
    pub nr: u64,
    /// What they are.
    pub pages: Pages,
}

impl Run {
    const fn end(&self) -> u64 {
        self.first + self.nr
    }
}

/// The page tables of an address space.
#[derive(Clone, Debug, Default)]
pub struct PageTables {
    /// By first page, none touching another of its kind.
    runs: BTreeMap<u64, (u64, Pages)>,
    /// How many pages these have.
    nr: u64,
    /// The tables of the last level, by what of the address is above them.
    tables: BTreeSet<u64>,
}

impl PageTables {
    /// The pages of `start..end`.
    pub fn runs(&self, start: u64, end: u64) -> impl Iterator<Item = Run> + '_ {
        let (first, last) = (start >> PAGE_SHIFT, end >> PAGE_SHIFT);
        let before = self.runs.range(..first).next_back();
        let before = before.filter(move |(at, (nr, _))| *at + nr > first);
        let inside = self.runs.range(first..last.max(first));
        before.into_iter().chain(inside).map(move |(at, (nr, pages))| {
            let (from, to) = ((*at).max(first), (at + nr).min(last));
            Run { first: from, nr: to - from, pages: *pages }
        })
    }

    /// The tables that map a part of `start..end`.
    pub fn tables(&self, start: u64, end: u64) -> impl Iterator<Item = u64> + '_ {
        let last = if start < end { ((end - 1) >> PMD_SHIFT) + 1 } else { start >> PMD_SHIFT };
        self.tables.range(start >> PMD_SHIFT..last.max(start >> PMD_SHIFT)).copied()
    }

    /// How many pages there are.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.nr
    }

    /// Puts `run` there; nothing was there before.
    fn insert(&mut self, mut run: Run) {
        self.nr += run.nr;
        if let Some((at, (nr, pages))) = self.runs.range(..run.first).next_back()
            && at + nr == run.first
            && *pages == run.pages
        {
            run = Run { first: *at, nr: nr + run.nr, ..run };
        }
        if let Some((nr, pages)) = self.runs.get(&run.end()).copied()
            && pages == run.pages
        {
            self.runs.remove(&run.end());
            run.nr += nr;
        }
        self.runs.insert(run.first, (run.nr, run.pages));
    }

    /// Takes the pages of `start..end` out, and returns them.
    fn take(&mut self, start: u64, end: u64) -> Vec<Run> {
        let taken: Vec<Run> = self.runs(start, end).collect();
        let (first, last) = (start >> PAGE_SHIFT, end >> PAGE_SHIFT);
        for run in &taken {
            self.nr -= run.nr;
            let whole = self.runs.range(..=run.first).next_back();
            let Some((at, (nr, pages))) = whole.map(|(at, run)| (*at, *run)) else { continue };
            self.runs.remove(&at);
            if at < first {
                self.runs.insert(at, (first - at, pages));
            }
            if at + nr > last {
                self.runs.insert(last, (at + nr - last, pages));
            }
        }
        taken
    }

    /// The pages of `start..end`, a part of `vma`, are touched: written if `write` says so and they
    /// may be, read else. Without permissions, of huge pages or the kernel's own, nothing is, and
    /// nothing where there would be more than [`PAGES_MAX`]; returns whether there was room.
    pub fn touch(&mut self, vma: &Vma, start: u64, end: u64, write: bool) -> bool {
        let flags = vma.flags();
        if self.nr + (end.saturating_sub(start) >> PAGE_SHIFT) > PAGES_MAX {
            return false;
        }
        if start >= end || !flags.has(Flags::ACCESS) || flags.has(Flags::HUGETLB | Flags::SPECIAL) {
            return true;
        }
        let fresh = if write { touched(vma) } else { Pages::Clean };
        self.tables.extend(start >> PMD_SHIFT..=(end - 1) >> PMD_SHIFT);
        let mut at = start >> PAGE_SHIFT;
        let mut all = self.take(start, end);
        all.push(Run { first: end >> PAGE_SHIFT, nr: 0, pages: fresh });
        for run in all {
            if at < run.first {
                self.insert(Run { first: at, nr: run.first - at, pages: fresh });
            }
            if run.nr > 0 {
                // A page of a file that is written becomes the process's own, or dirty.
                let pages = if run.pages == Pages::Clean { fresh } else { run.pages };
                self.insert(Run { pages, ..run });
            }
            at = run.end();
        }
        true
    }

    /// Empties the entries of `start..end`; the tables stay.
    pub fn zap(&mut self, start: u64, end: u64) {
        self.take(start, end);
    }

    /// Frees the tables of `start..end`, which was unmapped, in which no mapping of `space` has a
    /// part outside of it.
    ///
    /// Fidelity: same as what the floor and the ceiling of `free_pgtables()` in mm/memory.c v7.3
    /// leave.
    pub fn free_tables(&mut self, space: &Space, start: u64, end: u64) {
        let unused = |table: &u64| {
            let (from, to) = (table << PMD_SHIFT, (table + 1) << PMD_SHIFT);
            let (before, behind) = (start.clamp(from, to), end.clamp(from, to));
            space.over(from, before).next().is_none() && space.over(behind, to).next().is_none()
        };
        let freed: Vec<u64> = self.tables(start, end).filter(unused).collect();
        for table in freed {
            self.tables.remove(&table);
        }
    }

    /// Moves the entries of `start..end` to `to`, with tables for what there is.
    pub fn relocate(&mut self, start: u64, end: u64, to: u64) {
        let tables: Vec<u64> = self.tables(start, end).collect();
        for table in tables {
            let (from, last) = ((table << PMD_SHIFT).max(start), (table + 1) << PMD_SHIFT);
            let (from, last) = (to + (from - start), to + (last.min(end) - start) - 1);
            self.tables.extend(from >> PMD_SHIFT..=last >> PMD_SHIFT);
        }
        for run in self.take(start, end) {
            let first = (to >> PAGE_SHIFT) + (run.first - (start >> PAGE_SHIFT));
            self.insert(Run { first, ..run });
        }
    }

    /// Copies what a child gets of `vma`, and takes the permission to write from both.
    ///
    /// Fidelity: same as `vma_needs_copy()` and `copy_present_ptes()` of mm/memory.c v7.3 leave it.
    pub fn copy_to(&mut self, child: &mut Self, vma: &Vma) {
        let runs = self.take(vma.start, vma.end);
        for mut run in runs {
            if vma.flags().is_cow() && run.pages == Pages::Anon {
                run.pages = Pages::AnonShared;
            }
            let (addr, last) = (run.first << PAGE_SHIFT, (run.end() << PAGE_SHIFT) - 1);
            child.tables.extend(addr >> PMD_SHIFT..=last >> PMD_SHIFT);
            child.insert(run);
            self.insert(run);
        }
    }
}

/// What a page of `vma` is once it was touched.
fn touched(vma: &Vma) -> Pages {
    let flags = vma.flags();
    let write = flags.has(Flags::WRITE);
    match (flags.has(Flags::SHARED), vma.attrs.file == 0) {
        (true, _) if write => Pages::Dirty,
        (true, _) => Pages::Clean,
        (false, true) => Pages::Anon,
        (false, false) if write => Pages::Anon,
        (false, false) => Pages::Clean,
    }
}
