//! Telling a process which of its pages were written, and watching them anew.
//!
//! Models `PAGEMAP_SCAN`, `pagemap_scan_pmd_entry()` of fs/proc/task_mmu.c (v7.3), whose three
//! loops, which do the same to an entry, are one here. The flush comes last in the section.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pfn, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use crate::mm::internal::folio_test_anon;
use crate::mm::ptes::pages;
use crate::mm::vma::VmFlags;
use crate::mm::{Errno, Resched, VmAreaStruct};

/// What a page is, as bits.
///
/// Fidelity: same as include/uapi/linux/fs.h v7.3, as far as pages here can be it.
pub mod category {
    /// Userfaultfd can watch the mapping.
    pub const PAGE_IS_WPALLOWED: u32 = 1 << 0;
    /// The page was written since it was last watched.
    pub const PAGE_IS_WRITTEN: u32 = 1 << 1;
    /// The page is one of a file.
    pub const PAGE_IS_FILE: u32 = 1 << 2;
    /// The page is in memory.
    pub const PAGE_IS_PRESENT: u32 = 1 << 3;
    /// The page is somewhere else.
    pub const PAGE_IS_SWAPPED: u32 = 1 << 4;
    /// The page is a guard.
    pub const PAGE_IS_GUARD: u32 = 1 << 8;
}
use category::*;

/// What a scan is to find and to do, and what it has found.
///
/// Fidelity: changed: `struct pagemap_scan_private` of fs/proc/task_mmu.c v7.3; the output is the
/// number of pages, and pages in any category will do.
#[derive(Clone, Debug)]
pub struct PagemapScan<'m> {
    /// The address space.
    pub mm: &'m MmStruct,
    /// Pages that are found are watched anew: `PM_SCAN_WP_MATCHING`.
    pub wp_matching: bool,
    /// Whether anyone wants to know what was found.
    pub output: bool,
    /// Categories that a page must be in.
    pub category_mask: u32,
    /// Categories that are asked for the opposite.
    pub category_inverted: u32,
    /// Pages that are asked for at most.
    pub max_pages: u64,
    /// When the scan must yield.
    pub resched: &'m Resched,
    /// Pages found so far.
    pub found_pages: u64,
    /// Entries written: one of a present page is written twice.
    pub writes: u64,
}

impl<'m> PagemapScan<'m> {
    /// A scan that watches all pages anew and tells nobody of them.
    #[must_use]
    pub const fn watch_all(mm: &'m MmStruct, resched: &'m Resched) -> Self {
        Self {
            mm,
            wp_matching: true,
            output: false,
            category_mask: PAGE_IS_WRITTEN,
            category_inverted: 0,
            max_pages: 0,
            resched,
            found_pages: 0,
            writes: 0,
        }
    }

    /// One more page was found; an error where it is one too many.
    ///
    /// Fidelity: same as `pagemap_scan_output()` of fs/proc/task_mmu.c v7.3, page by page.
    fn pagemap_scan_output(&mut self) -> Result<(), Errno> {
        if self.output {
            if self.found_pages == self.max_pages {
                return Err(Errno::ENOSPC);
            }
            self.found_pages += 1;
        }
        Ok(())
    }
}

/// Scans `addr..end` of the mapping `vma`.
///
/// Fidelity: changed: fs/proc/task_mmu.c v7.3; the levels above the last table are one look-up,
/// holes and huge pages are left out; a table that went away is not looked for again
/// (ACTION_AGAIN).
///
/// # Errors
/// `ENOSPC`: more pages were found than were asked for.
pub fn pagemap_scan(
    scan: &mut PagemapScan<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) -> Result<(), Errno> {
    while let Some(start) = scan.mm.next_pte_table(addr, end) {
        addr = start.pmd_addr_end(end);
        // Else the table went away.
        if let Some(ptl) = scan.mm.pte_offset_map_lock(start) {
            let scanned = scan_locked_ptes(&ptl, scan, vma, start, addr);
            drop(ptl);
            scan.resched.cond_resched();
            scanned?;
        }
    }
    Ok(())
}

