//! `pagemap-scan`: each mapping is watched for writes anew.
//!
//! Models the ioctl `PAGEMAP_SCAN` with `PM_SCAN_WP_MATCHING`, fs/proc/task_mmu.c (v7.3).

use super::stage::Stage;
use crate::fs::task_mmu::{PagemapScan, pagemap_scan};
use crate::mm::vma::VmFlags;
use crate::proc::BuildError;

/// Watches every mapping but those of bare frames, of which userfaultfd was told before.
///
/// Fidelity: changed: fs/proc/task_mmu.c v7.3; addresses without a page table are left out.
pub(super) fn run(stage: &mut Stage<'_>) -> Result<(), BuildError> {
    let mm = stage.space.mm.clone();
    for index in 0..stage.space.vmas.len() {
        let mut writes = 0;
        if !stage.space.vmas[index].vm_flags.has(VmFlags::VM_PFNMAP) {
            stage.space.vmas[index].vm_flags |= VmFlags::VM_UFFD_WP;
            stage.each_chunk(index, |stage, addr, end| {
                let mut scan = PagemapScan::watch_all(&mm, &stage.resched);
                let scanned = pagemap_scan(&mut scan, &stage.space.vmas[index], addr, end);
                assert_eq!(scanned, Ok(()), "no output can be full");
                writes += scan.writes;
            });
        }
        stage.mapping_done(index, writes);
    }
    Ok(())
}
