//! `count-enabled`: a counter and a flag "enabled", with checks (v3, 15 October 2025).
//!
//! Models 07/13, 12/13 and 13/13 of "[PATCH v3 00/13] Nesting support for lazy MMU mode", Kevin
//! Brodsky, 20251015082727.2395128-8, -13 and -14. Both hooks run while `enabled` is clear: it is
//! set after enter and cleared before leave. An architecture may decline the mode at run time
//! (`arch_wants_lazy_mmu_mode()`), and then nothing moves.

use super::{Context, Effects, Hook, LazyMmuDesign, Warn, hook_if, store, store_if, warn_if};

crate::lazy_mmu_state! {
    /// `struct lazy_mmu_state` of v3.
    pub struct State {
        /// Depth of sections, 0 to 255.
        count: u8 = "count",
        /// The mode is on: in a section and not paused.
        enabled: bool = "enabled",
    }
}

/// The early return of v3: in interrupt, or where the architecture declines.
const fn returns_early(cx: Context) -> bool {
    cx.in_interrupt || !cx.arch_wants
}

impl LazyMmuDesign for State {
    const ID: &'static str = "count-enabled";
    const ABOUT: &'static str = "count and a flag enabled, with checks; v3, October 2025";
    const SOURCE: &'static str = "20251015082727.2395128-8-kevin.brodsky@arm.com, \
         20251015082727.2395128-13-kevin.brodsky@arm.com, \
         20251015082727.2395128-14-kevin.brodsky@arm.com";

    #[inline(always)]
    fn enable(self, cx: Context) -> Effects<Self> {
        if returns_early(cx) {
            return Effects::NONE;
        }
        if self.count == u8::MAX {
            return Effects::of([warn_if(true, Warn::bug("state->count == U8_MAX"))]);
        }
        let first = self.count == 0;
        let on = Self { enabled: self.enabled || first, ..self };
        Effects::of([
            warn_if(
                !first && !self.enabled,
                Warn::each_time("state->count > 0 && !state->enabled"),
            ),
            hook_if(first, Hook::ENTER),
            store_if(first, on),
            store(Self { count: self.count.wrapping_add(1), ..on }),
        ])
    }

    #[inline(always)]
    fn disable(self, cx: Context) -> Effects<Self> {
        if returns_early(cx) {
            return Effects::NONE;
        }
        if self.count == 0 {
            return Effects::of([warn_if(true, Warn::bug("state->count == 0"))]);
        }
        let less = Self { count: self.count - 1, ..self };
        let last = less.count == 0;
        Effects::of([
            warn_if(!self.enabled, Warn::each_time("!state->enabled")),
            store(less),
            store_if(last, Self { enabled: false, ..less }),
            hook_if(last, Hook::LEAVE),
            hook_if(!last, Hook::FLUSH),
        ])
    }

    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        if returns_early(cx) {
            return Effects::NONE;
        }
        let wrong = self.count == 0 || !self.enabled;
        Effects::of([
            warn_if(wrong, Warn::each_time("state->count == 0 || !state->enabled")),
            store(Self { enabled: false, ..self }),
            hook_if(true, Hook::LEAVE),
        ])
    }

    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        if returns_early(cx) {
            return Effects::NONE;
        }
        let wrong = self.count == 0 || self.enabled;
        Effects::of([
            warn_if(wrong, Warn::each_time("state->count == 0 || state->enabled")),
            hook_if(true, Hook::ENTER),
            store(Self { enabled: true, ..self }),
        ])
    }

    /// `in_lazy_mmu_mode()` of 12/13.
    #[inline(always)]
    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.enabled
    }
}
