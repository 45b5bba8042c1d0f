//! Sequences that close nothing which is not open, but in any order.
//!
//! A state is a pair of design states, the tokens of the open sections, and the number of open
//! pauses. Under a limit of nesting these are finitely many. Without one they are not: then both
//! numbers are kept up to a bound only, and from "the bound or more" a closing call leads to both
//! the bound and one less. That allows more than the language, so that finding nothing is a proof;
//! and what is found is the shortest difference if it closes nothing that is not open. If it does,
//! the bound is doubled.

use std::collections::BTreeMap;

use lazy_mmu::design::{Role, Token};

use super::search::{Effort, Finding, Found, Look, Step, after, search, transition};
use super::table::{Letter, Lockstep, Tokens};
use crate::explore::{Model, Next, Transition, Violation, Watch, Words};
use crate::language::{self, Bracket, Language};

/// The open brackets of a task or of an interrupt handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    /// A place in the tree of sections: the innermost open one.
    section: u32,
    pauses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    pair: [u32; 2],
    task: Open,
    /// The brackets of the handler while one runs.
    handler: Option<Open>,
}

/// A state in words: in a handler the first bit is set.
type Packed = Words<6>;

const IN_HANDLER: u32 = 1 << 31;

impl State {
    fn pack(self) -> Packed {
        let [x, y] = self.pair;
        let x = if self.handler.is_some() { x | IN_HANDLER } else { x };
        let handler = self.handler.unwrap_or_default();
        let Open { section, pauses } = self.task;
        Words([x, y, section, pauses, handler.section, handler.pauses])
    }

    fn unpack(Words([x, y, section, pauses, in_handler, paused_there]): Packed) -> Self {
        let handler = Open { section: in_handler, pauses: paused_there };
        let handler = (x & IN_HANDLER != 0).then_some(handler);
        Self { pair: [x & !IN_HANDLER, y], task: Open { section, pauses }, handler }
    }
}

/// A section below its outer sections.
#[derive(Clone, Copy, Debug)]
struct Section {
    outer: u32,
    tokens: Tokens,
    depth: u32,
}

/// What limits the number of open brackets.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// No more may be open at a time.
    Nesting(u32),
    /// More are one state.
    Same(u32),
    /// Nothing; the search may not end.
    Unlimited,
}

struct Crossing<'a> {
    both: &'a Lockstep,
    irq: bool,
    limit: Limit,
    sections: Vec<Section>,
    section_of: BTreeMap<(u32, [u8; 2]), u32>,
}

/// The first and the last bound on what is counted: two rounds of a counter, and eight.
const BOUNDS: std::ops::RangeInclusive<u32> = 512..=2048;

/// Searches the sequences in which at most `nesting` brackets are open.
pub(super) fn crossing(
    both: &Lockstep,
    irq: bool,
    nesting: Option<u32>,
    states: u64,
    watch: &mut dyn Watch,
) -> (Found, Effort) {
    let mut run = |limit| search(&mut Crossing::new(both, irq, limit), states, watch);
    // Tokens make a stack of the open sections, whose end cannot be forgotten.
    let limit = match nesting {
        Some(nesting) => Limit::Nesting(nesting),
        None if both.tokens.len() > 1 => Limit::Unlimited,
        None => Limit::Same(*BOUNDS.start()),
    };
    let mut limit = limit;
    loop {
        let (found, effort) = run(limit);
        match (&found, limit) {
            (Found::Witness(steps), Limit::Same(bound)) if !closes_open(steps) => {
                let shorter = steps.len() as u32 - 1;
                if bound >= *BOUNDS.end() {
                    return (Found::NothingWithin(shorter), effort);
                }
                limit = Limit::Same(bound * 2);
            }
            _ => return (found, effort),
        }
    }
}

/// Whether all that is closed was open, and a handler closes what it opens.
fn closes_open(steps: &[Step]) -> bool {
    let mut open = [language::Open::default(), language::Open::default()];
    let mut irq = 0;
    steps.iter().all(|step| match step {
        Step::IrqEnter => {
            irq = 1;
            true
        }
        Step::IrqExit => std::mem::take(&mut irq) == 1 && open[1].is_empty(),
        Step::Call(info, _) => {
            let may = Language::Crossing.may(info.role, &open[irq]);
            open[irq].took(info.role, ());
            may
        }
    })
}

impl<'a> Crossing<'a> {
    fn new(both: &'a Lockstep, irq: bool, limit: Limit) -> Self {
        let root = Section { outer: 0, tokens: [Token::DEFAULT; 2], depth: 0 };
        Self { both, irq, limit, sections: vec![root], section_of: BTreeMap::new() }
    }

    fn depth(&self, open: Open) -> u32 {
        self.sections[open.section as usize].depth + open.pauses
    }

    /// The brackets after a call that opens `bracket`.
    fn opened(&mut self, open: Open, bracket: Bracket, tokens: Tokens) -> Open {
        let full = |n| matches!(self.limit, Limit::Same(bound) if n == bound);
        if bracket == Bracket::Pause {
            return if full(open.pauses) { open } else { Open { pauses: open.pauses + 1, ..open } };
        }
        let depth = self.sections[open.section as usize].depth;
        if full(depth) {
            return open;
        }
        let next = self.sections.len() as u32;
        let key = (open.section, tokens.map(|token| token.0));
        let section = *self.section_of.entry(key).or_insert(next);
        if section == next {
            self.sections.push(Section { outer: open.section, tokens, depth: depth + 1 });
        }
        Open { section, ..open }
    }

