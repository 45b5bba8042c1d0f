//! `counts-task`: `counts` with pause and resume of another task (v7.2-rc1).
//!
//! Models include/linux/pgtable.h after 811f0d8caa40, bec6f41a6fe5 and 1d5d1b8a4cd1: the bodies of
//! pause and resume move into `__task_lazy_mmu_mode_pause(tsk)` and
//! `__task_lazy_mmu_mode_resume(tsk)`, which take any task and do not ask for interrupts. Xen PV
//! calls them in its context switch. For code that only uses the four calls nothing changes.

use super::{Context, Effects, LazyMmuDesign, LazyMmuState, StateBits, counts};

/// The counters of [`counts`], under a design of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State(pub counts::State);

impl LazyMmuState for State {
    #[inline(always)]
    fn pack(self) -> StateBits {
        self.0.pack()
    }

    #[inline(always)]
    fn unpack(bits: StateBits) -> Self {
        Self(counts::State::unpack(bits))
    }

    fn fields(self, see: &mut dyn FnMut(super::Field)) {
        self.0.fields(see);
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "counts-task";
    const ABOUT: &'static str = "counts, with pause and resume of another task; v7.2";
    const SOURCE: &'static str = "811f0d8caa40, bec6f41a6fe5, 1d5d1b8a4cd1";

    const HAS_TASK_CALLS: bool = true;

    #[inline(always)]
    fn enable(self, cx: Context) -> Effects<Self> {
        self.0.enable(cx).map(Self)
    }

    #[inline(always)]
    fn disable(self, cx: Context) -> Effects<Self> {
        self.0.disable(cx).map(Self)
    }

    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        self.0.pause(cx).map(Self)
    }

    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        self.0.resume(cx).map(Self)
    }

    #[inline(always)]
    fn is_active(self, cx: Context) -> bool {
        self.0.is_active(cx)
    }
}
