//! Restarts, early exits and rechecks of the functions of v7.3.

use std::num::NonZeroU32;

use emu_arch::backend::Access;
use emu_arch::hazard::Hazard;
use emu_arch::hw::SoftLeaf;
use emu_arch::kernel::Lock;
use emu_arch::{Arch, Level, Machine, Pfn, Pte, VirtAddr, arm64, pgtable};
use emu_mm::arch::arm64::KernelMap;
use emu_mm::fs::task_mmu::{PagemapScan, pagemap_scan};
use emu_mm::mm::internal::{ANON_FRAMES, Folios};
use emu_mm::mm::kasan::{kasan_populate_vmalloc, kasan_release_vmalloc};
use emu_mm::mm::madvise::{
    MadviseWalk, madvise_cold_or_pageout_page_range, madvise_free_page_range,
};
use emu_mm::mm::memory::{
    PageCopy, ZapDetails, copy_page_range, remap_pfn_range, unmap_page_range,
};
use emu_mm::mm::migrate_device::{MigrateVma, migrate_vma_collect};
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::userfaultfd::{MovePages, move_pages};
use emu_mm::mm::vma::VmFlags;
use emu_mm::mm::vmscan::{LruGenMmWalk, walk_mm};
use emu_mm::mm::{Errno, MmuGather, Resched};
use lazy_mmu::Record;
use lazy_mmu::design::Hook;

use super::{USER, User, page};

/// How many sections a record has.
fn sections(record: &Record) -> usize {
    record.hooks().filter(|hook| hook.info().and_then(|i| i.kernel()) == Some(Hook::ENTER)).count()
}

/// A process with `pages` pages in one folio.
fn one_folio(arch: Arch, pages: u64) -> User {
    let user = User::anon(arch, pages);
    let first = user.pte(0);
    for n in 0..pages {
        set(&user, n, first.advance_pfn(n));
    }
    user
}

fn set(user: &User, n: u64, pte: Pte) {
    let addr = page(USER).add_pages(n);
    user.mm.pte_table(addr).ptep(addr.pte_index()).write(pte);
}

fn at(n: u64) -> VirtAddr {
    page(USER).add_pages(n)
}

/// Records an advice on pages `from..to`.
fn advise(user: &User, folios: &Folios, resched: &Resched, free: bool, to: u64) -> Record {
    user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        let mut walk = MadviseWalk { tlb: &mut tlb, folios, resched };
        if free {
            madvise_free_page_range(&mut walk, at(0), at(to));
        } else {
            madvise_cold_or_pageout_page_range(&mut walk, false, at(0), at(to));
        }
        tlb.tlb_finish_mmu();
    })
}

#[test]
fn madvise_cold_asks_the_scheduler_every_32_entries() {
    let (user, folios) = (User::anon(Arch::NAIVE, 200), Folios::default());
    let resched = Resched::every(NonZeroU32::new(1));
    // Asked at entries 32 and 64, where it says yes, then again from there.
    assert_eq!(sections(&advise(&user, &folios, &resched, false, 200)), 4);
    assert!((0..200).all(|n| !user.pte(n).has(Pte::YOUNG)));
    assert_eq!(sections(&advise(&user, &folios, &Resched::never(), true, 200)), 1);
}

#[test]
fn madvise_splits_a_folio_of_which_the_range_has_a_part() {
    for free in [false, true] {
        let (user, folios) = (one_folio(Arch::NAIVE, 8), Folios::default());
        assert_eq!(sections(&advise(&user, &folios, &Resched::never(), free, 4)), 2);
        let young: Vec<_> = (0..8).map(|n| user.pte(n).has(Pte::YOUNG)).collect();
        assert_eq!(young, [false, false, false, false, true, true, true, true]);
        // A folio that is all in the range stays whole.
        let user = one_folio(Arch::NAIVE, 8);
        assert_eq!(sections(&advise(&user, &folios, &Resched::never(), free, 8)), 1);
        assert_eq!(user.pte(7).pfn().0, user.pte(0).pfn().0 + 7);
    }
}

#[test]
fn madvise_skips_a_folio_that_cannot_be_split() {
    let user = one_folio(Arch::NAIVE, 8);
    let pinned = Folios { pinned: [user.pte(0).pfn()].into(), ..Folios::default() };
    let locked = Folios { locked: [user.pte(0).pfn()].into(), ..Folios::default() };
    // It is tried between two sections; a lock that somebody has is not waited for.
    for (folios, times) in [(pinned, 2), (locked, 1)] {
        assert_eq!(sections(&advise(&user, &folios, &Resched::never(), false, 4)), times);
        assert!((0..8).all(|n| user.pte(n).has(Pte::YOUNG)));
    }
}

