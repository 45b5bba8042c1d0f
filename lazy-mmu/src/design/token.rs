//! `token`: enter returns what leave takes (v1 and v2, 4 and 8 September 2025).
//!
//! Models "mm: introduce local state for lazy_mmu sections", Kevin Brodsky,
//! 20250908073931.4159362-3-kevin.brodsky@arm.com: `lazy_mmu_state_t` lives in a local variable of
//! the caller, and every architecture answers whether the mode was on already. No checks and no
//! depth. A pause is a leave that is given `LAZY_MMU_DEFAULT`, a resume an enter whose answer is
//! dropped, as in mm/kasan/shadow.c of v2.

use super::{CallInfo, Context, Effects, Hook, LazyMmuDesign, Takes, Token, hook_if, store_if};

crate::lazy_mmu_state! {
    /// The architecture's mode word in its simplest form.
    ///
    /// Fidelity: changed: `TIF_LAZY_MMU` of arm64 in v2 of the series; other architectures keep it
    /// per CPU.
    pub struct State {
        /// The mode is on.
        lazy: bool = "lazy",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "token";
    const ABOUT: &'static str = "enter returns what leave takes; v1 and v2, September 2025";
    const SOURCE: &'static str = "20250908073931.4159362-3-kevin.brodsky@arm.com";
    const CALLS: &'static [CallInfo] = &[
        CallInfo::ENABLE,
        CallInfo::DISABLE.taking(Takes::Token),
        CallInfo::PAUSE,
        CallInfo::RESUME,
    ];

    /// Enters, at any depth; tells the caller whether the mode was on.
    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        let was_on = if self.lazy { Token::NESTED } else { Token::DEFAULT };
        let list = [hook_if(true, Hook::ENTER), store_if(!self.lazy, Self { lazy: true })];
        Effects::of(list).returning(was_on)
    }

    /// Leaves, which completes what is pending; the mode ends unless the caller's enter was nested.
    #[inline(always)]
    fn disable(self, cx: Context) -> Effects<Self> {
        let ends = cx.token != Token::NESTED;
        Effects::of([hook_if(true, Hook::LEAVE), store_if(ends, Self { lazy: false })])
    }

    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        self.disable(Context { token: Token::DEFAULT, ..cx })
    }

    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        self.enable(cx).returning(Token::DEFAULT)
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.lazy
    }
}
