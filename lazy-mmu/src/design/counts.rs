//! `counts`: two independent counters, calls ignored while paused (v5 = v6 = merged in v7.0).
//!
//! Models `lazy_mmu_mode_{enable,disable,pause,resume}()` of include/linux/pgtable.h as of commit
//! 5ab246749569, with the interrupt bail-out of 9273dfaeaca8. State changes before the hook is
//! called, so `arch_enter` runs with the mode active and `arch_leave` with it inactive.

use super::{Call, Context, Effects, Hook, LazyMmuDesign, Warn, hook_if, store, warn_if};

crate::lazy_mmu_state! {
    /// `struct lazy_mmu_state` of include/linux/mm_types_task.h.
    ///
    /// Fidelity: same as include/linux/mm_types_task.h @5ab246749569.
    pub struct State {
        /// Depth of sections, 0 to 255.
        enable_count: u8 = "enable",
        /// Depth of pauses, 0 to 255.
        pause_count: u8 = "pause",
    }
}

/// Makes `call` on a packed state if all that happens is that a counter moves: no check fires, and
/// no pause makes the call do nothing; only the four calls of the kernel do.
///
/// The same as [`LazyMmuDesign::step`] wherever that stores without a warning, but one comparison
/// long. Values above the packed states are left alone.
#[inline(always)]
#[must_use]
pub const fn count(state: u32, call: Call) -> Option<u32> {
    let (in_range, moved) = match call {
        Call::ENABLE => (state < 0xff, state.wrapping_add(1)),
        Call::DISABLE => (state.wrapping_sub(1) < 0xff, state.wrapping_sub(1)),
        Call::PAUSE => (state < 0xff00, state.wrapping_add(0x100)),
        Call::RESUME => (state.wrapping_sub(0x100) < 0xff00, state.wrapping_sub(0x100)),
        _ => (false, state),
    };
    if in_range { Some(moved) } else { None }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "counts";
    const ABOUT: &'static str = "enable_count and pause_count; v5, v6, merged in v7.0";
    const SOURCE: &'static str = "5ab246749569, 9273dfaeaca8";

    /// Fidelity: same as include/linux/pgtable.h @5ab246749569.
    #[inline(always)]
    fn enable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt || self.pause_count > 0 {
            return Effects::NONE;
        }
        let enable_count = self.enable_count.wrapping_add(1);
        Effects::of([
            warn_if(self.enable_count == u8::MAX, Warn::once("state->enable_count == U8_MAX")),
            store(Self { enable_count, ..self }),
            hook_if(self.enable_count == 0, Hook::ENTER),
        ])
    }

    /// Fidelity: same as include/linux/pgtable.h @5ab246749569.
    #[inline(always)]
    fn disable(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt || self.pause_count > 0 {
            return Effects::NONE;
        }
        let enable_count = self.enable_count.wrapping_sub(1);
        Effects::of([
            warn_if(self.enable_count == 0, Warn::once("state->enable_count == 0")),
            store(Self { enable_count, ..self }),
            hook_if(enable_count == 0, Hook::LEAVE),
            hook_if(enable_count != 0, Hook::FLUSH),
        ])
    }

    /// Fidelity: same as include/linux/pgtable.h @5ab246749569.
    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let pause_count = self.pause_count.wrapping_add(1);
        Effects::of([
            warn_if(self.pause_count == u8::MAX, Warn::once("state->pause_count == U8_MAX")),
            store(Self { pause_count, ..self }),
            hook_if(self.pause_count == 0 && self.enable_count > 0, Hook::LEAVE),
        ])
    }

    /// Fidelity: same as include/linux/pgtable.h @5ab246749569.
    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        if cx.in_interrupt {
            return Effects::NONE;
        }
        let pause_count = self.pause_count.wrapping_sub(1);
        Effects::of([
            warn_if(self.pause_count == 0, Warn::once("state->pause_count == 0")),
            store(Self { pause_count, ..self }),
            hook_if(pause_count == 0 && self.enable_count > 0, Hook::ENTER),
        ])
    }

    /// Fidelity: same as `is_lazy_mmu_mode_active()` in include/linux/sched.h @5ab246749569.
    #[inline(always)]
    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.enable_count > 0 && self.pause_count == 0
    }
}

/// Declares the `State` of a design that answers the four calls as `counts` does, under an id of
/// its own and with what else it has.
macro_rules! counts_and_more {
    (
        $($(#[$meta:meta])* const $name:ident: $ty:ty = $value:expr;)*
        $(fn own_call($this:ident, $cx:ident, _: Call) -> Effects<Self> $own_call:block)?
    ) => {
        /// The counters of [`counts`](super::counts), under a design of its own.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct State(pub $crate::design::counts::State);

        impl $crate::design::LazyMmuState for State {
            #[inline(always)]
            fn pack(self) -> $crate::design::StateBits {
                self.0.pack()
            }
            #[inline(always)]
            fn unpack(bits: $crate::design::StateBits) -> Self {
                Self($crate::design::LazyMmuState::unpack(bits))
            }
            fn fields(self) -> $crate::design::Fields {
                self.0.fields()
            }
        }

        impl $crate::design::LazyMmuDesign for State {
            $($(#[$meta])* const $name: $ty = $value;)*

            #[inline(always)]
            fn enable(self, cx: $crate::design::Context) -> $crate::design::Effects<Self> {
                self.0.enable(cx).map(Self)
            }
            #[inline(always)]
            fn disable(self, cx: $crate::design::Context) -> $crate::design::Effects<Self> {
                self.0.disable(cx).map(Self)
            }
            #[inline(always)]
            fn pause(self, cx: $crate::design::Context) -> $crate::design::Effects<Self> {
                self.0.pause(cx).map(Self)
            }
            #[inline(always)]
            fn resume(self, cx: $crate::design::Context) -> $crate::design::Effects<Self> {
                self.0.resume(cx).map(Self)
            }
            #[inline(always)]
            fn is_active(self, cx: $crate::design::Context) -> bool {
                self.0.is_active(cx)
            }
            $(fn own_call(
                $this,
                $cx: $crate::design::Context,
                _: $crate::design::Call,
            ) -> $crate::design::Effects<Self> $own_call)?
        }
    };
}

pub(super) use counts_and_more;

#[cfg(test)]
mod tests {
    use super::super::{Call, Context, LazyMmuDesign, LazyMmuState, StateBits};
    use super::{State, count};

    #[test]
    fn counting_is_a_step_of_the_design() {
        for bits in 0..=0xffffu32 {
            for call in Call::KERNEL {
                let state = State::unpack(StateBits(bits.into()));
                let effects = state.step(Context::default(), call);
                let moves = effects.stored().filter(|_| !effects.warns());
                let moves = moves.map(|state| state.pack().0 as u32);
                assert_eq!(count(bits, call), moves, "{call:?} from {state:?}");
            }
        }
        for call in Call::KERNEL {
            assert_eq!(count(u32::MAX, call), None, "no state at all");
        }
    }
}
