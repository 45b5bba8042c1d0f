//! What is asked: which sequences of calls, and what is required of them.

use super::rule::Rule;
use crate::language::Language;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which sequences of calls there are: one of A to D, in which brackets nest.
    pub language: Language,
    /// The most brackets that are open at a time, 1 to [`NESTING_MAX`].
    pub nesting: u8,
    /// What is required; where no rule says anything, a machine may do as it likes.
    pub rules: Vec<Rule>,
}

impl Default for Question {
    /// Nested programs with at most 3 brackets, and every rule.
    fn default() -> Self {
        Self { language: Language::D, nesting: 3, rules: Rule::ALL.to_vec() }
    }
}

/// The most brackets that may be asked for.
pub const NESTING_MAX: u8 = 6;
