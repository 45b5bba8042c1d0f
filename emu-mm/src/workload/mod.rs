//! Workloads: what a process or the kernel does to a whole address space, counted.
//!
//! Each runs twice on machines of its own: as the kernel does it, and with the mode paused from
//! beginning to end, so that every update takes effect at once. The difference is what the mode
//! saves.
//!
//! ```
//! use emu_arch::{Arch, Kernel};
//! use emu_mm::workload::{Options, Workload, run};
//! let maps = b"7f0000000000-7f0000400000 rw-p 00000000 00:00 0\n";
//! let mappings = emu_mm::proc::parse(maps)?;
//! let report =
//!     run(Workload::Vmalloc, Arch::ARM64, &mappings, &Options::default(), &mut |_, _| {})?;
//! // 1024 pages in two tables, a dsb(ishst) and an isb() each.
//! assert_eq!((report.total.delayable(), report.total.delayable_paused()), (4, 2048));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exit;
mod fork;
mod mprotect;
mod report;
mod stage;
mod vmalloc;

use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU32;
use std::str::FromStr;

use emu_arch::{Arch, Kernel, UnknownId};
use lazy_mmu::design::Design;

use crate::proc::{BuildError, Mapping, Populate};

pub use report::{Report, Row};

use stage::{Mode, Stage};

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Workload {
    /// `fork()`: a child gets a copy of the page tables.
    Fork,
    /// `exit()`: all page tables are emptied.
    Exit,
    /// `mprotect()`: each mapping that may be written becomes read-only.
    Mprotect,
    /// `vmalloc()` and `vfree()`: as many pages as each mapping has in memory are mapped into the
    /// kernel's address space, used, and unmapped.
    Vmalloc,
}

impl Workload {
    /// Every workload.
    pub const ALL: [Self; 4] = [Self::Fork, Self::Exit, Self::Mprotect, Self::Vmalloc];

    /// The name that the command line uses.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Exit => "exit",
            Self::Mprotect => "mprotect",
            Self::Vmalloc => "vmalloc",
        }
    }

    /// One line on what the workload does.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Fork => "copy the page tables for a child (copy_page_range)",
            Self::Exit => "empty all page tables (unmap_page_range)",
            Self::Mprotect => "make each writable mapping read-only (change_protection)",
            Self::Vmalloc => "map and unmap as many kernel pages (vmap_pages_range, vunmap_range)",
        }
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Workload {
    type Err = UnknownId;

    fn from_str(id: &str) -> Result<Self, UnknownId> {
        let found = Self::ALL.into_iter().find(|workload| workload.id() == id);
        found.ok_or_else(|| UnknownId::new("workload", id))
    }
}

/// How a workload runs.
#[derive(Clone, Copy, Debug, Default)]
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
}

/// Runs `workload` over the address space with `mappings` on a machine of `arch`.
///
/// `progress` is called with the pages done and the pages to do, in both runs together, at most
/// once per page table.
///
/// # Errors
/// `TooManyPages`: more pages would be in memory than [`PAGES_MAX`](crate::proc::PAGES_MAX).
pub fn run(
    workload: Workload,
    arch: Arch,
    mappings: &[Mapping],
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, BuildError> {
    let mut once = |mode| -> Result<_, BuildError> {
        let mut stage = Stage::new(arch, mappings, options, mode, progress)?;
        stage.run(|stage| match workload {
            Workload::Fork => fork::run(stage),
            Workload::Exit => exit::run(stage),
            Workload::Mprotect => mprotect::run(stage),
            Workload::Vmalloc => vmalloc::run(stage),
        })?;
        Ok(stage.finish())
    };
    let lazy = once(Mode::Lazy)?;
    let paused = once(Mode::Paused)?;
    Ok(Report::new(workload, arch, options.design, &lazy, &paused))
}
