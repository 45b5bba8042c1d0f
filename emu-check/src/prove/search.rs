//! The search for a shortest sequence that distinguishes two designs: their models under
//! [`explore`](crate::explore), with one property, that both look alike.

use lazy_mmu::design::{CallInfo, Token};

use super::table::{Both, Letter, OUT};
use crate::explore::{End, Limits, Model, Next, Transition, Violation, Watch, explore};

/// One step of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A call; one that closes a section with the token that it is given.
    Call(&'static CallInfo, [Token; 2]),
    /// An interrupt begins.
    IrqEnter,
    /// The interrupt ends.
    IrqExit,
}

impl Step {
    /// A call that takes no token.
    pub(super) const fn call(letter: Letter) -> Self {
        Self::Call(letter.info, [Token::DEFAULT; 2])
    }

    /// Whether the step begins or ends an interrupt.
    #[must_use]
    pub const fn is_irq(self) -> bool {
        matches!(self, Self::IrqEnter | Self::IrqExit)
    }
}

/// How many steps and how many of them are interrupts; smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    pub(super) steps: u32,
    pub(super) irqs: u32,
}

impl Cost {
    pub(super) const fn and(self, step: Step) -> Self {
        Self { steps: self.steps + 1, irqs: self.irqs + step.is_irq() as u32 }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self { steps: self.steps + other.steps, irqs: self.irqs + other.irqs }
    }
}

/// How the designs look in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// Both alike.
    #[default]
    Same,
    /// They differ.
    Differs,
    /// They look alike in this step, and differ in the one given, made right after it.
    ThenDiffers(Step),
    /// The model does not fit the designs: the search is of no use.
    Unfit,
}

/// What a search can find; one that does not fit hides all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    Unfit,
    Differs,
}

impl Look {
    pub(super) const fn same(same: bool) -> Self {
        if same { Self::Same } else { Self::Differs }
    }

    pub(super) fn violations<M>(self) -> impl Iterator<Item = Violation<M>>
    where
        M: Model<Move = Step, Property = Finding>,
    {
        let violation = match self {
            Self::Same => None,
            Self::Differs => Some(Violation::of(Finding::Differs)),
            Self::ThenDiffers(step) => {
                Some(Violation { property: Finding::Differs, then: Some(step) })
            }
            Self::Unfit => Some(Violation::of(Finding::Unfit)),
        };
        violation.into_iter()
    }
}

/// A step as a transition: interrupts are what a sequence should have few of.
pub(super) fn transition<M>(step: Step, next: Next<M::State>, look: Look) -> Transition<M>
where
    M: Model<Move = Step, Verdict = Look>,
{
    Transition { mv: step, next, verdict: look, cost: step.is_irq().into(), marks: 0 }
}

/// What follows a call that both designs made, and how they look in it.
pub(super) fn after<S>(made: &Both, state: impl FnOnce([u32; 2]) -> S) -> (Next<S>, Look) {
    let next = match (made.next.contains(&OUT), made.same) {
        (false, _) => Next::State(state(made.next)),
        (true, true) => Next::OutOfBounds,
        // The sequence ends with the difference, wherever it leads.
        (true, false) => Next::Nothing,
    };
    (next, Look::same(made.same))
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Different states.
    pub states: u64,
    /// Steps from them, each compared.
    pub transitions: u64,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There are no other states, and no step differs.
    Nothing,
    /// The shortest sequence whose last step differs.
    Witness(Vec<Step>),
    /// No sequence of at most so many steps differs; longer ones were not all looked at.
    NothingWithin(u32),
    /// See [`Look::Unfit`].
    Unfit,
}

/// Searches `model` to its end, or until it has more than `limit` states.
pub(super) fn search<M>(model: &mut M, limit: u64, watch: &mut dyn Watch) -> (Found, Effort)
where
    M: Model<Move = Step, Property = Finding>,
{
    let states = usize::try_from(limit).unwrap_or(usize::MAX);
    let explored = explore(model, Limits { states, ..Limits::NONE }, watch);
    let effort = Effort { states: explored.store.len() as u64, transitions: explored.transitions };
    let found = match (explored.paths.into_iter().next(), explored.end) {
        (Some((Finding::Unfit, _)), _) => Found::Unfit,
        (Some((Finding::Differs, path)), _) => Found::Witness(path.moves),
        (None, End::Complete) => Found::Nothing,
        (None, _) => Found::NothingWithin(explored.depth),
    };
    (found, effort)
}
