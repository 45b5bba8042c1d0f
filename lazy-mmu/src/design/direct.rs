//! `direct`: no generic layer; calls go straight to the architecture (mainline up to v6.19).
//!
//! Models the direct uses of `arch_enter_lazy_mmu_mode()` and `arch_leave_lazy_mmu_mode()` before
//! commit 0a096ab7a3a6. The contract was "no nesting, not in interrupt" (691ee97e1a9d), but nobody
//! checked it here: what nesting does is the architecture's affair. A pause was a leave, a resume
//! an enter, written out by hand (mm/kasan/shadow.c).

use super::{Context, Effects, Hook, LazyMmuDesign, hook_if, store};

crate::lazy_mmu_state! {
    /// The architecture's mode word in its simplest form: the last hook called was enter.
    ///
    /// Fidelity: changed: `TIF_LAZY_MMU` of arm64, `active` of the powerpc and sparc batches and
    /// `xen_lazy_mode` of Xen, up to v6.19, without their checks and interrupt tests.
    pub struct State {
        /// The mode is on.
        lazy: bool = "lazy",
    }
}

impl LazyMmuDesign for State {
    const ID: &'static str = "direct";
    const ABOUT: &'static str = "no generic layer, straight to the architecture; up to v6.19";
    const SOURCE: &'static str = "in use until 0a096ab7a3a6; its contract: 691ee97e1a9d";

    #[inline(always)]
    fn enable(self, _: Context) -> Effects<Self> {
        Effects::of([hook_if(true, Hook::ENTER), store(Self { lazy: true })])
    }

    #[inline(always)]
    fn disable(self, _: Context) -> Effects<Self> {
        Effects::of([hook_if(true, Hook::LEAVE), store(Self { lazy: false })])
    }

    #[inline(always)]
    fn pause(self, cx: Context) -> Effects<Self> {
        self.disable(cx)
    }

    #[inline(always)]
    fn resume(self, cx: Context) -> Effects<Self> {
        self.enable(cx)
    }

    #[inline(always)]
    fn is_active(self, _: Context) -> bool {
        self.lazy
    }
}
