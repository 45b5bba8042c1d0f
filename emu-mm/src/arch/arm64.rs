//! arm64: changing the kernel's own mappings, and splitting the blocks that they lie in.
//!
//! Models arch/arm64/mm/mmu.c and arch/arm64/mm/pageattr.c (v7.3), with pages of 4 KiB.
//! `split_kernel_leaf_mapping()` allocates page tables in its section, which may sleep: allowed on
//! arm64, whose mode goes with the task.

use std::rc::Rc;

use emu_arch::arm64::DSB_ISHST;
use emu_arch::hw::addr::{PMD_SHIFT, PMD_SIZE, PTRS_PER_PTE, PUD_SHIFT, VirtAddr};
use emu_arch::hw::table::Table;
use emu_arch::kernel::Lock;
use emu_arch::{Level, MmStruct, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use crate::mm::ptes::pages;

/// Entries that may be contiguous, at both levels: `CONT_PTES`, `CONT_PMDS`.
const CONT: u64 = 16;
const PUD_SIZE: u64 = 1 << PUD_SHIFT;
const PAGE_SIZE: u64 = emu_arch::hw::addr::PAGE_SIZE;

/// The kernel's mappings, and what the CPUs can do.
#[derive(Clone, Copy, Debug)]
pub struct KernelMap<'m> {
    /// `init_mm`
    pub mm: &'m MmStruct,
    /// `linear_map_requires_bbml3` and `system_supports_bbml3()`: the linear map has blocks, and
    /// all CPUs let them be split while they are in use.
    pub bbml3: bool,
}

/// What is to change of each entry.
///
/// Fidelity: same as `struct page_change_data` of arch/arm64/mm/pageattr.c v7.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PageChange {
    set_mask: u64,
    clear_mask: u64,
}

/// `PTE_PRESENT_VALID_KERNEL` in place of `PTE_PRESENT_INVALID`.
const VALID: PageChange = PageChange { set_mask: 0, clear_mask: Pte::PROTNONE };

impl KernelMap<'_> {
    /// The pages may not be written any more.
    ///
    /// Fidelity: changed: arch/arm64/mm/pageattr.c v7.3 refuses addresses that are not of one
    /// vmalloc area without huge pages, flushes first what vunmap() deferred, and with
    /// `rodata_full` changes the alias of each page in the linear map too.
    pub fn set_memory_ro(self, addr: VirtAddr, numpages: u64) {
        self.change_memory(addr, numpages, PageChange { set_mask: 0, clear_mask: Pte::WRITE });
    }

    /// The pages may be written.
    ///
    /// Fidelity: changed: arch/arm64/mm/pageattr.c v7.3, as [`set_memory_ro`](Self::set_memory_ro).
    pub fn set_memory_rw(self, addr: VirtAddr, numpages: u64) {
        self.change_memory(addr, numpages, PageChange { set_mask: Pte::WRITE, clear_mask: 0 });
    }

    /// The pages may be used, or not.
    ///
    /// Fidelity: same as arch/arm64/mm/pageattr.c v7.3.
    pub fn set_memory_valid(self, addr: VirtAddr, numpages: u64, enable: bool) {
        let invalid = PageChange { set_mask: Pte::PROTNONE, clear_mask: 0 };
        self.change_memory(addr, numpages, if enable { VALID } else { invalid });
    }

    /// Changes the entries, then flushes the TLBs unless the entries only became valid.
    ///
    /// Fidelity: same as `__change_memory_common()` of arch/arm64/mm/pageattr.c v7.3.
    fn change_memory(self, start: VirtAddr, numpages: u64, change: PageChange) {
        let end = start.add_pages(numpages);
        self.split_kernel_leaf_mapping(start, end);
        update_range_prot(self.mm, start, end, change);
        if change != VALID {
            pgtable::flush_tlb_range(self.mm, start, numpages);
        }
    }

    /// Splits blocks until both addresses are where an entry begins.
    ///
    /// Fidelity: same as arch/arm64/mm/mmu.c v7.3, once all CPUs are known.
    pub fn split_kernel_leaf_mapping(self, start: VirtAddr, end: VirtAddr) {
        if self.bbml3 {
            let _pgtable_split_lock = self.mm.lock(Lock::Mutex);
            split_leaves(self.mm, start, end);
        }
    }
}

