//! Memory management code in the loop shapes of the kernel's, annotated as the kernel's would be.
//!
//! Models the users of the lazy MMU mode in mm/ (v7.3). A function that the kernel has as one is
//! two here where it takes a lock: the outer one takes it, the inner one receives the locked table
//! and is annotated. The section thus ends before a TLB flush that must precede the unlock, and the
//! unlock comes last.
//!
//! | kernel | here |
//! |---|---|
//! | mm/memory.c | [`memory`] |
//! | mm/mprotect.c | [`mprotect`] |
//! | mm/vmalloc.c | [`vmalloc`] |
//! | mm/mremap.c | [`mremap`] |
//! | mm/madvise.c | [`madvise`] |
//! | mm/vmscan.c | [`vmscan`] |
//! | mm/migrate_device.c | [`migrate_device`] |
//! | mm/userfaultfd.c | [`userfaultfd`] |
//! | mm/kasan/shadow.c | [`kasan`] |
//! | mm/huge_memory.c | [`huge_memory`] |
//! | mm/mmu_gather.c | [`mmu_gather`] |
//! | mm/internal.h | [`internal`] |
//! | include/linux/pgtable.h, functions over several entries | `ptes` |
//! | include/linux/mm.h | [`vma`] |
//! | include/uapi/asm-generic/errno-base.h | [`Errno`] |
//! | include/linux/sched.h, rescheduling | [`resched`] |

pub mod kasan;
pub mod madvise;
pub mod memory;
pub mod migrate_device;
pub mod mprotect;
pub mod mremap;
pub mod userfaultfd;
pub mod vmalloc;
pub mod vmscan;

mod errno;
pub mod huge_memory;
pub mod internal;
pub mod mmu_gather;
pub(crate) mod ptes;
pub mod resched;
pub mod vma;

pub use errno::Errno;
pub use mmu_gather::MmuGather;
pub use resched::Resched;
pub use vma::VmAreaStruct;
