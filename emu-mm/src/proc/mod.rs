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
mod mapping;
mod maps;
pub mod pagemap;
mod smaps;

pub use build::{
    AddressSpace, BuildError, FOLIO_ORDER_MAX, Filler, PAGES_MAX, Pages, Populate, build,
};
pub use mapping::{Mapping, Memory};

use cursor::Cursor;
use emu_arch::VirtAddr;
use emu_input::InputError;
use maps::Line;

/// What was read of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maps {
    /// The mappings whose addresses the lab has.
    pub mappings: Vec<Mapping>,
    /// How many others there are: user addresses have 48 bits here, though x86 may have 57 and
    /// arm64 52, and a record has no room for more.
    pub too_high: u64,
}

/// Parses the text of `/proc/PID/maps` or `/proc/PID/smaps`: [`read`] without what is too high.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &[u8]) -> Result<Vec<Mapping>, InputError> {
    read(text).map(|maps| maps.mappings)
}

/// Parses the text of `/proc/PID/maps` or `/proc/PID/smaps`. Names may have any bytes.
///
/// `[vsyscall]` is skipped: the process has no page tables there.
///
/// # Errors
/// The first place that is not as the kernel prints it: its line, column and what was expected.
pub fn read(text: &[u8]) -> Result<Maps, InputError> {
    let text = emu_input::text_lossy(text)?;
    let (mut mappings, mut too_high): (Vec<Mapping>, u64) = (Vec::new(), 0);
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
        let read = maps::mapping(&mut cursor)?;
        skipping = !matches!(read, Line::Mapping(_));
        match read {
            Line::Mapping(mapping) => {
                maps::in_order(mappings.last(), &mapping, line)?;
                mappings.push(mapping);
            }
            Line::TooHigh => too_high += 1,
            Line::Vsyscall => {}
        }
    }
    smaps::complete(&mappings)?;
    if mappings.iter().any(|mapping| mapping.above_hole) {
        // The upper half is taken.
        let all = mappings.len();
        let half = VirtAddr::TASK_SIZE / 2;
        mappings.retain(|mapping| mapping.above_hole || mapping.end.get() <= half);
        too_high += (all - mappings.len()) as u64;
    }
    Ok(Maps { mappings, too_high })
}
