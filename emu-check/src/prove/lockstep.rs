//! Two designs side by side: their tables under the calls that either of them has.

use std::cell::Cell;
use std::rc::Rc;

use lazy_mmu::design::{Role, Token};
use lazy_mmu::panics::TransitionPanic;

use super::observe::Compare;
use super::table::{Letter, PANICS, Panicked, Table, with_tokens};

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
        self.letters.iter().copied().filter(move |letter| wanted(letter.role))
    }

    /// The calls that close what a call with the role `opener` opens.
    #[inline]
    pub(super) fn closers(&self, opener: Role) -> impl Iterator<Item = Letter> {
        self.letters_that(move |role| role.closes() && role.is_pause() == opener.is_pause())
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
        if x.output == PANICS || !same && y.output == PANICS {
            let which = usize::from(x.output != PANICS);
            let (state, token) = (at[which], tokens[which]);
            let panicked = Panicked { state, in_interrupt: irq, call, token };
            self.panicked.set(self.panicked.get().or(Some((which, panicked))));
            same = true;
        }
        Both { next: [x.next, y.next], tokens: [x.token, y.token], same }
    }

    /// Tells whether both answer alike when arch code asks about the mode.
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
