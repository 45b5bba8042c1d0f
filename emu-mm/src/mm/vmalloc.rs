//! Mapping pages into the kernel's own address space, and unmapping them.
//!
//! Models mm/vmalloc.c (v7.0): `vmap_page_range()`, `vmap_pages_range()` and `vunmap_range()` down
//! to the loops over the entries of one table. No lock is held, since each range has one user.
//! Before v6.16 these loops were no sections:
//! [`Kernel::vmalloc_is_section`](emu_arch::Kernel::vmalloc_is_section).

use std::fmt::{self, Display, Formatter};

use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Table;
use emu_arch::{MmStruct, Pfn, Pte, pgtable};
use lazy_mmu::design::Check;
use lazy_mmu::lazy_mmu;

use super::ptes::entries;

/// Why a mapping could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmapError {
    /// Something is mapped already.
    EBUSY,
    /// There are fewer pages than addresses.
    ENOMEM,
    /// A page has no valid frame number.
    EINVAL,
}

impl Display for VmapError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EBUSY => "an address of the range is mapped already",
            Self::ENOMEM => "there are fewer pages than addresses in the range",
            Self::EINVAL => "a page has no valid frame number",
        })
    }
}

impl std::error::Error for VmapError {}

/// Maps the frames from `pfn` on at `addr..end` of the kernel's address space `init_mm`: what
/// `ioremap()` and its like come to.
///
/// Fidelity: changed: `vmap_range_noflush()` of mm/vmalloc.c v7.3; the levels above the last table
/// are one step, and no page is huge.
pub fn vmap_page_range(init_mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr, mut pfn: Pfn) {
    while addr != end {
        let next = addr.pmd_addr_end(end);
        let table = init_mm.pte_alloc_kernel(addr);
        let section = init_mm.kernel().vmalloc_is_section();
        let map = if section { vmap_pte_range } else { vmap_frames };
        map(init_mm, &table, addr, next, pfn);
        (pfn, addr) = (Pfn(pfn.0 + u64::from(entries(addr, next))), next);
    }
}

/// Maps the frames from `pfn` on at `addr..end`, which one table maps, in a section.
///
/// Fidelity: same as mm/vmalloc.c v7.3; huge entries (`arch_vmap_pte_range_map_size()`) are left
/// out.
#[lazy_mmu(with_ptes(init_mm, addr, end, table.ptep(addr.pte_index())))]
fn vmap_pte_range(init_mm: &MmStruct, table: &Table, addr: VirtAddr, end: VirtAddr, pfn: Pfn) {
    vmap_frames(init_mm, table, addr, end, pfn);
}

/// Maps the frames from `pfn` on at `addr..end`, which one table maps.
///
/// Fidelity: same as `vmap_pte_range()` of mm/vmalloc.c v6.12.
#[inline]
fn vmap_frames(init_mm: &MmStruct, table: &Table, mut addr: VirtAddr, end: VirtAddr, mut pfn: Pfn) {
    let mut ptep = table.ptep(addr.pte_index());
    while addr != end {
        let pte = pgtable::ptep_get(init_mm, addr, ptep);
        init_mm.warn(Check::BugOn, "!pte_none(ptep_get(pte))", !pte.is_none());
        pgtable::set_pte_at(init_mm, addr, ptep, Pte::kernel(pfn));
        (pfn, addr, ptep) = (Pfn(pfn.0 + 1), addr.add_pages(1), ptep.add(1));
    }
}

/// Maps `pages` at `addr..end` of the kernel's address space `init_mm`.
///
/// Fidelity: changed: mm/vmalloc.c v7.0; the levels above the last table are one step, and the
/// caller gets the error itself rather than always `-ENOMEM`.
///
/// # Errors
/// `EBUSY`, `ENOMEM`, `EINVAL`: as [`VmapError`] says; what came before the page stays mapped.
pub fn vmap_pages_range(
    init_mm: &MmStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
    pages: &[Pfn],
) -> Result<(), VmapError> {
    let mut pages = pages;
    while addr != end {
        let next = addr.pmd_addr_end(end);
        // Allocated before the section begins.
        let table = init_mm.pte_alloc_kernel(addr);
        let section = init_mm.kernel().vmalloc_is_section();
        let map = if section { vmap_pages_pte_range } else { vmap_entries };
        map(init_mm, &table, addr, next, pages)?;
        pages = pages.split_at(usize::from(entries(addr, next))).1;
        addr = next;
    }
    Ok(())
}

