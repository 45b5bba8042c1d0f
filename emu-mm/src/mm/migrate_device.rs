//! Collecting the pages of a process that are to move to a device.
//!
//! Models `migrate_vma_collect_pmd()` of mm/migrate_device.c (v7.3), which begins again behind a
//! folio that it had to split, with another section.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::VmAreaStruct;
use super::huge_memory::split_folio;
use super::internal::{Folios, folio_in_table};
use super::ptes::{pages, ptep_clear_flush};

/// What is to move, and what was found.
#[derive(Debug)]
pub struct MigrateVma<'m> {
    /// The address space.
    pub mm: &'m MmStruct,
    /// The mapping.
    pub vma: &'m VmAreaStruct,
    /// What others do with the pages.
    pub folios: &'m Folios,
    /// Pages of the system's memory may move: `MIGRATE_VMA_SELECT_SYSTEM`.
    pub select_system: bool,
    /// Pages of the device's own memory may: `MIGRATE_VMA_SELECT_DEVICE_PRIVATE`.
    pub select_device_private: bool,
    /// Pages that can move; an empty entry of an anonymous mapping is one.
    pub cpages: u64,
    /// Entries that were looked at.
    pub npages: u64,
    /// Entries that became migration entries.
    pub replaced: u64,
}

impl<'m> MigrateVma<'m> {
    /// Pages of the system's memory, of which none was looked at yet.
    #[must_use]
    pub const fn new(mm: &'m MmStruct, vma: &'m VmAreaStruct, folios: &'m Folios) -> Self {
        let (select_system, select_device_private) = (true, false);
        let (cpages, npages, replaced) = (0, 0, 0);
        Self { mm, vma, folios, select_system, select_device_private, cpages, npages, replaced }
    }
}

/// Collects the pages of `addr..end`.
///
/// Fidelity: changed: `migrate_vma_collect()` of mm/migrate_device.c v7.3; where there is no table
/// nothing is looked at, huge pages and the notifiers are left out.
pub fn migrate_vma_collect(migrate: &mut MigrateVma<'_>, mut addr: VirtAddr, end: VirtAddr) {
    while let Some(start) = migrate.mm.next_pte_table(addr, end) {
        addr = start.pmd_addr_end(end);
        migrate_vma_collect_pmd(migrate, start, addr);
    }
}

/// How a section ended.
enum Left {
    /// The range is done; the flush was in the section.
    Done,
    /// The folio at this address is to be split.
    Split(VirtAddr),
}

/// Collects the pages of `start..end`, which one table maps.
///
/// Fidelity: changed: mm/migrate_device.c v7.3, for a table of pages; where the table is gone or a
/// huge page has come when the lock is taken again, the kernel counts the whole range once more or
/// looks anew, and may return without the flush that is owed; here the walk ends.
fn migrate_vma_collect_pmd(migrate: &mut MigrateVma<'_>, start: VirtAddr, end: VirtAddr) {
    let (mm, mut addr, mut unmapped) = (migrate.mm, start, 0);
    while let Some(ptl) = mm.pte_offset_map_lock(start) {
        // A section that ends for a split leaves the flush to the one that ends the range.
        let left = collect_locked_ptes(&ptl, migrate, start, addr, end, &mut unmapped);
        drop(ptl);
        let Left::Split(at) = left else { return };
        addr = at;
        if split_folio(mm, addr, migrate.folios).is_err() {
            if unmapped > 0 {
                pgtable::flush_tlb_range(mm, start, pages(start, end));
            }
            // `migrate_vma_collect_skip()`
            migrate.npages += pages(addr, end);
            return;
        }
    }
}

/// A section of `migrate_vma_collect_pmd()`.
///
/// Fidelity: changed: mm/migrate_device.c v7.3; no folio of a device is large (the kernel splits
/// those too), each is of the caller's device, there is no fault page, every page has a mapping,
/// and no page is the zero page or a device's that CPUs can reach.
#[lazy_mmu(name = "migrate_vma_collect_pmd")]
fn collect_locked_ptes(
    ptl: &PteLock,
    migrate: &mut MigrateVma<'_>,
    start: VirtAddr,
    mut addr: VirtAddr,
    end: VirtAddr,
    unmapped: &mut u64,
) -> Left {
    let (mm, mut ptep) = (migrate.mm, ptl.ptep(addr));
    while addr < end {
        let pte = pgtable::ptep_get(mm, addr, ptep);
        let selected = if pte.is_none() {
            migrate.cpages += u64::from(migrate.vma.anonymous);
            None
        } else if pte.is_present() {
            let normal = migrate.select_system && !pte.has(Pte::SPECIAL);
            normal.then(|| pte.has(Pte::WRITE))
        } else {
            match SoftLeaf::of(pte).filter(|_| migrate.select_device_private) {
                Some(SoftLeaf::DevicePrivateWrite) => Some(true),
                Some(SoftLeaf::DevicePrivateRead) => Some(false),
                _ => None,
            }
        };
        if let Some(write) = selected {
            if pte.is_present() && folio_in_table(ptl, addr, pte).1 > 1 {
                return Left::Split(addr);
            }
            if migrate.folios.folio_trylock(pte.pfn()) {
                *unmapped += u64::from(collect_page(migrate, addr, ptep, pte, write));
            }
        }
        migrate.npages += 1;
        (addr, ptep) = (addr.add_pages(1), ptep.add(1));
    }
    if *unmapped > 0 {
        pgtable::flush_tlb_range(mm, start, pages(start, end));
    }
    Left::Done
}

/// Puts a migration entry in the place of `pte`, which may be written or not, unless its page
/// cannot be shared; tells whether a present entry went away.
///
/// Fidelity: changed: the body of `migrate_vma_collect_pmd()` of mm/migrate_device.c v7.3; the
/// migration entry does not keep that the page was young or dirty, and the reverse map is left out.
fn collect_page(
    migrate: &mut MigrateVma<'_>,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    write: bool,
) -> bool {
    let (mm, pfn) = (migrate.mm, pte.pfn());
    let anon_exclusive = migrate.folios.page_anon_exclusive(pfn);
    let pte = if anon_exclusive {
        let pte = ptep_clear_flush(mm, addr, ptep);
        // `folio_try_share_anon_rmap_pte()`
        if migrate.folios.folio_maybe_dma_pinned(pfn) {
            pgtable::set_pte_at(mm, addr, ptep, pte);
            return false;
        }
        pte
    } else {
        pgtable::ptep_get_and_clear(mm, addr, ptep)
    };
    migrate.cpages += 1;
    migrate.replaced += 1;
    let leaf = match (write, anon_exclusive) {
        (true, _) => SoftLeaf::MigrationWrite,
        (false, true) => SoftLeaf::MigrationReadExclusive,
        (false, false) => SoftLeaf::MigrationRead,
    };
    let uffd = pte.0 & Pte::UFFD;
    pgtable::set_pte_at(mm, addr, ptep, leaf.pte(pfn).with(uffd));
    pte.is_present()
}
