//! `sketch`: a counter and a flag "paused", hooks at the outermost level only (10-11 September
//! 2025).
//!
//! Models the sketch of David Hildenbrand in the thread of v2, ef343405-c394-4763-a79f-21381f217b6c
//! and 4aa28016-5678-4c66-8104-8dcc3fa2f5ce: nothing of the API may be called while paused, with
//! sanity checks for that and for underflow. A nested disable flushes nothing, which later designs
//! all mend. The sketch leaves two things open, settled here as the designs that grew out of it do:
//! a counter changes before the hook, and a pause outside a section reaches no hook.

use super::{Context, Effects, Hook, LazyMmuDesign, Warn, hook_if, store, warn_if};

crate::lazy_mmu_state! {
    /// The sketched fields of `task_struct`.
    pub struct State {
        /// Depth of sections, 0 to 255.
        enabled_count: u8 = "enabled",
        /// The section is paused.
        paused: bool = "paused",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "sketch";
    const ABOUT: &'static str = "enabled_count and a flag paused; sketch, September 2025";
    const SOURCE: &'static str = "ef343405-c394-4763-a79f-21381f217b6c@redhat.com, \
         4aa28016-5678-4c66-8104-8dcc3fa2f5ce@redhat.com";

    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        Effects::of([
            warn_if(self.paused, Warn::once("paused")),
            store(Self { enabled_count: self.enabled_count.wrapping_add(1), ..self }),
            hook_if(self.enabled_count == 0, Hook::ENTER),
        ])
    }

    /// Leaves at the outermost level and does nothing at others.
    #[inline(always)]
    fn disable(self, _: Context) -> Effects<Self> {
        let enabled_count = self.enabled_count.wrapping_sub(1);
        Effects::of([
            warn_if(self.paused, Warn::once("paused")),
            warn_if(self.enabled_count == 0, Warn::once("enabled_count == 0")),
            store(Self { enabled_count, ..self }),
            hook_if(enabled_count == 0, Hook::LEAVE),
        ])
    }

    #[inline(always)]
    fn pause(self, _: Context) -> Effects<Self> {
        Effects::of([
            warn_if(self.paused, Warn::once("paused")),
            store(Self { paused: true, ..self }),
            hook_if(self.enabled_count > 0, Hook::LEAVE),
        ])
    }

    /// `lazy_mmu_continue()` in the sketch.
    #[inline(always)]
    fn resume(self, _: Context) -> Effects<Self> {
        Effects::of([
            warn_if(!self.paused, Warn::once("!paused")),
            store(Self { paused: false, ..self }),
            hook_if(self.enabled_count > 0, Hook::ENTER),
        ])
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.enabled_count > 0 && !self.paused
    }
}
