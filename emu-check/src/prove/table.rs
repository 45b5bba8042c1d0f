//! The transitions of a design as a table over numbered states.
//!
//! Every reachable state gets a number, in the order of the packed states, so that states which
//! differ in the first counter are neighbours. A transition is then one load.

use std::collections::BTreeMap;
use std::rc::Rc;

use lazy_mmu::design::{Call, Context, Design, StateBits, Token};

use super::Question;
use super::observe::{Compare, Observer};

/// The most states of one design that are numbered.
pub const DESIGN_STATES_MAX: usize = 1 << 18;

/// Stands for a state without a number: the design has more than are kept.
pub(super) const OUT: u32 = u32::MAX;

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The number of the state after it, or [`OUT`].
    pub(super) next: u32,
    /// The number of what is observed.
    pub(super) output: u32,
    /// What the call returns.
    pub(super) token: Token,
}

/// The transitions of one design. Tables that were made together are equal where the designs are the
/// same but for their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// How many states have a number.
    pub(super) states: u32,
    /// The number of the state that a task begins in.
    pub(super) start: u32,
    /// The tokens that a disable may be given; one where the design takes none.
    tokens: Vec<Token>,
    /// What enables return.
    returned: Vec<Token>,
    contexts: usize,
    moves: Vec<Move>,
    active: Vec<[bool; 2]>,
}

impl Table {
    /// The table of `design`, with calls in interrupt if `question` has them, and with the tokens that
    /// a disable may be given.
    fn new(design: Design, tokens: &[Token], question: &Question, observer: &mut Observer) -> Self {
        let tokens = if design.has_tokens() { tokens.to_vec() } else { vec![Token::DEFAULT] };
        let contexts = if question.irq { 2 } else { 1 };
        let most =
            usize::try_from(question.max_states).unwrap_or(usize::MAX).min(DESIGN_STATES_MAX);
        let mut table = Self {
            states: 0,
            start: 0,
            tokens,
            returned: Vec::new(),
            contexts,
            moves: Vec::new(),
            active: Vec::new(),
        };
        let mut numbers = BTreeMap::from([(StateBits::default(), 0)]);
        let mut states = vec![StateBits::default()];
        let mut at = 0;
        while at < states.len() {
            for in_interrupt in [false, true].into_iter().take(contexts) {
                for (call, token) in table.calls() {
                    let cx = Context { in_interrupt, token, ..Context::default() };
                    let seen = observer.observe(design, states[at], cx, call);
                    let next = number(&mut numbers, &mut states, seen.state, most);
                    let token = if design.has_tokens() { seen.token } else { Token::DEFAULT };
                    if call == Call::Enable && !table.returned.contains(&token) {
                        table.returned.push(token);
                    }
                    table.moves.push(Move { next, output: seen.output, token });
                }
            }
            table.active.push(design.is_active(states[at]));
            at += 1;
        }
        table.in_order(&numbers)
    }

    /// The same table with the states in the order of their packed form.
    fn in_order(self, numbers: &BTreeMap<StateBits, u32>) -> Self {
        let slots = self.contexts * self.slots();
        let mut rank = vec![0; numbers.len()];
        for (place, old) in (0..).zip(numbers.values()) {
            rank[*old as usize] = place;
        }
        let ranked = |old: u32| if old == OUT { OUT } else { rank[old as usize] };
        let mut moves = Vec::with_capacity(self.moves.len());
        for old in numbers.values() {
            let row = &self.moves[*old as usize * slots..][..slots];
            moves.extend(row.iter().map(|made| Move { next: ranked(made.next), ..*made }));
        }
        let active = numbers.values().map(|old| self.active[*old as usize]).collect();
        let states = u32::try_from(numbers.len()).unwrap_or(OUT);
        Self { states, start: ranked(0), moves, active, ..self }
    }

    /// The calls of one context, as the table has them: enable, pause, resume, and a disable for each
    /// token.
    fn calls(&self) -> Vec<(Call, Token)> {
        let plain = [Call::Enable, Call::Pause, Call::Resume].map(|call| (call, Token::DEFAULT));
        let disables = self.tokens.iter().map(|token| (Call::Disable, *token));
        plain.into_iter().chain(disables).collect()
    }

    fn slots(&self) -> usize {
        3 + self.tokens.len()
    }

