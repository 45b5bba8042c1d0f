//! The mm-style functions over a real address space, with hazards tracked: none on any
//! architecture.

use emu_arch::backend::Access;
use emu_arch::hw::addr::PAGE_SHIFT;
use emu_arch::{Arch, Kernel, Machine, MmStruct, Pfn, VirtAddr, pgtable};
use emu_mm::mm::memory::{PageCopy, ZapDetails, copy_page_range, unmap_page_range};
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::vma::VmFlags;
use emu_mm::mm::vmalloc::{vmap_pages_range, vunmap_range};
use emu_mm::mm::{MmuGather, Resched, VmAreaStruct};
use emu_mm::proc::{self, AddressSpace, Populate};
use lazy_mmu::sched;

use super::page;
use crate::support::{read, root};

/// Where the kernel maps its pages.
const VMALLOC: u64 = 0xffff_8000_0800_0000;

/// Another CPU touches every page of `vma` that is there, as a thread of the process does.
pub(super) fn touch(machine: &Machine, mm: &MmStruct, vma: &VmAreaStruct) {
    machine.context_switch(1, 2);
    let mut addr = vma.vm_start;
    while let Some(table) = mm.next_pte_table(addr, vma.vm_end) {
        addr = table.pmd_addr_end(vma.vm_end);
        let entries = (addr.get() - table.get()) >> PAGE_SHIFT;
        let ptes = mm.pte_offset_kernel(table).expect("the walk has found it");
        for at in (0..entries).map(|n| table.add_pages(n)) {
            let ptep = ptes.ptep(at.pte_index());
            if ptep.read().is_present() {
                pgtable::access(mm, at, ptep, Access::Read);
            }
        }
    }
    machine.context_switch(0, 1);
}

/// What follows the copies of a fork: `flush_tlb_mm()`.
fn flush_tlb_mm(space: &AddressSpace) {
    for vma in &space.vmas {
        let pages = (vma.vm_end.get() - vma.vm_start.get()) >> PAGE_SHIFT;
        pgtable::flush_tlb_range(&space.mm, vma.vm_start, pages);
    }
}

/// A fork, an mprotect of every mapping that may be written, an exit, with the pages used before
/// and after each.
fn live_and_die(machine: &Machine, space: &mut AddressSpace, resched: &Resched) {
    let (mm, child) = (space.mm.clone(), machine.mm_alloc().expect("room for a child"));
    let use_all = |space: &AddressSpace| {
        space.vmas.iter().for_each(|vma| touch(machine, &mm, vma));
    };
    use_all(space);
    for vma in &space.vmas {
        let (dst_mm, src_mm) = (&child, &mm);
        let mut copy = PageCopy { dst_mm, src_mm, resched, copied: 0, wrprotected: 0 };
        copy_page_range(&mut copy, vma, vma.vm_start, vma.vm_end);
    }
    flush_tlb_mm(space);
    use_all(space);
    for vma in &mut space.vmas {
        if vma.vm_flags.has(VmFlags::VM_WRITE) {
            vma.vm_flags = vma.vm_flags.without(VmFlags::VM_WRITE) | VmFlags::VM_READ;
            let mut tlb = MmuGather::tlb_gather_mmu(&mm);
            assert!(change_protection(&mut tlb, vma, vma.vm_start, vma.vm_end) > 0);
            tlb.tlb_finish_mmu();
        }
    }
    use_all(space);
    let mut tlb = MmuGather::tlb_gather_mmu(&mm);
    for vma in &space.vmas {
        let details = ZapDetails { vma, drop_markers: true, resched };
        unmap_page_range(&mut tlb, vma.vm_start, vma.vm_end, details);
    }
    tlb.tlb_finish_mmu();
    assert!(space.vmas.iter().all(|vma| vma_is_empty(&mm, vma)));
}

fn vma_is_empty(mm: &MmStruct, vma: &VmAreaStruct) -> bool {
    mm.next_pte_table(vma.vm_start, vma.vm_end)
        .and_then(|table| mm.pte_offset_kernel(table))
        .is_none_or(|table| table.populated() == 0)
}

/// Maps as many kernel pages as the mappings have addresses, uses them and unmaps them, twice.
fn vmalloc_vfree(machine: &Machine, pages: u64) {
    let init_mm = machine.init_mm();
    let (start, end): (VirtAddr, VirtAddr) = (page(VMALLOC), page(VMALLOC).add_pages(pages));
    let frames: Vec<Pfn> = (1..=pages).map(Pfn).collect();
    for _ in 0..2 {
        vmap_pages_range(init_mm, start, end, &frames).expect("room");
        for n in 0..pages {
            let (addr, table) = (start.add_pages(n), init_mm.pte_table(start.add_pages(n)));
            pgtable::access(init_mm, addr, table.ptep(addr.pte_index()), Access::Write);
        }
        vunmap_range(init_mm, start, end);
    }
}

#[test]
fn real_maps_on_every_architecture_and_kernel_without_a_hazard() {
    let text = read(&root().join("tests/fixtures/maps/sh.maps"));
    let mappings = proc::parse(text.as_bytes()).expect("the maps of a shell");
    for kernel in Kernel::ALL {
        for arch in Arch::all().filter(|arch| arch.is_in(kernel).is_ok()) {
            let machine = Machine::with_kernel(arch, kernel);
            let mut space =
                proc::build(&machine, &mappings, Populate::default(), 2).expect("small");
            let pages: u64 = space.pages.iter().sum();
            assert!(space.mm.tables() > 1, "the walks cross page tables");
            machine.track_hazards();
            sched::with_design(kernel.design(), || {
                machine.run(|| {
                    machine.context_switch(0, 1);
                    let resched = Resched::every(std::num::NonZeroU32::new(7));
                    live_and_die(&machine, &mut space, &resched);
                    vmalloc_vfree(&machine, pages);
                    machine.exit();
                });
            });
            // No lock is held for kernel pages, which old kernels could not do with (BC-09, BC-10),
            // but vmalloc had no section then.
            assert_eq!(machine.hazards(), [], "{} {}", arch.id(), kernel.id());
        }
    }
}
