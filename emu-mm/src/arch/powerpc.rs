//! powerpc with the hash MMU: translations are flushed, the entries stay.
//!
//! Models arch/powerpc/mm/book3s64/hash_tlb.c and subpage_prot.c (v7.3). The first two use a batch
//! without the lock of the table, which the kernel says breaks the rule and works, since no entry
//! changes. Interrupts are off in them there; here none arrives.

use emu_arch::hw::addr::{PMD_SIZE, VirtAddr};
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pte, pgtable};
use lazy_mmu::lazy_mmu;

/// Flushes the translations of `start..end` of the kernel's address space.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/hash_tlb.c v7.3.
pub fn __flush_hash_table_range(init_mm: &MmStruct, start: VirtAddr, end: VirtAddr) {
    init_mm.note("local_irq_save");
    flush_hash_entries(init_mm, start, end);
    init_mm.note("local_irq_restore");
}

/// The section of `__flush_hash_table_range()`.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/hash_tlb.c v7.3.
#[lazy_mmu(name = "__flush_hash_table_range")]
fn flush_hash_entries(init_mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr) {
    while addr < end {
        if let Some(table) = init_mm.pte_offset_kernel(addr) {
            let ptep = table.ptep(addr.pte_index());
            if pgtable::raw_read(init_mm, addr, ptep).has(Pte::HASHPTE) {
                pgtable::hpte_need_flush(init_mm, addr, ptep);
            }
        }
        addr = addr.add_pages(1);
    }
}

/// Flushes the translations of the page table that maps `addr`, before a huge page takes its place.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/hash_tlb.c v7.3.
pub fn flush_hash_table_pmd_range(mm: &MmStruct, addr: VirtAddr) {
    mm.note("local_irq_save");
    flush_hash_table(mm, VirtAddr::page(addr.get() / PMD_SIZE * PMD_SIZE).unwrap_or(addr));
    mm.note("local_irq_restore");
}

/// The section of `flush_hash_table_pmd_range()`, which begins before it is known whether there is
/// a table.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/hash_tlb.c v7.3.
#[lazy_mmu(name = "flush_hash_table_pmd_range")]
fn flush_hash_table(mm: &MmStruct, mut addr: VirtAddr) {
    let Some(table) = mm.pte_offset_kernel(addr) else { return };
    for index in 0..emu_arch::hw::addr::PTRS_PER_PTE as u16 {
        let ptep = table.ptep(index);
        if pgtable::raw_read(mm, addr, ptep).has(Pte::HASHPTE) {
            pgtable::hpte_need_flush(mm, addr, ptep);
        }
        addr = addr.add_pages(1);
    }
}

/// Flushes the translations of `npages` pages from `addr` on, whose protection in parts of a page
/// changes; all lie in one table.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/subpage_prot.c v7.3.
pub fn hpte_flush_range(mm: &MmStruct, addr: VirtAddr, npages: u16) {
    if let Some(ptl) = mm.pte_offset_map_lock(addr) {
        touch_locked_ptes(&ptl, mm, addr, npages);
    }
}

/// The section of `hpte_flush_range()`.
///
/// Fidelity: same as arch/powerpc/mm/book3s64/subpage_prot.c v7.3.
#[lazy_mmu(name = "hpte_flush_range")]
fn touch_locked_ptes(ptl: &PteLock, mm: &MmStruct, mut addr: VirtAddr, npages: u16) {
    for _ in 0..npages {
        pgtable::pte_update(mm, addr, ptl.ptep(addr));
        addr = addr.add_pages(1);
    }
}
