//! `vmalloc`: kernel memory of the sizes of the mappings is mapped, used and unmapped.
//!
//! Models `vmalloc()` and `vfree()` of mm/vmalloc.c (v7.0).

use emu_arch::backend::Access;
use emu_arch::hw::addr::{PAGE_SHIFT, PMD_SIZE};
use emu_arch::{Machine, Pfn, Pte, VirtAddr};

use super::stage::Stage;
use crate::mm::vmalloc::{vmap_pages_range, vunmap_range};
use crate::proc::BuildError;

/// The first address of the first area: where the vmalloc range of arm64 began while modules had
/// 128 MiB; v7.0 gives them 2 GiB from the same start, so that it lies in theirs.
pub(super) const VMALLOC_START: u64 = 0xffff_8000_0800_0000;

/// Page tables that are mapped between two calls of the progress callback.
const CHUNK_TABLES: u64 = 128;

/// For each mapping maps as many pages as it has in memory, touches them, and unmaps them. A guard
/// page separates two areas.
///
/// Fidelity: changed: mm/vmalloc.c v7.0; the page tables are there already, as the kernel never
/// frees them once a range was used.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mut area = VMALLOC_START;
    for index in 0..stage.space.vmas.len() {
        let pages = stage.space.pages[index];
        let end = area + (pages << PAGE_SHIFT);
        if pages > 0 {
            vmalloc_vfree(stage, index, area, end);
        }
        // Each page is written twice: mapped and unmapped.
        stage.mapping_done(index, 2 * pages);
        area = end + (1 << PAGE_SHIFT);
    }
    Ok(())
}

/// Maps, touches and unmaps the area `start..end`, in parts that end with a page table.
fn vmalloc_vfree(stage: &mut Stage<'_>, index: usize, start: u64, end: u64) {
    let machine = stage.machine.clone();
    let chunk = CHUNK_TABLES * PMD_SIZE;
    let mut frames = Vec::new();
    for at in std::iter::successors(Some(start), |at| Some((at / chunk + 1) * chunk)) {
        if at >= end {
            break;
        }
        let next = ((at / chunk + 1) * chunk).min(end);
        let (at, next) = (kernel_page(at), kernel_page(next));
        let first = (at.get() - start) >> PAGE_SHIFT;
        let nr = (next.get() - at.get()) >> PAGE_SHIFT;
        frames.clear();
        frames.extend((0..nr).map(|page| Pfn(1 + first + page)));
        prepare_tables(&machine, at, next);
        let mapped = vmap_pages_range(machine.init_mm(), at, next, &frames);
        assert_eq!(mapped, Ok(()), "areas do not overlap and have a frame for each page");
        touch(&machine, at, next);
        stage.progress(index, first + nr);
    }
    vunmap_range(machine.init_mm(), kernel_page(start), kernel_page(end));
}

/// An address in the area of 2^47 bytes from [`VMALLOC_START`] on, which none of the at most
/// [`PAGES_MAX`](crate::proc::PAGES_MAX) pages leaves.
pub(super) fn kernel_page(addr: u64) -> VirtAddr {
    VirtAddr::page(addr).expect("areas lie in kernel space and begin at pages")
}

/// Puts page tables under `addr..end`, with no effect.
fn prepare_tables(machine: &Machine, mut addr: VirtAddr, end: VirtAddr) {
    while addr != end {
        let _ = machine.init_mm().pte_table(addr);
        addr = addr.pmd_addr_end(end);
    }
}

/// Makes the entries of `addr..end` those of pages that were written, with no effect.
fn touch(machine: &Machine, mut addr: VirtAddr, end: VirtAddr) {
    let mm = machine.init_mm();
    let fresh = Pte::kernel(Pfn(0));
    let added = machine.accessed(mm, addr, fresh, Access::Write).0 & !fresh.0;
    if added == 0 {
        return;
    }
    while addr != end {
        let (table, next) = (mm.pte_table(addr), addr.pmd_addr_end(end));
        while addr != next {
            let ptep = table.ptep(addr.pte_index());
            ptep.write(ptep.read().with(added));
            addr = addr.add_pages(1);
        }
    }
}
