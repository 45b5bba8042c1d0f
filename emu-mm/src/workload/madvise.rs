//! `madvise-cold` and `madvise-free`: the pages of each mapping are cold, or need not be kept.
//!
//! Models `madvise_cold()` and `madvise_free_single_vma()` of mm/madvise.c (v7.3).

use super::stage::Stage;
use crate::mm::MmuGather;
use crate::mm::internal::Folios;
use crate::mm::madvise::{
    MadviseWalk, madvise_cold_or_pageout_page_range, madvise_free_page_range,
};
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// What is advised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// `MADV_COLD`, for all mappings but those of bare frames.
    Cold,
    /// `MADV_FREE`, for mappings of no file.
    Free,
}

/// Gives the advice on every mapping that takes it.
///
/// Fidelity: changed: mm/madvise.c v7.3; mappings that are locked in memory are not known here.
pub(super) fn run(stage: &mut Stage<'_>, advice: Advice) -> Result<(), BuildError> {
    let (mm, folios) = (stage.space.mm.clone(), Folios::default());
    for index in 0..stage.space.vmas.len() {
        let vma = &stage.space.vmas[index];
        let takes = match advice {
            Advice::Cold => !vma.vm_flags.has(VmFlags::VM_PFNMAP),
            Advice::Free => vma.anonymous,
        };
        let mut tlb = MmuGather::tlb_gather_mmu(&mm);
        if takes {
            stage.each_chunk(index, |stage, addr, end| {
                let (folios, resched) = (&folios, &stage.resched);
                let mut walk = MadviseWalk { tlb: &mut tlb, folios, resched };
                match advice {
                    Advice::Cold => {
                        madvise_cold_or_pageout_page_range(&mut walk, false, addr, end);
                    }
                    Advice::Free => madvise_free_page_range(&mut walk, addr, end),
                }
            });
            tlb.tlb_finish_mmu();
        }
        // MADV_FREE empties an entry and puts it back.
        let writes = if advice == Advice::Free { 2 } else { 1 };
        stage.mapping_done(index, writes * tlb.entries());
    }
    Ok(())
}
