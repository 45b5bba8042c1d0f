//! The transitions of a design as a table over numbered states.
//!
//! Every reachable state gets a number, in the order of the packed states, so that states which
//! differ in the first counter are neighbours. A transition is then one load.

use std::rc::Rc;

use indexmap::IndexSet;
use lazy_mmu::design::{Call, CallInfo, Context, Design, Role, StateBits, Token};
use lazy_mmu::panics::TransitionPanic;
use rustc_hash::FxBuildHasher;

use super::Question;
use super::observe::{Observed, Observer};

/// The most states of one design that are numbered.
pub const DESIGN_STATES_MAX: usize = 1 << 18;

/// Stands for a state without a number: the design has more than are kept.
pub(super) const OUT: u32 = u32::MAX;

/// Stands for the observations of a transition that panics.
pub(super) const PANICS: u32 = u32::MAX;

/// A call that sequences are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// Its place in the alphabet of the tables.
    at: usize,
    pub(super) role: Role,
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

/// The transitions of one design. Tables that were made together are equal where the designs are the
/// same but for their names.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) design: Design,
    /// The states by number.
    bits: Vec<StateBits>,
    /// How many states have a number.
    pub(super) states: u32,
    /// The number of the state that a task begins in.
    pub(super) start: u32,
    /// The calls of all designs whose tables were made together.
    pub(super) letters: Rc<[Letter]>,
    /// For each letter the first of its slots.
    slots: Vec<usize>,
    /// How many slots a context has.
    row: usize,
    /// The tokens that a disable may be given; one where the design takes none.
    tokens: Vec<Token>,
    /// What enables return.
    pub(super) returned: Vec<Token>,
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
    /// The table of `design`, with calls in interrupt if `question` has them, and with the tokens that
    /// a disable may be given.
    fn new(
        design: Design,
        letters: &Rc<[Letter]>,
        tokens: &[Token],
        question: &Question,
        observer: &mut Observer,
    ) -> Self {
        let mut table = Self::empty(design, letters, tokens, if question.irq { 2 } else { 1 });
        let most =
            usize::try_from(question.max_states).unwrap_or(usize::MAX).min(DESIGN_STATES_MAX);
        let mut states = States::default();
        states.insert(StateBits::default());
        let slots = table.all_slots();
        let mut row = Vec::with_capacity(slots.len());
        let mut at = 0;
        while at < states.len() {
            let state = states[at];
            for in_interrupt in [false, true].into_iter().take(table.contexts) {
                let cx = Context { in_interrupt, ..Context::default() };
                observe_row(design, state, cx, &slots, observer, &mut row);
                for (slot, seen) in slots.iter().zip(&row) {
                    let next = match slot.copies {
                        Some(slot) => table.moves[table.moves.len() - slot].next,
                        None => seen.state.map_or(OUT, |state| number(&mut states, state, most)),
                    };
                    let token = if design.has_tokens() { seen.token } else { Token::DEFAULT };
                    if slot.opens && !table.returned.contains(&token) {
                        table.returned.push(token);
                    }
                    table.moves.push(Move { next, output: seen.output, token });
                }
            }
            table.active.push(design.is_active(state));
            at += 1;
        }
        table.in_order(&states)
    }

    /// The slots of one context.
    fn all_slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        for (letter, token) in with_tokens(self.letters.iter().copied(), &self.tokens) {
            let info = letter.info;
            let own = self.design.has_call(info.call).then_some(info.call);
            let call = own.or(info.or);
            let same = |slot: &Slot| call.is_some() && (slot.call, slot.token) == (call, token);
            let copies = slots.iter().position(same).map(|at| slots.len() - at);
            let opens = info.role == Role::OpensSection;
            slots.push(Slot { call, token, opens, copies });
        }
        slots
    }

    /// The table without its transitions.
    fn empty(design: Design, letters: &Rc<[Letter]>, tokens: &[Token], contexts: usize) -> Self {
        let tokens = if design.has_tokens() { tokens.to_vec() } else { vec![Token::DEFAULT] };
        let (mut slots, mut row) = (Vec::new(), 0);
        for letter in letters.iter() {
            slots.push(row);
            row += if letter.role == Role::ClosesSection { tokens.len() } else { 1 };
        }
        Self {
            design,
            bits: Vec::new(),
            states: 0,
            start: 0,
            letters: Rc::clone(letters),
            slots,
            row,
            tokens,
            returned: Vec::new(),
            contexts,
            moves: Vec::new(),
            active: Vec::new(),
        }
    }

    /// The same table with the states in the order of their packed form.
    fn in_order(self, states: &States) -> Self {
        let slots = self.contexts * self.row;
        let mut order: Vec<usize> = (0..states.len()).collect();
        order.sort_unstable_by_key(|old| states[*old]);
        let mut rank = vec![0; states.len()];
        for (place, old) in (0..).zip(&order) {
            rank[*old] = place;
        }
        let ranked = |old: u32| if old == OUT { OUT } else { rank[old as usize] };
        let mut moves = Vec::with_capacity(self.moves.len());
        for old in &order {
            let row = &self.moves[*old * slots..][..slots];
            moves.extend(row.iter().map(|made| Move { next: ranked(made.next), ..*made }));
        }
        let active = order.iter().map(|old| self.active[*old]).collect();
        let bits = order.iter().map(|old| states[*old]).collect();
        let states = u32::try_from(order.len()).unwrap_or(OUT);
        Self { bits, states, start: ranked(0), moves, active, ..self }
    }

    fn slot(&self, call: Letter, token: Token) -> usize {
        let first = self.slots[call.at];
        match call.role {
            Role::ClosesSection => {
                first + self.tokens.iter().position(|known| *known == token).unwrap_or(0)
            }
            _ => first,
        }
    }

    /// The transition of `call`, with `token` where it closes a section.
    #[inline]
    pub(super) fn step(&self, state: u32, in_interrupt: bool, call: Letter, token: Token) -> Move {
        // Without tokens each call has one slot, whatever it is given.
        let slot = if self.tokens.len() > 1 { self.slot(call, token) } else { call.at };
        let context = state as usize * self.contexts + usize::from(in_interrupt);
        self.moves[context * self.row + slot]
    }

    /// What a transition that panics says.
    pub(super) fn panic_of(
        &self,
        Panicked { state, in_interrupt, call, token }: Panicked,
    ) -> Option<TransitionPanic> {
        let cx = Context { in_interrupt, token, ..Context::default() };
        let own = self.design.answers(call.info.call)?.call;
        self.design.try_step(self.bits[state as usize], cx, own).err()
    }

    /// What arch code is told in `state`.
    #[inline]
    pub(super) fn active(&self, state: u32, in_interrupt: bool) -> bool {
        self.active[state as usize][usize::from(in_interrupt)]
    }
}

