//! Verdicts: what searches say of each property, and which of them is a proof.

use std::fmt::{self, Display, Formatter};

use emu_arch::hazard::Trigger;

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