/// The section of `pagemap_scan_pmd_entry()`.
///
/// Fidelity: same as fs/proc/task_mmu.c v7.3.
#[lazy_mmu(name = "pagemap_scan_pmd_entry", with_ptes(scan.mm, start, end, ptl.ptep(start)))]
fn scan_locked_ptes(
    ptl: &PteLock,
    scan: &mut PagemapScan<'_>,
    vma: &VmAreaStruct,
    start: VirtAddr,
    end: VirtAddr,
) -> Result<(), Errno> {
    let allowed = if vma.vm_flags.has(VmFlags::VM_UFFD_WP) { PAGE_IS_WPALLOWED } else { 0 };
    let quick = scan.wp_matching && !scan.output;
    let written =
        allowed != 0 && scan.category_inverted == 0 && scan.category_mask == PAGE_IS_WRITTEN;
    let (mut addr, mut ptep, mut flush_from) = (start, ptl.ptep(start), None);
    let mut scanned = Ok(());
    while addr != end {
        let pte = pgtable::ptep_get(scan.mm, addr, ptep);
        let categories = allowed | pagemap_page_category(vma, pte);
        let interesting = if quick || written {
            // Both loops ask for nothing else.
            !is_watched(pte)
        } else {
            (categories ^ scan.category_inverted) & scan.category_mask == scan.category_mask
        };
        if interesting {
            scanned = if quick { Ok(()) } else { scan.pagemap_scan_output() };
            if scanned.is_err() {
                break;
            }
            if quick || scan.wp_matching && (written || categories & PAGE_IS_WRITTEN != 0) {
                make_uffd_wp_pte(scan.mm, addr, ptep, pte);
                scan.writes += if pte.is_present() { 2 } else { 1 };
                flush_from = flush_from.or(Some(addr));
            }
        }
        (addr, ptep) = (addr.add_pages(1), ptep.add(1));
    }
    if let Some(from) = flush_from {
        pgtable::flush_tlb_range(scan.mm, from, pages(from, addr));
    }
    scanned
}

/// `pte_present() && pte_uffd()` or `pte_swp_uffd_any()`.
fn is_watched(pte: Pte) -> bool {
    pte.has(Pte::UFFD) || SoftLeaf::of(pte) == Some(SoftLeaf::UffdWpMarker)
}

/// Has userfaultfd watch the page.
///
/// Fidelity: same as fs/proc/task_mmu.c v7.3; the bit takes the permission to write with it.
fn make_uffd_wp_pte(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    if pte.is_present() {
        let old = pgtable::ptep_modify_prot_start(mm, addr, ptep);
        let watched = old.with(Pte::UFFD).without(Pte::WRITE);
        pgtable::ptep_modify_prot_commit(mm, addr, ptep, watched);
    } else if pte.is_none() {
        pgtable::set_pte_at(mm, addr, ptep, SoftLeaf::UffdWpMarker.pte(Pfn(0)));
    } else {
        pgtable::set_pte_at(mm, addr, ptep, pte.with(Pte::UFFD));
    }
}

/// What the page is.
///
/// Fidelity: same as fs/proc/task_mmu.c v7.3, without the zero page and soft-dirty; without the
/// file of an entry that is not present.
fn pagemap_page_category(vma: &VmAreaStruct, pte: Pte) -> u32 {
    let watches = vma.vm_flags.has(VmFlags::VM_UFFD_WP);
    let written = if watches && !is_watched(pte) { PAGE_IS_WRITTEN } else { 0 };
    if pte.is_none() {
        written
    } else if pte.is_present() {
        let file = !pte.has(Pte::SPECIAL) && !folio_test_anon(pte.pfn());
        written | PAGE_IS_PRESENT | if file { PAGE_IS_FILE } else { 0 }
    } else {
        let guard = SoftLeaf::of(pte) == Some(SoftLeaf::GuardMarker);
        written | PAGE_IS_SWAPPED | if guard { PAGE_IS_GUARD } else { 0 }
    }
}
