//! `nesting-active`: a counter and a flag "active", state before hooks (v4, 29 October 2025).
//!
//! Models 07/12 and 12/12 of "[PATCH v4 00/12] Nesting support for lazy MMU mode", Kevin Brodsky,
//! 20251029100909.3381140-8 and -13. Against v3 the fields are renamed, the counter wraps with a
//! warning, and the flag changes before the hook on both sides: `enter` runs with the mode active.

use super::{Context, Effects, Hook, LazyMmuDesign, Warn, hook_if, store, store_if, warn_if};

crate::lazy_mmu_state! {
    /// `struct lazy_mmu_state` of v4.
    pub struct State {
        /// Depth of sections, 0 to 255.
        nesting_level: u8 = "nesting",
        /// The mode is on: in a section and not paused.
        active: bool = "active",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "nesting-active";
    const ABOUT: &'static str = "nesting_level and a flag active; v4, October 2025";
    const SOURCE: &'static str = "20251029100909.3381140-8-kevin.brodsky@arm.com, \
         20251029100909.3381140-13-kevin.brodsky@arm.com";

    #[inline(always)]
    fn enable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let first = self.nesting_level == 0;
        let more = Self { nesting_level: self.nesting_level.wrapping_add(1), ..self };
        Effects::of([
            warn_if(self.nesting_level == u8::MAX, Warn::once("state->nesting_level == U8_MAX")),
            warn_if(
                !first && !self.active,
                Warn::each_time("state->nesting_level > 0 && !state->active"),
            ),
            store(more),
            store_if(first, Self { active: true, ..more }),
            hook_if(first, Hook::ENTER),
        ])
    }

    #[inline(always)]
    fn disable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let less = Self { nesting_level: self.nesting_level.wrapping_sub(1), ..self };
        let last = less.nesting_level == 0;
        Effects::of([
            warn_if(self.nesting_level == 0, Warn::once("state->nesting_level == 0")),
            warn_if(!self.active, Warn::each_time("!state->active")),
            store(less),
            store_if(last, Self { active: false, ..less }),
            hook_if(true, if last { Hook::LEAVE } else { Hook::FLUSH }),
        ])
    }

    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let wrong = self.nesting_level == 0 || !self.active;
        Effects::of([
            warn_if(wrong, Warn::each_time("state->nesting_level == 0 || !state->active")),
            store(Self { active: false, ..self }),
            hook_if(true, Hook::LEAVE),
        ])
    }

    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let wrong = self.nesting_level == 0 || self.active;
        Effects::of([
            warn_if(wrong, Warn::each_time("state->nesting_level == 0 || state->active")),
            store(Self { active: true, ..self }),
            hook_if(true, Hook::ENTER),
        ])
    }

    #[inline(always)]
    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.active
    }
}
