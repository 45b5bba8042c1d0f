//! Blocks: what is of one function, and what a function in them may not be.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

pub struct Table;

#[lazy_mmu(name = "table", with_ptes(1, 2, 3, 4))]
impl Table {
    pub fn zap(&self) {}
}

#[lazy_mmu]
impl Table {
    pub const fn constant(&self) {}

    pub async fn zap_later(&self) {}

    #[lazy_mmu(skip)]
    pub async fn skipped(&self) {}
}

#[lazy_mmu_paused]
pub mod held {
    pub fn future() -> Box<dyn Future<Output = ()> + Unpin> {
        Box::new(std::future::ready(()))
    }
}

fn main() {
    Table.zap();
}
