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

mod area;
mod exit;
mod fork;
mod kasan;
mod madvise;
mod migrate_device;
mod mprotect;
mod mremap;
mod munmap;
mod options;
mod pagemap_scan;
mod reclaim;
mod report;
mod set_memory;
mod stage;
mod uffd_move;
mod vmalloc;

use emu_arch::Arch;

use crate::proc::{BuildError, Mapping};

pub use options::{Options, Workload};
pub use report::{Report, Row};
pub use stage::fork_chain;

use madvise::Advice;
use stage::{Mode, Stage};

/// Runs `workload` over the address space with `mappings` on a machine of `arch`.
///
/// `progress` is called with the pages done and the pages to do, in both runs together, at most
/// once per page table.
///
/// # Errors
/// `NotThere`: the kernel does not have it on the architecture. `TooManyPages`: more pages would be
/// in memory than [`PAGES_MAX`](crate::proc::PAGES_MAX).
pub fn run(
    workload: Workload,
    arch: Arch,
    mappings: &[Mapping],
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, BuildError> {
    workload.is_on(arch).map_err(BuildError::NotThere)?;
    let mut once = |mode| -> Result<_, BuildError> {
        let mut stage = Stage::new(arch, mappings, options, mode, progress)?;
        stage.run(|stage| match workload {
            Workload::Fork => fork::run(stage),
            Workload::Exit => exit::run(stage),
            Workload::Mprotect => mprotect::run(stage),
            Workload::Vmalloc => vmalloc::run(stage),
            Workload::Munmap => munmap::run(stage),
            Workload::Mremap => mremap::run(stage),
            Workload::MadviseCold => madvise::run(stage, Advice::Cold),
            Workload::MadviseFree => madvise::run(stage, Advice::Free),
            Workload::Reclaim => reclaim::run(stage),
            Workload::MigrateDevice => migrate_device::run(stage),
            Workload::UffdMove => uffd_move::run(stage),
            Workload::PagemapScan => pagemap_scan::run(stage),
            Workload::Kasan => kasan::run(stage),
            Workload::SetMemory => set_memory::run(stage),
        })?;
        Ok(stage.finish())
    };
    let lazy = once(Mode::Lazy)?;
    let paused = once(Mode::Paused)?;
    let left_out = mappings.iter().filter(|mapping| !mapping.is_in(arch)).count() as u64;
    Ok(Report::new(workload, arch, options.design, left_out, &lazy, &paused))
}
