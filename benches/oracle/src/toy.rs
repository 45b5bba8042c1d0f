//! The pair of designs that other model checkers were measured with.
//!
//! Two designs with a counter that stops at 255 and ignore what is out of place: calls in
//! interrupt, a disable or a pause without a section, a resume without a pause. One keeps the flag
//! `enabled`, the other `paused`; both clear what they know of a pause when the section ends. They
//! are equivalent, and a task is in one of 511 states: outside of a section, or at a depth of 1 to
//! 255, paused or not.
//!
//! F(255) is all their call sequences on one CPU with two tasks: the running task makes calls, an
//! interrupt begins and ends, and outside of it the other task is switched to. That makes
//! 511 * 511 * 2 * 2 states, half of which have five steps and half six.

use lazy_mmu::design::*;

/// The states of F(255), and the steps from all of them.
pub const F255: (u64, u64) = (1_044_484, 5_744_662);

lazy_mmu::lazy_mmu_state! {
    /// A counter and a flag `enabled`.
    pub struct Enabled { count: u8 = "count", enabled: bool = "enabled" }
}

lazy_mmu::lazy_mmu_state! {
    /// A counter and a flag `paused`.
    pub struct Paused { count: u8 = "count", paused: bool = "paused" }
}

impl LazyMmuDesign for Enabled {
    const ID: &'static str = "toy-enabled";
    const ABOUT: &'static str = "a counter that stops at its end, and a flag enabled";

    fn enable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let first = self.count == 0;
        let count = self.count.saturating_add(1);
        let enabled = self.enabled || first;
        Effects::of([store(Self { count, enabled }), hook_if(first, Hook::ENTER)])
    }

    fn disable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt || self.count == 0 {
            return Effects::NONE;
        }
        let count = self.count - 1;
        let enabled = self.enabled && count > 0;
        let hook = if count == 0 { Hook::LEAVE } else { Hook::FLUSH };
        Effects::of([store(Self { count, enabled }), hook_if(true, hook)])
    }

    fn pause(self, cx: Context) -> Effects<Self> {
        let pauses = !cx.in_interrupt && self.enabled;
        Effects::of([
            store_if(pauses, Self { enabled: false, ..self }),
            hook_if(pauses, Hook::LEAVE),
        ])
    }

    fn resume(self, cx: Context) -> Effects<Self> {
        let resumes = !cx.in_interrupt && self.count > 0 && !self.enabled;
        Effects::of([
            store_if(resumes, Self { enabled: true, ..self }),
            hook_if(resumes, Hook::ENTER),
        ])
    }

    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.enabled
    }
}

impl LazyMmuDesign for Paused {
    const ID: &'static str = "toy-paused";
    const ABOUT: &'static str = "a counter that stops at its end, and a flag paused";

    fn enable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let count = self.count.saturating_add(1);
        Effects::of([store(Self { count, ..self }), hook_if(self.count == 0, Hook::ENTER)])
    }

    fn disable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt || self.count == 0 {
            return Effects::NONE;
        }
        let count = self.count - 1;
        let paused = self.paused && count > 0;
        let hook = if count == 0 { Hook::LEAVE } else { Hook::FLUSH };
        Effects::of([store(Self { count, paused }), hook_if(true, hook)])
    }

    fn pause(self, cx: Context) -> Effects<Self> {
        let pauses = !cx.in_interrupt && self.count > 0 && !self.paused;
        Effects::of([store_if(pauses, Self { paused: true, ..self }), hook_if(pauses, Hook::LEAVE)])
    }

    fn resume(self, cx: Context) -> Effects<Self> {
        let resumes = !cx.in_interrupt && self.paused;
        Effects::of([
            store_if(resumes, Self { paused: false, ..self }),
            hook_if(resumes, Hook::ENTER),
        ])
    }

    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.count > 0 && !self.paused
    }
}
