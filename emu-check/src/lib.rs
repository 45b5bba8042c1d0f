//! Searches: what can go wrong on an emulated machine, and whether two designs are equivalent.
//!
//! | module | what it searches |
//! |---|---|
//! | [`check`] | every interleaving of tasks, interrupts and preemption on one machine |
//! | [`prove`] | two designs under every call sequence of a language |
//! | [`least`] | the machines that do what an API requires: the smallest |
//! | [`explore`] | any model: the search that both are built on |
//! | [`language`] | the languages of call sequences that both ask for |
//!
//! ```
//! use emu_arch::{Arch, Kernel};
//! use emu_check::prove::Language;
//! use emu_check::{assert_equivalent, assert_holds};
//! use lazy_mmu::design::{counts, independent};
//!
//! // The merged code of arm64, with interrupts and preemption at every point of every call.
//! assert_holds!(Arch::ARM64, Kernel::V7_1, nesting: 1);
//! // The merged design and its predecessor, in nested programs at most 255 deep.
//! assert_equivalent!(counts::State, independent::State, Language::D, nesting: Some(255));
//! ```

#![warn(clippy::wildcard_enum_match_arm)]

pub mod check;
pub mod explore;
pub mod language;
pub mod least;
pub mod prove;
