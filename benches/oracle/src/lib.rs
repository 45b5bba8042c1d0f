//! The model that both checkers of the bench are given.

pub mod toy;
