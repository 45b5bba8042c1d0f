//! `mremap`: each mapping moves to addresses that are one page off, so that no table moves whole.
//!
//! Models `move_vma()` of mm/mremap.c (v7.3): the entries move, then the old range is unmapped.

use super::area::Area;
use super::stage::Stage;
use crate::mm::MmuGather;
use crate::mm::memory::{ZapDetails, unmap_page_range};
use crate::mm::mremap::move_page_tables;
use crate::proc::BuildError;

/// Moves every mapping.
///
/// Fidelity: changed: mm/mremap.c v7.3; a large mapping moves in parts of 128 tables, and one of
/// bare frames (`VM_PFNMAP`), which may not move to another size, keeps its size.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mm = stage.space.mm.clone();
    let mut area = Area::beside(&stage.space.vmas);
    for index in 0..stage.space.vmas.len() {
        let mut moved = 0;
        stage.each_chunk(index, |stage, addr, end| {
            stage.resched.cond_resched();
            moved += move_page_tables(&mm, addr, end, area.take(addr, end));
        });
        let mut tlb = MmuGather::tlb_gather_mmu(&mm);
        stage.each_chunk(index, |stage, addr, end| {
            let (vma, resched) = (&stage.space.vmas[index], &stage.resched);
            let details = ZapDetails { vma, drop_markers: true, resched };
            unmap_page_range(&mut tlb, addr, end, details);
        });
        tlb.tlb_finish_mmu();
        stage.mapping_done(index, 2 * moved);
    }
    Ok(())
}
