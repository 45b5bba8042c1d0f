//! `set-memory`: as many pages of the linear map as each mapping has in memory become read-only and
//! writable again.
//!
//! Models `set_memory_ro()` and `set_memory_rw()` of arch/arm64/mm/pageattr.c (v7.3), with
//! `split_kernel_leaf_mapping()`: the linear map has blocks of 1 GiB, which are split where the
//! pages begin and end.

use emu_arch::hw::addr::{PAGE_SHIFT, PUD_SHIFT};
use emu_arch::{Level, Pfn, Pte};

use super::stage::Stage;
use super::vmalloc::kernel_page;
use crate::arch::set_memory_ro_rw;
use crate::proc::BuildError;

/// Where the linear map begins.
const PAGE_OFFSET: u64 = 0xffff_0000_0000_0000;

/// Changes the pages of the linear map; a page lies between those of two mappings.
///
/// Fidelity: changed: arch/arm64/mm/pageattr.c v7.3 refuses addresses of the linear map here, which
/// it reaches as the aliases of vmalloc pages and by `set_direct_map_*()`.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let machine = stage.machine.clone();
    let mm = machine.init_mm();
    let mut page = 1;
    for index in 0..stage.space.vmas.len() {
        let pages = stage.space.pages[index];
        let block = |page: u64| page >> (PUD_SHIFT - PAGE_SHIFT);
        for block in block(page)..=block(page + pages) {
            let start = kernel_page(PAGE_OFFSET + (block << PUD_SHIFT));
            let pfn = Pfn(block << (PUD_SHIFT - PAGE_SHIFT));
            if mm.leaf(Level::Pud, start).is_none() && mm.leaf(Level::Pmd, start).is_none() {
                let split = mm.next_pte_table(start, kernel_page(start.get() + (1 << PUD_SHIFT)));
                if split.is_none() {
                    mm.put_leaf(Level::Pud, start, Pte::kernel(pfn));
                }
            }
        }
        if pages > 0 {
            set_memory_ro_rw(mm, kernel_page(PAGE_OFFSET + (page << PAGE_SHIFT)), pages);
        }
        stage.progress(index, pages);
        stage.mapping_done(index, 2 * pages);
        page += pages + 1;
    }
    Ok(())
}
