//! `kasan`: kernel memory of the sizes of the mappings gets shadow memory, which is taken away
//! again.
//!
//! Models `kasan_populate_vmalloc()` and `kasan_release_vmalloc()` of mm/kasan/shadow.c (v7.3).

use emu_arch::Pfn;
use emu_arch::hw::addr::PAGE_SHIFT;

use super::stage::Stage;
use super::vmalloc::{VMALLOC_START, kernel_page};
use crate::mm::kasan::{kasan_populate_vmalloc, kasan_release_vmalloc};
use crate::proc::BuildError;

/// Pages whose shadow is one page.
const SHADOWED: u64 = 8;

/// For each mapping maps and unmaps the shadow of as many pages as it has in memory.
///
/// Fidelity: changed: mm/kasan/shadow.c v7.3; no page of shadow serves two areas.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let machine = stage.machine.clone();
    let mm = machine.init_mm();
    let (mut area, mut next) = (VMALLOC_START, 0);
    for index in 0..stage.space.vmas.len() {
        let pages = stage.space.pages[index].next_multiple_of(SHADOWED);
        let end = area + (pages << PAGE_SHIFT);
        let mut writes = 0;
        if pages > 0 {
            let (start, end) = (kernel_page(area), kernel_page(end));
            writes += kasan_populate_vmalloc(mm, start, end, || {
                next += 1;
                Pfn(next)
            });
            writes += kasan_release_vmalloc(mm, start, end);
        }
        stage.progress(index, pages);
        stage.mapping_done(index, writes);
        area = end;
    }
    Ok(())
}
