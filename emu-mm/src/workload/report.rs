//! What a workload did, with the mode and without it.

use emu_arch::Arch;
use emu_arch::machine::Totals;
use lazy_mmu::design::{Design, Hook};

use super::options::Workload;
use super::stage::{Done, Work};

/// What a workload did on one architecture.
#[derive(Clone, Debug)]
pub struct Report {
    /// The workload.
    pub workload: Workload,
    /// The architecture.
    pub arch: Arch,
    /// The design of the API in the run with the mode.
    pub design: Design,
    /// How many mappings a process on the architecture cannot have; their rows are empty.
    pub left_out: u64,
    /// Whether sections of the task are ignored, though nobody has paused it: the mode is off.
    pub mode_is_off: bool,
    /// One row per mapping, in the order of the input.
    pub mappings: Vec<Row>,
    /// What belongs to no mapping, such as a flush of everything.
    pub rest: Row,
    /// All rows together.
    pub total: Row,
}

/// What was done for a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Pages in memory.
    pub pages: u64,
    /// Page table entries written, each as often as it was.
    pub ptes: u64,
    /// Hooks and effects with the mode.
    pub lazy: Totals,
    /// Effects with the mode paused, so that each update takes effect at once.
    pub paused: Totals,
}

impl Report {
    pub(super) fn new(
        workload: Workload,
        arch: Arch,
        design: Design,
        left_out: u64,
        lazy: &Done,
        paused: &Done,
    ) -> Self {
        let mappings: Vec<Row> = lazy
            .mappings
            .iter()
            .zip(&paused.mappings)
            .map(|(lazy, paused)| Row::new(lazy, paused))
            .collect();
        let rest = Row::new(&lazy.rest, &paused.rest);
        let total = mappings.iter().fold(rest.clone(), |sum, row| sum.plus(row));
        let mode_is_off = lazy.mode_is_off;
        Self { workload, arch, design, left_out, mode_is_off, mappings, rest, total }
    }
}

impl Row {
    fn new(lazy: &Work, paused: &Work) -> Self {
        let (lazy_totals, paused_totals) = (lazy.totals.clone(), paused.totals.clone());
        Self { pages: lazy.pages, ptes: lazy.ptes, lazy: lazy_totals, paused: paused_totals }
    }

    /// Adds the other row.
    pub fn add(&mut self, other: &Self) {
        *self = self.plus(other);
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            pages: self.pages + other.pages,
            ptes: self.ptes + other.ptes,
            lazy: self.lazy.plus(&other.lazy),
            paused: self.paused.plus(&other.paused),
        }
    }

    /// Sections that reached the architecture, and pauses that ended in one: no workload nests
    /// sections, so that each is one call of the enter hook.
    #[must_use]
    pub fn sections(&self) -> u64 {
        let enters = self.lazy.hooks().filter(|(hook, _)| hook.kernel() == Some(Hook::ENTER));
        enters.map(|(_, times)| times).sum()
    }

    /// Calls of all hooks.
    #[must_use]
    pub fn hooks(&self) -> u64 {
        self.lazy.hooks().map(|(_, times)| times).sum()
    }

    /// Effects of the kinds that the mode can delay, with the mode.
    #[must_use]
    pub fn delayable(&self) -> u64 {
        self.lazy.delayable()
    }

    /// Effects of the kinds that the mode can delay, with the mode paused.
    #[must_use]
    pub fn delayable_paused(&self) -> u64 {
        self.paused.delayable()
    }

    /// Tells whether nothing was done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ptes == 0 && self.lazy.is_empty() && self.paused.is_empty()
    }
}
