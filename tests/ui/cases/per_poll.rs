//! The opt-in for async functions, where it does not fit.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu(per_poll)]
pub fn zap() {}

#[lazy_mmu(per_poll, with_ptes(1, 2, 3, 4))]
pub async fn hinted() {}

#[lazy_mmu_paused(per_poll)]
pub fn held() {}

fn main() {}
