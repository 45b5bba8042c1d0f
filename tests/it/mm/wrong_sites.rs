//! Wrong variants of the functions of v7.3 beside copy, zap, mprotect and vmalloc: one mistake
//! each, which a hazard or a warning shows; told not to make it, they are silent everywhere.

use emu_arch::backend::{Access, Deferred};
use emu_arch::hazard::Hazard::*;
use emu_arch::hazard::access_while_pending;
use emu_arch::hw::table::Table;
use emu_arch::kernel::Lock;
use emu_arch::{Arch, MmStruct, Pfn, Pte, VirtAddr, pgtable};
use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, with_lazy_mmu, with_lazy_mmu_paused};

use super::wrong::{KERNEL, PAGES, Stage, check_wrong, defers_new_entries, enable, entries, when};
use super::{USER, page};
use crate::support::preemption_off;

const READ_WRITE: Pte = Pte::user(Pfn(1), true, false);

/// Pages that were used, their table and their first address.
fn used(stage: &Stage) -> (&MmStruct, std::rc::Rc<Table>, VirtAddr) {
    let addr = page(USER);
    stage.map(&stage.mm, addr, READ_WRITE);
    (&stage.mm, stage.mm.pte_table(addr), addr)
}

/// The kernel's pages, which are not mapped, their table and their first address.
pub(super) fn unused(stage: &Stage) -> (&MmStruct, std::rc::Rc<Table>, VirtAddr) {
    let addr = page(KERNEL);
    (stage.machine.init_mm(), stage.machine.init_mm().pte_table(addr), addr)
}

/// Whether a flush is owed for a user page that was emptied in a section that is over.
fn owes_flush(arch: Arch) -> bool {
    arch.facts().defers != Some(Deferred::Invalidation) && !arch.facts().ptep_clear_flushes
}

/// Whether a change of a used page of a process waits in a section that gives no range.
fn defers_plainly(arch: Arch) -> bool {
    arch.facts().defers == Some(Deferred::Invalidation)
}

/// What a section that is never left comes to, `pending` or not.
pub(super) fn leaked(arch: Arch, pending: bool) -> Vec<emu_arch::hazard::Hazard> {
    [
        vec![SectionAtExit],
        when(pending, &[PendingAtExit]),
        when(preemption_off(arch), &[PreemptImbalance]),
    ]
    .concat()
}

#[test]
fn remap_that_is_refused_and_forgets_the_section() {
    let remap = |stage: &Stage| {
        let (mm, addr) = (&stage.mm, page(USER));
        let (table, ptl) = (mm.pte_table(addr), mm.pte_offset_map_lock(addr));
        enable(mm, &table, addr);
        for (n, (at, ptep)) in entries(&table, addr).enumerate() {
            // -EACCES
            if n == 2 {
                break;
            }
            pgtable::set_pte_at(mm, at, ptep, READ_WRITE.advance_pfn(n as u64));
        }
        if !stage.wrong {
            lazy_mmu_mode_disable();
        }
        drop(ptl);
    };
    check_wrong(remap, |arch| {
        let pending = arch.facts().defers == Some(Deferred::Store);
        [leaked(arch, pending), when(pending, &[PendingAtUnlock])].concat()
    });
}

#[test]
fn apply_whose_callback_allocates() {
    // KASAN until b6ea95a34cbd.
    let apply = |stage: &Stage| {
        let (mm, table, addr) = unused(stage);
        if !stage.wrong {
            stage.machine.might_sleep();
        }
        enable(mm, &table, addr);
        if stage.wrong {
            stage.machine.might_sleep();
        }
        lazy_mmu_mode_disable();
    };
    check_wrong(apply, |arch| {
        vec![if preemption_off(arch) { SleepInAtomic } else { SleepInSection }]
    });
}

