//! The documents in docs/ that are computed, as Markdown.
//!
//! | document | module |
//! |---|---|
//! | docs/designs.md | [`designs`] |
//! | docs/equivalence.md | [`equivalence`] |
//! | docs/findings.md | [`findings`] |
//! | docs/fidelity.md, the tables in it | [`fidelity`] |
//! | docs/mm.md | [`mm`] |
//!
//! `cargo run --release -p lazymmu-docs` writes all of them, and a test compares each with its
//! file.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod designs;
pub mod equivalence;
pub mod fidelity;
pub mod findings;
pub mod mm;

mod forked;
mod open_questions;
mod words;
