//! What a scenario runs on, and what the scenario says of that run.

use std::collections::BTreeMap;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

use super::value::{Expect, Line, Scenario, Step, Where};

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
    /// The newest kernel on an architecture that batches nothing.
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
    /// The newest kernel on an architecture that batches nothing, under `design`.
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

/// The hazards that `scenario` expects somewhere of the run with `setup`, each with the number of a
/// line that does: none in a good run.
///
/// ```
/// use emu_lab::scenario::{Setup, expected_hazards, parse};
/// let scenario = parse("enable\nexpect hazard section-at-exit\n").unwrap();
/// assert_eq!(expected_hazards(&scenario, Setup::default()).values().next(), Some(&2));
/// ```
#[must_use]
pub fn expected_hazards(scenario: &Scenario, setup: Setup) -> BTreeMap<Hazard, u32> {
    expected(scenario, standing(scenario, setup))
}

/// The hazards that `scenario` expects of a run of which it says `standing`.
pub(super) fn expected(scenario: &Scenario, standing: Standing) -> BTreeMap<Hazard, u32> {
    let expects = |line: &Line| match line.step {
        Step::Expect(Expect::Hazard(hazard)) if standing != Standing::Good => {
            Some((hazard, line.number))
        }
        Step::Kernel(_) | Step::Map(_) | Step::Expect(_) => None,
    };
    scenario.lines().filter_map(expects).collect()
}