    /// The transition of `call`, a disable with `token`.
    #[inline]
    pub(super) fn step(&self, state: u32, in_interrupt: bool, call: Call, token: Token) -> Move {
        let slot = match call {
            Call::Enable | Call::EnableWithPtes => 0,
            Call::Pause => 1,
            Call::Resume => 2,
            // A design that takes no token has one slot, whatever it is given.
            Call::Disable => 3 + self.tokens.iter().position(|known| *known == token).unwrap_or(0),
        };
        let row = state as usize * self.contexts + usize::from(in_interrupt);
        self.moves[row * self.slots() + slot]
    }

    /// What arch code is told in `state`.
    #[inline]
    pub(super) fn active(&self, state: u32, in_interrupt: bool) -> bool {
        self.active[state as usize][usize::from(in_interrupt)]
    }
}

/// The number of `state`, a new one if it has none yet and there are fewer than `most`.
fn number(
    numbers: &mut BTreeMap<StateBits, u32>,
    states: &mut Vec<StateBits>,
    state: StateBits,
    most: usize,
) -> u32 {
    if let Some(known) = numbers.get(&state) {
        return *known;
    }
    if states.len() == most {
        return OUT;
    }
    let next = states.len() as u32;
    numbers.insert(state, next);
    states.push(state);
    next
}

/// The tables of `designs`, which can be compared with each other: a disable may be given whatever one
/// of them returns.
pub(super) fn tables(designs: &[Design], question: &Question) -> Vec<Rc<Table>> {
    let mut tokens = vec![Token::DEFAULT];
    loop {
        let mut observer = Observer::new(question.compare);
        let table =
            |design: &Design| Rc::new(Table::new(*design, &tokens, question, &mut observer));
        let tables: Vec<_> = designs.iter().map(table).collect();
        let known = tokens.len();
        for token in tables.iter().flat_map(|table| &table.returned) {
            if !tokens.contains(token) {
                tokens.push(*token);
            }
        }
        if tokens.len() == known {
            return tables;
        }
    }
}

/// Two designs side by side, under the same calls.
#[derive(Clone, Debug)]
pub(super) struct Lockstep {
    pub(super) tables: [Rc<Table>; 2],
    compare: Compare,
    /// Every token that either design returns; the default one first.
    pub(super) tokens: Vec<Token>,
}

/// The tokens of an enable, or those given to a disable: one for each design.
pub(super) type Tokens = [Token; 2];

/// One step of both designs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Both {
    /// The states after it; either may be [`OUT`].
    pub(super) next: [u32; 2],
    /// What the two calls return.
    pub(super) tokens: Tokens,
    /// Both look alike.
    pub(super) same: bool,
}

impl Lockstep {
    /// Two of the tables that were made together.
    pub(super) fn new(x: &Rc<Table>, y: &Rc<Table>, compare: Compare) -> Self {
        let mut tokens = vec![Token::DEFAULT];
        for token in x.returned.iter().chain(&y.returned) {
            if !tokens.contains(token) {
                tokens.push(*token);
            }
        }
        Self { tables: [Rc::clone(x), Rc::clone(y)], compare, tokens }
    }

    /// The states that a task begins in.
    pub(super) fn start(&self) -> [u32; 2] {
        [self.tables[0].start, self.tables[1].start]
    }

    /// Makes `call` in both.
    #[inline]
    pub(super) fn step(&self, at: [u32; 2], irq: bool, call: Call, tokens: Tokens) -> Both {
        let x = self.tables[0].step(at[0], irq, call, tokens[0]);
        let y = self.tables[1].step(at[1], irq, call, tokens[1]);
        Both { next: [x.next, y.next], tokens: [x.token, y.token], same: x.output == y.output }
    }

    /// Tells whether both answer alike when arch code asks about the mode.
    #[inline]
    pub(super) fn same_mode(&self, at: [u32; 2], irq: bool) -> bool {
        self.compare == Compare::Hooks
            || self.tables[0].active(at[0], irq) == self.tables[1].active(at[1], irq)
    }

    /// The calls of a client that gives a disable any token, the same one to both designs.
    pub(super) fn any_calls(&self) -> Vec<(Call, Token)> {
        let plain = [Call::Enable, Call::Pause, Call::Resume].map(|call| (call, Token::DEFAULT));
        let disables = self.tokens.iter().map(|token| (Call::Disable, *token));
        let mut calls: Vec<_> = plain.into_iter().chain(disables).collect();
        calls.sort_by_key(|(call, _)| *call);
        calls
    }
}