#[test]
fn migrate_puts_back_what_is_pinned_and_skips_what_is_locked() {
    let user = User::anon(Arch::NAIVE, 4);
    let pfn = |n| user.pte(n).pfn();
    let folios = Folios { pinned: [pfn(1)].into(), locked: [pfn(2)].into(), ..Folios::default() };
    let mut migrate = MigrateVma::new(&user.mm, &user.vma, &folios);
    let record = user.record(|| migrate_vma_collect(&mut migrate, at(0), at(4)));
    assert_eq!((migrate.replaced, migrate.cpages, migrate.npages), (2, 2, 4));
    let are: Vec<_> = (0..4).map(|n| SoftLeaf::of(user.pte(n))).collect();
    assert_eq!(are, [Some(SoftLeaf::MigrationWrite), None, None, Some(SoftLeaf::MigrationWrite)]);
    assert_eq!(sections(&record), 1);
}

#[test]
fn migrate_splits_between_two_sections_with_a_flush_still_owed() {
    // mm/migrate_device.c v7.3: the section that a split ends leaves the entries that it has
    // emptied unflushed when it releases the lock; the flush comes with the next section.
    for arch in Arch::all() {
        let user = User::shared(arch, 6);
        let folio = user.pte(2);
        (2..6).for_each(|n| set(&user, n, folio.advance_pfn(n - 2)));
        user.machine.track_hazards();
        let folios = Folios::default();
        let mut migrate = MigrateVma::new(&user.mm, &user.vma, &folios);
        let record = user.record(|| {
            user.machine.context_switch(1, 2);
            let table = user.mm.pte_table(at(0));
            (0..6)
                .for_each(|n| pgtable::access(&user.mm, at(n), table.ptep(n as u16), Access::Read));
            user.machine.context_switch(0, 1);
            migrate_vma_collect(&mut migrate, at(0), at(6));
        });
        assert_eq!((migrate.replaced, sections(&record)), (6, 2));
        let facts = arch.facts();
        let owes =
            !facts.ptep_clear_flushes && facts.defers != Some(emu_arch::Deferred::Invalidation);
        let found: Vec<_> = user.machine.hazards().iter().map(|found| found.hazard).collect();
        // The split takes and releases the lock once more.
        let expected = if owes { vec![Hazard::UnflushedAtUnlock; 2] } else { Vec::new() };
        assert_eq!(found, expected, "{}", arch.id());
    }
}

#[test]
fn uffd_move_stops_at_what_cannot_move() {
    let user = User::anon(Arch::NAIVE, 4);
    let folios = Folios { pinned: [user.pte(2).pfn()].into(), ..Folios::default() };
    let moves =
        MovePages { mm: &user.mm, dst_vma: &user.vma, folios: &folios, allow_src_holes: false };
    let to = page(USER + (1 << 30));
    let mut moved = Ok(0);
    let record = user.record(|| moved = move_pages(&moves, to, at(0), at(4)));
    // Two moved; the third was emptied and put back, and the call tried it again by itself.
    assert_eq!(moved, Err((2, Errno::EBUSY)));
    assert_eq!(sections(&record), 1);
    let there = |n: u64| user.mm.pte_table(to).ptep(to.add_pages(n).pte_index()).read();
    assert!([0, 1].into_iter().all(|n| user.pte(n).is_none() && there(n).is_present()));
    assert!(user.pte(2).is_present() && there(2).is_none());
    user.machine.run(|| {
        assert_eq!(move_pages(&moves, to, at(3), at(4)), Err((0, Errno::EEXIST)));
        assert_eq!(move_pages(&moves, to.add_pages(2), at(0), at(1)), Err((0, Errno::ENOENT)));
    });
}

#[test]
fn pagemap_scan_ends_where_the_output_is_full() {
    let mut user = User::anon(Arch::X86, 5);
    user.vma.vm_flags |= VmFlags::VM_UFFD_WP;
    let resched = Resched::never();
    let watch = PagemapScan::watch_all(&user.mm, &resched);
    let mut scan = PagemapScan { output: true, max_pages: 3, ..watch };
    user.record(|| {
        assert_eq!(pagemap_scan(&mut scan, &user.vma, at(0), at(5)), Err(Errno::ENOSPC));
    });
    let watched: Vec<_> = (0..5).map(|n| user.pte(n).has(Pte::UFFD)).collect();
    assert_eq!(watched, [true, true, true, false, false]);
    assert!((0..3).all(|n| !user.pte(n).has(Pte::WRITE)));
}

