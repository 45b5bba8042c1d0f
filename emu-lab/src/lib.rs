//! What one does with the designs and the emulated machines: scenarios, workloads, renderers.
//!
//! | kernel | here |
//! |---|---|
//! | mm/ | [`mm`] |
//! | fs/proc/task_mmu.c, read backwards | [`proc`] |
//!
//! [`workload`] runs the first over the second; [`scenario`] runs calls that a person wrote down, and
//! [`compare`] puts them side by side under several designs. [`prove`] answers whether two designs
//! are equivalent, for all calls that a person could write down.

pub mod book;
pub mod check;
pub mod compare;
pub mod input;
pub mod mm;
pub mod proc;
pub mod prove;
pub mod render;
pub mod scenario;
pub mod threads;
pub mod value;
pub mod workload;