/// A transition that panics, by the number of its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panicked {
    pub(super) state: u32,
    pub(super) in_interrupt: bool,
    pub(super) call: Letter,
    pub(super) token: Token,
}

/// States in the order in which they are seen first.
type States = IndexSet<StateBits, FxBuildHasher>;

/// A column of a table.
struct Slot {
    /// The call that the design makes, if any.
    call: Option<Call>,
    token: Token,
    /// A section is opened.
    opens: bool,
    /// So many slots before this one the design does the same.
    copies: Option<usize>,
}

/// What is seen of a transition: no state where it panics.
#[derive(Clone, Copy)]
struct Seen {
    state: Option<StateBits>,
    token: Token,
    output: u32,
}

/// Makes every call of a context from `state`.
fn observe_row(
    design: Design,
    state: StateBits,
    cx: Context,
    slots: &[Slot],
    observer: &mut Observer,
    row: &mut Vec<Seen>,
) {
    row.clear();
    let mut see = |row: &mut Vec<Seen>, slot: &Slot| {
        let seen = match slot.copies {
            Some(slot) => row[row.len() - slot],
            None => {
                let cx = Context { token: slot.token, ..cx };
                let Observed { state, token, output } =
                    observer.observe(design, state, cx, slot.call);
                Seen { state: Some(state), token, output }
            }
        };
        row.push(seen);
    };
    // All calls at once, and one by one where one of them panics.
    let all = design.catch(state, Call::ENABLE, || slots.iter().for_each(|slot| see(row, slot)));
    if all.is_err() {
        row.clear();
        for slot in slots {
            let call = slot.call.unwrap_or(Call::ENABLE);
            if design.catch(state, call, || see(row, slot)).is_err() {
                row.push(Seen { state: None, token: Token::DEFAULT, output: PANICS });
            }
        }
    }
}

/// Each call, one that closes a section with each of `tokens`.
pub(super) fn with_tokens(
    letters: impl Iterator<Item = Letter>,
    tokens: &[Token],
) -> Vec<(Letter, Token)> {
    let each = |letter: Letter| {
        let closes = letter.role == Role::ClosesSection;
        let tokens = if closes { tokens } else { &[Token::DEFAULT] };
        tokens.iter().map(move |token| (letter, *token)).collect::<Vec<_>>()
    };
    letters.flat_map(each).collect()
}

/// The calls of `designs` that clients make, each once, those of the kernel first.
fn letters(designs: &[Design], own_calls: bool) -> Rc<[Letter]> {
    let mut letters: Vec<Letter> = Vec::new();
    let own = designs.iter().filter(|_| own_calls).flat_map(|design| design.calls());
    let calls = CallInfo::KERNEL.iter().chain(own);
    for info in calls.filter(|info| !info.by_arch) {
        if letters.iter().all(|known| known.info.call != info.call) {
            letters.push(Letter { at: letters.len(), role: info.role, info });
        }
    }
    letters.into()
}

/// The number of `state`, a new one if it has none yet and there are fewer than `most`.
fn number(states: &mut States, state: StateBits, most: usize) -> u32 {
    match states.get_index_of(&state) {
        Some(known) => known as u32,
        None if states.len() == most => OUT,
        None => states.insert_full(state).0 as u32,
    }
}

/// The tables of `designs`, which can be compared with each other: a disable may be given whatever one
/// of them returns.
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
