//! What a call does to page tables, with all that a machine must know to do it.

use emu_mm::mm::vma::VmFlags;

use crate::pages::{PageTables, Run};
use crate::space::{Age, Flags, Vma};

/// What a call does to the page tables of one address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The line of the log in which the call returned.
    pub line: usize,
    /// The process.
    pub pid: u32,
    /// The name of the call.
    pub call: &'static str,
    /// What it does.
    pub work: Work,
    /// The mappings that it is about, cut to its ranges.
    pub parts: Vec<Part>,
    /// The page tables below these ranges.
    pub tables: Vec<u64>,
}

/// What is done to all parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// They are emptied, with one gather: `munmap()` and others.
    Unmap,
    /// They are emptied because the address space goes away: `exit_mmap()`.
    Exit,
    /// They are emptied, and the mappings stay: `MADV_DONTNEED`.
    Discard,
    /// They get another protection.
    Protect,
    /// A child gets a copy: `dup_mmap()`.
    Copy,
    /// Their entries are aged, reclaimed, or marked to go away.
    Age(Age),
    /// Their entries move to an address: `move_page_tables()`.
    Move(u64),
}

/// A mapping, and the pages that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The range, and what the mapping is from now on.
    pub vma: Vma,
    /// What it was when its pages were touched.
    pub before: Flags,
    /// Its pages.
    pub runs: Vec<Run>,
}

impl Part {
    /// The flags that the mapping had, as page table code asks for them.
    #[must_use]
    pub fn flags_before(&self) -> VmFlags {
        self.before.vm_flags()
    }
}

impl Job {
    /// How many pages the parts have.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.parts.iter().map(|part| part.runs.iter().map(|run| run.nr).sum::<u64>()).sum()
    }

    /// How many values it is made of: what it takes of memory.
    pub(crate) fn values(&self) -> usize {
        self.tables.len() + self.parts.iter().map(|part| 1 + part.runs.len()).sum::<usize>()
    }

    /// The work on `vmas`, which have been `before`; none where no page table is below them, so
    /// that nothing happens.
    pub(crate) fn new(
        (line, pid, call): (usize, u32, &'static str),
        work: Work,
        vmas: &[(Vma, Flags)],
        pages: &PageTables,
    ) -> Option<Self> {
        let mut tables: Vec<u64> =
            vmas.iter().flat_map(|(vma, _)| pages.tables(vma.start, vma.end)).collect();
        if let (Work::Move(to), Some((first, _)), Some((last, _)), false) =
            (work, vmas.first(), vmas.last(), tables.is_empty())
        {
            tables.extend(pages.tables(to, to + (last.end - first.start)));
        }
        tables.sort_unstable();
        tables.dedup();
        if tables.is_empty() {
            return None;
        }
        let part = |(vma, before): &(Vma, Flags)| {
            let runs = pages.runs(vma.start, vma.end).collect();
            Part { vma: *vma, before: *before, runs }
        };
        let parts = vmas.iter().map(part).collect();
        Some(Self { line, pid, call, work, parts, tables })
    }
}
