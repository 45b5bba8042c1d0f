//! What is required of a machine: the answer to each legal call in each situation.

use lazy_mmu::design::{Call, Hook, Role};

use super::question::Question;
use super::rule::Rule;
use crate::language::{Bracket, Open};

/// The calls, in the order of all tables here: the four of the kernel.
pub(super) const CALLS: [(Call, Role); 4] = [
    (Call::ENABLE, Role::OpensSection),
    (Call::DISABLE, Role::ClosesSection),
    (Call::PAUSE, Role::OpensPause),
    (Call::RESUME, Role::ClosesPause),
];

/// What a call does: one hook or none.
pub type Answers = Option<Hook>;

/// What a legal call must do, and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What it must do; anything where no rule speaks of it.
    pub(super) answer: Option<Answers>,
    /// The situation after it.
    pub(super) to: usize,
}

/// The brackets that are open, and what is required then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Situation {
    /// Whether the mode must be active; anything where no rule speaks of it.
    pub(super) active: Option<bool>,
    /// What each call of [`CALLS`] must do; none where it is not legal.
    pub(super) steps: [Option<Step>; 4],
}

/// Every situation of the language, the empty one first.
pub(super) fn situations(question: &Question) -> Vec<Situation> {
    let has = |rule| question.rules.contains(&rule);
    let mut open = vec![Open::<()>::default()];
    let mut all = Vec::new();
    while let Some(here) = open.get(all.len()).cloned() {
        let steps = CALLS.map(|(_, role)| {
            let full = role.opens() && here.len() >= usize::from(question.nesting);
            if full || !question.language.may(role, &here) {
                return None;
            }
            let mut next = here.clone();
            next.took(role, ());
            let answer = answer(role, is_active(&here), is_active(&next), &has);
            let to = open.iter().position(|known| *known == next).unwrap_or_else(|| {
                open.push(next);
                open.len() - 1
            });
            Some(Step { answer, to })
        });
        let active = has(Rule::ActiveBit).then(|| is_active(&here));
        all.push(Situation { active, steps });
    }
    all
}

/// Whether the mode has to be on: in a section that is not paused.
fn is_active(open: &Open<()>) -> bool {
    open.count(Bracket::Section) > 0 && open.count(Bracket::Pause) == 0
}

/// What a call has to do that leads from a situation where the mode is `before` to one where it is
/// `after`.
fn answer(role: Role, before: bool, after: bool, has: &impl Fn(Rule) -> bool) -> Option<Answers> {
    let (rule, answer) = match (before, after) {
        (false, true) => (Rule::HooksAlternate, Some(Hook::ENTER)),
        (true, false) => (Rule::HooksAlternate, Some(Hook::LEAVE)),
        (false, false) => (Rule::NothingWhilePaused, None),
        (true, true) if role.opens() => (Rule::NothingAtNestedEnable, None),
        (true, true) => (Rule::FlushAtNestedDisable, Some(Hook::FLUSH)),
    };
    has(rule).then_some(answer)
}
