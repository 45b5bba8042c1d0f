//! Shapes that edition 2024 alone has, or that no two crates of one program can have.

use std::cell::RefCell;

use lazy_mmu::lazy_mmu;

#[lazy_mmu]
pub fn tail_borrows_a_local() -> usize {
    let c = RefCell::new(vec![1]);
    c.borrow().len()
}

#[lazy_mmu]
pub fn let_chain(x: Option<u8>, y: Option<u8>) -> u8 {
    if let Some(x) = x
        && let Some(y) = y
        && x < y
    {
        return x;
    }
    0
}

#[lazy_mmu]
pub fn captures_all_lifetimes(x: &str) -> impl Iterator<Item = char> {
    x.chars()
}

#[lazy_mmu]
pub fn r#gen(r#gen: u8) -> u8 {
    r#gen
}

unsafe extern "C" {
    pub safe fn abs(x: i32) -> i32;
}

#[lazy_mmu]
pub fn calls_safe_foreign(x: i32) -> i32 {
    abs(x)
}

#[lazy_mmu]
pub fn async_closure() -> impl AsyncFn(u8) -> u8 {
    async |x| x
}

// One program links both editions, and a symbol is there once.
#[lazy_mmu]
#[unsafe(no_mangle)]
pub extern "C" fn lazy_mmu_shapes_no_mangle_below() {}

#[unsafe(no_mangle)]
#[lazy_mmu]
pub extern "C" fn lazy_mmu_shapes_no_mangle_above() {}
