//! Functions that return what runs later.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

use std::future::Future;
use std::pin::Pin;

#[lazy_mmu]
pub fn zap() -> impl Future<Output = u8> {
    std::future::ready(1)
}

#[lazy_mmu_paused]
pub fn held() -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
    Box::pin(async {})
}

fn main() {
    drop((zap(), held()));
}
