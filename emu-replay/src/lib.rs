//! Logs of strace as the lives of address spaces, and what these cost on emulated machines.
//!
//! | what | here |
//! |---|---|
//! | lines of a log, as calls | [`strace`] |
//! | the mappings of an address space, as mm/vma.c has them | [`space`] |
//! | its page tables, under a model of which pages are touched | [`pages`] |
//! | processes and threads: who has which address space | [`life`] |
//! | what the calls do to page tables, on machines | [`run`] |
//!
//! Nothing here opens a file; a log is read line by line, and only what is alive is kept.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod job;
pub mod life;
pub mod pages;
pub mod run;
pub mod space;
pub mod strace;
