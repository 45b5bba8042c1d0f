//! Code of architectures that calls the lazy MMU mode itself.
//!
//! | kernel | here |
//! |---|---|
//! | arch/arm64/mm/mmu.c, arch/arm64/mm/pageattr.c | [`arm64`] |
//! | arch/powerpc/mm/book3s64/hash_tlb.c, subpage_prot.c | [`powerpc`] |

pub mod arm64;
pub mod powerpc;

use emu_arch::{MmStruct, VirtAddr};

/// Has pages of the linear map be read-only and writable again, where the architecture's code for
/// that has sections; blocks are split on the way.
pub(crate) fn set_memory_ro_rw(init_mm: &MmStruct, addr: VirtAddr, pages: u64) {
    let map = arm64::KernelMap { mm: init_mm, bbml3: true };
    map.set_memory_ro(addr, pages);
    map.set_memory_rw(addr, pages);
}
