//! Code of fs/ that works on page tables.
//!
//! | kernel | here |
//! |---|---|
//! | fs/proc/task_mmu.c | [`task_mmu`] |

pub mod task_mmu;
