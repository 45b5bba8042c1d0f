//! One line of `/proc/PID/maps`: a mapping.
//!
//! Reads what `show_map_vma()` of fs/proc/task_mmu.c (v7.0) prints:
//! `START-END PERMS OFFSET MAJOR:MINOR INODE`, padded, then the path.

use emu_arch::VirtAddr;
use emu_arch::hw::addr::{AddrError, PAGE_SIZE};
use emu_input::InputError;

use super::cursor::{Cursor, quoted};
use super::mapping::Mapping;
use crate::mm::vma::VmFlags;

/// What a line says.
#[derive(Debug)]
pub(super) enum Line {
    /// A mapping whose addresses the lab has.
    Mapping(Mapping),
    /// `[vsyscall]`, which no page table of the process maps.
    Vsyscall,
    /// A mapping that ends above the addresses that the lab has.
    TooHigh,
}

/// Reads a mapping.
pub(super) fn mapping(cursor: &mut Cursor<'_>) -> Result<Line, InputError> {
    let line = cursor.line();
    let at_start = cursor.clone();
    let start = cursor.number("the start of a mapping in hex", 16, &['-'])?;
    cursor.char('-', "`-` between start and end")?;
    let at_end = cursor.clone();
    let end = cursor.number("the end of the mapping in hex", 16, &[])?;
    cursor.skip_blanks();
    let vm_flags = perms(cursor)?;
    cursor.skip_blanks();
    let offset = cursor.number("the offset in hex", 16, &[])?;
    cursor.skip_blanks();
    cursor.number("the major number of the device in hex", 16, &[':'])?;
    cursor.char(':', "`:` in the device")?;
    cursor.number("the minor number of the device in hex", 16, &[])?;
    cursor.skip_blanks();
    let inode = cursor.number("the inode", 10, &[])?;
    cursor.skip_blanks();
    let path = cursor.rest().to_owned();
    if path == "[rollup]" {
        let message = "expected a mapping of maps or smaps, found the sum in smaps_rollup";
        return Err(cursor.error(path.len(), message));
    }

    if end <= start {
        let message = format!("expected an end above the start {start:#x}, found {end:#x}");
        return Err(at_end.error(at_end.rest().find(' ').unwrap_or_default(), message));
    }
    if path == "[vsyscall]" {
        return Ok(Line::Vsyscall);
    }
    if start < USER_END && (VirtAddr::TASK_SIZE..=USER_END).contains(&end) {
        return Ok(Line::TooHigh);
    }
    let above_hole = start >= HOLE_END;
    let (lab_start, lab_end) = if above_hole {
        let Some((start, end)) = below_hole(start, end) else { return Ok(Line::TooHigh) };
        (start, end)
    } else {
        (start, end)
    };
    let (va, start, end) = (start, page(&at_start, lab_start)?, page(&at_end, lab_end)?);
    let (memory, runs, hugetlb) = (None, None, false);
    Ok(Line::Mapping(Mapping {
        start,
        end,
        va,
        above_hole,
        vm_flags,
        offset,
        inode,
        path,
        memory,
        runs,
        hugetlb,
        line,
    }))
}

/// The end of the user addresses that a kernel may have below a hole: 56 bits on x86.
const USER_END: u64 = 1 << 57;

/// The least address above the hole of any sparc64 (`sparc64_va_hole_top`).
///
/// Fidelity: same as arch/sparc/mm/init_64.c v6.12 to v7.3.
const HOLE_END: u64 = 0xfff0_0000_0000_0000;

/// Where the lab has the mappings above the hole: in the upper half of its user addresses, with
/// the same low bits. None where they lie too far above it.
fn below_hole(start: u64, end: u64) -> Option<(u64, u64)> {
    const HALF: u64 = VirtAddr::TASK_SIZE / 2;
    // The hole ends at 0xfff0..., 0xfff8..., or below at 0xffff8... or 0xfffff8...
    let far = |addr: u64| ![0, 0xf].contains(&(addr >> 47 & 0xf));
    let lab = |addr: u64| addr % HALF + HALF;
    let (last, end) = (end - 1, lab(end - 1) + 1);
    (!far(start) && !far(last) && end < VirtAddr::TASK_SIZE).then(|| (lab(start), end))
}

/// Checks that `next` lies above the mapping before it.
pub(super) fn in_order(
    prev: Option<&Mapping>,
    next: &Mapping,
    text: &str,
) -> Result<(), InputError> {
    let wrong = |prev: &&Mapping| next.start < prev.end && next.above_hole == prev.above_hole;
    let Some(prev) = prev.filter(wrong) else { return Ok(()) };
    let how = if next.end > prev.start { "overlaps" } else { "lies below" };
    let message = format!(
        "expected a mapping from {:#x} on, found {:#x}, which {how} the mapping in line {}",
        prev.va_end(),
        next.va,
        prev.line
    );
    Err(Cursor::new(next.line, text).error(text.find('-').unwrap_or_default(), message))
}

/// Reads an address that is that of a user page.
fn page(at: &Cursor<'_>, addr: u64) -> Result<VirtAddr, InputError> {
    let len = at.rest().find(['-', ' ']).unwrap_or(at.rest().len());
    VirtAddr::page(addr).map_err(|error| {
        let expected = match error {
            AddrError::OutOfRange => {
                format!("an address in user space, below {:#x}", VirtAddr::TASK_SIZE)
            }
            AddrError::Unaligned => format!("a multiple of the page size {PAGE_SIZE:#x}"),
        };
        at.error(len, format!("expected {expected}, found {addr:#x}"))
    })
}

/// Reads the permissions: `rwxp`, each of the first three maybe `-`, the last maybe `s`.
fn perms(cursor: &mut Cursor<'_>) -> Result<VmFlags, InputError> {
    const WHAT: &str = "permissions such as `rw-p`";
    let at = cursor.clone();
    let word = cursor.word(WHAT, &[])?;
    let wrong = || at.error(word.len(), format!("expected {WHAT}, found {}", quoted(word)));
    let &[r, w, x, s] = word.as_bytes() else { return Err(wrong()) };
    let mut flags = match s {
        b's' => VmFlags::VM_SHARED,
        // A private mapping may be made writable, whatever its file permits.
        b'p' => VmFlags::VM_MAYWRITE,
        _ => return Err(wrong()),
    };
    for (found, on, flag) in
        [(r, b'r', VmFlags::VM_READ), (w, b'w', VmFlags::VM_WRITE), (x, b'x', VmFlags::VM_EXEC)]
    {
        match found {
            b'-' => {}
            found if found == on => flags |= flag,
            _ => return Err(wrong()),
        }
    }
    Ok(flags)
}
