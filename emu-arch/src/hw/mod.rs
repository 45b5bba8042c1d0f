//! The hardware below the architectures: addresses, page table entries and tables, and what can be
//! done to a processor.

pub mod addr;
pub mod effect;
pub mod limits;
pub mod page_map;
pub mod pte;
pub mod table;

/// The place of a page table entry: its table and its index, as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

/// How many of `items` come before the first that is not what `wanted` says; asked block by block, which
/// is faster where there are many.
#[inline]
pub(crate) fn leading<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> usize {
    const BLOCK: usize = 16;
    let all = |block: &&[T]| block.iter().fold(true, |all, item| all & wanted(item));
    let blocks = items.chunks_exact(BLOCK).take_while(all).count() * BLOCK;
    blocks + items[blocks..].iter().take_while(|item| wanted(item)).count()
}
