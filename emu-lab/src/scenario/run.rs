//! Steps to a record: runs a scenario on a fresh machine.

use emu_arch::hazard::Hazard;
use emu_arch::machine::{Found, Totals};
use emu_arch::{Arch, Kernel, Machine};
use lazy_mmu::design::Design;
use lazy_mmu::trace::Event;
use lazy_mmu::{Record, record_hooks, sched};

use super::driver::Driver;
use super::lab::Lab;
use super::{Line, Scenario, Where};

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
            arch: Arch::NAIVE,
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

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was seen.
    pub record: Record,
    /// The line at which a warning stopped the run.
    pub stopped: Option<u32>,
    /// The claims that did not hold, in order.
    pub unmet: Vec<Unmet>,
    /// The hazards that appeared, in order.
    pub hazards: Vec<Found>,
    /// Those that the scenario does not expect. Where it makes no claims about hazards, warnings are
    /// not among them: what they do is the business of `panic_on_warn`.
    pub unexpected: Vec<Found>,
    /// How often each hook was called and each effect happened.
    pub totals: Totals,
    /// The lines that were run: the number that the record's next event then had, and the line's.
    pub lines: Vec<(u32, u32)>,
}

impl Outcome {
    /// The number of the line that event `seq` belongs to.
    #[must_use]
    pub fn line_of(&self, seq: u32) -> Option<u32> {
        let behind = self.lines.partition_point(|(first, _)| *first <= seq);
        behind.checked_sub(1).map(|index| self.lines[index].1)
    }
}

/// A claim of a scenario that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The number of its line.
    pub line: u32,
    /// What was expected and what was found.
    pub message: String,
}

/// Runs a scenario as a fresh task on a fresh machine, with the page tables it needs in place.
#[must_use]
pub fn run(scenario: &Scenario, setup: Setup) -> Outcome {
    run_steps(scenario, setup, None)
}

/// Who is shown each line with the record of it alone, while the task is still current.
pub type See<'s> = &'s mut dyn FnMut(&Line, &Record);

/// Runs a scenario and shows each line that was run to `see`.
#[must_use]
pub fn run_lines(scenario: &Scenario, setup: Setup, see: See<'_>) -> Outcome {
    run_steps(scenario, setup, Some(see))
}

fn run_steps(whole: &Scenario, setup: Setup, mut see: Option<See<'_>>) -> Outcome {
    let machine = Machine::with_kernel(setup.arch, setup.kernel);
    machine.track_hazards();
    let scenario = whole.code(setup.mended);
    let standing = standing(whole, setup);
    let stage = Lab::new(machine.clone(), scenario, standing);
    let driver = Driver::new(stage, &scenario.insides);
    let lab = &driver.stage;
    let steps = || {
        for line in &scenario.steps {
            if setup.panic_on_warn || see.is_some() {
                let ((), part) = record_hooks(|| driver.line(line));
                if let Some(see) = &mut see {
                    see(line, &part);
                }
                if setup.panic_on_warn
                    && part.events().any(|seen| matches!(seen.event, Event::Warn { .. }))
                {
                    return Some(line.number);
                }
            } else {
                driver.line(line);
            }
        }
        None
    };
    let (stopped, record) =
        sched::with_design(setup.design, || machine.run(|| record_hooks(steps)));
    let claims = whole.claims_hazards();
    let mut unexpected = lab.unexpected();
    unexpected.retain(|found| claims || found.hazard != Hazard::ApiWarning);
    Outcome {
        record,
        stopped,
        unmet: lab.unmet.take(),
        hazards: machine.hazards(),
        unexpected,
        totals: machine.totals(),
        lines: lab.lines.take(),
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
fn standing(scenario: &Scenario, setup: Setup) -> Standing {
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
