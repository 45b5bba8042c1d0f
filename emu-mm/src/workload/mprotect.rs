//! `mprotect`: each mapping that may be written becomes read-only.
//!
//! Models `do_mprotect_pkey()` and `mprotect_fixup()` of mm/mprotect.c (v7.0), one call for each
//! mapping.

use super::stage::Stage;
use crate::mm::MmuGather;
use crate::mm::mprotect::change_protection;
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// Takes the permission to write from every mapping that has another one beside it.
///
/// Fidelity: changed: mm/mprotect.c v7.0; mappings are neither split nor merged. A mapping that
/// may only be written becomes readable.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mm = stage.space.mm.clone();
    for index in 0..stage.space.vmas.len() {
        let mut ptes = 0;
        let vma = &mut stage.space.vmas[index];
        if vma.vm_flags.has(VmFlags::VM_WRITE) {
            vma.vm_flags = vma.vm_flags.without(VmFlags::VM_WRITE) | VmFlags::VM_READ;
            let mut tlb = MmuGather::tlb_gather_mmu(&mm);
            stage.each_chunk(index, |stage, addr, end| {
                // Each entry is written twice: when the change starts, and when it is committed.
                ptes += 2 * change_protection(&mut tlb, &stage.space.vmas[index], addr, end);
            });
            tlb.tlb_finish_mmu();
        }
        stage.mapping_done(index, ptes);
    }
    Ok(())
}
