//! Nested programs of designs in which closing a bracket undoes opening it.
//!
//! If a closing call right after its opening one restores both designs, in every state that
//! openings alone lead to, then by induction every balanced sequence does: it can be left out. What
//! a program reaches is then what its open brackets reach, and there is no stack to remember. The
//! search checks whether it is so; where it is not, it reports that the model is
//! [unfit](Look::Unfit), and [summaries](super::summaries) take over.
//!
//! Merged counters are of this kind, at any depth: at 255 an enable wraps to 0, and its disable
//! wraps back. A flag that a resume sets whatever the pause found is not.

use lazy_mmu::design::Token;

use super::control::{Control, Packed};
use super::search::{Finding, Look, Step, after, transition};
use super::table::{Letter, Lockstep, OUT};
use crate::explore::{Model, Next, Transition, Violation};
use crate::language::{Bracket, Language, Phase};

/// Two designs under nested programs, by their open brackets.
pub(super) struct OpenBrackets<'a> {
    both: &'a Lockstep,
    language: Language,
    irq: bool,
    /// The most brackets of calls that may be open.
    nesting: u32,
}

impl<'a> OpenBrackets<'a> {
    pub(super) const fn new(
        both: &'a Lockstep,
        language: Language,
        irq: bool,
        nesting: u32,
    ) -> Self {
        Self { both, language, irq, nesting }
    }

    /// Makes a call that closes nothing, if the language has it. One that opens a bracket is
    /// followed by a look at what closing it again would do, by each call that can; one that is no
    /// bracket must leave the states as they are.
    fn call(&self, from: Control, call: Letter, see: &mut impl FnMut(Transition<Self>)) {
        let role = call.info.role;
        let Some(phase) = self.language.open(from.phase, role) else { return };
        let made = self.both.step(from.pair, from.irq, call, [Token::DEFAULT; 2]);
        let to = |pair| Control { pair, phase, ..from }.pack(self.language);
        let (next, look) = after(&made, to);
        let step = Step::call(call);
        if look != Look::Same || next == Next::OutOfBounds {
            return see(transition(step, next, look));
        }
        let Some(bracket) = Bracket::of(role) else {
            let look = if made.next == from.pair { Look::Same } else { Look::Unfit };
            return see(transition(step, next, look));
        };
        for close in self.both.closers(bracket) {
            let tokens =
                if bracket == Bracket::Section { made.tokens } else { [Token::DEFAULT; 2] };
            let closed = self.both.step(made.next, from.irq, close, tokens);
            let (next, look) = if !closed.same {
                (next, Look::ThenDiffers(Step::Call(close.info, tokens)))
            } else if closed.next.contains(&OUT) {
                (Next::OutOfBounds, Look::Same)
            } else if closed.next != from.pair {
                (next, Look::Unfit)
            } else {
                (next, Look::Same)
            };
            see(transition(step, next, look));
        }
    }
}

impl Model for OpenBrackets<'_> {
    type State = Packed;
    type Move = Step;
    type Verdict = Look;
    type Property = Finding;

    fn init(&self) -> Packed {
        Control::start(self.both.start()).pack(self.language)
    }

    fn expand(&mut self, state: &Packed, depth: u32, see: &mut impl FnMut(Transition<Self>)) {
        let from = Control::unpack(*state, self.language);
        // Each step to another state but the beginning of an interrupt opens a bracket, and no
        // interrupt ends. So the
        // shortest path has the fewest open brackets.
        let room = depth - u32::from(from.irq) < self.nesting;
        for call in self.both.letters_that(|role| !role.closes() && (room || !role.opens())) {
            self.call(from, call, see);
        }
        if self.irq && !from.irq {
            // The handler is a program of its own; what it opens it closes before it ends.
            let to = Control { phase: Phase::NONE, irq: true, ..from };
            let look = Look::same(self.both.same_mode(from.pair, true));
            see(transition(Step::IrqEnter, Next::State(to.pack(self.language)), look));
        }
    }

    fn violations(&self, look: Look) -> impl Iterator<Item = Violation<Self>> {
        look.violations()
    }
}
