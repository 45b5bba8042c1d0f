//! What is compared of a transition, as one number.
//!
//! A transition becomes a short list of observations, in their order; each takes 16 bits of the
//! number. Two transitions look alike if and only if their numbers are equal.

use std::collections::BTreeMap;

use lazy_mmu::call::evaluate;
use lazy_mmu::design::{
    Call, Check, Context, Design, Effect, Field, Hook, StateBits, Token, Value, Warn,
};

lazy_mmu::rows! {
    /// How closely two designs are compared.
    ///
    /// Each looks at all that those before it look at. Effects are compared in their order, so
    /// whether the mode is active while a hook runs; a warning by its macro and its condition,
    /// where conditions that differ in the names of fields only are equal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Compare, name {
        Hooks = "hooks", "the hooks of each call, in their order";
        Active = "active", "hooks, and whether the mode is active after each step";
        Effects = "effects", "hooks, warnings and changes of the mode, in their order";
    }
}

/// What each of the first observations stands for; warnings follow, and hooks of a design's own
/// that stand for none of the kernel's.
const TURNS_INACTIVE: u16 = 5;
const TURNS_ACTIVE: u16 = 6;
const IS_INACTIVE: u16 = 7;
const IS_ACTIVE: u16 = 8;
const WARNINGS: u16 = 16;
const OWN_HOOKS: u16 = 1 << 15;

/// Numbers for what is observed, the same for all designs that share the value.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    compare: Compare,
    /// Each macro with each condition, without the names of fields.
    warnings: Vec<(Check, String)>,
    own_hooks: Vec<Hook>,
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
        Self { compare, warnings: Vec::new(), own_hooks: Vec::new(), numbers: BTreeMap::new() }
    }

    /// Makes `call` from `state`, or nothing where the design has nothing like the call.
    pub(super) fn observe(
        &mut self,
        design: Design,
        state: StateBits,
        cx: Context,
        call: Option<Call>,
    ) -> Observed {
        let context = usize::from(cx.in_interrupt);
        let active = |state| design.is_active(state)[context];
        let mut code = Code::default();
        let mut see = |effect: &Effect<StateBits>, before| match *effect {
            Effect::Store(after) => {
                if self.compare == Compare::Effects && active(after) != active(before) {
                    code.push(if active(after) { TURNS_ACTIVE } else { TURNS_INACTIVE });
                }
            }
            Effect::Hook(hook) => code.push(hook_code(&mut self.own_hooks, design, hook)),
            Effect::Warn(warn) => {
                if self.compare == Compare::Effects {
                    code.push(warning_code(&mut self.warnings, design, state, warn));
                }
            }
        };
        let (after, token) = match call {
            Some(call) => evaluate(design, state, cx, call, &mut see),
            None => (state, Token::DEFAULT),
        };
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

/// A variant of a hook counts as that hook: what an architecture without the variant runs.
fn hook_code(known: &mut Vec<Hook>, design: Design, hook: Hook) -> u16 {
    match hook {
        Hook::ENTER => 1,
        Hook::LEAVE => 2,
        Hook::FLUSH => 3,
        own => match design.hook_info(own).and_then(|info| info.or) {
            Some(kernel) => hook_code(known, design, kernel),
            None => OWN_HOOKS | number(known, own),
        },
    }
}

/// The place of `item` among those known, a new one if it is not. No design has tens of thousands.
fn number<T: PartialEq>(known: &mut Vec<T>, item: T) -> u16 {
    let at = known.iter().position(|other| *other == item).unwrap_or_else(|| {
        known.push(item);
        known.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn warning_code(
    known: &mut Vec<(Check, String)>,
    design: Design,
    state: StateBits,
    warn: Warn,
) -> u16 {
    let class = (warn.check, condition_class(design, state, warn.cond));
    WARNINGS + number(known, class)
}

/// The condition with the place of each field among the counters or flags instead of its name, and
/// without the pointer to the state: `state->nesting_level == 0` becomes `counter1 == 0`, wherever
/// the fields stand and whatever the pointer is called.
pub(super) fn condition_class(design: Design, state: StateBits, cond: &str) -> String {
    let (mut counters, mut flags) = (0, 0);
    let mut names: Vec<(&'static str, String)> = Vec::new();
    for Field { name, value, .. } in design.fields(state) {
        let (kind, count) = match value {
            Value::Count(_) => ("counter", &mut counters),
            Value::Flag(_) => ("flag", &mut flags),
        };
        *count += 1;
        names.push((name, format!("{kind}{count}")));
    }
    let mut class = String::new();
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = cond;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| in_word(c) == in_word(first);
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if let Some(member) = after.strip_prefix("->").filter(|_| in_word(first)) {
            rest = member;
            continue;
        }
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
        assert_eq!(class("counts", "state->pause_count == U8_MAX"), "counter2 == U8_MAX");
        let v3 = class("count-enabled", "state->count == 0 || !state->enabled");
        assert_eq!(v3, "counter1 == 0 || !flag1");
        assert_eq!(class("nesting-active", "state->nesting_level == 0 || !state->active"), v3);
    }

    #[test]
    fn order_is_seen_in_effects_only() {
        // v3 enters while the mode is inactive, v4 while it is active.
        let output = |compare| {
            let mut observer = Observer::new(compare);
            ["count-enabled", "nesting-active"].map(|id| {
                let cx = Context::default();
                observer.observe(design(id), StateBits(0), cx, Some(Call::ENABLE)).output
            })
        };
        let same = Compare::ALL.map(|compare| output(compare)[0] == output(compare)[1]);
        assert_eq!(same, [true, true, false]);
    }
}
