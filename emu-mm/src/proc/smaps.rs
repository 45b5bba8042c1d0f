//! One line of `/proc/PID/smaps` that follows a mapping: a key and its value.
//!
//! Reads what `show_smap()` of fs/proc/task_mmu.c (v7.0) prints; keys that say nothing about page
//! tables are skipped, so that newer kernels may print more of them.

use emu_arch::hw::addr::PAGE_SIZE;
use emu_input::InputError;

use super::cursor::{Cursor, quoted};
use super::mapping::{Mapping, Memory};
use crate::mm::vma::VmFlags;

/// Tells whether the line begins with a key: a word that ends in `:`.
pub(super) fn is_key(line: &str) -> bool {
    line.split([' ', '\t']).next().is_some_and(|word| word.len() > 1 && word.ends_with(':'))
}

/// Reads a key of `mapping`.
pub(super) fn key(cursor: &mut Cursor<'_>, mapping: &mut Mapping) -> Result<(), InputError> {
    let key = cursor.word("a key", &[':'])?;
    cursor.char(':', "`:` behind the key")?;
    if key == "VmFlags" {
        return vm_flags(cursor, mapping);
    }
    let size = (mapping.end.get() - mapping.start.get()) / 1024;
    let memory = mapping.memory.get_or_insert_default();
    let value = match key {
        "Rss" => &mut memory.rss,
        "Anonymous" => &mut memory.anonymous,
        "AnonHugePages" => &mut memory.anon_huge_pages,
        "KernelPageSize" => &mut memory.kernel_page_size,
        "Shared_Dirty" | "Private_Dirty" => &mut memory.dirty,
        "ShmemPmdMapped" | "FilePmdMapped" => &mut memory.file_pmd_mapped,
        _ => return Ok(()),
    };
    cursor.skip_blanks();
    let at = cursor.clone();
    let kib = cursor.number("a number of kB", 10, &[])?;
    cursor.skip_blanks();
    let unit = cursor.clone();
    let word = cursor.word("`kB`", &[])?;
    if word != "kB" {
        return Err(unit.error(word.len(), format!("expected `kB`, found {}", quoted(word))));
    }
    if kib > size {
        let len = at.rest().find(' ').unwrap_or_default();
        let message = format!("expected at most the {size} kB of the mapping, found {kib} kB");
        return Err(at.error(len, message));
    }
    *value += kib;
    Ok(())
}

/// Reads the two-letter flags that matter to page tables.
fn vm_flags(cursor: &mut Cursor<'_>, mapping: &mut Mapping) -> Result<(), InputError> {
    loop {
        cursor.skip_blanks();
        if cursor.rest().is_empty() {
            return Ok(());
        }
        let at = cursor.clone();
        let flag = cursor.word("a flag of two letters", &[])?;
        if flag.len() != 2 {
            let found = quoted(flag);
            return Err(
                at.error(flag.len(), format!("expected a flag of two letters, found {found}"))
            );
        }
        match flag {
            "pf" => mapping.vm_flags |= VmFlags::VM_PFNMAP,
            "mm" => mapping.vm_flags |= VmFlags::VM_MIXEDMAP,
            "uw" => mapping.vm_flags |= VmFlags::VM_UFFD_WP,
            "gu" => mapping.vm_flags |= VmFlags::VM_MAYBE_GUARD,
            "dc" => mapping.vm_flags |= VmFlags::VM_DONTCOPY,
            "ht" => mapping.hugetlb = true,
            _ => {}
        }
    }
}

/// Checks that all mappings have keys or none has: else the text was cut.
pub(super) fn complete(mappings: &[Mapping]) -> Result<(), InputError> {
    let Some(bare) = mappings.iter().find(|mapping| mapping.memory.is_none()) else {
        return Ok(());
    };
    if mappings.iter().all(|mapping| mapping.memory.is_none()) {
        return Ok(());
    }
    let message = "expected keys of smaps behind the mapping, as others have, found none";
    Err(Cursor::new(bare.line, "").error(0, message))
}

/// KiB of a page.
const KIB_PER_PAGE: u64 = PAGE_SIZE / 1024;

impl Memory {
    /// Tells whether some of it is mapped by tables above the last level.
    #[must_use]
    pub const fn has_huge_pages(&self) -> bool {
        self.anon_huge_pages + self.file_pmd_mapped > 0
    }

    /// The dirty pages.
    pub(super) const fn dirty(&self) -> u64 {
        self.dirty / KIB_PER_PAGE
    }

    /// The pages that page tables of the last level map: of no file, and all.
    ///
    /// Fidelity: changed: fs/proc/task_mmu.c v7.0 shows KiB; a part of a page counts as none.
    pub(super) const fn mapped(&self) -> (u64, u64) {
        let anon = self.anonymous.saturating_sub(self.anon_huge_pages) / KIB_PER_PAGE;
        let huge = self.anon_huge_pages + self.file_pmd_mapped;
        let all = self.rss.saturating_sub(huge) / KIB_PER_PAGE;
        (if anon < all { anon } else { all }, all)
    }
}