#[test]
fn a_walk_sees_all_mappings_of_a_table_in_one_section() {
    let user = User::anon(Arch::ARM64, 9);
    let part = |from, to| emu_mm::mm::VmAreaStruct {
        vm_start: at(from),
        vm_end: at(to),
        ..user.vma.clone()
    };
    let vmas = [part(0, 3), part(4, 6), part(6, 9)];
    let mut walk = LruGenMmWalk::new(&user.mm, &vmas);
    assert_eq!(sections(&user.record(|| walk_mm(&mut walk))), 1);
    assert_eq!(walk.young, 8);
    assert!(user.pte(3).has(Pte::YOUNG), "no mapping has it");
    // Somebody has the lock of the table.
    let lock = user.machine.run(|| user.mm.lock(Lock::Pte { mm: user.mm.id(), addr: at(0) }));
    assert_eq!(sections(&user.record(|| walk_mm(&mut walk))), 0);
    assert_eq!(walk.contended, 1);
    user.machine.run(|| drop(lock));
}

#[test]
fn a_walk_clears_the_entries_above_in_a_second_section() {
    let user = User::anon(Arch::X86, 4);
    let vmas = [user.vma.clone()];
    let mut walk = LruGenMmWalk::new(&user.mm, &vmas);
    assert_eq!(sections(&user.record(|| walk_mm(&mut walk))), 2);
    // A table that nobody has used since is left out.
    assert_eq!(sections(&user.record(|| walk_mm(&mut walk))), 0);
}

#[test]
fn fork_reads_again_what_a_device_had_to_itself() {
    // The parent's entry is written, then read through the accessor, in one section.
    for arch in Arch::all() {
        let user = User::anon(arch, 2);
        let pfn = user.pte(1).pfn();
        set(&user, 1, SoftLeaf::DeviceExclusive.pte(pfn));
        user.machine.track_hazards();
        let child = user.machine.mm_alloc().expect("a second address space");
        let (resched, mut copied) = (Resched::never(), 0);
        user.record(|| {
            let (dst_mm, src_mm) = (&child, &user.mm);
            let mut copy =
                PageCopy { dst_mm, src_mm, resched: &resched, copied: 0, wrprotected: 0 };
            copy_page_range(&mut copy, &user.vma, at(0), at(2));
            copied = copy.copied;
        });
        assert_eq!(copied, 2);
        let found: Vec<_> = user.machine.hazards().iter().map(|found| found.hazard).collect();
        // s390 intercepts the accessor, Xen does not.
        let stale = arch == Arch::XEN_PV;
        assert_eq!(found.contains(&Hazard::StaleRead), stale, "{}: {found:?}", arch.id());
        assert_eq!(found.is_empty(), !stale, "{}: {found:?}", arch.id());
        if !stale {
            let entry = child.pte_table(at(1)).ptep(at(1).pte_index()).read();
            assert!(entry.is_present() && entry.pfn() == pfn && !entry.has(Pte::WRITE));
        }
    }
}

#[test]
fn zap_reads_again_where_a_marker_goes() {
    // `cond_install_uffd_wp_ptes()` looks whether the entry is empty; a plain clear is queued.
    for arch in Arch::all() {
        let mut user = User::shared(arch, 2);
        user.vma.vm_flags |= VmFlags::VM_UFFD_WP;
        set(&user, 1, SoftLeaf::Swap.pte(Pfn(9)).with(Pte::UFFD));
        user.machine.track_hazards();
        let resched = Resched::never();
        user.record(|| {
            let details = ZapDetails { vma: &user.vma, drop_markers: false, resched: &resched };
            let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
            unmap_page_range(&mut tlb, at(0), at(2), details);
            tlb.tlb_finish_mmu();
        });
        assert_eq!(SoftLeaf::of(user.pte(1)), Some(SoftLeaf::UffdWpMarker));
        let found: Vec<_> = user.machine.hazards().iter().map(|found| found.hazard).collect();
        let stale = [Hazard::StaleRead, Hazard::ApiWarning];
        let expected = if arch == Arch::XEN_PV { stale.to_vec() } else { Vec::new() };
        assert_eq!(found, expected, "{}", arch.id());
    }
}

#[test]
fn prot_none_is_present_and_nobody_can_use_it() {
    for arch in Arch::all() {
        let mut user = User::anon(arch, 3);
        let mut protect = |flags| {
            user.vma.vm_flags = flags;
            user.record(|| {
                let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
                assert_eq!(change_protection(&mut tlb, &user.vma, at(0), at(3)), 3);
                tlb.tlb_finish_mmu();
            });
            user.pte(1)
        };
        let none = protect(VmFlags::VM_MAYWRITE);
        assert!(none.is_present() && !none.is_valid(), "{}", arch.id());
        assert!(!Access::Read.permitted_by(none));
        let back = protect(VmFlags::VM_MAYWRITE | VmFlags::VM_READ);
        assert!(back.is_valid() && Access::Read.permitted_by(back), "{}", arch.id());
        assert_eq!(user.machine.hazards(), []);
    }
}

