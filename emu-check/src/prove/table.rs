//! The transitions of a design as a table over numbered states.
//!
//! Every reachable state gets a number, in the order of the packed states, so that states which
//! differ in the first counter are neighbours. A transition is then one load.

use std::cell::Cell;
use std::rc::Rc;

use lazy_mmu::design::{CallInfo, Context, Design, Role, StateBits, Token};
use lazy_mmu::panics::TransitionPanic;

use super::Question;
use super::observe::{Compare, Observed, Observer};
use super::states::{DESIGN_STATES_MAX, reachable};
use crate::language::Bracket;

/// Stands for a state without a number: the design has more than are kept.
pub(super) const OUT: u32 = u32::MAX;

/// Stands for the observations of a transition that panics.
const PANICS: u32 = u32::MAX;

/// A call that sequences are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// Its place in the alphabet of the tables.
    at: usize,
    pub(super) info: &'static CallInfo,
}

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The number of the state after it, or [`OUT`].
    pub(super) next: u32,
    /// The number of what is observed, or [`PANICS`].
    pub(super) output: u32,
    /// What the call returns.
    pub(super) token: Token,
}

/// The transitions of one design. Tables that were made together are equal where the designs are
/// the same but for their names.
#[derive(Clone, Debug)]
pub(super) struct Table {
    design: Design,
    /// The states by number.
    bits: Vec<StateBits>,
    /// How many states have a number.
    pub(super) states: u32,
    /// The number of the state that a task begins in.
    pub(super) start: u32,
    /// The calls of all designs whose tables were made together.
    letters: Rc<[Letter]>,
    /// For each letter the first of its slots, and at the end the number of slots.
    slots: Vec<usize>,
    /// The tokens that a disable may be given; one where the design takes none.
    tokens: Vec<Token>,
    /// What enables return.
    returned: Vec<Token>,
    contexts: usize,
    moves: Vec<Move>,
    active: Vec<[bool; 2]>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        (self.states, self.start, self.contexts) == (other.states, other.start, other.contexts)
            && (&self.tokens, &self.returned) == (&other.tokens, &other.returned)
            && (&self.moves, &self.active) == (&other.moves, &other.active)
    }
}

impl Eq for Table {}

impl Table {
    /// The table of `design`, with calls in interrupt if `question` has them, and with the tokens
    /// that a disable may be given.
    fn new(
        design: Design,
        letters: &Rc<[Letter]>,
        tokens: &[Token],
        question: &Question,
        observer: &mut Observer,
    ) -> Self {
        let contexts = if question.irq { 2 } else { 1 };
        let tokens = if design.has_tokens() { tokens.to_vec() } else { vec![Token::DEFAULT] };
        let calls = in_contexts(letters, &tokens, contexts);
        let most =
            usize::try_from(question.max_states).unwrap_or(usize::MAX).min(DESIGN_STATES_MAX);
        // The search visits states in the order of their numbers, each once.
        let mut made: Vec<Seen> = Vec::new();
        let found = reachable(calls.clone(), most, |state, (cx, letter)| {
            let seen = transition(design, state, cx, letter.info, observer);
            let next = seen.state.unwrap_or(state);
            made.push(seen);
            next
        });
        let mut bits = found.clone();
        bits.sort_unstable();
        let number = |state: &StateBits| bits.binary_search(state).map_or(OUT, |at| at as u32);
        let mut returned = Vec::new();
        let mut moves =
            vec![Move { next: OUT, output: 0, token: Token::DEFAULT }; bits.len() * calls.len()];
        for (state, row) in found.iter().zip(made.chunks(calls.len())) {
            let at = number(state) as usize * calls.len();
            for (slot, (Seen { state, token, output }, (_, letter))) in
                row.iter().zip(&calls).enumerate()
            {
                let token = if design.has_tokens() { *token } else { Token::DEFAULT };
                if letter.info.role == Role::OpensSection && !returned.contains(&token) {
                    returned.push(token);
                }
                let next = state.as_ref().map_or(OUT, number);
                moves[at + slot] = Move { next, output: *output, token };
            }
        }
        Self {
            design,
            states: bits.len() as u32,
            start: number(&StateBits::default()),
            letters: Rc::clone(letters),
            slots: slots(letters, tokens.len()),
            tokens,
            returned,
            contexts,
            moves,
            active: bits.iter().map(|state| design.is_active(*state)).collect(),
            bits,
        }
    }