#[test]
fn vmap_that_is_used_before_the_disable() {
    let vmap = |stage: &Stage| {
        let (mm, table, addr) = unused(stage);
        enable(mm, &table, addr);
        for (at, ptep) in entries(&table, addr) {
            pgtable::set_pte_at(mm, at, ptep, Pte::kernel(Pfn(1)));
            if stage.wrong {
                pgtable::access(mm, at, ptep, Access::Read);
            }
        }
        lazy_mmu_mode_disable();
    };
    check_wrong(vmap, |arch| {
        defers_new_entries(arch).map(access_while_pending).into_iter().collect()
    });
}

/// Moves the pages, and flushes before or behind the locks of both tables.
fn moves(stage: &Stage, hinted: bool) {
    let (mm, table, addr) = used(stage);
    let to = page(USER - (1 << 30));
    let new = mm.pte_table(to);
    let (old_ptl, new_ptl) = (mm.pte_offset_map_lock(addr), mm.pte_offset_map_lock(to));
    if hinted {
        enable(mm, &table, addr);
    } else {
        lazy_mmu_mode_enable();
    }
    for ((at, old), (new_at, new)) in entries(&table, addr).zip(entries(&new, to)) {
        let pte = pgtable::ptep_get_and_clear(mm, at, old);
        pgtable::set_pte_at(mm, new_at, new, pte);
    }
    lazy_mmu_mode_disable();
    if !stage.wrong {
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
    }
    drop(new_ptl);
    drop(old_ptl);
    if stage.wrong {
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
    }
}

#[test]
fn mremap_that_flushes_behind_the_locks() {
    // eb66ae030829
    check_wrong(|stage| moves(stage, true), |arch| when(owes_flush(arch), &[UnflushedAtUnlock]));
}

#[test]
fn uffd_move_that_flushes_behind_the_locks() {
    check_wrong(|stage| moves(stage, false), |arch| when(owes_flush(arch), &[UnflushedAtUnlock]));
}

#[test]
fn madvise_cold_that_ends_its_section_twice() {
    // The table went away while the folio was split; the kernel forgets its pointer for this.
    let cold = |stage: &Stage| {
        let (mm, table, addr) = used(stage);
        let ptl = mm.pte_offset_map_lock(addr);
        enable(mm, &table, addr);
        lazy_mmu_mode_disable();
        drop(ptl);
        stage.machine.might_sleep();
        if stage.wrong {
            lazy_mmu_mode_disable();
        }
    };
    check_wrong(cold, |_| vec![ApiWarning, ModeLeftOn, SectionAtExit]);
}

/// Splits a folio inside of the section or between two, with the lock or without it.
fn split(stage: &Stage, locked: bool) {
    let (mm, table, addr) = used(stage);
    let mut ptl = mm.pte_offset_map_lock(addr);
    enable(mm, &table, addr);
    if !stage.wrong {
        lazy_mmu_mode_disable();
    }
    if !stage.wrong || !locked {
        drop(ptl.take());
    }
    // `split_folio()`
    stage.machine.might_sleep();
    if ptl.is_none() {
        ptl = mm.pte_offset_map_lock(addr);
    }
    if !stage.wrong {
        enable(mm, &table, addr);
    }
    lazy_mmu_mode_disable();
    drop(ptl);
}

#[test]
fn madvise_free_that_splits_with_the_lock() {
    check_wrong(|stage| split(stage, true), |_| vec![SleepInAtomic]);
}

#[test]
fn migrate_that_splits_in_the_section() {
    check_wrong(
        |stage| split(stage, false),
        |arch| vec![if preemption_off(arch) { SleepInAtomic } else { SleepInSection }],
    );
}