/// Maps `pages` at `addr..end`, which one table maps, in a section.
///
/// Fidelity: same as mm/vmalloc.c v7.0; without its warnings.
#[lazy_mmu(with_ptes(init_mm, addr, end, table.ptep(addr.pte_index())))]
fn vmap_pages_pte_range(
    init_mm: &MmStruct,
    table: &Table,
    addr: VirtAddr,
    end: VirtAddr,
    pages: &[Pfn],
) -> Result<(), VmapError> {
    vmap_entries(init_mm, table, addr, end, pages)
}

/// Maps `pages` at `addr..end`, which one table maps.
///
/// Fidelity: same as `vmap_pages_pte_range()` of mm/vmalloc.c v6.12; without its warnings.
#[inline]
fn vmap_entries(
    init_mm: &MmStruct,
    table: &Table,
    mut addr: VirtAddr,
    end: VirtAddr,
    pages: &[Pfn],
) -> Result<(), VmapError> {
    let (mut ptep, mut pages) = (table.ptep(addr.pte_index()), pages.iter());
    while addr != end {
        if !pgtable::ptep_get(init_mm, addr, ptep).is_none() {
            return Err(VmapError::EBUSY);
        }
        let page = *pages.next().ok_or(VmapError::ENOMEM)?;
        if !pfn_valid(page) {
            return Err(VmapError::EINVAL);
        }
        pgtable::set_pte_at(init_mm, addr, ptep, Pte::kernel(page));
        (addr, ptep) = (addr.add_pages(1), ptep.add(1));
    }
    Ok(())
}

/// Tells whether an entry can hold the frame number.
///
/// Fidelity: changed: `pfn_valid()` of include/linux/mmzone.h v7.0 asks whether there is memory at
/// the frame.
#[inline]
const fn pfn_valid(pfn: Pfn) -> bool {
    pfn.0 >> 38 == 0
}

/// Unmaps `addr..end` of the kernel's address space `init_mm` and flushes the TLBs.
///
/// Fidelity: changed: mm/vmalloc.c v7.0; the levels above the last table are one look-up, and the
/// flush is not put off as `vfree()` does.
pub fn vunmap_range(init_mm: &MmStruct, addr: VirtAddr, end: VirtAddr) {
    vunmap_range_noflush(init_mm, addr, end);
    let pages = (end.get() - addr.get()) >> emu_arch::hw::addr::PAGE_SHIFT;
    pgtable::flush_tlb_range(init_mm, addr, pages);
}

/// Unmaps `addr..end` of the kernel's address space `init_mm`; the TLBs are the caller's business.
///
/// Fidelity: changed: mm/vmalloc.c v7.0; the levels above the last table are one look-up.
pub fn vunmap_range_noflush(init_mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr) {
    while let Some(at) = init_mm.next_pte_table(addr, end) {
        addr = at.pmd_addr_end(end);
        if let Some(table) = init_mm.pte_offset_kernel(at) {
            let section = init_mm.kernel().vmalloc_is_section();
            let unmap = if section { vunmap_pte_range } else { vunmap_entries };
            unmap(init_mm, &table, at, addr);
        }
    }
}

/// Empties the entries of `addr..end`, which one table maps, in a section.
///
/// Fidelity: same as mm/vmalloc.c v7.0; huge entries are left out.
#[lazy_mmu(with_ptes(init_mm, addr, end, table.ptep(addr.pte_index())))]
fn vunmap_pte_range(init_mm: &MmStruct, table: &Table, addr: VirtAddr, end: VirtAddr) {
    vunmap_entries(init_mm, table, addr, end);
}

/// Empties the entries of `addr..end`, which one table maps, whether they are empty or not.
///
/// Fidelity: same as `vunmap_pte_range()` of mm/vmalloc.c v6.12; huge entries are left out; without
/// its warnings.
#[inline]
fn vunmap_entries(init_mm: &MmStruct, table: &Table, mut addr: VirtAddr, end: VirtAddr) {
    let mut ptep = table.ptep(addr.pte_index());
    while addr != end {
        pgtable::ptep_get_and_clear(init_mm, addr, ptep);
        (addr, ptep) = (addr.add_pages(1), ptep.add(1));
    }
}
