//! Memory management code in the loop shapes of the kernel's, annotated as the kernel's would be.
//!
//! Models the users of the lazy MMU mode in mm/ (v7.0). A function that the kernel has as one is
//! two here where it takes a lock: the outer one takes it, the inner one receives the locked table
//! and is annotated. The section thus ends before a TLB flush that must precede the unlock, and the
//! unlock comes last.
//!
//! | kernel | here |
//! |---|---|
//! | mm/memory.c | [`memory`] |
//! | mm/mprotect.c | [`mprotect`] |
//! | mm/vmalloc.c | [`vmalloc`] |
//! | mm/mmu_gather.c | [`mmu_gather`] |
//! | mm/internal.h | [`internal`] |
//! | include/linux/pgtable.h, functions over several entries | `ptes` |
//! | include/linux/mm.h | [`vma`] |
//! | include/linux/sched.h, rescheduling | [`resched`] |

pub mod memory;
pub mod mprotect;
pub mod vmalloc;

pub mod internal;
pub mod mmu_gather;
mod ptes;
pub mod resched;
pub mod vma;

pub use mmu_gather::MmuGather;
pub use resched::Resched;
pub use vma::VmAreaStruct;
