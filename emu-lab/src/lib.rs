//! Scenarios on the emulated machines, comparisons, and views of their records.
//!
//! [`scenario`] runs calls that a person wrote down, [`compare`] puts them side by side under
//! several designs, and [`render`] shows records to other programs and their hazards to people.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod compare;
pub mod render;
pub mod scenario;
pub mod threads;

/// Errors about input that a person wrote.
pub use emu_input as input;
