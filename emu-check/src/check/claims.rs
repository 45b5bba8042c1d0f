//! What a scenario claims of its programs, held against a search of their interleavings.

use std::collections::BTreeMap;

use emu_arch::hazard::Hazard;
use emu_lab::scenario::{Scenario, Setup, expected_hazards};

use super::property::Property;
use super::report::{Counterexample, Report};
use crate::explore::End;

/// The hazards that a scenario expects of a run.
///
/// A scenario that makes claims is judged by them: each hazard that it expects must appear in some
/// interleaving, and no other one may appear in any. Properties that are no hazard count only where
/// the scenario claims nothing. Claims about how often an effect happens are about one run, not
/// about all.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The hazards, each with the number of a line that expects it.
    expected: BTreeMap<Hazard, u32>,
    /// The scenario claims something.
    any: bool,
}

impl Claims {
    /// What `scenario` claims of the run with `setup`.
    #[must_use]
    pub fn of(scenario: &Scenario, setup: Setup) -> Self {
        let code = scenario.code(setup.mended);
        Self { expected: expected_hazards(code, setup), any: code.claims() }
    }

    /// Tells whether the scenario expects the counterexample.
    #[must_use]
    pub fn expects(&self, found: &Counterexample) -> bool {
        match found.property.hazard() {
            Some(hazard) => self.expected.contains_key(&hazard),
            None => self.any,
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
