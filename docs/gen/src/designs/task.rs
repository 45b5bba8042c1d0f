//! A task that makes calls without a thread or a machine: the pure shell of a design.

use lazy_mmu::call::evaluate;
use lazy_mmu::design::{Call, Context, Design, Effect, StateBits, Token};

/// What a call does, in order.
pub(super) type Effects = Vec<Effect<StateBits>>;

/// A task under one design.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) design: Design,
    pub(super) state: StateBits,
    /// What enables returned and no disable has taken yet.
    tokens: Vec<Token>,
}

impl Task {
    /// A fresh task.
    pub(super) fn new(design: Design) -> Self {
        Self { design, state: StateBits::default(), tokens: Vec::new() }
    }

    /// Makes `call` in task context.
    pub(super) fn call(&mut self, call: Call) -> Effects {
        let token = match call {
            Call::DISABLE => self.tokens.pop().unwrap_or_default(),
            _ => Token::DEFAULT,
        };
        let cx = Context { token, ..Context::default() };
        let (effects, token) = step(self.design, self.state, cx, call);
        if call == Call::ENABLE {
            self.tokens.push(token);
        }
        self.state = stored(self.state, &effects);
        effects
    }

    /// Whether the mode is active in task context.
    pub(super) fn is_active(&self) -> bool {
        self.design.is_active(self.state)[0]
    }
}

/// The effects of `call` from `state` up to a BUG, and what the call returns.
pub(super) fn step(design: Design, state: StateBits, cx: Context, call: Call) -> (Effects, Token) {
    let mut effects: Effects = Vec::new();
    let (_, token) = evaluate(design, state, cx, call, |effect, _| effects.push(*effect));
    (effects, token)
}

/// The state after `effects`.
pub(super) fn stored(before: StateBits, effects: &Effects) -> StateBits {
    effects.iter().fold(before, |state, effect| match effect {
        Effect::Store(state) => *state,
        Effect::Hook(_) | Effect::Warn(_) => state,
    })
}

/// Whether an effect ends the call.
pub(super) fn is_bug(effect: &Effect<StateBits>) -> bool {
    matches!(effect, Effect::Warn(warn) if warn.check.ends_call())
}
