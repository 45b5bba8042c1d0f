//! Proofs that two designs are equivalent, or a shortest call sequence that distinguishes them.
//!
//! Two designs run in lockstep under the same calls, and each step is compared: the hooks, the
//! active bit, or all effects ([`Compare`]). Which sequences are compared is a [`Language`].
//! Counters have eight bits, so the designs have finitely many states together; a search that ends
//! without a difference is a proof for sequences of *any* length, and [`Verdict`] says so. Nothing
//! is sampled, and states are compared exactly, not by fingerprints.
//!
//! ```
//! use emu_check::prove::{Compare, Language, Question, Verdict, prove};
//! use lazy_mmu::design::{count_enabled_rfc, count_paused_rfc};
//!
//! let question = Question::of::<count_enabled_rfc::State, count_paused_rfc::State>();
//! let hooks = prove(&Question { language: Language::Any, compare: Compare::Hooks, ..question });
//! assert_eq!(hooks.verdict, Verdict::Equivalent);
//! // 256 counts with each of two flags in both designs, and four calls from each.
//! assert_eq!((hooks.effort.states, hooks.effort.transitions), (256 * 4, 256 * 4 * 4));
//! ```
//!
//! # What is compared
//!
//! One task under each design, with the same calls. Calls are atomic here: what may happen between
//! two effects of a call is the business of the checker, not of this module. With
//! [`irq`](Question::irq) an interrupt may begin after any call, once at a time, and its calls are
//! a program of their own. What an architecture declines (`arch_wants_lazy_mmu_mode()`) is not
//! asked.
//!
//! The calls are those that either design has; one that lacks a call makes what the call is a
//! variant of, or nothing. A variant of a hook counts as that hook.
//!
//! A design keeps its state per task, and all it knows of the rest is whether an interrupt runs. So
//! several tasks are equivalent if and only if one is. [`tasks`](Question::tasks) asks for the size
//! of their product, which other checkers walk state by state.
//!
//! A disable is given the token of the enable that it closes. Under [`Language::Any`] nothing is
//! closed by anything, and it is given each token that one of the designs returns.
//!
//! # Engines
//!
//! | language | engine |
//! |---|---|
//! | any | closure over the pairs of states |
//! | A, B, C, D | open brackets alone where closing undoes opening, else summaries of frames |
//! | crossing | the open brackets as numbers, exactly or up to a bound that is checked |

mod answer;
mod any;
mod control;
mod crossing;
mod engine;
mod grid;
mod json;
mod matrix;
mod observe;
mod question;
mod report;
mod search;
mod states;
mod summaries;
mod table;
mod undo;
mod witness;

pub use crate::language::Language;
pub use answer::{Answer, Verdict};
pub use grid::{LEGEND, matrices_text};
pub use json::{json, matrix_json};
pub use matrix::{Cell, DEPTH, Matrix, Outcome, all_matrices, matrices};
pub use observe::Compare;
pub use question::{Question, STATES_MAX, TASKS_MAX};
pub use report::text;
pub use search::{Effort, Step};
pub use states::{DESIGN_STATES_MAX, reachable};
pub use witness::{Did, Row, Side, Witness};

use crate::explore::{Watch, nobody};
use engine::find;
use search::Found;
use table::Lockstep;

/// Answers `question`.
#[must_use]
pub fn prove(question: &Question) -> Answer {
    prove_with(question, &mut nobody())
}

/// Answers `question`; `watch` observes the search.
#[must_use]
pub fn prove_with(question: &Question, watch: &mut dyn Watch) -> Answer {
    let tables = table::tables(&question.designs, question);
    let both = Lockstep::new(&tables[0], &tables[1], question.compare);
    let (found, effort) = find(&both, question, watch);
    let several = question.tasks > 1 && found == Found::Nothing;
    let product = if several { product(effort, question) } else { None };
    let verdict = match found {
        Found::Nothing => Verdict::Equivalent,
        Found::Witness(steps) => Verdict::Distinguished(Witness::new(question.designs, &steps)),
        Found::NothingWithin(steps) => match both.panicked() {
            Some(panic) => Verdict::Panics(panic),
            None => Verdict::GaveUp { steps },
        },
        Found::Unfit => unreachable!("summaries fit every design"),
    };
    Answer { question: *question, verdict, effort, product }
}

/// The product of several tasks, where one has the states and steps of `effort`.
///
/// Tasks share nothing but the CPU: each is in any of its pairs of states while one of them runs,
/// in interrupt or not. Outside of interrupts the CPU can switch to each of the others.
fn product(effort: Effort, question: &Question) -> Option<Effort> {
    let (tasks, contexts) = (u64::from(question.tasks), 1 + u64::from(question.irq));
    let pairs = effort.states / contexts;
    let all = pairs.checked_pow(question.tasks.into())?.checked_mul(tasks)?;
    let steps = effort.transitions / pairs + (tasks - 1);
    Some(Effort { states: all.checked_mul(contexts)?, transitions: all.checked_mul(steps)? })
}

/// Asserts that two designs are equivalent, or panics with a shortest call sequence that
/// distinguishes them.
///
/// The designs are named by their states. Other fields of the [`Question`](crate::prove::Question)
/// may follow the language.
///
/// ```
/// use emu_check::assert_equivalent;
/// use emu_check::prove::{Compare, Language};
/// use lazy_mmu::design::{counts, counts_task, nesting_active};
///
/// assert_equivalent!(counts::State, counts_task::State, Language::Any, compare: Compare::Effects);
/// assert_equivalent!(counts::State, nesting_active::State, Language::A, nesting: Some(255));
/// ```
#[macro_export]
macro_rules! assert_equivalent {
    ($X:ty, $Y:ty, $language:expr $(, $field:ident: $value:expr)* $(,)?) => {{
        let question = $crate::prove::Question::of::<$X, $Y>();
        let answer = $crate::prove::prove(&$crate::prove::Question {
            language: $language,
            $($field: $value,)*
            ..question
        });
        assert!(
            answer.verdict == $crate::prove::Verdict::Equivalent,
            "{}",
            $crate::prove::text(&answer)
        );
    }};
}

#[cfg(test)]
mod tests;