    /// How many slots a context has.
    #[inline]
    fn row(&self) -> usize {
        self.slots[self.letters.len()]
    }

    /// The transition of `call`, with `token` where it closes a section.
    #[inline]
    fn step(&self, state: u32, in_interrupt: bool, call: Letter, token: Token) -> Move {
        let mut slot = self.slots[call.at];
        // A design that takes no token has one slot, whatever it is given.
        if self.tokens.len() > 1 && call.info.role == Role::ClosesSection {
            slot += self.tokens.iter().position(|known| *known == token).unwrap_or(0);
        }
        let row = state as usize * self.contexts + usize::from(in_interrupt);
        self.moves[row * self.row() + slot]
    }

    /// What a transition that panics says.
    fn panic_of(
        &self,
        Panicked { state, in_interrupt, call, token }: Panicked,
    ) -> Option<TransitionPanic> {
        let cx = Context { in_interrupt, token, ..Context::default() };
        let own = self.design.answers(call.info.call)?.call;
        self.design.try_step(self.bits[state as usize], cx, own).err()
    }

    /// Whether the mode is active in `state`.
    #[inline]
    pub(super) fn active(&self, state: u32, in_interrupt: bool) -> bool {
        self.active[state as usize][usize::from(in_interrupt)]
    }
}

/// What is seen of a transition: no state where it panics.
struct Seen {
    state: Option<StateBits>,
    token: Token,
    output: u32,
}

/// Makes the call `info`, or what it is where `design` lacks it.
fn transition(
    design: Design,
    state: StateBits,
    cx: Context,
    info: &CallInfo,
    observer: &mut Observer,
) -> Seen {
    let own = design.has_call(info.call).then_some(info.call);
    let seen = own
        .or(info.or)
        .map(|call| design.catch(state, call, || observer.observe(design, state, cx, Some(call))));
    match seen.unwrap_or_else(|| Ok(observer.observe(design, state, cx, None))) {
        Ok(Observed { state, token, output }) => Seen { state: Some(state), token, output },
        Err(_) => Seen { state: None, token: Token::DEFAULT, output: PANICS },
    }
}

/// Each call, one that closes a section with each of `tokens`.
fn with_tokens(letters: impl Iterator<Item = Letter>, tokens: &[Token]) -> Vec<(Letter, Token)> {
    let each = |letter: Letter| {
        let closes = letter.info.role == Role::ClosesSection;
        let tokens = if closes { tokens } else { &[Token::DEFAULT] };
        tokens.iter().map(move |token| (letter, *token)).collect::<Vec<_>>()
    };
    letters.flat_map(each).collect()
}

/// The calls of a table, those in task context first.
fn in_contexts(letters: &[Letter], tokens: &[Token], contexts: usize) -> Vec<(Context, Letter)> {
    let mut calls = Vec::new();
    for in_interrupt in [false, true].into_iter().take(contexts) {
        for (letter, token) in with_tokens(letters.iter().copied(), tokens) {
            calls.push((Context { in_interrupt, token, ..Context::default() }, letter));
        }
    }
    calls
}

/// The calls of `designs` that clients make, each once, those of the kernel first.
fn letters(designs: &[Design], own_calls: bool) -> Rc<[Letter]> {
    let mut letters: Vec<Letter> = Vec::new();
    let own = designs.iter().filter(|_| own_calls).flat_map(|design| design.calls());
    let calls = CallInfo::KERNEL.iter().chain(own);
    for info in calls.filter(|info| !info.by_arch) {
        if letters.iter().all(|known| known.info.call != info.call) {
            letters.push(Letter { at: letters.len(), info });
        }
    }
    letters.into()
}

