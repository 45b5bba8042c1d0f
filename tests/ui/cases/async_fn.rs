//! An async function without a word on how.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu]
pub async fn zap() {}

#[lazy_mmu_paused]
pub async fn held() {}

fn main() {
    drop((zap(), held()));
}