    /// The brackets after a call that closes `bracket`, one or two; none where nothing is open.
    fn closed(&self, open: Open, bracket: Bracket) -> Vec<Open> {
        let Section { outer, depth, .. } = self.sections[open.section as usize];
        let (n, less) = match bracket {
            Bracket::Pause => (open.pauses, Open { pauses: open.pauses.saturating_sub(1), ..open }),
            Bracket::Section => (depth, Open { section: outer, ..open }),
        };
        match self.limit {
            _ if n == 0 => Vec::new(),
            Limit::Same(bound) if n == bound => vec![open, less],
            _ => vec![less],
        }
    }

    /// Makes a call with all that may be open after it.
    fn call(&mut self, from: State, call: Letter, see: &mut impl FnMut(Transition<Self>)) {
        let open = from.handler.unwrap_or(from.task);
        let role = call.info.role;
        let tokens = match role {
            Role::ClosesSection => self.sections[open.section as usize].tokens,
            _ => [Token::DEFAULT; 2],
        };
        let all_open = self.depth(from.task) + from.handler.map_or(0, |open| self.depth(open));
        let full = matches!(self.limit, Limit::Nesting(most) if all_open >= most);
        let made = self.both.step(from.pair, from.handler.is_some(), call, tokens);
        let opens = match Bracket::of(role) {
            None => vec![open],
            Some(bracket) if role.closes() => self.closed(open, bracket),
            Some(_) if full => Vec::new(),
            Some(bracket) => vec![self.opened(open, bracket, made.tokens)],
        };
        for open in opens {
            let to = |pair| match from.handler {
                None => State { pair, task: open, ..from }.pack(),
                Some(_) => State { pair, handler: Some(open), ..from }.pack(),
            };
            let (next, look) = after(&made, to);
            see(transition(Step::Call(call.info, tokens), next, look));
        }
    }

    /// Begins or ends an interrupt; a handler ends when all that it opened is closed.
    fn interrupt(&self, from: State, see: &mut impl FnMut(Transition<Self>)) {
        let (step, handler) = match from.handler {
            None => (Step::IrqEnter, Some(Open::default())),
            Some(open) if open == Open::default() => (Step::IrqExit, None),
            Some(_) => return,
        };
        let look = Look::same(self.both.same_mode(from.pair, handler.is_some()));
        see(transition(step, Next::State(State { handler, ..from }.pack()), look));
    }
}

impl Model for Crossing<'_> {
    type State = Packed;
    type Move = Step;
    type Verdict = Look;
    type Property = Finding;

    fn init(&self) -> Packed {
        State { pair: self.both.start(), task: Open::default(), handler: None }.pack()
    }

    fn expand(&mut self, state: &Packed, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        let from = State::unpack(*state);
        for call in self.both.letters_that(|_| true) {
            self.call(from, call, see);
        }
        if self.irq {
            self.interrupt(from, see);
        }
    }

    fn violations(&self, look: Look) -> impl Iterator<Item = Violation<Self>> {
        look.violations()
    }
}

#[cfg(test)]
mod tests {
    use lazy_mmu::design::{count_enabled, counts};

    use super::super::table::tables;
    use super::super::{Compare, Question};
    use super::*;
    use crate::explore::nobody;

    #[test]
    fn a_bound_that_is_too_low_is_noticed() {
        // v3 stops where nothing is open, the merged design wraps: no program gets there within
        // 255.
        let question = Question::of::<counts::State, count_enabled::State>();
        let question = Question { compare: Compare::Hooks, ..question };
        let tables = tables(&question.designs, &question);
        let both = Lockstep::new(&tables[0], &tables[1], Compare::Hooks);
        let witness = |found| match found {
            (Found::Witness(steps), _) => steps,
            (found, _) => panic!("{found:?}"),
        };
        // A pause outside of a section distinguishes them, so the model here has sections alone.
        let sections = |steps: &[Step]| steps.iter().all(|step| !is_pause(step));
        let find = |limit| {
            let mut model = OnlySections(Crossing::new(&both, false, limit));
            witness(search(&mut model, u64::MAX, &mut nobody()))
        };
        let steps = find(Limit::Same(2));
        assert!(sections(&steps) && !closes_open(&steps), "{steps:?}");
        assert_eq!(steps.len(), 5, "two enables, three disables");
        let steps = find(Limit::Same(512));
        assert!(closes_open(&steps));
        assert_eq!(steps.len(), 257, "the counter wraps in one, the other stops");
    }

    fn is_pause(step: &Step) -> bool {
        matches!(step, Step::Call(info, _) if info.role.is_pause())
    }

    /// The model without pauses.
    struct OnlySections<'a>(Crossing<'a>);

    impl Model for OnlySections<'_> {
        type State = Packed;
        type Move = Step;
        type Verdict = Look;
        type Property = Finding;

        fn init(&self) -> Packed {
            self.0.init()
        }
        fn expand(&mut self, state: &Packed, depth: u32, see: &mut impl FnMut(Transition<Self>)) {
            self.0.expand(state, depth, &mut |Transition { mv, next, verdict, .. }| {
                if !is_pause(&mv) {
                    see(transition(mv, next, verdict));
                }
            });
        }
        fn violations(&self, look: Look) -> impl Iterator<Item = Violation<Self>> {
            look.violations()
        }
    }
}
