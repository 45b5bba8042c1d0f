//! `reclaim`: the pages that were used since the last time are found, for the multi-generational
//! LRU.
//!
//! Models the ageing of mm/vmscan.c (v7.3): a walk over the page tables where hardware sets the
//! accessed bit, elsewhere what the reverse map finds, with the pages around.

use emu_arch::{Pte, VirtAddr};

use super::stage::Stage;
use crate::mm::vmscan::{LruGenMmWalk, lru_gen_look_around, walk_vma};
use crate::proc::BuildError;

/// Looks at all mappings.
///
/// Fidelity: changed: mm/vmscan.c v7.3; where there is no walk, the reverse map comes to the pages
/// in the order of their addresses.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let (mm, vmas) = (stage.space.mm.clone(), stage.space.vmas.clone());
    let mut walk = LruGenMmWalk::new(&mm, &vmas);
    let mut at = VirtAddr::default();
    for (index, vma) in vmas.iter().enumerate() {
        let before = walk.young;
        if mm.facts().hw_pte_young {
            // A walk of the mapping before may have come here too, within one table.
            while at < vma.vm_end {
                at = walk_vma(&mut walk, index, at.max(vma.vm_start));
            }
        } else {
            stage.each_chunk(index, |_, addr, end| {
                let mut addr = addr;
                while let Some(table) = mm.next_pte_table(addr, end) {
                    addr = table.pmd_addr_end(end);
                    for at in (0..crate::mm::ptes::pages(table, addr)).map(|n| table.add_pages(n)) {
                        let Some(ptl) = mm.pte_offset_map_lock(at) else { break };
                        let pte = ptl.ptep(at).read();
                        if pte.is_present() && pte.has(Pte::YOUNG) && !pte.has(Pte::SPECIAL) {
                            walk.young += lru_gen_look_around(&ptl, &mm, vma, at);
                        }
                    }
                }
            });
        }
        stage.mapping_done(index, walk.young - before);
    }
    Ok(())
}
