//! `fork`: a child gets a copy of the page tables that it cannot rebuild.
//!
//! Models `dup_mmap()` of mm/mmap.c (v7.2; kernel/fork.c in v6.12).

use emu_arch::{VirtAddr, pgtable};

use super::stage::Stage;
use crate::mm::memory::{PageCopy, copy_page_range};
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// Copies every mapping, then flushes the parent's TLB entries, which may still permit writes.
///
/// Fidelity: changed: mm/mmap.c v7.2 (kernel/fork.c in v6.12) flushes the whole address space by
/// `flush_tlb_mm()`, also when nothing was copied.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let dst_mm = stage.machine.dup_mm().ok_or(BuildError::TooManyMms)?;
    let mut wrprotected = 0;
    for index in 0..stage.space.vmas.len() {
        let mut ptes = 0;
        if !stage.space.vmas[index].vm_flags.has(VmFlags::VM_DONTCOPY) {
            stage.each_chunk(index, |stage, addr, end| {
                let mut copy = PageCopy {
                    dst_mm: &dst_mm,
                    src_mm: &stage.space.mm,
                    resched: &stage.resched,
                    copied: 0,
                    wrprotected: 0,
                };
                copy_page_range(&mut copy, &stage.space.vmas[index], addr, end);
                ptes += copy.copied + copy.wrprotected;
                wrprotected += copy.wrprotected;
            });
        }
        stage.mapping_done(index, ptes);
    }
    pgtable::arch_dup_mmap(&dst_mm);
    if wrprotected > 0 {
        let start = stage.space.vmas.first().map_or_else(VirtAddr::default, |vma| vma.vm_start);
        pgtable::flush_tlb_range(&stage.space.mm, start, wrprotected);
    }
    Ok(())
}
