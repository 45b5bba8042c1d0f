//! A constant function.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu]
pub const fn zap() {}

#[lazy_mmu_paused]
pub const unsafe extern "C" fn held() {}

fn main() {}
