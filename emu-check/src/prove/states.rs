//! The states of one design: those that calls lead to.

use lazy_mmu::design::StateBits;

use crate::explore::{Limits, Model, Transition, Violation, explore, nobody};

/// The most states of one design that are numbered: two counters and two flags.
pub const DESIGN_STATES_MAX: usize = 1 << 18;

/// The states that `calls` lead to from the default one, in the order in which a breadth-first
/// search finds them, and at most `most`. `step` returns the state after a call; it is called once
/// for each call from each of these states, in their order.
pub fn reachable<C: Copy>(
    calls: Vec<C>,
    most: usize,
    step: impl FnMut(StateBits, C) -> StateBits,
) -> Vec<StateBits> {
    let limits = Limits { states: most, ..Limits::NONE };
    let mut model = DesignStates { calls, step, visited: 0 };
    let mut states = explore(&mut model, limits, &mut nobody()).store.into_states();
    states.truncate(most);
    // Where the search gave up, the last layer was not visited.
    for state in states.iter().skip(model.visited) {
        model.expand(state, 0, &mut |_| {});
    }
    states
}

struct DesignStates<C, F> {
    calls: Vec<C>,
    step: F,
    visited: usize,
}

impl<C: Copy, F: FnMut(StateBits, C) -> StateBits> Model for DesignStates<C, F> {
    type State = StateBits;
    type Move = ();
    type Verdict = ();
    type Property = ();

    fn init(&self) -> StateBits {
        StateBits::default()
    }

    fn expand(&mut self, state: &StateBits, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        self.visited += 1;
        for call in &self.calls {
            see(Transition::to((), (self.step)(*state, *call)));
        }
    }

    fn violations(&self, (): ()) -> impl Iterator<Item = Violation<Self>> {
        std::iter::empty()
    }
}
