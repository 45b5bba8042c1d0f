//! Advice on pages: they are cold, or need not be kept.
//!
//! Models `madvise_cold_or_pageout_pte_range()` and `madvise_free_pte_range()` of mm/madvise.c
//! (v7.3). Both leave their section, and the lock with it, to split a folio that the range holds a
//! part of, and begin another; the first does so too where the scheduler wants the CPU.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::huge_memory::split_folio;
use super::internal::{Folios, folio_in_table, folio_pte_batch_flags, merge_young_dirty};
use super::ptes::{clear_nonpresent_ptes, clear_young_dirty_ptes, entries, swap_pte_batch};
use super::{MmuGather, Resched};

/// Steps after which the walk looks whether the scheduler wants the CPU: `SWAP_CLUSTER_MAX`.
const SWAP_CLUSTER_MAX: u32 = 32;

/// A walk that carries out an advice.
#[derive(Debug)]
pub struct MadviseWalk<'w, 'm> {
    /// What is flushed at the end.
    pub tlb: &'w mut MmuGather<'m>,
    /// What others do with the pages.
    pub folios: &'w Folios,
    /// When the walk must yield.
    pub resched: &'w Resched,
}

/// Why a section ended.
enum Left {
    /// The range is done.
    Done,
    /// The scheduler wants the CPU.
    Resched,
    /// A folio is to be split, of which the range has that many entries from here on.
    Split(u16),
}

/// Takes the pages of `addr..end` for cold: `MADV_COLD`, and `MADV_PAGEOUT` where `pageout`.
///
/// Fidelity: changed: mm/madvise.c v7.3; the levels above the last table are one look-up; where the
/// architecture does not merge mappings in a gather (arm64), the kernel flushes at the end of each
/// mapping.
pub fn madvise_cold_or_pageout_page_range(
    walk: &mut MadviseWalk<'_, '_>,
    pageout: bool,
    mut addr: VirtAddr,
    end: VirtAddr,
) {
    while let Some(table) = walk.tlb.mm().next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        let mut batch_count = 0;
        walk_table(walk, table, addr, |walk, ptl, addr, end| {
            cold_locked_ptes(ptl, walk, pageout, addr, end, &mut batch_count)
        });
    }
}

/// The pages of `addr..end` need not be kept: `MADV_FREE`.
///
/// Fidelity: changed: mm/madvise.c v7.3; the levels above the last table are one look-up; where the
/// architecture does not merge mappings in a gather (arm64), the kernel flushes at the end of each
/// mapping.
pub fn madvise_free_page_range(walk: &mut MadviseWalk<'_, '_>, mut addr: VirtAddr, end: VirtAddr) {
    while let Some(table) = walk.tlb.mm().next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        walk_table(walk, table, addr, |walk, ptl, addr, end| {
            free_locked_ptes(ptl, walk, addr, end)
        });
    }
}

/// Runs `section` over `addr..end`, which one table maps: locks the table, and again each time the
/// section is left.
///
/// Fidelity: changed: mm/madvise.c v7.3, where both functions have this themselves; where the last
/// folio of a table cannot be split, the kernel has one more empty section of that table, and here
/// the table behind is looked at; huge pages, fatal signals and the reclaim behind MADV_PAGEOUT are
/// left out.
fn walk_table<'w, 'm>(
    walk: &mut MadviseWalk<'w, 'm>,
    mut addr: VirtAddr,
    end: VirtAddr,
    mut section: impl FnMut(&mut MadviseWalk<'w, 'm>, &PteLock, &mut VirtAddr, VirtAddr) -> Left,
) {
    let mm = walk.tlb.mm();
    while let Some(ptl) = mm.pte_offset_map_lock(addr) {
        pgtable::flush_tlb_batched_pending(mm, addr);
        let left = section(walk, &ptl, &mut addr, end);
        walk.tlb.promise_flush();
        drop(ptl);
        match left {
            Left::Done => break,
            Left::Resched => walk.resched.cond_resched(),
            Left::Split(nr) => {
                if split_folio(mm, addr, walk.folios).is_err() {
                    addr = addr.add_pages(nr.into());
                }
            }
        }
    }
    walk.resched.cond_resched();
}

