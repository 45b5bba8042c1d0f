//! Functions of mm/ in their loop shapes, annotated, and the address spaces that they run over.
//!
//! | kernel | here |
//! |---|---|
//! | mm/ | [`mm`] |
//! | fs/proc/task_mmu.c, read backwards | [`proc`] |
//!
//! [`workload`] runs the first over the second.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod mm;
pub mod proc;
pub mod workload;
