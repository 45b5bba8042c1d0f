//! The hardware below the architectures: addresses, page table entries and tables, and what can be
//! done to a processor.

pub mod addr;
pub mod effect;
pub mod limits;
pub mod page_map;
pub mod pte;
mod softleaf;
pub mod table;

pub use softleaf::SoftLeaf;

/// The place of a page table entry: its table and its index, as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);

impl Slot {
    /// Bits of the index in a table.
    const INDEX_SHIFT: u32 = addr::PTRS_PER_PTE.ilog2();

    /// The place of entry `index` of the table of that number.
    #[inline]
    #[must_use]
    pub const fn new(table: u32, index: u16) -> Self {
        let index = index as u64 % addr::PTRS_PER_PTE as u64;
        Self((table as u64) << Self::INDEX_SHIFT | index)
    }

    /// The number of the table, and the index in it.
    #[inline]
    #[must_use]
    pub const fn place(self) -> (usize, u16) {
        let index = self.0 % addr::PTRS_PER_PTE as u64;
        ((self.0 >> Self::INDEX_SHIFT) as usize, index as u16)
    }
}

const _: () = assert!(addr::PTRS_PER_PTE.is_power_of_two(), "an index is a number of bits");

/// How many of `items` come before the first that is not what `wanted` says; asked block by block,
/// which is faster where there are many.
#[inline]
pub(crate) fn leading<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> usize {
    const BLOCK: usize = 16;
    let all = |block: &&[T]| block.iter().fold(true, |all, item| all & wanted(item));
    let blocks = items.chunks_exact(BLOCK).take_while(all).count() * BLOCK;
    blocks + items[blocks..].iter().take_while(|item| wanted(item)).count()
}
