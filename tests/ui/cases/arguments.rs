//! Wrong arguments, all reported at once.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu(crat = ::lazy_mmu, name = 7, crate = "lazy_mmu", with_ptes(mm, addr))]
pub fn zap() {}

#[lazy_mmu_paused(with_ptes(mm, addr, end, ptep), name = "a", name = "b")]
pub fn held() {}

#[lazy_mmu(skip, name = "a")]
pub fn skipped() {}

fn main() {
    zap();
    held();
    skipped();
}
