//! All functions of v7.3 over a real address space, one after the other, with hazards tracked.

use std::collections::BTreeSet;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Level, Machine, MmStruct, Pfn, Pte, VirtAddr};
use emu_mm::arch::arm64::{KernelMap, range_split_to_ptes};
use emu_mm::arch::powerpc::{
    __flush_hash_table_range, flush_hash_table_pmd_range, hpte_flush_range,
};
use emu_mm::fs::task_mmu::{PagemapScan, pagemap_scan};
use emu_mm::mm::internal::Folios;
use emu_mm::mm::kasan::{kasan_populate_vmalloc, kasan_release_vmalloc};
use emu_mm::mm::madvise::{
    MadviseWalk, madvise_cold_or_pageout_page_range, madvise_free_page_range,
};
use emu_mm::mm::memory::{Create, ZapDetails, apply_to_page_range, unmap_page_range};
use emu_mm::mm::migrate_device::{MigrateVma, migrate_vma_collect};
use emu_mm::mm::mremap::move_page_tables;
use emu_mm::mm::userfaultfd::{MovePages, move_pages};
use emu_mm::mm::vma::VmFlags;
use emu_mm::mm::vmalloc::{vmap_page_range, vunmap_range};
use emu_mm::mm::vmscan::{LruGenMmWalk, lru_gen_look_around, walk_mm};
use emu_mm::mm::{Errno, MmuGather, Resched, VmAreaStruct};
use emu_mm::proc::{self, AddressSpace, Populate};
use lazy_mmu::sched;

use super::page;
use super::real::touch;
use crate::support::{read, root};

/// The life of a process: each function over all mappings, with the pages used in between.
fn process(machine: &Machine, space: &mut AddressSpace, resched: &Resched) {
    let (mm, folios) = (space.mm.clone(), Folios::default());
    let vmas = space.vmas.clone();
    let use_all = || vmas.iter().for_each(|vma| touch(machine, &mm, vma));
    let each = |f: &mut dyn FnMut(&VmAreaStruct, &mut MmuGather<'_>)| {
        use_all();
        for vma in &vmas {
            let mut tlb = MmuGather::tlb_gather_mmu(&mm);
            f(vma, &mut tlb);
            tlb.tlb_finish_mmu();
        }
    };
    each(&mut |vma, tlb| {
        let mut walk = MadviseWalk { tlb, folios: &folios, resched };
        // A part, so that folios are split.
        let end = vma.vm_end.max(vma.vm_start.add_pages(2));
        let to = if end.get() - vma.vm_start.get() > 4096 * 3 {
            vma.vm_start.add_pages(3)
        } else {
            vma.vm_end
        };
        madvise_cold_or_pageout_page_range(&mut walk, false, vma.vm_start, to);
        if vma.anonymous {
            madvise_free_page_range(&mut walk, vma.vm_start, vma.vm_end);
        }
    });
    if mm.facts().hw_pte_young {
        walk_mm(&mut LruGenMmWalk::new(&mm, &vmas));
    }
    each(&mut |vma, _| {
        let ptl = mm.next_pte_table(vma.vm_start, vma.vm_end);
        if let Some((at, ptl)) = ptl.and_then(|at| Some((at, mm.pte_offset_map_lock(at)?))) {
            lru_gen_look_around(&ptl, &mm, vma, at);
        }
    });
    each(&mut |vma, _| {
        let vma = VmAreaStruct { vm_flags: vma.vm_flags | VmFlags::VM_UFFD_WP, ..vma.clone() };
        let mut scan = PagemapScan::watch_all(&mm, resched);
        assert_eq!(pagemap_scan(&mut scan, &vma, vma.vm_start, vma.vm_end), Ok(()));
    });
    if mm.facts().hash_table {
        each(&mut |vma, _| {
            flush_hash_table_pmd_range(&mm, vma.vm_start);
            hpte_flush_range(&mm, vma.vm_start, 1);
        });
    }
    there_and_back(machine, &mm, &vmas, &folios);
    each(&mut |vma, _| {
        migrate_vma_collect(&mut MigrateVma::new(&mm, vma, &folios), vma.vm_start, vma.vm_end);
    });
    each(&mut |vma, tlb| {
        let details = ZapDetails { vma, drop_markers: true, resched };
        unmap_page_range(tlb, vma.vm_start, vma.vm_end, details);
    });
}

