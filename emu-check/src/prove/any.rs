//! All call sequences: the closure over the pairs of states that two designs reach together.
//!
//! A state is a pair of states and whether an interrupt runs. Counters are finite, so the closure is,
//! and a search that ends is a proof for sequences of any length.

use lazy_mmu::design::Token;

use super::pairs::Pairs;
use super::search::{Edge, Look, Model, Step};
use super::table::{Letter, Lockstep, OUT};

/// Two designs under every call at any time.
pub(super) struct AnyCalls<'a> {
    both: &'a Lockstep,
    calls: Vec<(Letter, Token)>,
    irq: bool,
    /// A pair of states, twice its number where an interrupt runs, plus one.
    pairs: Pairs,
    /// The number in the search of each pair, outside and inside an interrupt.
    states: Vec<[u32; 2]>,
    /// The inverse: the number of the pair, and whether an interrupt runs.
    known: Vec<(u32, bool)>,
}

const NONE: u32 = u32::MAX;

impl<'a> AnyCalls<'a> {
    pub(super) fn new(both: &'a Lockstep, irq: bool) -> Self {
        let pairs = Pairs::new(both.tables.each_ref().map(|table| table.states));
        let calls = both.any_calls();
        let mut model = Self { both, calls, irq, pairs, states: Vec::new(), known: Vec::new() };
        model.state(both.start(), false);
        model
    }

    fn state(&mut self, pair: [u32; 2], irq: bool) -> u32 {
        let number = self.pairs.number(pair);
        if number as usize == self.states.len() {
            self.states.push([NONE; 2]);
        }
        let state = &mut self.states[number as usize][usize::from(irq)];
        if *state == NONE {
            *state = self.known.len() as u32;
            self.known.push((number, irq));
        }
        *state
    }

    /// How many pairs of states were reached, in interrupt or not.
    pub(super) fn pairs(&self) -> u32 {
        self.pairs.len()
    }

    /// For each pair, the pairs that its calls lead to, in task context or in interrupt. The search
    /// must have ended with nothing found.
    pub(super) fn successors(&self, irq: bool) -> Vec<Vec<u32>> {
        let mut pairs = self.pairs.clone();
        let of = |number| {
            let pair = self.pairs.pair(number);
            let after = |(call, token): &(Letter, Token)| {
                pairs.number(self.both.step(pair, irq, *call, [*token; 2]).next)
            };
            self.calls.iter().map(after).collect()
        };
        (0..self.pairs()).map(of).collect()
    }
}

impl Model for AnyCalls<'_> {
    fn steps(&mut self, state: u32, see: &mut impl FnMut(Edge)) {
        let (number, irq) = self.known[state as usize];
        let pair = self.pairs.pair(number);
        for at in 0..self.calls.len() {
            let (call, token) = self.calls[at];
            let tokens = [token; 2];
            let made = self.both.step(pair, irq, call, tokens);
            let step = Step::Call(call.info, tokens);
            if made.next.contains(&OUT) {
                let look = if made.same { Look::Out } else { Look::Differs };
                see(Edge { step, to: state, look });
                continue;
            }
            let to = self.state(made.next, irq);
            see(Edge { step, to, look: if made.same { Look::Same } else { Look::Differs } });
        }
        if self.irq {
            let step = if irq { Step::IrqExit } else { Step::IrqEnter };
            let same = self.both.same_mode(pair, !irq);
            let to = self.state(pair, !irq);
            see(Edge { step, to, look: if same { Look::Same } else { Look::Differs } });
        }
    }
}
