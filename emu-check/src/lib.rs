//! Searches: [`check`] explores every interleaving on an emulated machine, [`prove`] compares pure
//! designs under every sequence of calls, and [`book`] computes the documents that quote both.

pub mod book;
pub mod check;
pub mod explore;
pub mod language;
pub mod prove;
