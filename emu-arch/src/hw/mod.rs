//! The hardware below the architectures: addresses, page table entries and tables, and what can be
//! done to a processor.

pub mod addr;
pub mod effect;
pub mod pte;
pub mod table;
