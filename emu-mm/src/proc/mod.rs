//! Address spaces of real processes: their mappings as the kernel prints them, and as page tables.
//!
//! Reads what `show_map_vma()` and `show_smap()` of fs/proc/task_mmu.c (v7.0) print, and builds the
//! page tables of a process that has touched those pages. Nothing here opens a file.
//!
//! ```
//! use emu_arch::{Arch, Machine};
//! use emu_mm::proc::{Populate, build, parse};
//! let text = b"7f0000000000-7f0000004000 rw-p 00000000 00:00 0                          [heap]\n";
//! let mappings = parse(text)?;
//! let space = build(&Machine::new(Arch::ARM64), &mappings, Populate::Rss, 0)?;
//! assert_eq!(space.pages, [4], "no resident set is known: all pages are there");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod cursor;
mod maps;
mod smaps;

pub use build::{AddressSpace, BuildError, FOLIO_ORDER_MAX, PAGES_MAX, Populate, build};

use emu_arch::VirtAddr;
use emu_arch::hw::addr::PAGE_SHIFT;

use crate::mm::vma::VmFlags;
use cursor::Cursor;
use emu_input::InputError;

/// A mapping as the kernel prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: VirtAddr,
    /// First address behind the mapping.
    pub end: VirtAddr,
    /// What may be done with the pages; what only smaps tells is missing in maps.
    pub vm_flags: VmFlags,
    /// Offset into the file, in bytes.
    pub offset: u64,
    /// Inode of the file, 0 without a file.
    pub inode: u64,
    /// The path, or a name in brackets; empty where the kernel prints none.
    pub path: String,
    /// What is in memory; only smaps tells.
    pub memory: Option<Memory>,
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
    /// `ShmemPmdMapped` and `FilePmdMapped`: the same of the rest.
    pub file_pmd_mapped: u64,
}

impl Mapping {
    /// The number of pages that the mapping covers.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        (self.end.get() - self.start.get()) >> PAGE_SHIFT
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

/// Parses the text of `/proc/PID/maps` or `/proc/PID/smaps`.
///
/// Mappings in the kernel's half (`[vsyscall]`) are skipped: the process has no page tables there.
///
/// # Errors
/// The first place that is not as the kernel prints it: its line, column and what was expected.
pub fn parse(text: &[u8]) -> Result<Vec<Mapping>, InputError> {
    let text = emu_input::text(text)?;
    let mut mappings: Vec<Mapping> = Vec::new();
    let mut skipping = false;
    for (index, line) in text.lines().enumerate() {
        let mut cursor = Cursor::new(index + 1, line);
        if smaps::is_key(line) {
            match mappings.last_mut() {
                _ if skipping => {}
                Some(mapping) => smaps::key(&mut cursor, mapping)?,
                None => {
                    return Err(
                        cursor.error(line.len(), "expected a mapping, found a key of smaps")
                    );
                }
            }
            continue;
        }
        let mapping = maps::mapping(&mut cursor)?;
        skipping = mapping.is_none();
        if let Some(mapping) = mapping {
            maps::in_order(mappings.last(), &mapping, line)?;
            mappings.push(mapping);
        }
    }
    smaps::complete(&mappings)?;
    Ok(mappings)
}
