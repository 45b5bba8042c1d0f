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

/// Reads a mapping; none if it lies in the kernel's half.
pub(super) fn mapping(cursor: &mut Cursor<'_>) -> Result<Option<Mapping>, InputError> {
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

    let kernel = start >> 63 != 0;
    let (start, end) = if kernel {
        (start, end)
    } else {
        (page(&at_start, start)?.get(), page(&at_end, end)?.get())
    };
    if end <= start {
        let message = format!("expected an end above the start {start:#x}, found {end:#x}");
        return Err(at_end.error(at_end.rest().find(' ').unwrap_or_default(), message));
    }
    let (false, Ok(start), Ok(end)) = (kernel, VirtAddr::page(start), VirtAddr::page(end)) else {
        return Ok(None);
    };
    let (memory, hugetlb) = (None, false);
    Ok(Some(Mapping { start, end, vm_flags, offset, inode, path, memory, hugetlb, line }))
}

/// Checks that `next` lies above the mapping before it.
pub(super) fn in_order(
    prev: Option<&Mapping>,
    next: &Mapping,
    text: &str,
) -> Result<(), InputError> {
    let Some(prev) = prev.filter(|prev| next.start < prev.end) else { return Ok(()) };
    let how = if next.end > prev.start { "overlaps" } else { "lies below" };
    let message = format!(
        "expected a mapping from {:#x} on, found {:#x}, which {how} the mapping in line {}",
        prev.end, next.start, prev.line
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
