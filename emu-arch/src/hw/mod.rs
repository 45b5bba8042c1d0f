//! The hardware below the architectures: addresses, page table entries and tables, and what can be
//! done to a processor.

pub mod addr;
pub mod effect;
pub mod hazard;
pub mod pte;
pub mod table;

/// The place of a page table entry: its table and its index, as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u64);
