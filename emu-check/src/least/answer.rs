//! What came out.

use super::kept::Kept;
use super::question::Question;
use super::search::Machine;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// No machine has fewer states.
    pub at_least: usize,
    /// So many situations can share no state with one another; fewer than `at_least` where the rest
    /// of the proof is a search.
    pub apart: usize,
    /// A machine that does what is required; none where the search gave up before it found one.
    /// It is a smallest one if it has `at_least` states.
    pub machine: Option<Machine>,
    /// The situations, as the brackets that are open.
    pub situations: usize,
    /// What each published design keeps in the same sequences.
    pub designs: Vec<Kept>,
}