/// The section of `update_range_prot()`.
///
/// Fidelity: changed: arch/arm64/mm/pageattr.c v7.3, with `pageattr_pud_entry()` and its like; a
/// block that lies in the range only in part is changed whole, where the kernel warns and stops.
#[lazy_mmu(name = "update_range_prot")]
fn update_range_prot(mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr, change: PageChange) {
    let set = |pte: Pte| pte.without(change.clear_mask).with(change.set_mask);
    while addr < end {
        let leaf = [(Level::Pud, PUD_SIZE), (Level::Pmd, PMD_SIZE)].into_iter();
        let mut leaf = leaf.filter_map(|(level, size)| Some((level, size, mm.leaf(level, addr)?)));
        if let Some((level, size, pte)) = leaf.next() {
            mm.set_leaf(level, addr, set(pte));
            addr = next_entry(addr, size, end);
            continue;
        }
        let next = addr.pmd_addr_end(end);
        if let Some(table) = mm.pte_offset_kernel(addr) {
            for at in (0..pages(addr, next)).map(|n| addr.add_pages(n)) {
                let ptep = table.ptep(at.pte_index());
                let pte = pgtable::ptep_get(mm, at, ptep);
                pgtable::set_pte(mm, at, ptep, set(pte));
            }
        }
        addr = next;
    }
}

/// Where the entry of `size` bytes that covers `addr` ends, `end` at most.
fn next_entry(addr: VirtAddr, size: u64, end: VirtAddr) -> VirtAddr {
    VirtAddr::page((addr.get() / size + 1) * size).map_or(end, |next| next.min(end))
}

/// The section of `split_kernel_leaf_mapping()`.
///
/// Fidelity: same as arch/arm64/mm/mmu.c v7.3.
#[lazy_mmu(name = "split_kernel_leaf_mapping")]
fn split_leaves(mm: &MmStruct, start: VirtAddr, end: VirtAddr) {
    if pages(start, end) == 1 {
        let zeros = |addr: VirtAddr| addr.get().trailing_zeros();
        let least = if zeros(start) < zeros(end) { start } else { end };
        split_kernel_leaf_mapping_locked(mm, least);
    } else {
        split_kernel_leaf_mapping_locked(mm, start);
        split_kernel_leaf_mapping_locked(mm, end);
    }
}

/// Splits blocks until `addr` is where an entry begins, with contiguous entries around it.
///
/// Fidelity: same as arch/arm64/mm/mmu.c v7.3; there is always memory for a table.
fn split_kernel_leaf_mapping_locked(mm: &MmStruct, addr: VirtAddr) {
    let aligned = |size: u64| addr.get().is_multiple_of(size);
    if aligned(PUD_SIZE) {
        return;
    }
    if let Some(pud) = mm.leaf(Level::Pud, addr) {
        split_pud(mm, addr, pud, true);
    }
    if aligned(CONT * PMD_SIZE) {
        return;
    }
    if let Some(pmd) = mm.leaf(Level::Pmd, addr) {
        if pmd.has(Pte::CONT) {
            split_contpmd(mm, addr);
        }
        if aligned(PMD_SIZE) {
            return;
        }
        split_pmd(mm, addr, pmd, true);
    }
    if aligned(CONT * PAGE_SIZE) {
        return;
    }
    if let Some(table) = mm.pte_offset_kernel(addr) {
        let pte = pgtable::ptep_get(mm, addr, table.ptep(addr.pte_index()));
        if pte.is_present() && pte.has(Pte::CONT) {
            split_contpte(mm, addr, &table);
        }
    }
}

