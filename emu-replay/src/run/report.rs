//! What the calls of a log took on one architecture.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::Arch;
use emu_mm::workload::Row;
use lazy_mmu::design::Design;

use crate::job::Job;

/// What the calls of a log took on one architecture.
#[derive(Clone, Debug)]
pub struct Report {
    /// The architecture.
    pub arch: Arch,
    /// The design of the API in the run with the mode.
    pub design: Design,
    /// Whether sections of the task are ignored, though nobody has paused it: the mode is off.
    pub mode_is_off: bool,
    /// What the calls of each name took, and how many of them had work on page tables.
    pub calls: BTreeMap<&'static str, (u64, Row)>,
    /// All calls together.
    pub total: Row,
    /// The calls with the most page table writes, by how many.
    busiest: BTreeSet<(u64, std::cmp::Reverse<usize>, u64)>,
    rows: BTreeMap<u64, CallRow>,
    /// How many pieces of work there were.
    jobs: u64,
}

/// What one call took.
#[derive(Clone, Debug)]
pub struct CallRow {
    /// The line of the log in which it returned.
    pub line: usize,
    /// The process.
    pub pid: u32,
    /// The name.
    pub call: &'static str,
    /// The first address and the end of what it was about.
    pub range: (u64, u64),
    /// What it took.
    pub row: Row,
}

impl CallRow {
    /// What `job` took.
    #[must_use]
    pub fn new(job: &Job, row: &Row) -> Self {
        let start = job.parts.first().map_or(0, |part| part.vma.start);
        let end = job.parts.last().map_or(0, |part| part.vma.end);
        let (line, pid, call) = (job.line, job.pid, job.call);
        Self { line, pid, call, range: (start, end), row: row.clone() }
    }
}

impl Report {
    pub(super) fn new(arch: Arch, design: Design) -> Self {
        Self {
            arch,
            design,
            mode_is_off: false,
            calls: BTreeMap::new(),
            total: Row::default(),
            busiest: BTreeSet::new(),
            rows: BTreeMap::new(),
            jobs: 0,
        }
    }

    /// The calls with the most page table writes, the busiest first.
    pub fn top(&self) -> impl Iterator<Item = &CallRow> + '_ {
        self.busiest.iter().rev().filter_map(|(_, _, number)| self.rows.get(number))
    }

    pub(super) fn add(&mut self, job: &Job, row: &Row, top: usize) {
        let (count, sum) = self.calls.entry(job.call).or_default();
        *count += 1;
        sum.add(row);
        self.total.add(row);
        self.jobs += 1;
        if top == 0 {
            return;
        }
        let key = (row.ptes, std::cmp::Reverse(job.line), self.jobs);
        let full = self.busiest.len() == top;
        if full && self.busiest.first().is_some_and(|least| key < *least) {
            return;
        }
        if full && let Some((_, _, number)) = self.busiest.pop_first() {
            self.rows.remove(&number);
        }
        self.busiest.insert(key);
        self.rows.insert(self.jobs, CallRow::new(job, row));
    }
}
