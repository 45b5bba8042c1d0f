//! Moving page tables to other addresses.
//!
//! Models mm/mremap.c (v7.3): `move_page_tables()` down to the loop over the entries of one table.
//! That whole tables may move by their pmd entries (`CONFIG_HAVE_MOVE_PMD`), with no section, is
//! left out: it takes addresses that are equal below 2 MiB.

use emu_arch::hw::addr::{PMD_SIZE, VirtAddr};
use emu_arch::hw::table::Table;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, pgtable};
use lazy_mmu::design::Check;
use lazy_mmu::lazy_mmu;

use super::ptes::pages;

/// Moves the entries of `old_addr..old_end` to the addresses from `new_addr` on and returns how
/// many moved.
///
/// Fidelity: changed: mm/mremap.c v7.3; the levels above the last table are one look-up, and the
/// locks of the reverse map and the notifiers are left out; a range is not widened to whole tables
/// (`try_realign_addr()`).
pub fn move_page_tables(
    mm: &MmStruct,
    mut old_addr: VirtAddr,
    old_end: VirtAddr,
    mut new_addr: VirtAddr,
) -> u64 {
    let mut moved = 0;
    while old_addr != old_end {
        // `get_extent()`: up to where either table ends.
        let extent = pages(old_addr, old_addr.pmd_addr_end(old_end));
        let extent = pages(new_addr, new_addr.pmd_addr_end(new_addr.add_pages(extent)));
        let next = old_addr.add_pages(extent);
        if mm.next_pte_table(old_addr, next).is_some() {
            moved += move_ptes(mm, old_addr, next, new_addr);
        }
        (old_addr, new_addr) = (next, new_addr.add_pages(extent));
    }
    moved
}

/// Moves the entries of `old_addr..old_end`, which one table maps, to another table: locks both,
/// and flushes the translations of present entries before either is released.
///
/// Fidelity: same as mm/mremap.c v7.3; `-EAGAIN`, where a huge page came up meanwhile, is left out.
fn move_ptes(mm: &MmStruct, old_addr: VirtAddr, old_end: VirtAddr, new_addr: VirtAddr) -> u64 {
    let new_table = mm.pte_alloc_kernel(new_addr);
    let Some(old_ptl) = mm.pte_offset_map_lock(old_addr) else { return 0 };
    let same_table = old_addr.get() / PMD_SIZE == new_addr.get() / PMD_SIZE;
    let new_ptl = if same_table { None } else { mm.pte_offset_map_lock(new_addr) };
    pgtable::flush_tlb_batched_pending(mm, old_addr);
    let (moved, force_flush) =
        move_locked_ptes(&old_ptl, &new_table, mm, old_addr, old_end, new_addr);
    if force_flush {
        pgtable::flush_tlb_range(mm, old_addr, pages(old_addr, old_end));
    }
    drop(new_ptl);
    drop(old_ptl);
    moved
}

/// The section of `move_ptes()`; returns how many entries moved, and whether a present one did.
///
/// Fidelity: changed: mm/mremap.c v7.3, where no userfaultfd watches the mapping; arm64 moves
/// contiguous entries of a folio at once, and sparc64 may flush the data cache.
#[lazy_mmu(name = "move_ptes", with_ptes(mm, old_addr, old_end, old_ptl.ptep(old_addr)))]
fn move_locked_ptes(
    old_ptl: &PteLock,
    new_table: &Table,
    mm: &MmStruct,
    mut old_addr: VirtAddr,
    old_end: VirtAddr,
    mut new_addr: VirtAddr,
) -> (u64, bool) {
    let (mut old_ptep, mut new_ptep) =
        (old_ptl.ptep(old_addr), new_table.ptep(new_addr.pte_index()));
    let (mut moved, mut force_flush) = (0, false);
    while old_addr != old_end {
        let there = pgtable::ptep_get(mm, new_addr, new_ptep);
        mm.warn(Check::VmWarnOnOnce, "!pte_none(ptep_get(new_ptep))", !there.is_none());
        let old_pte = pgtable::ptep_get(mm, old_addr, old_ptep);
        if !old_pte.is_none() {
            // `pte_batch_hint()` knows of one entry, where none is contiguous.
            force_flush |= old_pte.is_present();
            let pte = pgtable::ptep_get_and_clear(mm, old_addr, old_ptep);
            pgtable::set_ptes(mm, new_addr, new_ptep, pte, 1);
            moved += 1;
        }
        (old_ptep, old_addr) = (old_ptep.add(1), old_addr.add_pages(1));
        (new_ptep, new_addr) = (new_ptep.add(1), new_addr.add_pages(1));
    }
    (moved, force_flush)
}
