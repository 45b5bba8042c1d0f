//! Sequences that close nothing which is not open, but in any order.
//!
//! A state is a pair of design states, the tokens of the open sections, and the number of open pauses.
//! Under a limit of nesting these are finitely many. Without one they are not: then both numbers are
//! kept up to a bound only, and from "the bound or more" a closing call leads to both the bound and
//! one less. That allows more than the language, so that finding nothing is a proof; and what is found
//! is the shortest difference if it closes nothing that is not open. If it does, the bound is doubled.

use std::collections::BTreeMap;

use lazy_mmu::design::{Role, Token};

use super::pairs::Pairs;
use super::search::{Edge, Effort, Found, Look, Model, Step, search};
use super::table::{Letter, Lockstep, OUT, Tokens};

/// The open brackets of a task or of an interrupt handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    /// A place in the tree of sections: the innermost open one.
    section: u32,
    pauses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    pair: u32,
    task: Open,
    /// The brackets of the handler while one runs.
    handler: Option<Open>,
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
    /// More are not told apart.
    Same(u32),
    /// Nothing; the search may not end.
    Unlimited,
}

struct Crossing<'a> {
    both: &'a Lockstep,
    irq: bool,
    limit: Limit,
    pairs: Pairs,
    sections: Vec<Section>,
    section_of: BTreeMap<(u32, [u8; 2]), u32>,
    number_of: BTreeMap<State, u32>,
    states: Vec<State>,
}

/// The first and the last bound on what is told apart: two rounds of a counter, and eight.
const BOUNDS: std::ops::RangeInclusive<u32> = 512..=2048;

