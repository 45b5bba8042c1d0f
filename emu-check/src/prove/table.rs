//! The transitions of a design as a table over numbered states.
//!
//! Every reachable state gets a number, in the order of the packed states, so that states which
//! differ in the first counter are neighbours. A transition is then one load.

use std::rc::Rc;

use lazy_mmu::design::{Call, Context, Design, StateBits, Token};

use super::Question;
use super::observe::{Compare, Observed, Observer};
use super::states::{DESIGN_STATES_MAX, reachable};

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
        let calls: Vec<_> = [false, true]
            .into_iter()
            .take(contexts)
            .flat_map(|in_interrupt| {
                slots(&tokens).into_iter().map(move |(call, token)| {
                    (Context { in_interrupt, token, ..Context::default() }, call)
                })
            })
            .collect();
        // The search visits states in the order of their numbers, each once.
        let mut made: Vec<Observed> = Vec::new();
        let found = reachable(calls.clone(), most, |state, cx, call| {
            let observed = observer.observe(design, state, cx, call);
            made.push(observed);
            observed.state
        });
        let mut states = found.clone();
        states.sort_unstable();
        let mut table = Self {
            states: states.len() as u32,
            start: 0,
            tokens,
            returned: Vec::new(),
            contexts,
            moves: vec![
                Move { next: OUT, output: 0, token: Token::DEFAULT };
                states.len() * calls.len()
            ],
            active: states.iter().map(|state| design.is_active(*state)).collect(),
        };
        let number = |state: &StateBits| states.binary_search(state).map_or(OUT, |at| at as u32);
        table.start = number(&StateBits::default());
        for (state, row) in found.iter().zip(made.chunks(calls.len())) {
            let at = number(state) as usize * calls.len();
            for (slot, (observed, (_, call))) in row.iter().zip(&calls).enumerate() {
                let Observed { state, token, output } = observed;
                let token = if design.has_tokens() { *token } else { Token::DEFAULT };
                if *call == Call::Enable && !table.returned.contains(&token) {
                    table.returned.push(token);
                }
                table.moves[at + slot] = Move { next: number(state), output: *output, token };
            }
        }
        table
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
        self.moves[row * (3 + self.tokens.len()) + slot]
    }

    /// Whether the mode is active in `state`.
    #[inline]
    pub(super) fn active(&self, state: u32, in_interrupt: bool) -> bool {
        self.active[state as usize][usize::from(in_interrupt)]
    }
}

/// The calls of one context, as a table has them: enable, pause, resume, and a disable for each token.
fn slots(tokens: &[Token]) -> Vec<(Call, Token)> {
    let plain = [Call::Enable, Call::Pause, Call::Resume].map(|call| (call, Token::DEFAULT));
    plain.into_iter().chain(tokens.iter().map(|token| (Call::Disable, *token))).collect()
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

    /// Whether the mode is active in both or in neither.
    #[inline]
    pub(super) fn same_mode(&self, at: [u32; 2], irq: bool) -> bool {
        self.compare == Compare::Hooks
            || self.tables[0].active(at[0], irq) == self.tables[1].active(at[1], irq)
    }

    /// The calls of a client that gives a disable any token, the same one to both designs.
    pub(super) fn any_calls(&self) -> Vec<(Call, Token)> {
        let mut calls = slots(&self.tokens);
        calls.sort_by_key(|(call, _)| *call);
        calls
    }
}
