//! `count-paused-rfc`: a counter and a flag "paused" (variant in the proposal of 12 September
//! 2025).
//!
//! The mail that proposes [`count_enabled_rfc`](super::count_enabled_rfc) names this encoding as
//! believed to be equivalent, to be confirmed in practice: `enabled` is what remains of `count > 0`
//! and `!paused`. The calls reach the hooks under the same conditions; only what is stored differs,
//! and with it what the mode is between the effects of a call and after calls outside a section.

use super::{Context, Effects, Hook, LazyMmuDesign, hook_if, store};

crate::lazy_mmu_state! {
    /// The variant of the proposed `task_struct.lazy_mmu_state`.
    pub struct State {
        /// Depth of sections, 0 to 255.
        count: u8 = "count",
        /// The section is paused.
        paused: bool = "paused",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "count-paused-rfc";
    const ABOUT: &'static str = "count and a flag paused; variant of 12 September 2025";
    const SOURCE: &'static str = "338ef811-1dab-4c4e-bc5f-8ebd8cb68435@arm.com";

    /// Calls the hook before it counts: `enter` runs with the mode inactive.
    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        let count = self.count.wrapping_add(1);
        Effects::of([hook_if(self.count == 0, Hook::ENTER), store(Self { count, ..self })])
    }

    /// Counts before it calls the hook.
    #[inline(always)]
    fn disable(self, _: Context) -> Effects<Self> {
        let count = self.count.wrapping_sub(1);
        Effects::of([
            store(Self { count, ..self }),
            hook_if(count == 0, Hook::LEAVE),
            hook_if(count > 0, Hook::FLUSH),
        ])
    }

    /// Leaves whether or not there is a section.
    #[inline(always)]
    fn pause(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { paused: true, ..self }), hook_if(true, Hook::LEAVE)])
    }

    /// Enters whether or not there is a section.
    #[inline(always)]
    fn resume(self, _: Context) -> Effects<Self> {
        Effects::of([hook_if(true, Hook::ENTER), store(Self { paused: false, ..self })])
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.count > 0 && !self.paused
    }
}
