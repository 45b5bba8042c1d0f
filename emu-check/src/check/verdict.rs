//! Verdicts: what searches say of each property, and which of them is a proof.

use std::fmt::{self, Display, Formatter};

use emu_arch::hazard::Trigger;

use super::options::Options;
use super::property::Property;
use super::report::{Counterexample, Report};
use crate::explore::End;

/// What searches say of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds on every path, and so many different steps exercised it: a proof.
    Holds {
        /// The number of steps.
        exercised: u64,
    },
    /// It breaks on some path.
    Broken,
    /// It did not break, and nothing that was searched could have broken it: what never happened.
    NotExercised(Trigger),
    /// It is void on the architecture: what that one does not have.
    NotApplicable(&'static str),
    /// It did not break so far; a search was not searched to its end.
    Open,
}

impl Verdict {
    /// The word of the JSON output; never changes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Holds { .. } => "holds",
            Self::Broken => "broken",
            Self::NotExercised(_) => "not-exercised",
            Self::NotApplicable(_) => "not-applicable",
            Self::Open => "open",
        }
    }

    /// Tells whether every state was searched and the property held where it could have broken.
    #[must_use]
    pub const fn is_proof(self) -> bool {
        matches!(self, Self::Holds { .. })
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds { exercised } => write!(f, "holds, exercised by {exercised} steps"),
            Self::Broken => f.write_str("broken"),
            Self::NotExercised(trigger) => write!(f, "not exercised: never {}", trigger.about()),
            Self::NotApplicable(why) => write!(f, "not applicable: {why}"),
            Self::Open => f.write_str("open: not searched to the end"),
        }
    }
}

/// What `reports`, searches of one architecture, kernel and design, say of `property` together.
#[must_use]
pub(super) fn verdict(reports: &[Report], property: Property) -> Verdict {
    if reports.iter().any(|report| report.of(property).next().is_some()) {
        return Verdict::Broken;
    }
    let facts = reports.first().map(|report| report.options.arch.facts());
    if let Some(Err(why)) = facts.map(|facts| property.applies_to(facts)) {
        return Verdict::NotApplicable(why);
    }
    if reports.iter().any(|report| report.end != End::Complete) {
        return Verdict::Open;
    }
    match reports.iter().map(|report| report.exercised(property.trigger())).sum() {
        0 => Verdict::NotExercised(property.trigger()),
        exercised => Verdict::Holds { exercised },
    }
}

/// The searches of several clients, and what they say together.
#[derive(Clone, Debug)]
pub struct Portfolio {
    /// The report of each client.
    pub reports: Vec<Report>,
}

impl Portfolio {
    /// The properties that were looked at, each with its verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = (Property, Verdict)> + '_ {
        let looks_at = |property: &Property| {
            self.reports.iter().any(|report| report.options.looks_at(*property))
        };
        Property::all().filter(looks_at).map(|one| (one, verdict(&self.reports, one)))
    }

    /// The shortest counterexample of each property and check, with the options of its search.
    #[must_use]
    pub fn broken(&self) -> Vec<(&Options, &Counterexample)> {
        let all = self
            .reports
            .iter()
            .flat_map(|report| report.broken.iter().map(move |found| (&report.options, found)));
        let mut broken: Vec<(&Options, &Counterexample)> = all.collect();
        broken.sort_by_key(|(_, found)| (found.property, found.detail, found.moves, found.cost));
        broken.dedup_by_key(|(_, found)| (found.property, found.detail));
        broken.sort_by_key(|(_, found)| (found.property, found.moves, found.cost));
        broken
    }

    /// Tells whether a property breaks that is not a matter of speed alone, or was asked for by
    /// name.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.reports.iter().any(Report::is_violated)
    }

    /// Tells whether every client was searched to its end.
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.reports.iter().all(|report| report.end == End::Complete)
    }
}
