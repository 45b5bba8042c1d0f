//! What a scenario claims of its programs, held against a search of their interleavings.

use std::collections::BTreeMap;

use emu_arch::hazard::Hazard;
use emu_lab::scenario::{Expect, Scenario, Setup, Step, expected_hazards};

use super::property::Property;
use super::report::{Counterexample, Report};
use crate::explore::End;

/// The hazards that a scenario expects of a run.
///
/// A scenario that makes claims is judged by them: each hazard that it expects must appear in some
/// interleaving, and no other one may appear in any, as `expect none` says too. The mode must be as
/// its lines expect in every interleaving. Other properties that are no hazard count only where the
/// scenario claims nothing. Claims about how often an effect happens are about one run, and so are
/// not judged.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The hazards, each with the number of a line that expects it.
    expected: BTreeMap<Hazard, u32>,
    /// The scenario claims something.
    any: bool,
    /// The lines that speak of one run.
    of_one_run: Vec<u32>,
}

impl Claims {
    /// What `scenario` claims of the run with `setup`.
    #[must_use]
    pub fn of(scenario: &Scenario, setup: Setup) -> Self {
        let code = scenario.code(setup.mended);
        let several = code.lines().any(|line| line.task > 1);
        let of_one_run = code.lines().filter(|line| match line.step {
            Step::Expect(Expect::Times { .. }) => true,
            // Of whichever task runs: in a search it may be any.
            Step::Expect(Expect::Active(_)) => several && line.task == 0,
            Step::Expect(Expect::Hazard(_) | Expect::None) | Step::Kernel(_) | Step::Map(_) => {
                false
            }
        });
        let of_one_run = of_one_run.map(|line| line.number).collect();
        Self { expected: expected_hazards(code, setup), any: code.claims(), of_one_run }
    }

    /// The lines whose claims a search cannot judge: they count the effects of one run, or speak
    /// of whichever task runs.
    #[must_use]
    pub fn not_judged(&self) -> &[u32] {
        &self.of_one_run
    }

    /// Tells whether the scenario expects the counterexample.
    #[must_use]
    pub fn expects(&self, found: &Counterexample) -> bool {
        match (found.property, found.property.hazard()) {
            (Property::Claim(_), _) => false,
            (_, Some(hazard)) => self.expected.contains_key(&hazard),
            (_, None) => self.any,
        }
    }

    /// The counterexamples of `report` that the scenario does not expect, but for those of speed
    /// where none was asked for by name.
    pub fn unexpected<'r>(&self, report: &'r Report) -> Vec<&'r Counterexample> {
        let asked = report.options.properties.is_some();
        let counts = |found: &&Counterexample| {
            !self.expects(found) && (asked || !found.property.is_performance())
        };
        report.broken.iter().filter(counts).collect()
    }

    /// The hazards that the scenario expects, that were looked for and that no interleaving shows,
    /// each with the number of its line.
    #[must_use]
    pub fn missing(&self, report: &Report) -> Vec<(Hazard, u32)> {
        if report.end != End::Complete {
            return Vec::new();
        }
        let looked_for = |hazard: Hazard| {
            Property::all().any(|property| {
                property.hazard() == Some(hazard) && report.options.looks_at(property)
            })
        };
        let found = |hazard| report.broken.iter().any(|one| one.property.hazard() == Some(hazard));
        let expected = self.expected.iter().map(|(hazard, line)| (*hazard, *line));
        expected.filter(|(hazard, _)| looked_for(*hazard) && !found(*hazard)).collect()
    }
}
