//! A mapping of an address space: `struct vm_area_struct` and what its flags say.
//!
//! Models include/linux/mm_types.h and include/linux/mm.h (v7.0).

use std::ops::{BitOr, BitOrAssign};

use emu_arch::{Pte, VirtAddr};

/// Flags of a mapping.
///
/// Fidelity: changed: the flags of include/linux/mm.h v7.0 that matter here; the bits are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VmFlags(pub u32);

impl VmFlags {
    /// Pages may be read.
    pub const VM_READ: Self = Self(1 << 0);
    /// Pages may be written.
    pub const VM_WRITE: Self = Self(1 << 1);
    /// Pages may be executed.
    pub const VM_EXEC: Self = Self(1 << 2);
    /// Writes are seen by all who map the same pages.
    pub const VM_SHARED: Self = Self(1 << 3);
    /// `mprotect()` may set [`VM_WRITE`](Self::VM_WRITE).
    pub const VM_MAYWRITE: Self = Self(1 << 4);
    /// Bare frame numbers without `struct page`.
    pub const VM_PFNMAP: Self = Self(1 << 5);
    /// Bare frame numbers beside pages.
    pub const VM_MIXEDMAP: Self = Self(1 << 6);
    /// userfaultfd watches for writes.
    pub const VM_UFFD_WP: Self = Self(1 << 7);
    /// Guard entries may be inside.
    pub const VM_MAYBE_GUARD: Self = Self(1 << 8);
    /// A child gets no copy.
    pub const VM_DONTCOPY: Self = Self(1 << 9);
    /// Page tables that a child cannot rebuild from the file; v7.3 adds `VM_UFFD_RWP`.
    pub const VM_COPY_ON_FORK: Self =
        Self(Self::VM_PFNMAP.0 | Self::VM_MIXEDMAP.0 | Self::VM_UFFD_WP.0 | Self::VM_MAYBE_GUARD.0);

    /// Tells whether any of `flags` is set.
    #[must_use]
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flags without `flags`.
    #[must_use]
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }
}

impl BitOr for VmFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for VmFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A mapping of an address space.
///
/// Fidelity: changed: what page table code asks of `struct vm_area_struct`,
/// include/linux/mm_types.h v7.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmAreaStruct {
    /// First address.
    pub vm_start: VirtAddr,
    /// First address behind the mapping.
    pub vm_end: VirtAddr,
    /// What may be done with the pages.
    pub vm_flags: VmFlags,
    /// The mapping is of no file: `vma_is_anonymous()`.
    pub anonymous: bool,
    /// The mapping has, or had, pages of its own: the kernel's pointer `anon_vma` is set.
    pub anon_vma: bool,
}

impl VmAreaStruct {
    /// Tells whether a write to a page of the mapping makes a copy.
    ///
    /// Fidelity: same as `is_cow_mapping()` of include/linux/mm.h v7.0, `vma_is_cow_mapping()` in
    /// v7.3.
    #[must_use]
    pub const fn is_cow_mapping(&self) -> bool {
        self.vm_flags.has(VmFlags::VM_MAYWRITE) && !self.vm_flags.has(VmFlags::VM_SHARED)
    }

    /// Tells whether a child needs the page tables of the mapping: all others it rebuilds from
    /// faults.
    ///
    /// Fidelity: same as `vma_needs_copy()` of mm/memory.c v7.0.
    #[must_use]
    pub const fn vma_needs_copy(&self) -> bool {
        self.vm_flags.has(VmFlags::VM_COPY_ON_FORK) || self.anon_vma
    }
}

/// The protection that a fresh entry of a mapping with `flags` has, as bits of an entry: without
/// [`Pte::WRITE`] where a write must be seen first.
///
/// Fidelity: changed: `DECLARE_VM_GET_PAGE_PROT` of include/linux/pgtable.h v7.0 and
/// `vm_get_page_prot()` of arch/x86/mm/pgprot.c, arch/arm64/mm/mmap.c and
/// arch/powerpc/mm/book3s64/pgtable.c; shared mappings whose writes the file system wants to see
/// are left out.
#[must_use]
pub const fn vm_get_page_prot(flags: VmFlags) -> u64 {
    let write = flags.has(VmFlags::VM_WRITE) && flags.has(VmFlags::VM_SHARED);
    let exec = flags.has(VmFlags::VM_EXEC);
    let some = VmFlags(VmFlags::VM_READ.0 | VmFlags::VM_WRITE.0 | VmFlags::VM_EXEC.0);
    if !flags.has(some) {
        return Pte::PRESENT | Pte::PROTNONE | Pte::USER | Pte::UXN;
    }
    Pte::PRESENT | Pte::USER | if write { Pte::WRITE } else { 0 } | if exec { 0 } else { Pte::UXN }
}
