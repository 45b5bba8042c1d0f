//! The attributes `#[lazy_mmu]` and `#[lazy_mmu_paused]`.
