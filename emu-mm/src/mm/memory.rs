//! Copying page tables for a child, and emptying them.
//!
//! Models mm/memory.c (v7.0): `copy_page_range()` and `unmap_page_range()` down to the loops over
//! the entries of one table, with their restarts. Swap, migration and marker entries have one form
//! here, that of an entry which is neither empty nor present.

use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::internal::{folio_pte_batch, folio_pte_batch_flags, folio_test_anon};
use super::ptes::{entries, get_and_clear_full_ptes};
use super::vma::VmFlags;
use super::{MmuGather, Resched, VmAreaStruct};

/// Progress at which a copy looks up: an empty entry is 1, any other 8.
const PROGRESS_MAX: u32 = 32;

/// The copy of an address space for a child, and what was written so far.
#[derive(Debug)]
pub struct PageCopy<'m> {
    /// The child's address space.
    pub dst_mm: &'m MmStruct,
    /// The parent's address space.
    pub src_mm: &'m MmStruct,
    /// When the copy must yield.
    pub resched: &'m Resched,
    /// Entries written to the child.
    pub copied: u64,
    /// Entries of the parent that lost their permission to write.
    pub wrprotected: u64,
}

/// Copies the entries of `addr..end` of the parent's mapping `vma`, if a child needs them.
///
/// Fidelity: changed: mm/memory.c v7.0; the levels above the last table are one look-up, and
/// `write_protect_seq` and the notifiers are left out.
pub fn copy_page_range(
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) {
    if !vma.vma_needs_copy() {
        return;
    }
    while let Some(table) = copy.src_mm.next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        copy_pte_range(copy, vma, table, addr);
    }
}

/// Copies the entries of `addr..end`, which one table maps: locks both tables, and again each time
/// the copy yields.
///
/// Fidelity: same as mm/memory.c v7.0, without the errors that only entries outside of the lab's
/// model raise.
fn copy_pte_range(copy: &mut PageCopy<'_>, vma: &VmAreaStruct, mut addr: VirtAddr, end: VirtAddr) {
    loop {
        let dst_ptl = copy.dst_mm.pte_alloc_map_lock(addr);
        let Some(src_ptl) = copy.src_mm.pte_offset_map_lock(addr) else { return };
        let start = addr;
        addr = copy_locked_ptes(&dst_ptl, &src_ptl, copy, vma, addr, end);
        // By `dup_mmap()`, when all is copied.
        pgtable::flush_promised(copy.src_mm, start, entries(start, addr).into());
        drop(src_ptl);
        drop(dst_ptl);
        copy.resched.cond_resched();
        if addr == end {
            return;
        }
    }
}

/// The section of `copy_pte_range()`; returns where it stopped.
///
/// Fidelity: same as mm/memory.c v7.0; waiters for the locks do not exist.
#[lazy_mmu(name = "copy_pte_range", with_ptes(copy.src_mm, addr, end, src_ptl.ptep(addr)))]
fn copy_locked_ptes(
    dst_ptl: &PteLock,
    src_ptl: &PteLock,
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) -> VirtAddr {
    let mut progress = 0;
    let (mut dst_pte, mut src_pte) = (dst_ptl.ptep(addr), src_ptl.ptep(addr));
    while addr != end {
        if progress >= PROGRESS_MAX {
            progress = 0;
            if copy.resched.need_resched() {
                break;
            }
        }
        let pte = pgtable::ptep_get(copy.src_mm, addr, src_pte);
        let mut nr = 1;
        if pte.is_none() {
            progress += 1;
        } else if pte.is_present() {
            nr = copy_present_ptes(copy, vma, dst_pte, src_pte, pte, addr, entries(addr, end));
            progress += 8 * u32::from(nr);
        } else {
            copy_nonpresent_pte(copy, dst_pte, pte, addr);
            progress += 8;
        }
        (dst_pte, src_pte) = (dst_pte.add(nr), src_pte.add(nr));
        addr = addr.add_pages(u64::from(nr));
    }
    addr
}

/// Copies up to `max_nr` entries of one folio and returns how many.
///
/// Fidelity: changed: mm/memory.c v7.0; pages pinned for I/O, which a child gets a copy of at once,
/// do not exist.
#[inline]
fn copy_present_ptes(
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    dst_pte: Ptep<'_>,
    src_pte: Ptep<'_>,
    mut pte: Pte,
    addr: VirtAddr,
    max_nr: u16,
) -> u16 {
    let (src_mm, shared) = (copy.src_mm, vma.vm_flags.has(VmFlags::VM_SHARED));
    let ignored = Pte::WRITE | if shared { Pte::DIRTY } else { 0 };
    let nr = folio_pte_batch_flags(src_mm, addr, src_pte, pte, max_nr, ignored);
    // One entry of the batch that may be written is enough.
    if (1..nr).any(|n| src_pte.add(n).read().has(Pte::WRITE)) {
        pte = pte.with(Pte::WRITE);
    }
    if vma.is_cow_mapping() && pte.has(Pte::WRITE) {
        pgtable::wrprotect_ptes(src_mm, addr, src_pte, nr);
        copy.wrprotected += u64::from(nr);
        pte = pte.without(Pte::WRITE);
    }
    let pte = pte.without(Pte::YOUNG | if shared { Pte::DIRTY } else { 0 });
    pgtable::set_ptes(copy.dst_mm, addr, dst_pte, pte, nr);
    copy.copied += u64::from(nr);
    nr
}

