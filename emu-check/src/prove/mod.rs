//! Proofs that two designs are equivalent, or the shortest call sequence that tells them apart.
//!
//! Two designs run in lockstep under the same calls, and each step is compared: the hooks, the active
//! bit, or all effects ([`Compare`]). Which sequences are compared is a [`Language`]. Counters have
//! eight bits, so the designs have finitely many states together; a search that ends without a
//! difference is a proof for sequences of *any* length, and [`Verdict`] says so. Nothing is sampled,
//! and states are compared exactly, not by fingerprints.
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
//! [`irq`](Question::irq) an interrupt may begin after any call, once at a time, and its calls are a
//! program of their own. What an architecture declines (`arch_wants_lazy_mmu_mode()`) is not asked.
//!
//! The calls are those that either design has; one that lacks a call makes what the call is a variant
//! of, or nothing. A variant of a hook counts as that hook.
//!
//! A design keeps its state per task, and all it knows of the rest is whether an interrupt runs. So
//! several tasks are equivalent if and only if one is. [`tasks`](Question::tasks) walks their product
//! all the same, state by state, for the count and to compare engines.
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

mod any;
mod chapter;
mod controls;
mod crossing;
mod grid;
mod language;
mod matrix;
mod observe;
mod pairs;
mod product;
mod report;
mod search;
mod summaries;
mod table;
mod undo;
mod witness;

use lazy_mmu::design::{Design, LazyMmuDesign};
use lazy_mmu::panics::TransitionPanic;

pub use chapter::chapter;
pub use grid::{matrices_text, matrix_json};
pub use language::Language;
pub use matrix::{Cell, DEPTH, Matrix, Outcome, matrices};
pub use observe::Compare;
pub use report::{json, text};
pub use search::{Effort, Step};
pub use table::DESIGN_STATES_MAX;
pub use witness::{Row, Side, Witness};

use search::{Found, search};
use table::Lockstep;

/// The most states that a search may have unless it is told otherwise.
pub const STATES_MAX: u64 = 1 << 25;

/// The most memory for the bits of a product. That of three tasks with 511 states takes 200 MB.
pub const PRODUCT_BYTES_MAX: u64 = 1 << 29;

/// The most tasks of a product.
pub const TASKS_MAX: u8 = 4;

/// What is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The two designs.
    pub designs: [Design; 2],
    /// Which call sequences are compared.
    pub language: Language,
    /// What is compared of a step.
    pub compare: Compare,
    /// Sequences have the calls of the designs' own; else those of the kernel alone.
    pub own_calls: bool,
    /// An interrupt may come after any call.
    pub irq: bool,
    /// The most brackets that may be open at a time, or no limit. Not asked under
    /// [`Language::Any`], which knows no brackets.
    pub nesting: Option<u16>,
    /// How many tasks the CPU has, at most [`TASKS_MAX`]; more than one under [`Language::Any`] only.
    pub tasks: u8,
    /// The search gives up when it has more states.
    pub max_states: u64,
}

impl Question {
    /// Whether nested programs reach the same hooks and the same active bit, at any depth.
    #[must_use]
    pub const fn new(design: Design, against: Design) -> Self {
        Self {
            designs: [design, against],
            language: Language::D,
            compare: Compare::Active,
            own_calls: true,
            irq: false,
            nesting: None,
            tasks: 1,
            max_states: STATES_MAX,
        }
    }

    /// The same of two designs by their states.
    #[must_use]
    pub const fn of<X: LazyMmuDesign, Y: LazyMmuDesign>() -> Self {
        Self::new(Design::of::<X>(), Design::of::<Y>())
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Proved: no sequence of the language tells the designs apart, however long.
    Equivalent,
    /// A shortest sequence whose last step looks different.
    ToldApart(Witness),
    /// Not proved: there is no difference in sequences of at most `steps` steps, and longer ones were
    /// not all looked at.
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
    /// What the walk over the product of several tasks looked at; nothing where there was none, or
    /// where it would take more than [`PRODUCT_BYTES_MAX`].
    pub product: Option<Effort>,
}

/// Answers `question`.
#[must_use]
pub fn prove(question: &Question) -> Answer {
    prove_with(question, &mut |_| ())
}

/// Answers `question`; `progress` is told now and then how many states of a product were walked.
#[must_use]
pub fn prove_with(question: &Question, progress: &mut dyn FnMut(u64)) -> Answer {
    let Question { designs, compare, irq, .. } = *question;
    let tables = table::tables(&designs, question);
    let both = Lockstep::new(&tables[0], &tables[1], compare);
    let mut product = None;
    let (found, effort) = match question.language {
        Language::Any if question.tasks > 1 => {
            let mut model = any::AnyCalls::new(&both, irq);
            let found = search(&mut model, question.max_states);
            if found.0 == Found::Nothing {
                product = walk(&model, question, progress);
            }
            found
        }
        _ => find(&both, question),
    };
    let verdict = match found {
        Found::Nothing => Verdict::Equivalent,
        Found::Witness(steps) => Verdict::ToldApart(Witness::new(designs, &steps)),
        Found::NothingWithin(steps) => match both.panicked() {
            Some(panic) => Verdict::Panics(panic),
            None => Verdict::GaveUp { steps },
        },
        Found::Unfit => unreachable!("summaries fit every design"),
    };
    Answer { question: *question, verdict, effort, product }
}

/// Searches the language of `question` for the shortest difference.
fn find(both: &Lockstep, question: &Question) -> (Found, Effort) {
    match question.language {
        // The mode of a fresh task is looked at before any call.
        _ if !both.same_mode(both.start(), false) => {
            (Found::Witness(Vec::new()), Effort { states: 1, transitions: 0 })
        }
        Language::Any => search(&mut any::AnyCalls::new(both, question.irq), question.max_states),
        Language::Crossing => crosses(both, question),
        Language::A | Language::B | Language::C | Language::D => nests(both, question),
    }
}

/// Walks the product of several tasks.
fn walk(
    model: &any::AnyCalls<'_>,
    question: &Question,
    progress: &mut dyn FnMut(u64),
) -> Option<Effort> {
    let tasks = question.tasks.min(TASKS_MAX).into();
    let irq = if question.irq { model.successors(true) } else { Vec::new() };
    let component = product::Component { task: model.successors(false), irq };
    product::walk(&component, tasks, PRODUCT_BYTES_MAX, progress)
}

/// Where all sequences agree, those that close what is open do. The converse is searched for.
fn crosses(both: &Lockstep, question: &Question) -> (Found, Effort) {
    let all = search(&mut any::AnyCalls::new(both, question.irq), question.max_states);
    if all.0 == Found::Nothing {
        return all;
    }
    // It has made calls that this language does not.
    let _ = both.panicked();
    let nesting = question.nesting.map(u32::from);
    crossing::crossing(both, question.irq, nesting, question.max_states)
}

fn nests(both: &Lockstep, question: &Question) -> (Found, Effort) {
    let Question { language, irq, max_states, .. } = *question;
    let nesting = question.nesting.map(u32::from);
    let most = nesting.unwrap_or(u32::MAX);
    let mut model = undo::OpenBrackets::new(both, language, irq, most);
    match search(&mut model, max_states) {
        (Found::Unfit, _) => summaries::search(both, language, irq, nesting, max_states),
        found => found,
    }
}

/// Asserts that two designs are equivalent, or panics with the shortest call sequence that tells
/// them apart.
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
