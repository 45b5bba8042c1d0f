//! Which workloads there are, and how one runs.

use std::num::NonZeroU32;

use emu_arch::{Kernel, UnknownId};
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
