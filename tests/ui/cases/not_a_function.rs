//! Items that have no body to run.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu]
pub struct Zap;

#[lazy_mmu_paused]
pub static HELD: Zap = Zap;

fn main() {}
