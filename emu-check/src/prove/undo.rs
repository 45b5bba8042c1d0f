//! Nested programs of designs in which closing a bracket undoes opening it.
//!
//! If a closing call right after its opening one restores both designs, in every state that openings
//! alone lead to, then by induction every balanced sequence does: it can be left out. What a program
//! reaches is then what its open brackets reach, and there is no stack to remember. Whether it is so
//! is checked on the way; where it is not, the search says that the model is [unfit](Look::Unfit),
//! and [summaries](super::summaries) take over.
//!
//! Merged counters are of this kind, at any depth: at 255 an enable wraps to 0, and its disable wraps
//! back. A flag that a resume sets whatever the pause found is not.

use lazy_mmu::design::Token;

use super::controls::{Control, Controls};
use super::language::{Language, Phase};
use super::search::{Edge, Look, Model, Step};
use super::table::{Letter, Lockstep, OUT};

/// Two designs under nested programs, by their open brackets.
pub(super) struct OpenBrackets<'a> {
    both: &'a Lockstep,
    language: Language,
    irq: bool,
    /// The most brackets of calls that may be open.
    nesting: u32,
    controls: Controls,
    /// How many brackets of calls are open in each control.
    open: Vec<u32>,
}

impl<'a> OpenBrackets<'a> {
    pub(super) fn new(both: &'a Lockstep, language: Language, irq: bool, nesting: u32) -> Self {
        let controls = Controls::new(both, language, irq);
        Self { both, language, irq, nesting, controls, open: vec![0] }
    }

    /// The number of a control in which `open` brackets are open. Each step but the beginning of an
    /// interrupt opens one, and no interrupt ends, so the shortest way has the fewest of them.
    fn state(&mut self, control: Control, open: u32) -> u32 {
        let number = self.controls.number(control);
        if number as usize == self.open.len() {
            self.open.push(open);
        }
        number
    }

    /// Opens a bracket and looks what closing it again would do, by each call that can; or makes a call
    /// that is no bracket, which must leave the states as they are.
    fn call(&mut self, state: u32, from: Control, call: Letter, see: &mut impl FnMut(Edge)) {
        let role = call.info.role;
        let Some(phase) = self.language.open(from.phase, role) else { return };
        let open = self.open[state as usize] + u32::from(role.opens());
        if open > self.nesting {
            return;
        }
        let step = Step::call(call);
        let made = self.both.step(from.pair, from.irq, call, [Token::DEFAULT; 2]);
        if made.next.contains(&OUT) {
            let look = if made.same { Look::Out } else { Look::Differs };
            return see(Edge { step, to: state, look });
        }
        if !role.opens() {
            let fits = if made.next == from.pair { Look::Same } else { Look::Unfit };
            return see(Edge {
                step,
                to: state,
                look: if made.same { fits } else { Look::Differs },
            });
        }
        let to = self.state(Control { pair: made.next, phase, ..from }, open);
        for close in self.both.closers(role) {
            let tokens = if role.is_pause() { [Token::DEFAULT; 2] } else { made.tokens };
            let closed = self.both.step(made.next, from.irq, close, tokens);
            let look = if !made.same {
                Look::Differs
            } else if !closed.same {
                Look::ThenDiffers(Step::Call(close.info, tokens))
            } else if closed.next.contains(&OUT) {
                Look::Out
            } else if closed.next != from.pair {
                Look::Unfit
            } else {
                Look::Same
            };
            see(Edge { step, to, look });
        }
    }
}

impl Model for OpenBrackets<'_> {
    fn steps(&mut self, state: u32, see: &mut impl FnMut(Edge)) {
        let from = self.controls.control(state);
        for call in self.both.letters_that(|role| !role.closes()) {
            self.call(state, from, call, see);
        }
        if self.irq && !from.irq {
            // The handler is a program of its own; what it opens it closes before it ends.
            let same = self.both.same_mode(from.pair, true);
            let open = self.open[state as usize];
            let to = self.state(Control { phase: Phase::default(), irq: true, ..from }, open);
            let look = if same { Look::Same } else { Look::Differs };
            see(Edge { step: Step::IrqEnter, to, look });
        }
    }
}
