//! `munmap`: each mapping is unmapped by a call of its own.
//!
//! Models `unmap_region()` of mm/vma.c (v7.3).

use super::stage::Stage;
use crate::mm::MmuGather;
use crate::mm::memory::{ZapDetails, unmap_page_range};
use crate::proc::BuildError;

/// Empties the mappings, each with a gather of its own.
///
/// Fidelity: changed: mm/vma.c v7.3; the tables themselves are kept.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mm = stage.space.mm.clone();
    for index in 0..stage.space.vmas.len() {
        let mut tlb = MmuGather::tlb_gather_mmu(&mm);
        stage.each_chunk(index, |stage, addr, end| {
            let (vma, resched) = (&stage.space.vmas[index], &stage.resched);
            let details = ZapDetails { vma, drop_markers: true, resched };
            unmap_page_range(&mut tlb, addr, end, details);
        });
        tlb.tlb_finish_mmu();
        stage.mapping_done(index, tlb.entries());
    }
    Ok(())
}
