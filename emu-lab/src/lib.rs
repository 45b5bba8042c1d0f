//! What one does with the emulated machines: mm code to run on them, real address spaces to run it
//! over, and workloads that do both and count.
//!
//! | kernel | here |
//! |---|---|
//! | mm/ | [`mm`] |
//! | fs/proc/task_mmu.c, read backwards | [`proc`] |
//!
//! [`workload`] runs the first over the second.

pub mod mm;
pub mod proc;
pub mod workload;
