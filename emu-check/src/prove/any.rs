//! All call sequences: the closure over the pairs of states that two designs reach together.
//!
//! A state is a pair of states and whether an interrupt runs. Counters are finite, so the closure
//! is, and a search that ends is a proof for sequences of any length.

use lazy_mmu::design::Token;

use super::Language;
use super::control::{Control, Packed};
use super::search::{Finding, Look, Step, after, transition};
use super::table::{Letter, Lockstep};
use crate::explore::{Model, Next, Transition, Violation};

/// Two designs under every call at any time.
pub(super) struct AnyCalls<'a> {
    both: &'a Lockstep,
    calls: Vec<(Letter, Token)>,
    irq: bool,
}

impl<'a> AnyCalls<'a> {
    pub(super) fn new(both: &'a Lockstep, irq: bool) -> Self {
        Self { both, calls: both.any_calls(), irq }
    }
}

impl Model for AnyCalls<'_> {
    type State = Packed;
    type Move = Step;
    type Verdict = Look;
    type Property = Finding;

    fn init(&self) -> Packed {
        Control::start(self.both.start()).pack(Language::Any)
    }

    fn expand(&mut self, state: &Packed, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        let from = Control::unpack(*state, Language::Any);
        for (call, token) in &self.calls {
            let tokens = [*token; 2];
            let made = self.both.step(from.pair, from.irq, *call, tokens);
            let (next, look) = after(&made, |pair| Control { pair, ..from }.pack(Language::Any));
            see(transition(Step::Call(call.info, tokens), next, look));
        }
        if self.irq {
            let to = Control { irq: !from.irq, ..from };
            let step = if from.irq { Step::IrqExit } else { Step::IrqEnter };
            let look = Look::same(self.both.same_mode(from.pair, to.irq));
            see(transition(step, Next::State(to.pack(Language::Any)), look));
        }
    }

    fn violations(&self, look: Look) -> impl Iterator<Item = Violation<Self>> {
        look.violations()
    }
}
