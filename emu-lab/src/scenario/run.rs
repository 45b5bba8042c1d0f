//! Steps to a record: runs a scenario on a fresh machine.

use emu_arch::Machine;
use emu_arch::hazard::Hazard;
use emu_arch::machine::{Found, Totals};
use lazy_mmu::design::Check;
use lazy_mmu::trace::Event;
use lazy_mmu::{Record, record_hooks, sched};

use super::driver::Driver;
use super::lab::{Lab, Unmet};
use super::setup::{Setup, standing};
use super::value::{Line, Scenario};

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
    /// Those that the scenario does not expect. Where it makes no claims, warnings are not among
    /// them, only a BUG: what they do is the business of `panic_on_warn`.
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
    let claims = whole.claims();
    let mut unexpected = lab.unexpected();
    let stops = |seq: u32| {
        let found = record.events().nth(seq as usize).map(|seen| seen.event);
        matches!(found, Some(Event::Warn { check, .. }) if check.parse().is_ok_and(Check::ends_call))
    };
    unexpected.retain(|found| claims || found.hazard != Hazard::ApiWarning || stops(found.seq));
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
