//! The states of a design: those that calls lead to, and those that stand for them.

use std::collections::BTreeSet;

use lazy_mmu::design::{Call, Context, Design, Field, StateBits, Token, Value};

use super::task::{step, stored};
use emu_check::prove;

/// The values that stand for all values of a counter.
const COUNTS: [i64; 4] = [0, 1, 2, 255];

/// Every state that some sequence of calls in task context leads to, well-formed or not.
pub(super) fn reachable(design: Design) -> BTreeSet<StateBits> {
    let after = |state, (cx, call)| stored(state, &step(design, state, cx, call).0);
    prove::reachable(calls(design), prove::DESIGN_STATES_MAX, after).into_iter().collect()
}

/// Those of `states` whose counters are 0, 1, 2 or 255, in the order of their fields.
pub(super) fn representative(design: Design, states: &BTreeSet<StateBits>) -> Vec<StateBits> {
    let shown = |state: &StateBits| {
        fields(design, *state).iter().all(|field| match field.value {
            Value::Count(n) => COUNTS.contains(&n),
            Value::Flag(_) => true,
        })
    };
    let mut shown: Vec<_> = states.iter().copied().filter(shown).collect();
    shown.sort_by_key(|state| {
        let value = |field: &Field| match field.value {
            Value::Count(n) => n,
            Value::Flag(flag) => i64::from(flag),
        };
        fields(design, *state).iter().map(value).collect::<Vec<_>>()
    });
    shown
}

/// Every call in task context, a disable with each token that enables return.
pub(super) fn calls(design: Design) -> Vec<(Context, Call)> {
    let plain = Call::KERNEL.into_iter().map(|call| (Context::default(), call));
    let nested = Context { token: Token::NESTED, ..Context::default() };
    let nested = design.has_tokens().then_some((nested, Call::DISABLE));
    plain.chain(nested).collect()
}

/// The fields of a state.
pub(super) fn fields(design: Design, state: StateBits) -> Vec<Field> {
    design.fields(state).collect()
}

/// The values of a state: `(2, 1)`.
pub(super) fn values(design: Design, state: StateBits) -> String {
    let values: Vec<_> = fields(design, state).iter().map(|f| f.value.to_string()).collect();
    format!("({})", values.join(", "))
}