/// Makes the pages old in a section that gives no range, and ends it before or behind the lock.
pub(super) fn make_old(
    stage: &Stage,
    change: fn(&MmStruct, VirtAddr, emu_arch::hw::table::Ptep<'_>),
) {
    let (mm, table, addr) = used(stage);
    let ptl = mm.pte_offset_map_lock(addr);
    lazy_mmu_mode_enable();
    entries(&table, addr).for_each(|(at, ptep)| change(mm, at, ptep));
    if stage.wrong {
        drop(ptl);
        lazy_mmu_mode_disable();
    } else {
        lazy_mmu_mode_disable();
        drop(ptl);
    }
}

#[test]
fn walk_that_unlocks_before_the_disable() {
    check_wrong(
        |stage| {
            make_old(stage, |mm, at, ptep| {
                pgtable::ptep_test_and_clear_young(mm, at, ptep);
            });
        },
        |arch| when(defers_plainly(arch), &[PendingAtUnlock]),
    );
}

#[test]
fn walk_of_pmds_that_enters_before_the_trylock() {
    let walk = |stage: &Stage| {
        let addr = page(USER);
        let held = stage.mm.pmd_trylock(addr);
        if stage.wrong {
            lazy_mmu_mode_enable();
        }
        // `goto done`
        assert!(stage.mm.pmd_trylock(addr).is_none(), "somebody has the lock");
        drop(held);
    };
    check_wrong(walk, |arch| leaked(arch, false));
}

#[test]
fn look_around_that_yields() {
    // The lock is the caller's.
    let look = |stage: &Stage| {
        let (mm, _, addr) = used(stage);
        let ptl = mm.pte_offset_map_lock(addr);
        with_lazy_mmu(|| {
            if stage.wrong {
                stage.machine.might_sleep();
            }
        });
        drop(ptl);
    };
    check_wrong(look, |_| vec![SleepInAtomic]);
}

#[test]
fn pagemap_scan_that_leaves_the_flush_to_nobody() {
    let scan = |stage: &Stage| {
        let (mm, table, addr) = used(stage);
        let ptl = mm.pte_offset_map_lock(addr);
        enable(mm, &table, addr);
        for (at, ptep) in entries(&table, addr) {
            let pte = pgtable::ptep_modify_prot_start(mm, at, ptep);
            pgtable::ptep_modify_prot_commit(mm, at, ptep, pte.without(Pte::WRITE));
        }
        lazy_mmu_mode_disable();
        if !stage.wrong {
            pgtable::flush_tlb_range(mm, addr, PAGES.into());
        }
        drop(ptl);
    };
    check_wrong(scan, |arch| when(owes_flush(arch), &[UnflushedAtUnlock]));
}

/// Changes a page of shadow under the kernel's lock, in a pause or without one.
fn shadow(stage: &Stage, change: fn(&MmStruct, VirtAddr, emu_arch::hw::table::Ptep<'_>)) {
    let (mm, table, addr) = unused(stage);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        let change = || {
            let _lock = mm.lock(Lock::InitMm);
            change(mm, at, ptep);
        };
        if stage.wrong {
            change();
        } else {
            with_lazy_mmu_paused(change);
        }
    }
    lazy_mmu_mode_disable();
}

#[test]
fn kasan_populate_without_the_pause() {
    check_wrong(
        |stage| {
            shadow(stage, |mm, at, ptep| pgtable::set_pte_at(mm, at, ptep, Pte::kernel(Pfn(1))))
        },
        |arch| when(defers_new_entries(arch).is_some(), &[PendingAtUnlock]),
    );
}

#[test]
fn kasan_depopulate_without_the_pause() {
    check_wrong(
        |stage| {
            stage.map(stage.machine.init_mm(), page(KERNEL), Pte::kernel(Pfn(1)));
            shadow(stage, pgtable::pte_clear);
            pgtable::flush_tlb_range(stage.machine.init_mm(), page(KERNEL), PAGES.into());
        },
        // sparc64 batches nothing of the kernel's.
        |arch| {
            let defers = arch.facts().defers == Some(Deferred::Store) || arch.facts().hash_table;
            when(defers, &[PendingAtUnlock])
        },
    );
}
