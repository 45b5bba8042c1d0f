//! `with-ptes`: `counts` with a range hint on the outermost enable (s390 proposal, 2026).
//!
//! Models 1/4 of "[PATCH v6] s390/mm: Batch PTE updates in lazy MMU mode", Alexander Gordeev, 15
//! July 2026: `lazy_mmu_mode_enable_with_ptes(mm, addr, end, ptep)` counts as enable does and on the
//! first level calls `arch_enter_lazy_mmu_mode_with_ptes()`, by default the plain enter. Not merged.

super::counts::counts_and_more! {
    const ID: &'static str = "with-ptes";
    const ABOUT: &'static str = "counts, with a range hint on enable; s390 proposal, 2026";
    const SOURCE: &'static str =
        "[PATCH v6 1/4] s390/mm: Batch PTE updates in lazy MMU mode, 15 July 2026";
    const HAS_RANGE_HINT: bool = true;
}
