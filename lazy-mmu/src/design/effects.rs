//! The ordered, bounded list of effects that a transition returns.
//!
//! A list is an array of optional slots rather than a length and a buffer: every slot has a place
//! that is known when compiling, so that the list vanishes where a transition is inlined. An empty
//! slot means nothing; comparisons look at the effects only.

use super::{Hook, Token, Warn};

/// One output of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect<S> {
    /// The task's state becomes this.
    Store(S),
    /// The architecture is called.
    Hook(Hook),
    /// A sanity check found something.
    Warn(Warn),
}

/// The longest list any design needs: two checks, a hook and two stores, and one to spare.
pub const EFFECTS_MAX: usize = 6;

/// What one call does, in program order.
#[derive(Clone, Copy, Debug)]
pub struct Effects<S> {
    slots: [Option<Effect<S>>; EFFECTS_MAX],
    token: Token,
}

impl<S: Copy> Effects<S> {
    /// The call does nothing.
    pub const NONE: Self = Self { slots: [None; EFFECTS_MAX], token: Token::DEFAULT };

    /// A list from its slots, in order.
    ///
    /// ```
    /// use lazy_mmu::design::{Effects, Hook, hook_if, store};
    /// let enter = hook_if(true, Hook::ENTER);
    /// let list = Effects::of([store(1u8), hook_if(false, Hook::FLUSH), enter]);
    /// assert_eq!(list.iter().count(), 2);
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn of<const N: usize>(slots: [Option<Effect<S>>; N]) -> Self {
        const { assert!(N <= EFFECTS_MAX, "a transition has at most EFFECTS_MAX effects") };
        let mut list = Self::NONE;
        let mut at = 0;
        while at < N {
            list.slots[at] = slots[at];
            at += 1;
        }
        list
    }

    /// The same effects of a call that returns `token`.
    #[inline(always)]
    #[must_use]
    pub const fn returning(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// What the call returns.
    #[inline(always)]
    #[must_use]
    pub const fn token(&self) -> Token {
        self.token
    }

    /// The effects, in program order.
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = Effect<S>> + '_ {
        self.slots.iter().filter_map(|slot| *slot)
    }

    /// The last state stored, if any.
    #[inline(always)]
    #[must_use]
    pub fn stored(&self) -> Option<S> {
        self.iter().fold(None, |last, effect| match effect {
            Effect::Store(state) => Some(state),
            Effect::Hook(_) | Effect::Warn(_) => last,
        })
    }

    /// Tells whether a sanity check found something.
    #[inline(always)]
    #[must_use]
    pub fn warns(&self) -> bool {
        self.iter().any(|effect| matches!(effect, Effect::Warn(_)))
    }

    /// The same effects over another type of state.
    #[inline(always)]
    #[must_use]
    pub fn map<T: Copy>(&self, wrap: impl Fn(S) -> T) -> Effects<T> {
        // Slot by slot as in `of`, since an array's own `map` goes through memory.
        let mut list = Effects::NONE.returning(self.token);
        let mut at = 0;
        while at < EFFECTS_MAX {
            list.slots[at] = match self.slots[at] {
                None => None,
                Some(Effect::Store(state)) => Some(Effect::Store(wrap(state))),
                Some(Effect::Hook(hook)) => Some(Effect::Hook(hook)),
                Some(Effect::Warn(warn)) => Some(Effect::Warn(warn)),
            };
            at += 1;
        }
        list
    }

    /// The same effects with `new` in the place of the hook `old`.
    #[inline(always)]
    #[must_use]
    pub fn replacing(mut self, old: Hook, new: Hook) -> Self {
        for slot in &mut self.slots {
            if let Some(Effect::Hook(hook)) = slot
                && *hook == old
            {
                *hook = new;
            }
        }
        self
    }

    /// Calls `see` with each effect in program order, the state packed by `pack`; returns what the
    /// call returns.
    #[inline(always)]
    pub fn each<T>(&self, pack: impl Fn(S) -> T, see: &mut dyn FnMut(Effect<T>)) -> Token {
        for slot in &self.slots {
            match *slot {
                None => {}
                Some(Effect::Store(state)) => see(Effect::Store(pack(state))),
                Some(Effect::Hook(hook)) => see(Effect::Hook(hook)),
                Some(Effect::Warn(warn)) => see(Effect::Warn(warn)),
            }
        }
        self.token
    }
}

impl<S: Copy + PartialEq> PartialEq for Effects<S> {
    fn eq(&self, other: &Self) -> bool {
        self.token == other.token && self.iter().eq(other.iter())
    }
}

impl<S: Copy + Eq> Eq for Effects<S> {}

/// A slot that stores `state` when `cond` holds.
#[inline(always)]
#[must_use]
pub fn store_if<S>(cond: bool, state: S) -> Option<Effect<S>> {
    if cond { Some(Effect::Store(state)) } else { None }
}

/// A slot that stores `state`.
#[inline(always)]
#[must_use]
pub fn store<S>(state: S) -> Option<Effect<S>> {
    Some(Effect::Store(state))
}

/// A slot that calls `hook` when `cond` holds.
#[inline(always)]
#[must_use]
pub fn hook_if<S>(cond: bool, hook: Hook) -> Option<Effect<S>> {
    if cond { Some(Effect::Hook(hook)) } else { None }
}

/// A slot that reports `warn` when `cond` holds.
#[inline(always)]
#[must_use]
pub fn warn_if<S>(cond: bool, warn: Warn) -> Option<Effect<S>> {
    if cond { Some(Effect::Warn(warn)) } else { None }
}
