//! The columns of a comparison: their labels, and which column each is compared with.

use lazy_mmu::design::Design;

use crate::scenario::Setup;

/// One setup, as a column.
#[derive(Clone, Debug)]
pub struct Column {
    /// What ran.
    pub setup: Setup,
    /// The parts of the setup that tell this column from the others, or the design alone.
    pub label: Vec<&'static str>,
    /// The index of the column that this one is compared with; its own, where it is the measure.
    pub measure: usize,
}

impl Column {
    /// Tells whether the kernel of this column ever had its design, or the question has no meaning:
    /// the design was made at run time.
    #[must_use]
    pub fn existed(&self) -> bool {
        self.setup.design.is_made() || self.setup.kernel.had(self.setup.design)
    }
}

/// Which parts of the setups vary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Varies {
    pub(super) design: bool,
    pub(super) kernel: bool,
    pub(super) arch: bool,
}

impl Varies {
    pub(super) fn of(setups: impl Iterator<Item = Setup> + Clone) -> Self {
        let varies = |same: fn(&Setup, &Setup) -> bool| {
            let mut rest = setups.clone();
            rest.next().is_some_and(|first| rest.any(|setup| !same(&first, &setup)))
        };
        Self {
            design: varies(|a, b| a.design == b.design),
            kernel: varies(|a, b| a.kernel == b.kernel),
            arch: varies(|a, b| a.arch == b.arch),
        }
    }
}

/// The columns of `setups`.
pub(super) fn columns(setups: &[Setup]) -> Vec<Column> {
    let varies = Varies::of(setups.iter().copied());
    let label = |setup: &Setup| {
        let parts = [
            (varies.design || !(varies.kernel || varies.arch), setup.design.id()),
            (varies.kernel, setup.kernel.id()),
            (varies.arch, setup.arch.id()),
        ];
        parts.into_iter().filter(|(shown, _)| *shown).map(|(_, id)| id).collect()
    };
    let column = |(index, setup): (usize, &Setup)| Column {
        setup: *setup,
        label: label(setup),
        measure: measure(setups, index),
    };
    setups.iter().enumerate().map(column).collect()
}

/// The column that `index` is compared with: among those of its architecture, since effects of
/// different architectures never match, or among all where each architecture has only one. The
/// first with the merged design, or the first.
fn measure(setups: &[Setup], index: usize) -> usize {
    let same = |at: &usize| setups[*at].arch == setups[index].arch;
    let alone = |index: usize| setups.iter().filter(|s| s.arch == setups[index].arch).count() == 1;
    let all = (0..setups.len()).all(alone);
    let candidates = || (0..setups.len()).filter(|at| all || same(at));
    let merged = candidates().find(|at| setups[*at].design == Design::default());
    merged.or_else(|| candidates().next()).unwrap_or(index)
}
