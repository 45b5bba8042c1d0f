//! How much state the API needs: the smallest machine that answers every sequence of calls as
//! required.
//!
//! What is required is data: [`Rule`]s say which hook each call must reach, and when the mode is
//! active. Which sequences are asked for is a [`Language`](crate::language::Language) with at most
//! so many open brackets. A machine gets the calls one by one and sees nothing else, as a design
//! does; what it must know of the past is its state.
//!
//! The search is exact. A machine of `k` states is built call by call; where no such machine
//! exists, all ways to build one have failed. *Situations*, the stacks of open brackets, that need
//! different answers to the same calls can share no state: as many as there are of these at once
//! is how many states every machine has.
//!
//! # By hand
//!
//! Language A with at most 2 brackets has four situations: nothing is open; a section; a section in
//! a section; a pause in a section. The mode is active in the second and the third, which a disable
//! tells apart: it leaves, or it flushes. The first and the fourth are both inactive, and no call
//! is legal in both, so that they can be one state: whatever opens or resumes, the mode is entered.
//! So three states do, and three situations can share none: two bits, where the counters of
//! `counts` reach four states.
//!
//! Language C adds the pause outside of a section, a pause in a section and a section in a pause.
//! A pause outside of a section calls nothing when it is resumed, and one in a section enters: two
//! inactive situations that a resume tells apart. A section in a pause may end only, and without a
//! hook. So four states do, and two of them are active. One counter of open brackets has three
//! values here: it is too little where pauses exist, however they are coded.
//!
//! ```
//! use emu_check::language::Language;
//! use emu_check::least::{Question, least};
//!
//! let states = |language, nesting| {
//!     let answer = least(&Question { language, nesting, ..Question::default() });
//!     (answer.at_least, answer.machine.map(|machine| machine.states()))
//! };
//! assert_eq!(states(Language::A, 2), (3, Some(3)));
//! assert_eq!(states(Language::C, 2), (4, Some(4)));
//! ```
//!
//! # What it cannot say
//!
//! It asks for sequences in which brackets nest and at most so many are open: without a limit no
//! finite machine does. It gives tokens no room: a caller that keeps one has state too. A machine
//! may not be one that a person would write.

mod answer;
mod kept;
mod question;
mod report;
mod required;
mod rule;
mod search;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use kept::Kept;
pub use question::{NESTING_MAX, Question};
pub use report::text;
pub use required::Answers;
pub use rule::Rule;
pub use search::{Machine, Row, TRIES_MAX};

use lazy_mmu::design::Design;
use required::situations;

/// Answers `question`.
///
/// # Panics
/// The language is one whose brackets need not nest, or the nesting is out of range.
#[must_use]
pub fn least(question: &Question) -> Answer {
    assert!(question.language.nests(), "languages A to D");
    assert!((1..=NESTING_MAX).contains(&question.nesting), "1 to {NESTING_MAX} brackets");
    let all = situations(question);
    let (at_least, apart, machine) = search::smallest(&all);
    let designs = Design::all().map(|design| kept::kept(design, &all)).collect();
    Answer { question: question.clone(), at_least, apart, machine, situations: all.len(), designs }
}
