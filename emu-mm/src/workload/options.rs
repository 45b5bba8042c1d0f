//! Which workloads there are, and how one runs.

use std::num::NonZeroU32;

use emu_arch::{Arch, Kernel, UnknownId};
use lazy_mmu::design::Design;

use crate::proc::Populate;

lazy_mmu::rows! {
    /// A workload.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Workload, id, UnknownId::new("workload") {
        /// `fork()`: a child gets a copy of the page tables.
        Fork = "fork", "copy the page tables for a child (copy_page_range)";
        /// `exit()`: all page tables are emptied.
        Exit = "exit", "empty all page tables (unmap_page_range)";
        /// `mprotect()`: each mapping that may be written becomes read-only.
        Mprotect = "mprotect", "make each writable mapping read-only (change_protection)";
        /// `vmalloc()` and `vfree()`: as many pages as each mapping has in memory are mapped into
        /// the kernel's address space, used, and unmapped.
        Vmalloc = "vmalloc", "map and unmap as many kernel pages (vmap_pages_range, vunmap_range)";
        /// `munmap()`: each mapping goes away by a call of its own.
        Munmap = "munmap", "unmap each mapping (unmap_page_range)";
        /// `mremap()`: each mapping moves to other addresses.
        Mremap = "mremap", "move each mapping, one page off (move_page_tables)";
        /// `madvise(MADV_COLD)`
        MadviseCold = "madvise-cold", "take all pages for cold (madvise_cold_or_pageout_pte_range)";
        /// `madvise(MADV_FREE)`, for memory of no file.
        MadviseFree = "madvise-free", "give anonymous pages up (madvise_free_pte_range)";
        /// Reclaim looks which pages were used.
        Reclaim = "reclaim", "find the pages that were used (walk_mm or lru_gen_look_around)";
        /// A driver has the pages move to a device.
        MigrateDevice = "migrate-device", "collect all pages for a device (migrate_vma_collect)";
        /// `UFFDIO_MOVE`, for memory of no file.
        UffdMove = "uffd-move", "move anonymous pages by userfaultfd (move_pages)";
        /// `PAGEMAP_SCAN`: each mapping is watched for writes.
        PagemapScan = "pagemap-scan", "watch all pages for writes (pagemap_scan_pmd_entry)";
        /// Kernel memory gets shadow memory and loses it.
        Kasan = "kasan", "map and unmap shadow memory for as many kernel pages (KASAN)";
        /// `set_memory_ro()` and `set_memory_rw()`, where they have sections.
        SetMemory = "set-memory", "make as many kernel pages read-only and back (arch code)";
    }
}

impl Workload {
    /// Tells whether the kernel has it on `arch`.
    ///
    /// # Errors
    /// Why not.
    pub fn is_on(self, arch: Arch) -> Result<(), &'static str> {
        let facts = arch.facts();
        if self == Self::Kasan && !facts.kasan_vmalloc {
            return Err("the architecture has no CONFIG_KASAN_VMALLOC");
        }
        if self == Self::PagemapScan && !facts.userfaultfd_wp {
            return Err("the architecture has no CONFIG_HAVE_ARCH_USERFAULTFD_WP");
        }
        if self == Self::MigrateDevice && !facts.device_migration {
            return Err("the architecture has no CONFIG_DEVICE_MIGRATION");
        }
        if self == Self::SetMemory && !facts.arch_code_sleeps {
            return Err("the architecture changes the kernel's mappings outside of sections");
        }
        Ok(())
    }
}

/// How a workload runs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which pages are in memory.
    pub populate: Populate,
    /// The scheduler wants the CPU back after that many questions; never by default.
    pub resched: Option<NonZeroU32>,
    /// Pages of a folio as a power of two, 0 to 9.
    pub folio_order: u8,
    /// The era of the architecture's code.
    pub kernel: Kernel,
    /// The design of the API. The run with the mode paused is always that of the default design:
    /// what takes effect at once depends on no design.
    pub design: Design,
    /// How many forks lie between the first task of the kernel, which was never forked, and the
    /// task of the workload: 1 for PID 1 and for a kernel thread, at least 2 for a process that one
    /// of these forked. It matters where a fork or a context switch leaves a trace in the task, as
    /// under Xen PV in v7.2 and v7.3.
    pub generation: u32,
}

impl Default for Options {
    /// A process that another one forked.
    fn default() -> Self {
        Self {
            populate: Populate::default(),
            resched: None,
            folio_order: 0,
            kernel: Kernel::default(),
            design: Design::default(),
            generation: 2,
        }
    }
}