/// Moves all mappings, uses them, and moves them back another way.
fn there_and_back(machine: &Machine, mm: &MmStruct, vmas: &[VmAreaStruct], folios: &Folios) {
    let mut to = page(1 << 41);
    for vma in vmas {
        let (start, end) = (vma.vm_start, vma.vm_end);
        move_page_tables(mm, start, end, to.add_pages(1));
        let pages = (end.get() - start.get()) >> 12;
        let away = VmAreaStruct {
            vm_start: to.add_pages(1),
            vm_end: to.add_pages(1 + pages),
            ..vma.clone()
        };
        touch(machine, mm, &away);
        if vma.anonymous {
            let moves = MovePages { mm, dst_vma: vma, folios, allow_src_holes: true };
            let (mut src, mut dst) = (away.vm_start, start);
            while src < away.vm_end {
                let done = match move_pages(&moves, dst, src, away.vm_end) {
                    Ok(done) => done,
                    Err((before, _)) => before + 1,
                };
                (src, dst) = (src.add_pages(done), dst.add_pages(done));
            }
        } else {
            move_page_tables(mm, away.vm_start, away.vm_end, start);
        }
        to = page((away.vm_end.get() >> 21 << 21) + (1 << 22));
    }
}

/// The kernel's own mappings.
fn kernel(machine: &Machine, pages: u64) {
    let mm = machine.init_mm();
    let (start, end) = (page(0xffff_8000_0800_0000), page(0xffff_8000_0800_0000).add_pages(pages));
    let set = |mm: &_, at: VirtAddr, ptep: emu_arch::hw::table::Ptep<'_>| {
        emu_arch::pgtable::set_pte_at(mm, at, ptep, Pte::kernel(Pfn(1)));
        Ok::<(), Errno>(())
    };
    apply_to_page_range(mm, start, end, Create::Yes, set).expect("no error");
    vunmap_range(mm, start, end);
    vmap_page_range(mm, start, end, Pfn(1));
    if mm.facts().hash_table {
        __flush_hash_table_range(mm, start, end);
    }
    vunmap_range(mm, start, end);
    if mm.facts().kasan_vmalloc {
        let mut next = 0;
        kasan_populate_vmalloc(mm, start, end, || {
            next += 1;
            Pfn(next)
        });
        kasan_release_vmalloc(mm, start, end);
    }
    if mm.facts().arch_code_sleeps {
        let block = page(0xffff_0000_4000_0000);
        mm.put_leaf(Level::Pud, block, Pte::kernel(Pfn(1 << 18)));
        let map = KernelMap { mm, bbml3: true };
        map.set_memory_ro(block.add_pages(5), pages);
        map.set_memory_rw(block.add_pages(5), pages);
        range_split_to_ptes(mm, block, block.add_pages(1024));
    }
}

#[test]
fn every_function_over_real_maps() {
    let text = read(&root().join("tests/fixtures/maps/sh.maps"));
    let mappings = proc::parse(text.as_bytes()).expect("the maps of a shell");
    for (arch, order) in Arch::all().flat_map(|arch| [(arch, 0), (arch, 2)]) {
        let machine = Machine::with_kernel(arch, arch.default_kernel());
        let mut space =
            proc::build(&machine, &mappings, Populate::default(), order).expect("small");
        let pages: u64 = space.pages.iter().sum();
        machine.track_hazards();
        sched::with_design(arch.default_kernel().design(), || {
            machine.run(|| {
                machine.context_switch(0, 1);
                let resched = Resched::every(std::num::NonZeroU32::new(3));
                process(&machine, &mut space, &resched);
                kernel(&machine, pages);
                machine.exit();
            });
        });
        let found: BTreeSet<_> = machine.hazards().iter().map(|found| found.hazard).collect();
        let mut known = BTreeSet::new();
        // migrate_vma_collect_pmd() releases the lock for a split with a flush still owed.
        let owes = arch.facts().defers != Some(emu_arch::Deferred::Invalidation)
            && !arch.facts().ptep_clear_flushes;
        if order > 0 && owes {
            known.insert(Hazard::UnflushedAtUnlock);
        }
        // pagemap_scan_pmd_entry() flushes in its section, where the proposal has cached the
        // stores: its own invalidations come with them.
        if arch == Arch::S390 {
            known.insert(Hazard::FlushBeforeStores);
        }
        assert_eq!(found, known, "{} {order}", arch.id());
    }
}
