//! A piece of work, by the functions of mm/.
//!
//! Each kind of work has one place here: what mm/ does for it is a function of [`emu_mm::mm`].

use emu_arch::{Machine, MmStruct, VirtAddr, pgtable};
use emu_mm::mm::internal::Folios;
use emu_mm::mm::madvise::{
    MadviseWalk, madvise_cold_or_pageout_page_range, madvise_free_page_range,
};
use emu_mm::mm::memory::{PageCopy, ZapDetails, copy_page_range, unmap_page_range};
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::mremap::move_page_tables;
use emu_mm::mm::{MmuGather, Resched, VmAreaStruct};

use crate::job::{Job, Part, Work};
use crate::space::{Age, Flags};

/// Does `job` on `mm`, and returns how many entries it wrote.
pub(super) fn perform(machine: &Machine, mm: &MmStruct, job: &Job) -> u64 {
    match job.work {
        Work::Unmap => unmap(MmuGather::tlb_gather_mmu(mm), job, true),
        Work::Discard => unmap(MmuGather::tlb_gather_mmu(mm), job, false),
        Work::Exit => {
            pgtable::arch_exit_mmap(mm);
            unmap(MmuGather::tlb_gather_mmu_fullmm(mm), job, true)
        }
        Work::Protect => protect(mm, job),
        Work::Copy => copy(machine, mm, job),
        Work::Age(age) => advise(mm, job, age),
        Work::Move(to) => relocate(mm, job, to),
    }
}

/// Fidelity: same as `unmap_region()` of mm/vma.c, `zap_page_range_single()` of mm/memory.c and
/// `exit_mmap()` of mm/mmap.c v7.3; the tables themselves are kept; where the architecture does not
/// merge mappings in a gather (arm64), the kernel flushes at the end of each mapping.
fn unmap(mut tlb: MmuGather<'_>, job: &Job, drop_markers: bool) -> u64 {
    let resched = Resched::never();
    for part in &job.parts {
        let (start, end) = range(part);
        let details = ZapDetails { vma: &area(part), drop_markers, resched: &resched };
        unmap_page_range(&mut tlb, start, end, details);
    }
    tlb.tlb_finish_mmu();
    tlb.entries()
}

/// Fidelity: same as `do_mprotect_pkey()` of mm/mprotect.c v7.3; where the architecture does not
/// merge mappings in a gather (arm64), the kernel flushes at the end of each mapping.
fn protect(mm: &MmStruct, job: &Job) -> u64 {
    let mut tlb = MmuGather::tlb_gather_mmu(mm);
    let mut ptes = 0;
    for part in &job.parts {
        let (start, end) = range(part);
        // Each entry is written twice: when the change starts, and when it is committed.
        ptes += 2 * change_protection(&mut tlb, &area(part), start, end);
    }
    tlb.tlb_finish_mmu();
    ptes
}

/// Fidelity: changed: mm/madvise.c v7.3, which has a gather of its own for each mapping with
/// MADV_COLD and MADV_PAGEOUT, and one for all with MADV_FREE; here one for all; what is reclaimed
/// then is left out.
fn advise(mm: &MmStruct, job: &Job, age: Age) -> u64 {
    let mut tlb = MmuGather::tlb_gather_mmu(mm);
    let (folios, resched) = (&Folios::default(), &Resched::never());
    for part in &job.parts {
        let (start, end) = range(part);
        let mut walk = MadviseWalk { tlb: &mut tlb, folios, resched };
        match age {
            Age::Cold => madvise_cold_or_pageout_page_range(&mut walk, false, start, end),
            Age::Pageout => madvise_cold_or_pageout_page_range(&mut walk, true, start, end),
            Age::Free => madvise_free_page_range(&mut walk, start, end),
        }
    }
    tlb.tlb_finish_mmu();
    // MADV_FREE empties an entry and puts it back.
    tlb.entries() * if age == Age::Free { 2 } else { 1 }
}

/// Fidelity: changed: `move_vma()` of mm/mremap.c v7.3; no table moves whole
/// (`CONFIG_HAVE_MOVE_PMD`), though the kernel moves those so whose addresses are equal below
/// 2 MiB.
fn relocate(mm: &MmStruct, job: &Job, to: u64) -> u64 {
    let first = job.parts.first().map_or(0, |part| part.vma.start);
    let moved = job.parts.iter().map(|part| {
        let (start, end) = range(part);
        move_page_tables(mm, start, end, page(to + (part.vma.start - first)))
    });
    // Each entry is emptied, and written elsewhere.
    2 * moved.sum::<u64>()
}

/// Fidelity: changed: `dup_mmap()` of mm/mmap.c v7.3 flushes the whole address space, also when
/// nothing was copied.
fn copy(machine: &Machine, src_mm: &MmStruct, job: &Job) -> u64 {
    let resched = Resched::never();
    let dst_mm = machine.dup_mm().expect("a batch has as many as a machine has room for");
    let mut copy =
        PageCopy { dst_mm: &dst_mm, src_mm, resched: &resched, copied: 0, wrprotected: 0 };
    for part in &job.parts {
        let (start, end) = range(part);
        copy_page_range(&mut copy, &area(part), start, end);
    }
    let (copied, wrprotected) = (copy.copied, copy.wrprotected);
    pgtable::arch_dup_mmap(&dst_mm);
    if wrprotected > 0 {
        let start = job.parts.first().map_or_else(VirtAddr::default, |part| range(part).0);
        pgtable::flush_tlb_range(src_mm, start, wrprotected);
    }
    copied + wrprotected
}

fn range(part: &Part) -> (VirtAddr, VirtAddr) {
    (page(part.vma.start), page(part.vma.end))
}

fn area(part: &Part) -> VmAreaStruct {
    let (vm_start, vm_end) = range(part);
    let vma = &part.vma;
    let anonymous = vma.attrs.file == 0 && !vma.flags().has(Flags::SHARED | Flags::SPECIAL);
    let (vm_flags, anon_vma) = (vma.flags().vm_flags(), vma.anon.id != 0);
    VmAreaStruct { vm_start, vm_end, vm_flags, anonymous, anon_vma }
}

/// The address of a user page.
pub(super) fn page(addr: u64) -> VirtAddr {
    VirtAddr::page(addr).expect("ranges are of user pages")
}
