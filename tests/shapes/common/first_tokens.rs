//! Bodies by what their first token is, which decides where the guard goes.

use lazy_mmu::lazy_mmu;

#[lazy_mmu]
pub fn semicolon_only() {}

#[lazy_mmu]
pub fn literal_only() -> u8 {
    7
}

#[lazy_mmu]
pub fn negative_first() -> i8 {
    -7 + 3
}

#[lazy_mmu]
pub fn deref_first(x: &mut u8) {
    *x = 3;
}

#[lazy_mmu]
pub fn range_first() -> std::ops::RangeTo<u8> {
    ..3
}

#[lazy_mmu]
pub fn closure_first() -> u8 {
    (|| 3)()
}

#[lazy_mmu]
pub fn pipe_first() -> impl Fn() -> u8 {
    || 3
}

#[lazy_mmu]
pub fn attribute_first() -> u8 {
    #[cfg(any())]
    let x: Missing = 1;
    #[cfg(not(any()))]
    let x = 2;
    x
}

#[lazy_mmu]
pub fn attribute_on_tail(x: bool) -> u8 {
    #[allow(clippy::needless_bool, clippy::bool_to_int_with_if)]
    if x { 1 } else { 0 }
}

#[lazy_mmu]
pub fn pub_first() -> u8 {
    pub(crate) const N: u8 = 3;
    N
}

#[lazy_mmu]
pub fn qualifier_first() -> u8 {
    unsafe extern "C" fn foreign() -> u8 {
        3
    }
    unsafe { foreign() }
}

#[lazy_mmu]
pub fn union_as_a_name(union: u8) -> u8 {
    union + 1
}

#[lazy_mmu]
pub fn auto_as_a_name(auto: u8, default: u8, safe: u8) -> u8 {
    auto + default + safe
}

#[lazy_mmu]
pub fn default_called_first() -> u8 {
    fn default() -> u8 {
        3
    }
    default()
}

#[lazy_mmu]
pub fn macro_called_first(x: u8) -> u8 {
    debug_assert!(x < 200);
    x
}

#[lazy_mmu]
pub fn path_first() -> Vec<u8> {
    <Vec<u8>>::new()
}

#[lazy_mmu]
pub fn global_path_first() -> Vec<u8> {
    ::std::vec::Vec::new()
}

#[lazy_mmu]
pub fn reference_first<'a>() -> &'a [u8] {
    &[1, 2]
}

#[lazy_mmu]
pub fn label_first() -> u8 {
    'label: loop {
        break 'label 3;
    }
}

#[lazy_mmu]
pub fn const_block_first() -> u8 {
    const {
        assert!(1 < 2);
    }
    3
}

#[lazy_mmu]
pub fn async_block_first() -> usize {
    async {}.into_size()
}

/// A method to call on an async block.
trait IntoSize: Sized {
    fn into_size(self) -> usize {
        std::mem::size_of::<Self>()
    }
}
impl<T> IntoSize for T {}

#[lazy_mmu]
pub fn string_first() -> &'static str {
    "text".trim()
}
