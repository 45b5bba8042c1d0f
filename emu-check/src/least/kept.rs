//! What a published design keeps in the same sequences, and whether it does what is required.

use std::collections::BTreeSet;

use lazy_mmu::call::evaluate;
use lazy_mmu::design::{Context, Design, Effect, Hook, StateBits, Value};

use super::required::{Answers, CALLS, Situation};

/// What a design keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The design.
    pub design: Design,
    /// The states that the sequences lead to.
    pub states: usize,
    /// The bits of its fields.
    pub bits: u32,
    /// Whether it does what is required; nothing is said of one that returns tokens.
    pub does: Option<bool>,
}

/// What `design` keeps in sequences of these situations.
pub(super) fn kept(design: Design, all: &[Situation]) -> Kept {
    let start = StateBits::default();
    let mut seen = BTreeSet::from([(0, start.0)]);
    let mut todo = vec![(0, start)];
    let mut does = true;
    while let Some((situation, state)) = todo.pop() {
        let here: &Situation = &all[situation];
        does &= here.active.is_none_or(|active| design.is_active(state)[0] == active);
        for ((call, _), step) in CALLS.iter().zip(here.steps) {
            let Some(step) = step else { continue };
            let mut hooks = Vec::new();
            let see = |effect: &Effect<StateBits>, _| {
                if let Effect::Hook(hook) = *effect {
                    hooks.push(kernels(design, hook));
                }
            };
            let (after, _) = evaluate(design, state, Context::default(), *call, see);
            does &= step.answer.is_none_or(|answer: Answers| hooks.iter().copied().eq(answer));
            if seen.insert((step.to, after.0)) {
                todo.push((step.to, after));
            }
        }
    }
    let states: BTreeSet<_> = seen.into_iter().map(|(_, state)| state).collect();
    let bits = design.fields(start).map(|field| match field.value {
        Value::Count(_) => u8::BITS,
        Value::Flag(_) => 1,
    });
    let does = (!design.has_tokens()).then_some(does);
    Kept { design, states: states.len(), bits: bits.sum(), does }
}

/// The hook of the kernel that one of a design's own is a variant of; else the hook itself.
fn kernels(design: Design, hook: Hook) -> Hook {
    design.hook_info(hook).and_then(|info| info.or).unwrap_or(hook)
}
