//! The C of a kernel tree, compiled and run: the user's own tree as a design of the lab.
//!
//! [`Tree`] is the folder. [`design::of_tree`] cuts the lazy MMU mode out of its headers, has the
//! user's `cc` compile it with small shims of ours, and runs it as a child process; the value that
//! it returns goes wherever a design does. Nothing of a kernel is in this crate.

#![warn(clippy::wildcard_enum_match_arm)]

mod cut;
pub mod design;
mod error;
mod failure;
pub mod arch;
mod guest;
mod shims;
pub mod kunit;
pub mod review;
mod tree;

pub use error::Error;
pub use failure::failure;
pub use guest::{clean_up, notes};
pub use tree::Tree;
