//! What came out of a proof.

use lazy_mmu::panics::TransitionPanic;

use super::question::Question;
use super::search::Effort;
use super::witness::Witness;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Proved: no sequence of the language distinguishes the designs, however long.
    Equivalent,
    /// A shortest sequence whose last step looks different.
    Distinguished(Witness),
    /// Not proved: there is no difference in sequences of at most `steps` steps, and longer ones
    /// were not all looked at.
    GaveUp {
        /// How far the search came.
        steps: u32,
    },
    /// Not proved: a sequence of the language leads to a transition that panics.
    Panics(TransitionPanic),
}

/// A verdict and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// What came out.
    pub verdict: Verdict,
    /// What the search looked at.
    pub effort: Effort,
    /// The states and steps of the product of several tasks; none for one task, or where there are
    /// more than a `u64` counts.
    pub product: Option<Effort>,
}
