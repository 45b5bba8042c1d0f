//! What a scenario runs on, and what the scenario says of that run.

use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

use super::value::{Scenario, Where};

/// What a scenario runs on.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The architecture.
    pub arch: Arch,
    /// The era of the architecture's code.
    pub kernel: Kernel,
    /// The API design.
    pub design: Design,
    /// Stops at the first warning, as a kernel with `panic_on_warn` does.
    pub panic_on_warn: bool,
    /// Runs the mended code of a scenario that has some.
    pub mended: bool,
}

impl Default for Setup {
    /// v7.0 on an architecture that batches nothing.
    fn default() -> Self {
        let kernel = Kernel::default();
        Self {
            arch: Arch::default(),
            kernel,
            design: kernel.design(),
            panic_on_warn: false,
            mended: false,
        }
    }
}

impl From<Design> for Setup {
    /// v7.0 on an architecture that batches nothing, under `design`.
    fn from(design: Design) -> Self {
        Self { design, ..Self::default() }
    }
}

impl From<Where> for Setup {
    /// The run that a scenario speaks of, under the kernel's design unless it names another.
    fn from(run: Where) -> Self {
        let Where { arch, kernel, design, mended } = run;
        let design = design.unwrap_or_else(|| kernel.design());
        Self { arch, kernel, design, panic_on_warn: false, mended }
    }
}

/// What a scenario says of the run that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has the bug.
    Bad,
    /// It has not.
    Good,
    /// Neither, while it speaks of other runs.
    Other,
    /// The scenario speaks of no run.
    Only,
}

/// What `scenario` says of the run with `setup`; mended code is good.
pub(super) fn standing(scenario: &Scenario, setup: Setup) -> Standing {
    let is = |run: &Where| {
        let run = Setup::from(*run);
        (run.arch, run.kernel, run.design, run.mended)
            == (setup.arch, setup.kernel, setup.design, setup.mended)
    };
    if setup.mended && scenario.mended.is_some() || scenario.good.iter().any(is) {
        Standing::Good
    } else if scenario.bad.iter().any(is) {
        Standing::Bad
    } else if scenario.bad.is_empty() && scenario.good.is_empty() {
        Standing::Only
    } else {
        Standing::Other
    }
}
