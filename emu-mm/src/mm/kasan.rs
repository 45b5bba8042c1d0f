//! The shadow memory of KASAN for the vmalloc range.
//!
//! Models mm/kasan/shadow.c (v7.3): both callbacks pause the section of `apply_to_pte_range()` that
//! they are called in, since each takes a lock and what it writes is used before the section ends.

use emu_arch::hw::addr::{PAGE_SHIFT, PAGE_SIZE, VirtAddr};
use emu_arch::hw::table::Ptep;
use emu_arch::kernel::Lock;
use emu_arch::{MmStruct, Pfn, Pte, pgtable};
use lazy_mmu::lazy_mmu_paused;

use super::Errno;
use super::memory::{Create, apply_to_page_range};

/// Where the shadow of address 0 would lie.
///
/// Fidelity: same as `CONFIG_KASAN_SHADOW_OFFSET` of arm64 with 48 bits, arch/arm64/Kconfig v7.3;
/// other architectures have others.
const KASAN_SHADOW_OFFSET: u64 = 0xdfff_8000_0000_0000;
/// Bytes of memory for a byte of shadow, as a shift.
const KASAN_SHADOW_SCALE_SHIFT: u32 = 3;
/// Pages whose frames fit into the page that holds them, of which one is allocated.
const PAGES_AT_ONCE: u64 = PAGE_SIZE / 8;

/// The shadow of the pages of `start..end`: whole pages.
fn kasan_mem_to_shadow(start: VirtAddr, end: VirtAddr) -> (VirtAddr, VirtAddr) {
    let of = |addr: u64| (addr >> KASAN_SHADOW_SCALE_SHIFT).wrapping_add(KASAN_SHADOW_OFFSET);
    let page = |addr: u64| VirtAddr::page(addr).unwrap_or_default();
    (page(of(start.get()) & !(PAGE_SIZE - 1)), page(of(end.get()).next_multiple_of(PAGE_SIZE)))
}

/// Gives `start..end` of the vmalloc range shadow memory and returns how many pages of it were
/// mapped; `take` gives the frame of a fresh page.
///
/// Fidelity: same as mm/kasan/shadow.c v7.3, with `__kasan_populate_vmalloc_do()`.
pub fn kasan_populate_vmalloc(
    init_mm: &MmStruct,
    start: VirtAddr,
    end: VirtAddr,
    mut take: impl FnMut() -> Pfn,
) -> u64 {
    let (mut at, shadow_end) = kasan_mem_to_shadow(start, end);
    let mut mapped = 0;
    while at < shadow_end {
        let left = (shadow_end.get() - at.get()) >> PAGE_SHIFT;
        let next = at.add_pages(left.min(PAGES_AT_ONCE));
        // `___alloc_pages_bulk()`, before any section.
        init_mm.might_sleep();
        let populated = apply_to_page_range(init_mm, at, next, Create::Yes, |mm, addr, ptep| {
            let used = kasan_populate_vmalloc_pte(mm, addr, ptep, &mut take);
            mapped += u64::from(used);
            Ok::<(), Errno>(())
        });
        debug_assert_eq!(populated, Ok(()), "the callback never fails");
        at = next;
    }
    mapped
}

/// Maps a page of shadow, unless another CPU was faster; tells whether the page was used.
///
/// Fidelity: same as mm/kasan/shadow.c v7.3; a page is taken when it is known to be used.
#[lazy_mmu_paused]
fn kasan_populate_vmalloc_pte(
    init_mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    take: &mut impl FnMut() -> Pfn,
) -> bool {
    let _page_table_lock = init_mm.lock(Lock::InitMm);
    let none = pgtable::ptep_get(init_mm, addr, ptep).is_none();
    if none {
        pgtable::set_pte_at(init_mm, addr, ptep, Pte::kernel(take()));
    }
    none
}

/// Takes the shadow memory of `start..end` away, whose neighbours are free too, flushes the TLBs,
/// and returns how many pages it was.
///
/// Fidelity: changed: `__kasan_release_vmalloc()` of mm/kasan/shadow.c v7.3; the lazy purge flushes
/// once behind all areas, here each area is flushed; pages of shadow that serve others too are left
/// alone.
pub fn kasan_release_vmalloc(init_mm: &MmStruct, start: VirtAddr, end: VirtAddr) -> u64 {
    let (shadow_start, shadow_end) = kasan_mem_to_shadow(start, end);
    let mut freed = 0;
    let visited =
        apply_to_page_range(init_mm, shadow_start, shadow_end, Create::No, |mm, addr, ptep| {
            freed += u64::from(kasan_depopulate_vmalloc_pte(mm, addr, ptep));
            Ok::<(), Errno>(())
        });
    debug_assert_eq!(visited, Ok(()), "the callback never fails");
    let pages = (shadow_end.get() - shadow_start.get()) >> PAGE_SHIFT;
    pgtable::flush_tlb_range(init_mm, shadow_start, pages);
    freed
}

/// Unmaps a page of shadow and frees it, before the TLBs are flushed; tells whether there was one.
///
/// Fidelity: same as mm/kasan/shadow.c v7.3.
#[lazy_mmu_paused]
fn kasan_depopulate_vmalloc_pte(init_mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> bool {
    let page_table_lock = init_mm.lock(Lock::InitMm);
    let pte = pgtable::ptep_get(init_mm, addr, ptep);
    if !pte.is_none() {
        pgtable::pte_clear(init_mm, addr, ptep);
    }
    drop(page_table_lock);
    if !pte.is_none() {
        init_mm.note("__free_page");
    }
    !pte.is_none()
}
