//! Records for other programs: pure functions from a record to text.
//!
//! What a person reads, the tree, is the `Display` of [`lazy_mmu::Record`] itself.

pub mod json;
