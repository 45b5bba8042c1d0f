//! `independent`: two counters that know nothing of each other (proposal of 11 November 2025).
//!
//! Models the mail of Ryan Roberts, 824bf705-e9d6-4eeb-9532-9059fa56427f@arm.com: enable and
//! disable count whether paused or not, so brackets may cross in any order. The mail gives the
//! steps and no checks; whether calls in interrupt are ignored is not its subject, and here they
//! count.

use super::{Context, Effects, Hook, LazyMmuDesign, hook_if, store};

crate::lazy_mmu_state! {
    /// The proposed pair of counters.
    pub struct State {
        /// Depth of sections, 0 to 255.
        enable_count: u8 = "enable",
        /// Depth of pauses, 0 to 255.
        pause_count: u8 = "pause",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "independent";
    const ABOUT: &'static str = "two independent counters; proposal of 11 November 2025";
    const SOURCE: &'static str = "824bf705-e9d6-4eeb-9532-9059fa56427f@arm.com";

    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        let enable_count = self.enable_count.wrapping_add(1);
        Effects::of([
            store(Self { enable_count, ..self }),
            hook_if(enable_count == 1 && self.pause_count == 0, Hook::ENTER),
        ])
    }

    /// The flush of a nested disable is implied by the mail.
    #[inline(always)]
    fn disable(self, _: Context) -> Effects<Self> {
        let enable_count = self.enable_count.wrapping_sub(1);
        let running = self.pause_count == 0;
        Effects::of([
            store(Self { enable_count, ..self }),
            hook_if(running && enable_count == 0, Hook::LEAVE),
            hook_if(running && enable_count > 0, Hook::FLUSH),
        ])
    }

    #[inline(always)]
    fn pause(self, _: Context) -> Effects<Self> {
        let pause_count = self.pause_count.wrapping_add(1);
        Effects::of([
            store(Self { pause_count, ..self }),
            hook_if(pause_count == 1 && self.enable_count >= 1, Hook::LEAVE),
        ])
    }

    #[inline(always)]
    fn resume(self, _: Context) -> Effects<Self> {
        let pause_count = self.pause_count.wrapping_sub(1);
        Effects::of([
            store(Self { pause_count, ..self }),
            hook_if(pause_count == 0 && self.enable_count >= 1, Hook::ENTER),
        ])
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.enable_count > 0 && self.pause_count == 0
    }
}
