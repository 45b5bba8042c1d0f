//! A naked function; that its body is assembly is checked by the compiler.
use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

#[lazy_mmu]
#[unsafe(naked)]
pub extern "C" fn zap() {
    core::arch::naked_asm!("ret")
}

#[lazy_mmu_paused]
pub fn held() {}

fn main() {}