#[test]
fn mprotect_weakens_entries_that_are_not_present() {
    let mut user = User::anon(Arch::NAIVE, 4);
    let pfn = Pfn(ANON_FRAMES.0 + 1);
    let leaves = [
        (SoftLeaf::MigrationWrite, SoftLeaf::MigrationReadExclusive),
        (SoftLeaf::DevicePrivateWrite, SoftLeaf::DevicePrivateRead),
        (SoftLeaf::Swap, SoftLeaf::Swap),
        (SoftLeaf::GuardMarker, SoftLeaf::GuardMarker),
    ];
    (0..4).for_each(|n| set(&user, n, leaves[n as usize].0.pte(pfn)));
    user.vma.vm_flags = VmFlags::VM_READ | VmFlags::VM_MAYWRITE;
    user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        assert_eq!(change_protection(&mut tlb, &user.vma, at(0), at(4)), 2);
    });
    (0..4).for_each(|n| assert_eq!(SoftLeaf::of(user.pte(n)), Some(leaves[n as usize].1)));
}

#[test]
fn remap_ends_at_a_frame_that_may_not_be_mapped() {
    let user = User::anon(Arch::XEN_PV, 1);
    let to = page(USER + (1 << 30));
    let record = user.record(|| {
        let last = Pfn((1 << 38) - 2);
        let mapped = remap_pfn_range(&user.mm, to, to.add_pages(4), last, Pte::PRESENT);
        assert_eq!(mapped, Err(Errno::EACCES));
    });
    assert_eq!(sections(&record), 1);
    assert_eq!(user.mm.pte_table(to).populated(), 2);
}

#[test]
fn kasan_takes_no_page_where_somebody_was_faster() {
    let machine = Machine::new(Arch::ARM64);
    let (start, end) = (page(0xffff_8000_4000_0000), page(0xffff_8000_4000_8000).add_pages(8));
    machine.run(|| {
        let (mm, mut next) = (machine.init_mm(), 0);
        let mut take = || {
            next += 1;
            Pfn(next)
        };
        assert_eq!(kasan_populate_vmalloc(mm, start, start.add_pages(8), &mut take), 1);
        assert_eq!(kasan_populate_vmalloc(mm, start, end, &mut take), 1, "one of two was there");
        assert_eq!(kasan_release_vmalloc(mm, start, end), 2);
        assert_eq!(kasan_release_vmalloc(mm, start, end), 0);
    });
    // Each page of shadow is mapped in a pause: its barriers come at once.
    assert_eq!(machine.totals().of(arm64::ISB), 2 + 2, "two entries above, two pages");
}

#[test]
fn arm64_splits_the_linear_map_where_pages_change() {
    let machine = Machine::new(Arch::ARM64);
    machine.track_hazards();
    let mm = machine.init_mm();
    let block = page(0xffff_0000_4000_0000);
    mm.put_leaf(Level::Pud, block, Pte::kernel(Pfn(1 << 18)));
    let map = KernelMap { mm, bbml3: true };
    let (first, last) = (block.add_pages(3), block.add_pages(4));
    machine.run(|| {
        map.set_memory_ro(first, 1);
        map.set_memory_valid(last, 1, false);
        map.set_memory_valid(last, 1, true);
    });
    let pte = |addr: VirtAddr| mm.pte_table(addr).ptep(addr.pte_index()).read();
    assert!(!pte(first).has(Pte::WRITE) && pte(last).has(Pte::WRITE) && pte(last).is_valid());
    // The contiguous entries around the two are split, those behind are not.
    assert_eq!(pte(first).without(Pte::WRITE), Pte::kernel(Pfn((1 << 18) + 3)).without(Pte::WRITE));
    assert!(pte(block.add_pages(16)).has(Pte::CONT) && !pte(block).has(Pte::CONT));
    let pmd = mm.leaf(Level::Pmd, block.add_pages(512)).expect("a block of 2 MiB");
    assert_eq!(pmd, Pte::kernel(Pfn((1 << 18) + 512)), "its contiguous run was split");
    assert!(mm.leaf(Level::Pmd, block.add_pages(512 * 16)).expect("a block").has(Pte::CONT));
    // Page tables are allocated in the section, which may sleep: arm64's own code may.
    assert_eq!(machine.hazards(), []);
}
