//! Records for other programs, and the hazards in them for people: pure functions from a record to
//! text.
//!
//! The tree that a person reads is the `Display` of [`lazy_mmu::Record`] itself.

pub mod hazards;
pub mod json;
pub mod markdown;
pub mod text;
