//! A mapping of an address space as the kernel prints it.

use emu_arch::hw::addr::PAGE_SHIFT;
use emu_arch::{Arch, VirtAddr};

use super::pagemap::PageRun;
use crate::mm::vma::VmFlags;

/// A mapping as the kernel prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: VirtAddr,
    /// First address behind the mapping.
    pub end: VirtAddr,
    /// First address as the kernel prints it: not `start` for a mapping above the hole.
    pub va: u64,
    /// The mapping lies above the hole in the user addresses of sparc64. The lab has it in the
    /// upper half of its own, so that its pages share tables as there; other architectures have
    /// none there.
    pub above_hole: bool,
    /// What may be done with the pages; what only smaps tells is missing in maps.
    pub vm_flags: VmFlags,
    /// Offset into the file, in bytes.
    pub offset: u64,
    /// Inode of the file, 0 without a file.
    pub inode: u64,
    /// The path, or a name in brackets; empty where the kernel prints none. Bytes that are no text
    /// are replacement characters.
    pub path: String,
    /// What is in memory; only smaps tells.
    pub memory: Option<Memory>,
    /// Which pages are there, where pagemap was read.
    pub runs: Option<Vec<PageRun>>,
    /// The mapping is of huge pages, whose entries are in no page table of the last level.
    pub hugetlb: bool,
    /// Number of the line that the mapping was read from, from 1.
    pub line: usize,
}

/// What of a mapping is in memory, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// `Rss`: all of it.
    pub rss: u64,
    /// `Anonymous`: what belongs to no file.
    pub anonymous: u64,
    /// `AnonHugePages`: the part of `anonymous` that page tables of the last level do not map.
    pub anon_huge_pages: u64,
    /// `KernelPageSize`
    pub kernel_page_size: u64,
    /// `Shared_Dirty` and `Private_Dirty`: what must be written to the file, or to swap.
    pub dirty: u64,
    /// `ShmemPmdMapped` and `FilePmdMapped`: the same of the rest.
    pub file_pmd_mapped: u64,
}

impl Mapping {
    /// Tells whether a process on `arch` can have the mapping.
    #[must_use]
    pub fn is_in(&self, arch: Arch) -> bool {
        !self.above_hole || arch.facts().va_hole
    }

    /// The number of pages that the mapping covers.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        (self.end.get() - self.start.get()) >> PAGE_SHIFT
    }

    /// First address behind the mapping as the kernel prints it.
    #[must_use]
    pub const fn va_end(&self) -> u64 {
        self.va.wrapping_add(self.end.get() - self.start.get())
    }

    /// Tells whether the mapping is private.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        !self.vm_flags.has(VmFlags::VM_SHARED)
    }

    /// Tells whether the mapping is of no file: memory of the process alone.
    ///
    /// The kernel's own mappings (`[vdso]`, `[vvar]`) count as files: their pages are the kernel's.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        let kernels = ["[vdso]", "[vvar]", "[vvar_vclock]", "[sigpage]", "[vectors]", "[uprobes]"];
        self.inode == 0 && self.is_private() && !kernels.contains(&self.path.as_str())
    }
}
