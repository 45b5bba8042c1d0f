//! Several reasons are reported together, and the item is still there.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

pub trait Walk {
    #[lazy_mmu(crat)]
    async fn zap(&self);
}

#[lazy_mmu(oops)]
#[expect(dead_code, reason = "the item is kept, and so are its lints")]
const fn kept() -> u8 {
    3
}

fn main() {
    let _: u8 = kept();
    #[lazy_mmu_paused]
    const fn local() {}
    local();
}
