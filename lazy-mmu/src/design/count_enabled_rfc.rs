//! `count-enabled-rfc`: a counter and a flag "enabled" (proposal of 12 September 2025).
//!
//! Models the mail "Re: [PATCH v2 0/7] Nesting support for lazy MMU mode", Kevin Brodsky,
//! 338ef811-1dab-4c4e-bc5f-8ebd8cb68435@arm.com. The mail announces sanity checks and an interrupt
//! bail-out without writing them; this design is the mail as written, so it has neither: counters
//! wrap in silence and calls from interrupts count.

use super::{Context, Effects, Hook, LazyMmuDesign, hook_if, store};

crate::lazy_mmu_state! {
    /// The proposed `task_struct.lazy_mmu_state`.
    pub struct State {
        /// Depth of sections, 0 to 255.
        count: u8 = "count",
        /// The mode is on: in a section and not paused.
        enabled: bool = "enabled",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "count-enabled-rfc";
    const ABOUT: &'static str = "count and a flag enabled; proposal of 12 September 2025";
    const SOURCE: &'static str = "338ef811-1dab-4c4e-bc5f-8ebd8cb68435@arm.com";

    /// Calls the hook before it sets the flag: `enter` runs with the mode inactive.
    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        let count = self.count.wrapping_add(1);
        if self.count > 0 {
            return Effects::of([store(Self { count, ..self })]);
        }
        let on = Self { enabled: true, ..self };
        Effects::of([hook_if(true, Hook::ENTER), store(on), store(Self { count, ..on })])
    }

    /// Clears the flag before it calls the hook.
    #[inline(always)]
    fn disable(self, _: Context) -> Effects<Self> {
        let less = Self { count: self.count.wrapping_sub(1), ..self };
        if less.count > 0 {
            return Effects::of([store(less), hook_if(true, Hook::FLUSH)]);
        }
        let off = Self { enabled: false, ..less };
        Effects::of([store(less), store(off), hook_if(true, Hook::LEAVE)])
    }

    /// Leaves whether or not there is a section.
    #[inline(always)]
    fn pause(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { enabled: false, ..self }), hook_if(true, Hook::LEAVE)])
    }

    /// Enters whether or not there is a section.
    #[inline(always)]
    fn resume(self, _: Context) -> Effects<Self> {
        Effects::of([hook_if(true, Hook::ENTER), store(Self { enabled: true, ..self })])
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.enabled
    }
}
