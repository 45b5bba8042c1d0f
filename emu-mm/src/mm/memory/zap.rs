//! Emptying page tables.
//!
//! Models mm/memory.c (v7.3): `unmap_page_range()`, which is `__zap_vma_range()` from v7.2 on, down
//! to the loop over the entries of one table, with its restarts.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{Pte, pgtable};
use lazy_mmu::design::Check;
use lazy_mmu::lazy_mmu;

use crate::mm::internal::{folio_pte_batch, folio_test_anon};
use crate::mm::ptes::{clear_nonpresent_ptes, entries, get_and_clear_full_ptes, swap_pte_batch};
use crate::mm::vma::VmFlags;
use crate::mm::{MmuGather, Resched, VmAreaStruct};

/// What a zap is part of.
///
/// Fidelity: changed: `struct zap_details` of include/linux/mm.h v7.3, with the mapping and the
/// scheduler beside; every folio of the range goes.
#[derive(Clone, Copy, Debug)]
pub struct ZapDetails<'m> {
    /// The mapping.
    pub vma: &'m VmAreaStruct,
    /// `ZAP_FLAG_DROP_MARKER`: the mapping itself goes away, with the markers of userfaultfd and of
    /// guards.
    pub drop_markers: bool,
    /// When the zap must yield.
    pub resched: &'m Resched,
}

/// Empties the entries of `addr..end` and gathers their pages.
///
/// Fidelity: changed: mm/memory.c v7.0, which calls it `__zap_vma_range()` from v7.2 on; the levels
/// above the last table are one look-up; where the architecture does not merge mappings in a gather
/// (arm64), the kernel flushes at the end of each mapping.
pub fn unmap_page_range(
    tlb: &mut MmuGather<'_>,
    mut addr: VirtAddr,
    end: VirtAddr,
    details: ZapDetails<'_>,
) {
    while let Some(table) = tlb.mm().next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        zap_pte_range(tlb, table, addr, details);
        details.resched.cond_resched();
    }
}

/// Empties the entries of `addr..end`, which one table maps: locks the table, and again each time
/// the loop must yield or the gather is full.
///
/// Fidelity: changed: mm/memory.c v6.12 to v7.3; an empty table is kept, which
/// `zap_empty_pte_table()` takes out within the section.
fn zap_pte_range(
    tlb: &mut MmuGather<'_>,
    mut addr: VirtAddr,
    end: VirtAddr,
    details: ZapDetails<'_>,
) {
    loop {
        let Some(ptl) = tlb.mm().pte_offset_map_lock(addr) else { return };
        let mut force = Force::default();
        pgtable::flush_tlb_batched_pending(tlb.mm(), addr);
        addr = zap_locked_ptes(&ptl, tlb, addr, end, details, &mut force);
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
        details.resched.cond_resched();
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
    details: ZapDetails<'_>,
    force: &mut Force,
) -> VirtAddr {
    let (mm, mut ptep) = (tlb.mm(), ptl.ptep(addr));
    while addr != end && !force.brk {
        if details.resched.need_resched() {
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
            zap_present_ptes(tlb, ptep, pte, addr, entries(addr, end), details, force)
        } else {
            zap_nonpresent_ptes(tlb, ptep, pte, addr, entries(addr, end), details)
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
    details: ZapDetails<'_>,
    force: &mut Force,
) -> u16 {
    let mm = tlb.mm();
    if pte.has(Pte::SPECIAL) {
        // `vm_normal_page()` finds none: nothing to free.
        pgtable::ptep_get_and_clear(mm, addr, ptep);
        tlb.tlb_flush_pte_range(addr, 1);
        if pte.has(Pte::UFFD) {
            zap_install_uffd_wp_if_needed(tlb, ptep, pte, addr, 1, details);
        }
        return 1;
    }
    let nr = folio_pte_batch(mm, addr, ptep, pte, max_nr);
    match nr {
        // A case of its own, so that it compiles to code for one page.
        1 => zap_present_folio_ptes(tlb, ptep, addr, 1, force),
        nr => zap_present_folio_ptes(tlb, ptep, addr, nr, force),
    }
    if pte.has(Pte::UFFD) {
        zap_install_uffd_wp_if_needed(tlb, ptep, pte, addr, nr, details);
    }
    nr
}

/// Empties `nr` entries of one folio.
///
/// Fidelity: changed: mm/memory.c v7.0 to v7.3; the reverse map is left out, the caller puts the
/// markers of userfaultfd, behind the gather instead of before it, and the entries of anonymous
/// pages are cleared by the same loop (`clear_full_ptes()`).
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

/// Empties up to `max_nr` entries that are neither empty nor present, but those that the zap
/// leaves, and returns how many it has seen to.
///
/// Fidelity: same as mm/memory.c v7.3, for a zap that takes all folios.
fn zap_nonpresent_ptes(
    tlb: &mut MmuGather<'_>,
    ptep: Ptep<'_>,
    pte: Pte,
    addr: VirtAddr,
    max_nr: u16,
    details: ZapDetails<'_>,
) -> u16 {
    let nr = match SoftLeaf::of(pte) {
        Some(SoftLeaf::Swap) => swap_pte_batch(tlb.mm(), addr, ptep, pte, max_nr),
        Some(SoftLeaf::UffdWpMarker) if !details.vma.anonymous && !details.drop_markers => {
            return 1;
        }
        Some(SoftLeaf::GuardMarker) if !details.drop_markers => return 1,
        _ => 1,
    };
    clear_nonpresent_ptes(tlb.mm(), addr, ptep, nr);
    zap_install_uffd_wp_if_needed(tlb, ptep, pte, addr, nr, details);
    nr
}

/// Puts markers in the place of `nr` entries that userfaultfd watches, in a mapping of a file that
/// stays.
///
/// Fidelity: same as mm/memory.c v7.3, with `cond_install_uffd_wp_ptes()`.
fn zap_install_uffd_wp_if_needed(
    tlb: &MmuGather<'_>,
    ptep: Ptep<'_>,
    pte: Pte,
    addr: VirtAddr,
    nr: u16,
    details: ZapDetails<'_>,
) {
    if details.drop_markers {
        return;
    }
    let now = pgtable::ptep_get(tlb.mm(), addr, ptep);
    tlb.mm().warn(Check::WarnOnOnce, "!pte_none(ptep_get(ptep))", !now.is_none());
    let marked = pte.has(Pte::UFFD) || SoftLeaf::of(pte) == Some(SoftLeaf::UffdWpMarker);
    if details.vma.anonymous || !details.vma.vm_flags.has(VmFlags::VM_UFFD_WP) || !marked {
        return;
    }
    for n in 0..nr {
        let marker = SoftLeaf::UffdWpMarker.pte(emu_arch::Pfn(0));
        pgtable::set_pte_at(tlb.mm(), addr.add_pages(n.into()), ptep.add(n), marker);
    }
}