/// The first slot of each letter, and at the end the number of slots: a call that closes a section
/// has as many as there are tokens.
fn slots(letters: &[Letter], tokens: usize) -> Vec<usize> {
    let mut slots = vec![0];
    for letter in letters {
        let closes = letter.info.role == Role::ClosesSection;
        slots.push(slots[slots.len() - 1] + if closes { tokens } else { 1 });
    }
    slots
}

/// The tables of `designs`, which can be compared with each other: a disable may be given whatever
/// one of them returns.
pub(super) fn tables(designs: &[Design], question: &Question) -> Vec<Rc<Table>> {
    let mut tokens = vec![Token::DEFAULT];
    let letters = letters(designs, question.own_calls);
    loop {
        let mut observer = Observer::new(question.compare);
        let table = |design: &Design| {
            Rc::new(Table::new(*design, &letters, &tokens, question, &mut observer))
        };
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

/// Two designs side by side, under the same calls: those that either of them has.
#[derive(Clone, Debug)]
pub(super) struct Lockstep {
    pub(super) tables: [Rc<Table>; 2],
    compare: Compare,
    letters: Vec<Letter>,
    /// Every token that either design returns; the default one first.
    pub(super) tokens: Vec<Token>,
    /// The first transition that was made and panics, and whose it is.
    panicked: Cell<Option<(usize, Panicked)>>,
}

/// A transition that panics.
#[derive(Clone, Copy, Debug)]
struct Panicked {
    state: u32,
    in_interrupt: bool,
    call: Letter,
    token: Token,
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
        let has =
            |letter: &&Letter| [x, y].iter().any(|table| table.design.has_call(letter.info.call));
        let letters = x.letters.iter().filter(has).copied().collect();
        let tables = [Rc::clone(x), Rc::clone(y)];
        Self { tables, compare, letters, tokens, panicked: Cell::new(None) }
    }

    /// The calls whose role is as wanted.
    #[inline]
    pub(super) fn letters_that(
        &self,
        wanted: impl Fn(Role) -> bool,
    ) -> impl Iterator<Item = Letter> {
        self.letters.iter().copied().filter(move |letter| wanted(letter.info.role))
    }

    /// The calls that close `bracket`.
    #[inline]
    pub(super) fn closers(&self, bracket: Bracket) -> impl Iterator<Item = Letter> {
        self.letters_that(move |role| role.closes() && Bracket::of(role) == Some(bracket))
    }

    /// The first transition since the last time this was asked that was made and panics.
    pub(super) fn panicked(&self) -> Option<TransitionPanic> {
        let (which, panicked) = self.panicked.take()?;
        self.tables[which].panic_of(panicked)
    }

    /// The states that a task begins in.
    pub(super) fn start(&self) -> [u32; 2] {
        [self.tables[0].start, self.tables[1].start]
    }

    /// Makes `call` in both. Where one panics nothing is compared, and there is no state behind it.
    #[inline]
    pub(super) fn step(&self, at: [u32; 2], irq: bool, call: Letter, tokens: Tokens) -> Both {
        let x = self.tables[0].step(at[0], irq, call, tokens[0]);
        let y = self.tables[1].step(at[1], irq, call, tokens[1]);
        let mut same = x.output == y.output;
        if x.output == PANICS || y.output == PANICS {
            let which = usize::from(x.output != PANICS);
            let (state, token) = (at[which], tokens[which]);
            let panicked = Panicked { state, in_interrupt: irq, call, token };
            self.panicked.set(self.panicked.get().or(Some((which, panicked))));
            same = true;
        }
        Both { next: [x.next, y.next], tokens: [x.token, y.token], same }
    }

    /// Whether the mode is active in both or in neither.
    #[inline]
    pub(super) fn same_mode(&self, at: [u32; 2], irq: bool) -> bool {
        self.compare == Compare::Hooks
            || self.tables[0].active(at[0], irq) == self.tables[1].active(at[1], irq)
    }

    /// The calls of a client that gives a disable any token, the same one to both designs.
    pub(super) fn any_calls(&self) -> Vec<(Letter, Token)> {
        with_tokens(self.letters.iter().copied(), &self.tokens)
    }
}
