//! Functions without a body.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

pub trait Walk {
    #[lazy_mmu]
    fn zap(&self);

    #[lazy_mmu_paused]
    fn held(&self);
}

fn main() {}
