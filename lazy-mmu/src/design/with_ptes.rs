//! `with-ptes`: `counts` with a range hint on the outermost enable (s390 proposal, 2026).
//!
//! Models 1/4 of "[PATCH v6] s390/mm: Batch PTE updates in lazy MMU mode", Alexander Gordeev, 15
//! July 2026: `lazy_mmu_mode_enable_with_ptes(mm, addr, end, ptep)` counts as enable does and on the
//! first level calls `arch_enter_lazy_mmu_mode_with_ptes()`, by default the plain enter. Not merged.

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
    const ID: &'static str = "with-ptes";
    const ABOUT: &'static str = "counts, with a range hint on enable; s390 proposal, 2026";
    const SOURCE: &'static str =
        "[PATCH v6 1/4] s390/mm: Batch PTE updates in lazy MMU mode, 15 July 2026";

    const HAS_RANGE_HINT: bool = true;

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
