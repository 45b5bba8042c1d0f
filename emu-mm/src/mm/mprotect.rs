//! Changing the protection of mapped pages.
//!
//! Models mm/mprotect.c (v7.0): `change_protection()` down to the loop over the entries of one
//! table. NUMA hinting and userfaultfd, which share the kernel's loop, are left out.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::internal::{folio_pte_batch_flags, folio_test_anon};
use super::ptes::{entries, modify_prot_commit_ptes, modify_prot_start_ptes};
use super::vma::vm_get_page_prot;
use super::{MmuGather, VmAreaStruct};

/// Gives the entries of `addr..end` of `vma`, whose flags are new already, the protection that
/// these ask for, and returns how many entries changed.
///
/// Fidelity: changed: mm/mprotect.c v7.0; the levels above the last table are one look-up; where
/// the architecture does not merge mappings in a gather (arm64), the kernel flushes at the end of
/// each mapping.
pub fn change_protection(
    tlb: &mut MmuGather<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) -> u64 {
    let mut pages = 0;
    while let Some(table) = tlb.mm().next_pte_table(addr, end) {
        let next = table.pmd_addr_end(end);
        // Else the table went away, and the walk looks again.
        if let Some(changed) = change_pte_range(tlb, vma, table, next) {
            (pages, addr) = (pages + changed, next);
        }
    }
    pages
}

/// Changes the entries of `addr..end`, which one table maps; none is the kernel's `-EAGAIN`: there
/// is no table any more.
///
/// Fidelity: same as mm/mprotect.c v6.12 to v7.3.
fn change_pte_range(
    tlb: &mut MmuGather<'_>,
    vma: &VmAreaStruct,
    addr: VirtAddr,
    end: VirtAddr,
) -> Option<u64> {
    let ptl = tlb.mm().pte_offset_map_lock(addr)?;
    pgtable::flush_tlb_batched_pending(tlb.mm(), addr);
    let pages = change_locked_ptes(&ptl, tlb, vma, addr, end);
    tlb.promise_flush();
    Some(pages)
}

/// The section of `change_pte_range()`; returns how many entries changed.
///
/// Fidelity: same as mm/mprotect.c v7.3, for `mprotect()`.
#[lazy_mmu(name = "change_pte_range", with_ptes(tlb.mm(), addr, end, ptl.ptep(addr)))]
fn change_locked_ptes(
    ptl: &PteLock,
    tlb: &mut MmuGather<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) -> u64 {
    let newprot = vm_get_page_prot(vma.vm_flags);
    let (mut ptep, mut pages) = (ptl.ptep(addr), 0);
    while addr != end {
        let oldpte = pgtable::ptep_get(tlb.mm(), addr, ptep);
        let mut nr = 1;
        if oldpte.is_present() {
            nr = change_present_ptes(tlb, newprot, ptep, oldpte, addr, entries(addr, end));
            pages += u64::from(nr);
        } else if !oldpte.is_none() {
            pages += u64::from(change_softleaf_pte(tlb, ptep, oldpte, addr));
        }
        (addr, ptep) = (addr.add_pages(u64::from(nr)), ptep.add(nr));
    }
    pages
}

/// Changes up to `max_nr` entries of one folio and returns how many.
///
/// Fidelity: changed: mm/mprotect.c v7.0; an entry that `newprot` does not let write stays so until
/// the next write fault, though the kernel spares the fault of pages that it knows to be exclusive;
/// and every change counts as one that needs a flush.
#[inline]
fn change_present_ptes(
    tlb: &mut MmuGather<'_>,
    newprot: u64,
    ptep: Ptep<'_>,
    oldpte: Pte,
    addr: VirtAddr,
    max_nr: u16,
) -> u16 {
    let mm = tlb.mm();
    let nr = folio_pte_batch_flags(mm, addr, ptep, oldpte, max_nr, Pte::DIRTY);
    let oldpte = modify_prot_start_ptes(mm, addr, ptep, nr);
    let ptent = pte_modify(oldpte, newprot);
    modify_prot_commit_ptes(mm, addr, ptep, ptent, nr);
    tlb.tlb_flush_pte_range(addr, nr);
    nr
}

/// Takes the permission to write from an entry that is not present and tells whether it had it.
///
/// Fidelity: same as mm/mprotect.c v7.3, for `mprotect()`.
fn change_softleaf_pte(tlb: &MmuGather<'_>, ptep: Ptep<'_>, oldpte: Pte, addr: VirtAddr) -> bool {
    let leaf = match SoftLeaf::of(oldpte) {
        Some(SoftLeaf::MigrationWrite) if folio_test_anon(oldpte.pfn()) => {
            SoftLeaf::MigrationReadExclusive
        }
        Some(SoftLeaf::MigrationWrite) => SoftLeaf::MigrationRead,
        Some(SoftLeaf::DevicePrivateWrite) => SoftLeaf::DevicePrivateRead,
        _ => return false,
    };
    let uffd = if leaf == SoftLeaf::DevicePrivateRead { oldpte.0 & Pte::UFFD } else { 0 };
    pgtable::set_pte_at(tlb.mm(), addr, ptep, leaf.pte(oldpte.pfn()).with(uffd));
    true
}

/// The entry with the protection `newprot`; what else it says stays.
///
/// Fidelity: same as asm/pgtable.h v7.0.
#[inline]
const fn pte_modify(pte: Pte, newprot: u64) -> Pte {
    const PROT: u64 = Pte::PRESENT | Pte::PROTNONE | Pte::USER | Pte::WRITE | Pte::UXN;
    pte.without(PROT).with(newprot)
}
