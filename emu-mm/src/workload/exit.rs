//! `exit`: all page tables of an address space are emptied.
//!
//! Models `exit_mmap()` of mm/mmap.c (v7.0): one gather for the whole address space, flushed when
//! it is full and at the end.

use emu_arch::pgtable;

use super::stage::Stage;
use crate::mm::MmuGather;
use crate::mm::memory::{ZapDetails, unmap_page_range};
use crate::proc::BuildError;

/// Empties every mapping.
///
/// Fidelity: changed: mm/mmap.c v7.0; the tables themselves are kept.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mm = stage.space.mm.clone();
    pgtable::arch_exit_mmap(&mm);
    let mut tlb = MmuGather::tlb_gather_mmu_fullmm(&mm);
    for index in 0..stage.space.vmas.len() {
        let before = tlb.entries();
        stage.each_chunk(index, |stage, addr, end| {
            let (vma, resched) = (&stage.space.vmas[index], &stage.resched);
            let details = ZapDetails { vma, drop_markers: true, resched };
            unmap_page_range(&mut tlb, addr, end, details);
        });
        stage.mapping_done(index, tlb.entries() - before);
    }
    tlb.tlb_finish_mmu();
    Ok(())
}