/// Searches the sequences in which at most `nesting` brackets are open.
pub(super) fn crossing(
    both: &Lockstep,
    irq: bool,
    nesting: Option<u32>,
    states: u64,
) -> (Found, Effort) {
    let run = |limit| {
        let mut model = Crossing::new(both, irq, limit);
        search(&mut model, states)
    };
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

/// Tells whether all that is closed was open.
fn closes_open(steps: &[Step]) -> bool {
    let mut open = [[0u32; 2]; 2];
    let mut irq = 0;
    for step in steps {
        let (kind, opens) = match step {
            Step::IrqEnter => {
                irq = 1;
                continue;
            }
            Step::IrqExit => {
                if open[1] != [0; 2] {
                    return false;
                }
                irq = 0;
                continue;
            }
            Step::Call(info, _) if info.role == Role::Neither => continue,
            Step::Call(info, _) => (usize::from(info.role.is_pause()), info.role.opens()),
        };
        let count = &mut open[irq][kind];
        let Some(next) = (if opens { count.checked_add(1) } else { count.checked_sub(1) }) else {
            return false;
        };
        *count = next;
    }
    true
}

impl<'a> Crossing<'a> {
    fn new(both: &'a Lockstep, irq: bool, limit: Limit) -> Self {
        let pairs = Pairs::new(both.tables.each_ref().map(|table| table.states));
        let root = Section { outer: 0, tokens: [Token::DEFAULT; 2], depth: 0 };
        let mut model = Self {
            both,
            irq,
            limit,
            pairs,
            sections: vec![root],
            section_of: BTreeMap::new(),
            number_of: BTreeMap::new(),
            states: Vec::new(),
        };
        let pair = model.pairs.number(both.start());
        model.number(State { pair, task: Open::default(), handler: None });
        model
    }

    fn number(&mut self, state: State) -> u32 {
        let next = self.states.len() as u32;
        let number = *self.number_of.entry(state).or_insert(next);
        if number == next {
            self.states.push(state);
        }
        number
    }

    fn depth(&self, open: Open) -> u32 {
        self.sections[open.section as usize].depth + open.pauses
    }

    /// The brackets after an opening call.
    fn opened(&mut self, open: Open, role: Role, tokens: Tokens) -> Open {
        let full = |n| matches!(self.limit, Limit::Same(bound) if n == bound);
        if role.is_pause() {
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

    /// The brackets after a closing call, one or two; none where nothing is open.
    fn closed(&self, open: Open, role: Role) -> Vec<Open> {
        let Section { outer, depth, .. } = self.sections[open.section as usize];
        let (n, less) = if role.is_pause() {
            (open.pauses, Open { pauses: open.pauses.saturating_sub(1), ..open })
        } else {
            (depth, Open { section: outer, ..open })
        };
        match self.limit {
            _ if n == 0 => Vec::new(),
            Limit::Same(bound) if n == bound => vec![open, less],
            _ => vec![less],
        }
    }

    /// Makes a call with all that may be open after it.
    fn call(&mut self, from: State, call: Letter, see: &mut impl FnMut(Edge)) {
        let role = call.info.role;
        let at = self.number(from);
        let open = from.handler.unwrap_or(from.task);
        let tokens = match role {
            Role::ClosesSection => self.sections[open.section as usize].tokens,
            _ => [Token::DEFAULT; 2],
        };
        let all_open = self.depth(from.task) + from.handler.map_or(0, |open| self.depth(open));
        let full = matches!(self.limit, Limit::Nesting(most) if all_open >= most);
        let pair = self.pairs.pair(from.pair);
        let made = self.both.step(pair, from.handler.is_some(), call, tokens);
        let after = match role {
            Role::Neither => vec![open],
            _ if role.closes() => self.closed(open, role),
            _ if full => Vec::new(),
            _ => vec![self.opened(open, role, made.tokens)],
        };
        let step = Step::Call(call.info, tokens);
        for open in after {
            if made.next.contains(&OUT) {
                let look = if made.same { Look::Out } else { Look::Differs };
                see(Edge { step, to: at, look });
                continue;
            }
            let pair = self.pairs.number(made.next);
            let to = match from.handler {
                None => State { pair, task: open, ..from },
                Some(_) => State { pair, handler: Some(open), ..from },
            };
            let look = if made.same { Look::Same } else { Look::Differs };
            see(Edge { step, to: self.number(to), look });
        }
    }

    /// Begins or ends an interrupt; a handler ends when all that it opened is closed.
    fn interrupt(&mut self, from: State, see: &mut impl FnMut(Edge)) {
        let (step, handler) = match from.handler {
            None => (Step::IrqEnter, Some(Open::default())),
            Some(open) if open == Open::default() => (Step::IrqExit, None),
            Some(_) => return,
        };
        let same = self.both.same_mode(self.pairs.pair(from.pair), handler.is_some());
        let to = self.number(State { handler, ..from });
        see(Edge { step, to, look: if same { Look::Same } else { Look::Differs } });
    }
}

impl Model for Crossing<'_> {
    fn steps(&mut self, state: u32, see: &mut impl FnMut(Edge)) {
        let from = self.states[state as usize];
        for call in self.both.letters_that(|_| true) {
            self.call(from, call, see);
        }
        if self.irq {
            self.interrupt(from, see);
        }
    }
}

#[cfg(test)]
mod tests {
    use lazy_mmu::design::{count_enabled, counts};

    use super::super::table::tables;
    use super::super::{Compare, Question};
    use super::*;

    #[test]
    fn a_bound_that_is_too_low_is_noticed() {
        // v3 stops where nothing is open, the merged design wraps: no program gets there within 255.
        let question = Question::of::<counts::State, count_enabled::State>();
        let question = Question { compare: Compare::Hooks, ..question };
        let tables = tables(&question.designs, &question);
        let both = Lockstep::new(&tables[0], &tables[1], Compare::Hooks);
        let witness = |found| match found {
            (Found::Witness(steps), _) => steps,
            (found, _) => panic!("{found:?}"),
        };
        // A pause outside of a section tells them apart, so sections alone are let in here.
        let sections = |steps: &[Step]| steps.iter().all(|step| !is_pause(step));
        let mut low = Crossing::new(&both, false, Limit::Same(2));
        let steps = witness(search(&mut OnlySections(&mut low), u64::MAX));
        assert!(sections(&steps) && !closes_open(&steps), "{steps:?}");
        assert_eq!(steps.len(), 5, "two enables, three disables");
        let mut high = Crossing::new(&both, false, Limit::Same(512));
        let steps = witness(search(&mut OnlySections(&mut high), u64::MAX));
        assert!(closes_open(&steps));
        assert_eq!(steps.len(), 257, "the counter wraps in one, the other stops");
    }

    fn is_pause(step: &Step) -> bool {
        matches!(step, Step::Call(info, _) if info.role.is_pause())
    }

    /// The model without pauses.
    struct OnlySections<'m, 'a>(&'m mut Crossing<'a>);

    impl Model for OnlySections<'_, '_> {
        fn steps(&mut self, state: u32, see: &mut impl FnMut(Edge)) {
            let from = self.0.states[state as usize];
            for call in self.0.both.letters_that(|role| !role.is_pause()) {
                self.0.call(from, call, see);
            }
        }
    }
}
