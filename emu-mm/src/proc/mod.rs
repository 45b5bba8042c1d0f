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
mod smaps;

pub use build::{AddressSpace, BuildError, FOLIO_ORDER_MAX, PAGES_MAX, Populate, build};
pub use mapping::{Mapping, Memory};

use cursor::Cursor;
use emu_input::InputError;

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