/// Splits all blocks of `start..end` into pages, in a section.
///
/// Fidelity: same as arch/arm64/mm/mmu.c v7.3, where the caller says how memory is allocated.
#[lazy_mmu(name = "range_split_to_ptes")]
pub fn range_split_to_ptes(mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr) {
    while addr < end {
        if let Some(pud) = mm.leaf(Level::Pud, addr) {
            split_pud(mm, addr, pud, false);
        }
        let next = addr.pmd_addr_end(end);
        if let Some(pmd) = mm.leaf(Level::Pmd, addr) {
            if pmd.has(Pte::CONT) {
                split_contpmd(mm, addr);
            }
            split_pmd(mm, addr, pmd, false);
        } else if let Some(table) = mm.pte_offset_kernel(addr) {
            for at in (0..pages(addr, next)).map(|n| addr.add_pages(n)) {
                if pgtable::ptep_get(mm, at, table.ptep(at.pte_index())).has(Pte::CONT) {
                    split_contpte(mm, at, &table);
                }
            }
        }
        addr = next;
    }
}

/// The addresses of the `nr` entries of `size` bytes around `addr`.
fn around(addr: VirtAddr, nr: u64, size: u64) -> impl Iterator<Item = VirtAddr> {
    let first = addr.get() / (nr * size) * (nr * size);
    (0..nr).filter_map(move |n| VirtAddr::page(first + n * size).ok())
}

/// Fidelity: same as arch/arm64/mm/mmu.c v7.3.
fn split_contpte(mm: &MmStruct, addr: VirtAddr, table: &Table) {
    for at in around(addr, CONT, PAGE_SIZE) {
        let ptep = table.ptep(at.pte_index());
        let pte = pgtable::ptep_get(mm, at, ptep);
        pgtable::set_pte(mm, at, ptep, pte.without(Pte::CONT));
    }
}

/// Fidelity: same as arch/arm64/mm/mmu.c v7.3.
fn split_contpmd(mm: &MmStruct, addr: VirtAddr) {
    for at in around(addr, CONT, PMD_SIZE) {
        if let Some(pmd) = mm.leaf(Level::Pmd, at) {
            mm.set_leaf(Level::Pmd, at, pmd.without(Pte::CONT));
        }
    }
}

/// Puts a table of pages in the place of a block.
///
/// Fidelity: same as arch/arm64/mm/mmu.c v7.3.
fn split_pmd(mm: &MmStruct, addr: VirtAddr, pmd: Pte, to_cont: bool) {
    let table: Rc<Table> = pgd_pgtable_alloc_init_mm(mm);
    let cont = if to_cont { Pte::CONT } else { 0 };
    for (n, at) in around(addr, PTRS_PER_PTE as u64, PAGE_SIZE).enumerate() {
        let pte = pmd.without(Pte::CONT).with(cont).advance_pfn(n as u64);
        pgtable::set_pte(mm, at, table.ptep(at.pte_index()), pte);
    }
    mm.arch_effect(DSB_ISHST);
    mm.pmd_populate(addr, table);
}

/// Puts a table of blocks in the place of a larger one.
///
/// Fidelity: same as arch/arm64/mm/mmu.c v7.3.
fn split_pud(mm: &MmStruct, addr: VirtAddr, pud: Pte, to_cont: bool) {
    mm.arch_might_sleep();
    let cont = if to_cont { Pte::CONT } else { 0 };
    let step = 1 << (PMD_SHIFT - emu_arch::hw::addr::PAGE_SHIFT);
    for (n, at) in around(addr, PTRS_PER_PTE as u64, PMD_SIZE).enumerate() {
        let pmd = pud.without(Pte::CONT).with(cont).advance_pfn(n as u64 * step);
        mm.set_leaf(Level::Pmd, at, pmd);
    }
    mm.arch_effect(DSB_ISHST);
    mm.put_leaf(Level::Pud, addr, Pte::NONE);
    pgtable::set_table(mm, addr, Level::Pud, true);
}

/// A page table that nothing points to yet; the allocation may sleep.
///
/// Fidelity: same as `pgd_pgtable_alloc_init_mm_gfp()` of arch/arm64/mm/mmu.c v7.3, with
/// `GFP_PGTABLE_KERNEL`.
fn pgd_pgtable_alloc_init_mm(mm: &MmStruct) -> Rc<Table> {
    mm.arch_might_sleep();
    mm.new_table()
}