/// Copies an entry that is neither empty nor present.
///
/// Fidelity: changed: mm/memory.c v7.0; what the entry means is not looked at.
fn copy_nonpresent_pte(copy: &mut PageCopy<'_>, dst_pte: Ptep<'_>, pte: Pte, addr: VirtAddr) {
    pgtable::set_pte_at(copy.dst_mm, addr, dst_pte, pte);
    copy.copied += 1;
}

/// Empties the entries of `addr..end` and gathers their pages.
///
/// Fidelity: changed: mm/memory.c v7.0, which calls it `__zap_vma_range()` from v7.2 on; the levels
/// above the last table are one look-up.
pub fn unmap_page_range(
    tlb: &mut MmuGather<'_>,
    mut addr: VirtAddr,
    end: VirtAddr,
    resched: &Resched,
) {
    while let Some(table) = tlb.mm().next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        zap_pte_range(tlb, table, addr, resched);
        resched.cond_resched();
    }
}

/// Empties the entries of `addr..end`, which one table maps: locks the table, and again each time
/// the loop must yield or the gather is full.
///
/// Fidelity: changed: mm/memory.c v6.12 to v7.3; an empty table is kept, which
/// `zap_empty_pte_table()` takes out within the section.
fn zap_pte_range(tlb: &mut MmuGather<'_>, mut addr: VirtAddr, end: VirtAddr, resched: &Resched) {
    loop {
        let Some(ptl) = tlb.mm().pte_offset_map_lock(addr) else { return };
        let mut force = Force::default();
        pgtable::flush_tlb_batched_pending(tlb.mm(), addr);
        addr = zap_locked_ptes(&ptl, tlb, addr, end, resched, &mut force);
        if force.flush {
            tlb.tlb_flush_mmu_tlbonly();
            tlb.tlb_flush_rmaps();
        }
        tlb.promise_flush();
        drop(ptl);
        if force.flush {
            tlb.tlb_flush_mmu();
        }
        if addr == end {
            return;
        }
        resched.cond_resched();
    }
}

/// What the pages that were emptied ask of `zap_pte_range()`.
#[derive(Default)]
struct Force {
    /// Flush the TLBs before the lock is released: a page of a file was seen dirty, and others must
    /// not go on writing to it; or there is no room.
    flush: bool,
    /// End the section: there is no room for another page.
    brk: bool,
}

/// The section of `zap_pte_range()`; returns where it stopped.
///
/// Fidelity: same as mm/memory.c v7.0.
#[lazy_mmu(name = "zap_pte_range", with_ptes(tlb.mm(), addr, end, ptl.ptep(addr)))]
fn zap_locked_ptes(
    ptl: &PteLock,
    tlb: &mut MmuGather<'_>,
    mut addr: VirtAddr,
    end: VirtAddr,
    resched: &Resched,
    force: &mut Force,
) -> VirtAddr {
    let (mm, mut ptep) = (tlb.mm(), ptl.ptep(addr));
    while addr != end && !force.brk {
        if resched.need_resched() {
            break;
        }
        let mut pte = pgtable::ptep_get(mm, addr, ptep);
        while pte.is_none() {
            (addr, ptep) = (addr.add_pages(1), ptep.add(1));
            if addr == end {
                return addr;
            }
            pte = pgtable::ptep_get(mm, addr, ptep);
        }
        let nr = if pte.is_present() {
            zap_present_ptes(tlb, ptep, pte, addr, entries(addr, end), force)
        } else {
            pgtable::pte_clear(mm, addr, ptep);
            1
        };
        (addr, ptep) = (addr.add_pages(u64::from(nr)), ptep.add(nr));
    }
    addr
}

/// Empties up to `max_nr` entries of one folio and returns how many.
///
/// Fidelity: same as mm/memory.c v7.0.
#[inline]
fn zap_present_ptes(
    tlb: &mut MmuGather<'_>,
    ptep: Ptep<'_>,
    pte: Pte,
    addr: VirtAddr,
    max_nr: u16,
    force: &mut Force,
) -> u16 {
    let mm = tlb.mm();
    if pte.has(Pte::SPECIAL) {
        // `vm_normal_page()` finds none: nothing to free.
        pgtable::ptep_get_and_clear(mm, addr, ptep);
        tlb.tlb_flush_pte_range(addr, 1);
        return 1;
    }
    let nr = folio_pte_batch(mm, addr, ptep, pte, max_nr);
    match nr {
        // A case of its own, so that it compiles to code for one page.
        1 => zap_present_folio_ptes(tlb, ptep, addr, 1, force),
        nr => zap_present_folio_ptes(tlb, ptep, addr, nr, force),
    }
    nr
}

/// Empties `nr` entries of one folio.
///
/// Fidelity: changed: mm/memory.c v7.0 to v7.3; the reverse map and the markers of userfaultfd are
/// left out, and the entries of anonymous pages are cleared by the same loop (`clear_full_ptes()`).
#[inline(always)]
fn zap_present_folio_ptes(
    tlb: &mut MmuGather<'_>,
    ptep: Ptep<'_>,
    addr: VirtAddr,
    nr: u16,
    force: &mut Force,
) {
    let pte = get_and_clear_full_ptes(tlb.mm(), addr, ptep, nr);
    if !folio_test_anon(pte.pfn()) && pte.has(Pte::DIRTY) && tlb.tlb_delay_rmap() {
        force.flush = true;
    }
    tlb.tlb_flush_pte_range(addr, nr);
    if tlb.__tlb_remove_folio_pages(nr) {
        (force.flush, force.brk) = (true, true);
    }
}
