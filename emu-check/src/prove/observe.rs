//! What is compared of a transition, as one number.
//!
//! A transition becomes a short list of observations, in their order; each takes 16 bits of the
//! number. Two transitions look alike if and only if their numbers are equal.

use std::collections::BTreeMap;

use lazy_mmu::design::{
    Call, Check, Context, Design, Effect, Field, Hook, StateBits, Token, Value, Warn,
};

/// How closely two designs are compared.
///
/// Each looks at all that those before it look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compare {
    /// The hooks that a call reaches, in their order.
    Hooks,
    /// And whether the mode is active after each step.
    Active,
    /// And the warnings, each by its macro and its condition, and the order of all that: so whether the
    /// mode is active while a hook runs. Conditions that differ in the names of fields only are equal.
    Effects,
}

impl Compare {
    /// Every comparison, the coarsest first.
    pub const ALL: [Self; 3] = [Self::Hooks, Self::Active, Self::Effects];

    /// The word of the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hooks => "hooks",
            Self::Active => "active",
            Self::Effects => "effects",
        }
    }

    /// What is compared.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Hooks => "the hooks of each call, in their order",
            Self::Active => "hooks, and whether the mode is active after each step",
            Self::Effects => "hooks, warnings and changes of the mode, in their order",
        }
    }
}

/// What each of the first observations stands for; warnings follow.
const TURNS_INACTIVE: u16 = 5;
const TURNS_ACTIVE: u16 = 6;
const IS_INACTIVE: u16 = 7;
const IS_ACTIVE: u16 = 8;
const WARNINGS: u16 = 16;

/// Numbers for what is observed, the same for all designs that share the value.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    compare: Compare,
    /// Each macro with each condition, without the names of fields.
    warnings: Vec<(Check, String)>,
    numbers: BTreeMap<u128, u32>,
}

/// A transition as it is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    /// The state after it.
    pub(super) state: StateBits,
    /// What the call returns.
    pub(super) token: Token,
    /// The number of all that was observed.
    pub(super) output: u32,
}

impl Observer {
    pub(super) const fn new(compare: Compare) -> Self {
        Self { compare, warnings: Vec::new(), numbers: BTreeMap::new() }
    }

    /// Makes `call` from `state`. A BUG ends the call, as it does everywhere in the lab.
    pub(super) fn observe(
        &mut self,
        design: Design,
        state: StateBits,
        cx: Context,
        call: Call,
    ) -> Observed {
        let context = usize::from(cx.in_interrupt);
        let active = |state| design.is_active(state)[context];
        let mut after = state;
        let mut ended = false;
        let mut code = Code::default();
        let token = design.each(state, cx, call, &mut |effect| match effect {
            _ if ended => {}
            Effect::Store(state) => {
                if self.compare == Compare::Effects && active(state) != active(after) {
                    code.push(if active(state) { TURNS_ACTIVE } else { TURNS_INACTIVE });
                }
                after = state;
            }
            Effect::Hook(hook) => code.push(hook_code(hook)),
            Effect::Warn(warn) => {
                ended = matches!(warn.check, Check::VmBugOn | Check::BugOn);
                if self.compare == Compare::Effects {
                    code.push(warning_code(&mut self.warnings, design, state, warn));
                }
            }
        });
        if self.compare != Compare::Hooks {
            code.push(if active(after) { IS_ACTIVE } else { IS_INACTIVE });
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let output = *self.numbers.entry(code.0).or_insert(next);
        Observed { state: after, token, output }
    }
}

/// Observations packed into a number: at most six effects and the mode after them, 16 bits each.
#[derive(Default)]
struct Code(u128);

impl Code {
    fn push(&mut self, observation: u16) {
        self.0 = self.0 << 16 | u128::from(observation);
    }
}

fn hook_code(hook: Hook) -> u16 {
    match hook {
        Hook::Enter => 1,
        Hook::Leave => 2,
        Hook::Flush => 3,
        Hook::EnterWithPtes => 4,
    }
}

fn warning_code(
    known: &mut Vec<(Check, String)>,
    design: Design,
    state: StateBits,
    warn: Warn,
) -> u16 {
    let class = (warn.check, condition_class(design, state, warn.cond));
    let at = known.iter().position(|other| *other == class).unwrap_or_else(|| {
        known.push(class);
        known.len() - 1
    });
    // No program has tens of thousands of checks in its source.
    u16::try_from(at).map_or(u16::MAX, |at| WARNINGS.saturating_add(at))
}

/// The condition with the place of each field among the counters or flags instead of its name:
/// `nesting_level == 0` becomes `counter1 == 0`.
pub(super) fn condition_class(design: Design, state: StateBits, cond: &str) -> String {
    let (mut counters, mut flags) = (0, 0);
    let mut names: Vec<(&'static str, String)> = Vec::new();
    design.fields(state, &mut |Field { name, value, .. }| {
        let (kind, count) = match value {
            Value::Count(_) => ("counter", &mut counters),
            Value::Flag(_) => ("flag", &mut flags),
        };
        *count += 1;
        names.push((name, format!("{kind}{count}")));
    });
    let mut class = String::new();
    let mut rest = cond;
    while let Some(first) = rest.chars().next() {
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let same = |c: char| in_word(c) == in_word(first);
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let renamed = names.iter().find(|(name, _)| *name == word);
        class += renamed.map_or(word, |(_, new)| new);
        rest = after;
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(id: &str) -> Design {
        Design::by_id(id).expect("a design of the lab")
    }

    #[test]
    fn conditions_without_the_names_of_fields() {
        let class = |id, cond| condition_class(design(id), StateBits(0), cond);
        assert_eq!(class("counts", "pause_count == U8_MAX"), "counter2 == U8_MAX");
        let v3 = class("count-enabled", "count == 0 || !enabled");
        assert_eq!(v3, "counter1 == 0 || !flag1");
        assert_eq!(class("nesting-active", "nesting_level == 0 || !active"), v3);
    }

    #[test]
    fn order_is_seen_in_effects_only() {
        // v3 enters while the mode is inactive, v4 while it is active.
        let output = |compare| {
            let mut observer = Observer::new(compare);
            ["count-enabled", "nesting-active"].map(|id| {
                let cx = Context::default();
                observer.observe(design(id), StateBits(0), cx, Call::Enable).output
            })
        };
        let same = Compare::ALL.map(|compare| output(compare)[0] == output(compare)[1]);
        assert_eq!(same, [true, true, false]);
    }
}
