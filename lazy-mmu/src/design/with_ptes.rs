//! `with-ptes`: `counts` with a range hint on the outermost enable (s390 proposal, 2026).
//!
//! Models 1/4 of "[PATCH v6] s390/mm: Batch PTE updates in lazy MMU mode", Alexander Gordeev, 15
//! July 2026: `lazy_mmu_mode_enable_with_ptes(mm, addr, end, ptep)` counts as enable does and on
//! the first level calls `arch_enter_lazy_mmu_mode_with_ptes()`, by default the plain enter. Not
//! merged.

use super::{CallInfo, Hook, HookInfo, Takes};

/// `lazy_mmu_mode_enable_with_ptes()`
pub const ENABLE_WITH_PTES: CallInfo = CallInfo::ENABLE
    .variant("lazy_mmu_mode_enable_with_ptes", "enable_with_ptes")
    .taking(Takes::PteRange);

/// `arch_enter_lazy_mmu_mode_with_ptes()`
pub const ENTER_WITH_PTES: HookInfo =
    HookInfo::ENTER.variant("arch_enter_lazy_mmu_mode_with_ptes", "arch_enter_with_ptes()");

super::counts::counts_and_more! {
    const ID: &'static str = "with-ptes";
    const ABOUT: &'static str = "counts, with a range hint on enable; s390 proposal, 2026";
    const SOURCE: &'static str =
        "cover.1784121418.git.agordeev@linux.ibm.com, v6 of 15 July 2026";
    const CALLS: &'static [CallInfo] = &[
        CallInfo::ENABLE,
        CallInfo::DISABLE,
        CallInfo::PAUSE,
        CallInfo::RESUME,
        ENABLE_WITH_PTES,
    ];
    const HOOKS: &'static [HookInfo] =
        &[HookInfo::ENTER, HookInfo::LEAVE, HookInfo::FLUSH, ENTER_WITH_PTES];

    fn own_call(self, cx, _: Call) -> Effects<Self> {
        self.enable(cx).replacing(Hook::ENTER, ENTER_WITH_PTES.hook)
    }
}
