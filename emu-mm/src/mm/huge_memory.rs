//! Splitting a large folio into pages, which others than the caller may not notice.
//!
//! Models `split_folio()` of mm/huge_memory.c (v7.3), for its effect on one page table.

use emu_arch::hw::SoftLeaf;
use emu_arch::{MmStruct, Pfn, Pte, VirtAddr, pgtable};

use super::Errno;
use super::internal::{ANON_FRAMES, Folios, folio_in_table, folio_test_anon};
use super::ptes::ptep_clear_flush;

/// Splits the folio that the entry of `addr` maps, if it still does: migration entries take the
/// place of its entries, and the pages come back one by one. It sleeps, and takes the lock itself.
///
/// Fidelity: changed: mm/huge_memory.c v7.3 leaves the pages of a file unmapped until they are
/// touched, flushes once, and holds the lock of the table neither between unmapping and mapping nor
/// when it sleeps; here all pages come back under one lock, each translation is flushed at once,
/// and the pages get frames that do not follow each other, since frames that do are a folio here.
///
/// # Errors
/// `EBUSY`: somebody else uses the folio; `EAGAIN`: it is gone.
pub fn split_folio(mm: &MmStruct, addr: VirtAddr, folios: &Folios) -> Result<(), Errno> {
    mm.might_sleep();
    let ptl = mm.pte_offset_map_lock(addr).ok_or(Errno::EAGAIN)?;
    let pte = pgtable::ptep_get(mm, addr, ptl.ptep(addr));
    if !pte.is_present() {
        return Err(Errno::EAGAIN);
    }
    if folios.folio_maybe_dma_pinned(pte.pfn()) {
        return Err(Errno::EBUSY);
    }
    let (first, nr) = folio_in_table(&ptl, addr, pte);
    let pages = || (0..nr).map(|n| first.add_pages(n.into())).map(|at| (at, ptl.ptep(at)));
    let mut were = Vec::with_capacity(nr.into());
    // `unmap_folio()`
    for (at, ptep) in pages() {
        let pte = ptep_clear_flush(mm, at, ptep);
        let leaf = match (pte.has(Pte::WRITE), folio_test_anon(pte.pfn())) {
            (true, _) => SoftLeaf::MigrationWrite,
            (false, true) => SoftLeaf::MigrationReadExclusive,
            (false, false) => SoftLeaf::MigrationRead,
        };
        pgtable::set_pte_at(mm, at, ptep, leaf.pte(pte.pfn()));
        were.push(pte);
    }
    // `remap_page()`
    for ((at, ptep), pte) in pages().zip(were) {
        let alone = Pte::new(apart(pte.pfn()), 0).0 | pte.0 & !Pte::new(Pfn(u64::MAX), 0).0;
        pgtable::set_pte_at(mm, at, ptep, Pte(alone));
    }
    Ok(())
}

/// A frame for the page of `pfn`, which no other page's frame follows.
const fn apart(pfn: Pfn) -> Pfn {
    let half = ANON_FRAMES.0 >> 1;
    if folio_test_anon(pfn) {
        Pfn(ANON_FRAMES.0 * 2 + 2 * (pfn.0 - ANON_FRAMES.0))
    } else {
        Pfn(half + 2 * pfn.0)
    }
}