/// A section of `madvise_cold_or_pageout_pte_range()`.
///
/// Fidelity: changed: mm/madvise.c v7.3; every folio is on the list of reclaim and, unless shared,
/// mapped here alone; the test that lets MADV_PAGEOUT reach only anonymous pages of some files is
/// left out, and so are the splits that it prevents.
#[lazy_mmu(
    name = "madvise_cold_or_pageout_pte_range",
    with_ptes(walk.tlb.mm(), *addr, end, ptl.ptep(*addr))
)]
fn cold_locked_ptes(
    ptl: &PteLock,
    walk: &mut MadviseWalk<'_, '_>,
    pageout: bool,
    addr: &mut VirtAddr,
    end: VirtAddr,
    batch_count: &mut u32,
) -> Left {
    let (mm, mut ptep) = (walk.tlb.mm(), ptl.ptep(*addr));
    while *addr < end {
        let mut nr = 1;
        let pte = pgtable::ptep_get(mm, *addr, ptep);
        *batch_count += 1;
        if *batch_count == SWAP_CLUSTER_MAX {
            *batch_count = 0;
            if walk.resched.need_resched() {
                return Left::Resched;
            }
        }
        if pte.is_present() && !pte.has(Pte::SPECIAL) {
            match part_of_folio(ptl, walk, ptep, *addr, end, pte) {
                Part::All(all) => {
                    nr = all;
                    let pte = merge_young_dirty(ptep, pte, nr);
                    let shared = walk.folios.folio_maybe_mapped_shared(pte.pfn());
                    if !shared && !pageout && pte.has(Pte::YOUNG) {
                        clear_young_dirty_ptes(mm, *addr, ptep, nr, false);
                        walk.tlb.tlb_flush_pte_range(*addr, nr);
                    }
                }
                Part::Skip(some) => nr = some,
                Part::Split(some) => return Left::Split(some),
            }
        }
        (ptep, *addr) = (ptep.add(nr), addr.add_pages(nr.into()));
    }
    Left::Done
}

/// A section of `madvise_free_pte_range()`.
///
/// Fidelity: changed: mm/madvise.c v7.3; no folio is in the swap cache or dirty but by its entries.
#[lazy_mmu(
    name = "madvise_free_pte_range",
    with_ptes(walk.tlb.mm(), *addr, end, ptl.ptep(*addr))
)]
fn free_locked_ptes(
    ptl: &PteLock,
    walk: &mut MadviseWalk<'_, '_>,
    addr: &mut VirtAddr,
    end: VirtAddr,
) -> Left {
    let (mm, mut ptep) = (walk.tlb.mm(), ptl.ptep(*addr));
    while *addr != end {
        let mut nr = 1;
        let pte = pgtable::ptep_get(mm, *addr, ptep);
        if pte.is_present() {
            if !pte.has(Pte::SPECIAL) {
                match part_of_folio(ptl, walk, ptep, *addr, end, pte) {
                    Part::All(all) => {
                        nr = all;
                        let pte = merge_young_dirty(ptep, pte, nr);
                        if pte.has(Pte::YOUNG | Pte::DIRTY) {
                            clear_young_dirty_ptes(mm, *addr, ptep, nr, true);
                            walk.tlb.tlb_flush_pte_range(*addr, nr);
                        }
                    }
                    Part::Skip(some) => nr = some,
                    Part::Split(some) => return Left::Split(some),
                }
            }
        } else if SoftLeaf::of(pte) == Some(SoftLeaf::Swap) {
            nr = swap_pte_batch(mm, *addr, ptep, pte, entries(*addr, end));
            clear_nonpresent_ptes(mm, *addr, ptep, nr);
        } else if matches!(SoftLeaf::of(pte), Some(SoftLeaf::HwPoison | SoftLeaf::PoisonMarker)) {
            pgtable::pte_clear(mm, *addr, ptep);
        }
        (ptep, *addr) = (ptep.add(nr), addr.add_pages(nr.into()));
    }
    Left::Done
}

/// What of a folio lies in the range, in entries from the current one on.
enum Part {
    /// All of it.
    All(u16),
    /// A part, and the folio cannot be split.
    Skip(u16),
    /// A part, and the folio is to be split.
    Split(u16),
}

/// Looks whether the range has all of the folio that `pte` maps.
///
/// Fidelity: same as the test that both loops of mm/madvise.c v7.3 have.
fn part_of_folio(
    ptl: &PteLock,
    walk: &MadviseWalk<'_, '_>,
    ptep: Ptep<'_>,
    addr: VirtAddr,
    end: VirtAddr,
    pte: Pte,
) -> Part {
    let (_, nr_pages) = folio_in_table(ptl, addr, pte);
    if nr_pages == 1 {
        return Part::All(1);
    }
    let ignored = Pte::DIRTY | Pte::WRITE;
    let nr = folio_pte_batch_flags(walk.tlb.mm(), addr, ptep, pte, entries(addr, end), ignored);
    let pfn = pte.pfn();
    if nr == nr_pages {
        Part::All(nr)
    } else if walk.folios.folio_maybe_mapped_shared(pfn) || !walk.folios.folio_trylock(pfn) {
        Part::Skip(nr)
    } else {
        Part::Split(nr)
    }
}
