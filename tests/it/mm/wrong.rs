//! Wrong variants of the mm-style functions: each is caught, on the architectures where it matters.
//!
//! Each function here has the loop of its model in emu-mm/src/mm and one mistake, which it makes
//! if it is told to. Told not to, it is silent everywhere.

use std::collections::BTreeSet;

use emu_arch::backend::Access;
use emu_arch::backend::Deferred;
use emu_arch::hazard::Hazard::{self, *};
use emu_arch::hazard::access_while_pending;
use emu_arch::hw::table::{Ptep, Table};
use emu_arch::{Arch, Machine, MmStruct, Pfn, Pte, VirtAddr, pgtable};
use lazy_mmu::sched;
use lazy_mmu::{PteRange, lazy_mmu_mode_disable, lazy_mmu_mode_enable_with_ptes};

use super::{USER, page};
use crate::support::preemption_off;

pub(super) const KERNEL: u64 = 0xffff_8000_0800_0000;
pub(super) const PAGES: u16 = 4;

/// A machine with pages that another CPU has used, and empty kernel entries.
pub(super) struct Stage {
    pub(super) machine: Machine,
    pub(super) mm: MmStruct,
    /// Makes the mistake.
    pub(super) wrong: bool,
}

impl Stage {
    fn new(arch: Arch, wrong: bool) -> Self {
        let machine = Machine::with_kernel(arch, arch.default_kernel());
        let mm = machine.mm_alloc().expect("a first address space");
        machine.track_hazards();
        Self { machine, mm, wrong }
    }

    /// Maps the pages from `addr` on and has the other CPU use them.
    pub(super) fn map(&self, mm: &MmStruct, addr: VirtAddr, pte: Pte) {
        let used = self.machine.accessed(mm, addr, pte, Access::Write);
        let table = mm.pte_table(addr);
        for n in 0..PAGES {
            table.ptep(addr.pte_index() + n).write(used.advance_pfn(n.into()));
        }
        self.touch(mm, addr);
    }

    /// The other CPU uses the pages from `addr` on.
    pub(super) fn touch(&self, mm: &MmStruct, addr: VirtAddr) {
        self.machine.context_switch(1, 2);
        let table = mm.pte_table(addr);
        for (at, ptep) in entries(&table, addr) {
            if ptep.read().is_present() {
                pgtable::access(mm, at, ptep, Access::Read);
            }
        }
        self.machine.context_switch(0, 1);
    }

    /// The hazards of `function` on `arch`, which exits when it is through.
    fn hazards(arch: Arch, wrong: bool, function: fn(&Self)) -> BTreeSet<Hazard> {
        let stage = Self::new(arch, wrong);
        sched::with_design(arch.default_kernel().design(), || {
            stage.machine.run(|| {
                stage.machine.context_switch(0, 1);
                function(&stage);
                stage.machine.exit();
            });
        });
        stage.machine.hazards().iter().map(|found| found.hazard).collect()
    }
}

/// The entries of the pages from `addr` on.
pub(super) fn entries(table: &Table, addr: VirtAddr) -> impl Iterator<Item = (VirtAddr, Ptep<'_>)> {
    (0..PAGES).map(move |n| (addr.add_pages(n.into()), table.ptep(addr.pte_index() + n)))
}

/// A section over the pages from `addr` on.
pub(super) fn enable(mm: &MmStruct, table: &Table, addr: VirtAddr) {
    let (mm, ptep) = (mm.id().into(), table.ptep(addr.pte_index()).slot().0);
    let end = addr.add_pages(PAGES.into()).get();
    lazy_mmu_mode_enable_with_ptes(PteRange { mm, addr: addr.get(), end, ptep });
}

/// Checks that the mistake of `function` has the hazards on each architecture that `expected`
/// gives, and that without the mistake there are none.
#[track_caller]
pub(super) fn check_wrong(function: fn(&Stage), expected: impl Fn(Arch) -> Vec<Hazard>) {
    for arch in Arch::all() {
        let id = arch.id();
        assert_eq!(Stage::hazards(arch, false, function), BTreeSet::new(), "right on {id}");
        let expected = BTreeSet::from_iter(expected(arch));
        assert_eq!(Stage::hazards(arch, true, function), expected, "wrong on {id}");
    }
}

/// `hazards` where `there` is true.
pub(super) fn when(there: bool, hazards: &[Hazard]) -> Vec<Hazard> {
    if there { hazards.to_vec() } else { Vec::new() }
}

/// Whether a cleared entry stays in memory until the section ends. Under Xen the atomic operation
/// traps and is done at once, and the flush after a plain clear is queued behind it.
fn clears_late(arch: Arch) -> bool {
    arch.facts().defers == Some(Deferred::Store) && arch != Arch::XEN_PV
}

/// Whether a cleared kernel entry takes its translation with it, so that no flush is owed.
fn clears_translations(arch: Arch) -> bool {
    arch == Arch::POWERPC_HASH || arch == Arch::S390
}

/// `zap_pte_range()` that must yield after two entries.
fn zap_and_break(stage: &Stage) {
    let (mm, addr) = (&stage.mm, page(USER));
    stage.map(mm, addr, Pte::user(Pfn(1), true, false));
    let table = mm.pte_table(addr);
    let ptl = mm.pte_offset_map_lock(addr);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr).take(2) {
        pgtable::ptep_get_and_clear(mm, at, ptep);
    }
    // The break for the scheduler is an early return, which forgets the section.
    if !stage.wrong {
        lazy_mmu_mode_disable();
    }
    pgtable::flush_promised(mm, addr, 2);
    drop(ptl);
    pgtable::tlb_flush(mm, addr, 2);
}

#[test]
fn zap_that_breaks_without_a_disable() {
    check_wrong(zap_and_break, |arch| {
        let pending = arch.facts().defers == Some(Deferred::Invalidation) || clears_late(arch);
        [
            vec![SectionAtExit],
            when(pending, &[PendingAtUnlock]),
            when(preemption_off(arch), &[PreemptImbalance]),
            // The gather's flush is that of a batch of invalidations.
            when(clears_late(arch), &[FlushBeforeStores, PendingAtExit]),
        ]
        .concat()
    });
}

/// `zap_pte_range()` of dirty shared pages, which are flushed before the lock is released.
fn zap_and_flush(stage: &Stage) {
    let (mm, addr) = (&stage.mm, page(USER));
    stage.map(mm, addr, Pte::user(Pfn(1), true, false));
    let table = mm.pte_table(addr);
    let ptl = mm.pte_offset_map_lock(addr);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        pgtable::pte_clear(mm, at, ptep);
    }
    if stage.wrong {
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
        lazy_mmu_mode_disable();
    } else {
        lazy_mmu_mode_disable();
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
    }
    drop(ptl);
    stage.touch(mm, addr);
}

#[test]
fn zap_that_flushes_before_the_disable() {
    // Deferred invalidations are the flush.
    check_wrong(zap_and_flush, |arch| when(clears_late(arch), &[FlushBeforeStores]));
}

/// `copy_pte_range()` that looks at what it has written.
fn copy_and_look(stage: &Stage) {
    let (mm, addr) = (&stage.mm, page(USER));
    let child = stage.machine.mm_alloc().expect("a second address space");
    stage.map(mm, addr, Pte::user(Pfn(1), true, false));
    let (src, dst) = (mm.pte_table(addr), child.pte_table(addr));
    let dst_ptl = child.pte_offset_map_lock(addr);
    let src_ptl = mm.pte_offset_map_lock(addr);
    enable(mm, &src, addr);
    for ((at, src_pte), (_, dst_pte)) in entries(&src, addr).zip(entries(&dst, addr)) {
        let pte = pgtable::ptep_get(mm, at, src_pte);
        pgtable::wrprotect_ptes(mm, at, src_pte, 1);
        pgtable::set_ptes(&child, at, dst_pte, pte.without(Pte::WRITE | Pte::YOUNG), 1);
        if stage.wrong {
            let _ = pgtable::raw_read(mm, at, src_pte);
            let _ = pgtable::raw_read(&child, at, dst_pte);
        }
    }
    lazy_mmu_mode_disable();
    pgtable::flush_promised(mm, addr, PAGES.into());
    drop(src_ptl);
    drop(dst_ptl);
    pgtable::flush_tlb_range(mm, addr, PAGES.into());
    stage.touch(mm, addr);
}

#[test]
fn copy_that_reads_raw_what_it_has_written() {
    // The parent's entry on s390, the child's under Xen.
    check_wrong(copy_and_look, |arch| {
        when(arch.facts().defers == Some(Deferred::Store), &[StaleRead])
    });
}

/// `change_pte_range()` with room for a mistake behind its last entry and one at the unlock.
fn mprotect(stage: &Stage, inside: fn(&Stage), unlock_first: bool) {
    let (mm, addr) = (&stage.mm, page(USER));
    stage.map(mm, addr, Pte::user(Pfn(1), true, false));
    let table = mm.pte_table(addr);
    let ptl = mm.pte_offset_map_lock(addr);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        let pte = pgtable::ptep_modify_prot_start(mm, at, ptep);
        pgtable::ptep_modify_prot_commit(mm, at, ptep, pte.without(Pte::WRITE));
    }
    inside(stage);
    pgtable::flush_promised(mm, addr, PAGES.into());
    if unlock_first {
        drop(ptl);
        lazy_mmu_mode_disable();
    } else {
        lazy_mmu_mode_disable();
        drop(ptl);
    }
    pgtable::flush_tlb_range(mm, addr, PAGES.into());
    stage.touch(mm, addr);
}

#[test]
fn mprotect_that_sleeps_in_the_section() {
    // The lock forbids it on every architecture.
    check_wrong(
        |stage| {
            let sleep = |stage: &Stage| {
                if stage.wrong {
                    stage.machine.might_sleep();
                }
            };
            mprotect(stage, sleep, false);
        },
        |_| vec![SleepInAtomic],
    );
}

#[test]
fn mprotect_that_unlocks_before_the_disable() {
    let unlock_first = |stage: &Stage| mprotect(stage, |_| {}, stage.wrong);
    let pending = |arch: Arch| arch.facts().defers.is_some() && arch.facts().defers_user;
    check_wrong(unlock_first, |arch| when(pending(arch), &[PendingAtUnlock]));
}

/// What is deferred of a kernel entry that was empty: there is nothing to invalidate.
pub(super) fn defers_new_entries(arch: Arch) -> Option<Deferred> {
    arch.facts().defers.filter(|what| *what != Deferred::Invalidation)
}

/// `vmap_pages_pte_range()` up to an entry that is not empty.
fn vmap_and_fail(stage: &Stage) {
    let (mm, addr) = (stage.machine.init_mm(), page(KERNEL));
    let table = mm.pte_table(addr);
    table.ptep(addr.pte_index() + 2).write(Pte::kernel(Pfn(77)));
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        if !pgtable::ptep_get(mm, at, ptep).is_none() {
            if stage.wrong {
                return;
            }
            break;
        }
        pgtable::set_pte_at(mm, at, ptep, Pte::kernel(Pfn(1)));
    }
    lazy_mmu_mode_disable();
}

#[test]
fn vmap_that_fails_without_a_disable() {
    check_wrong(vmap_and_fail, |arch| {
        [
            vec![SectionAtExit],
            when(defers_new_entries(arch).is_some(), &[PendingAtExit]),
            when(preemption_off(arch), &[PreemptImbalance]),
        ]
        .concat()
    });
}

/// `vmap_pages_pte_range()` for someone who uses the pages: `each` is done for each page.
fn vmap(stage: &Stage, each: fn(&Stage, VirtAddr)) {
    let (mm, addr) = (stage.machine.init_mm(), page(KERNEL));
    let table = mm.pte_table(addr);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        pgtable::set_pte_at(mm, at, ptep, Pte::kernel(Pfn(1)));
        each(stage, at);
    }
    lazy_mmu_mode_disable();
    stage.touch(mm, addr);
}

#[test]
fn vmap_that_uses_the_page_in_the_section() {
    check_wrong(
        |stage| {
            vmap(stage, |stage, at| {
                if stage.wrong {
                    let mm = stage.machine.init_mm();
                    pgtable::access(mm, at, mm.pte_table(at).ptep(at.pte_index()), Access::Write);
                }
            });
        },
        |arch| defers_new_entries(arch).map(access_while_pending).into_iter().collect(),
    );
}

#[test]
fn vmap_that_sleeps_in_the_section() {
    check_wrong(
        |stage| {
            vmap(stage, |stage, _| {
                if stage.wrong {
                    stage.machine.might_sleep();
                }
            });
        },
        |arch| vec![if preemption_off(arch) { SleepInAtomic } else { SleepInSection }],
    );
}

/// `vunmap_pte_range()` and the flush that its callers owe, then a new mapping of other pages.
fn vunmap_and_map_again(stage: &Stage, flush: bool, look: bool, flush_in_section: bool) {
    let (mm, addr) = (stage.machine.init_mm(), page(KERNEL));
    stage.map(mm, addr, Pte::kernel(Pfn(1)));
    let table = mm.pte_table(addr);
    enable(mm, &table, addr);
    for (at, ptep) in entries(&table, addr) {
        pgtable::ptep_get_and_clear(mm, at, ptep);
        if look {
            let _ = pgtable::raw_read(mm, at, ptep);
        }
    }
    if flush && flush_in_section {
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
    }
    lazy_mmu_mode_disable();
    if flush && !flush_in_section {
        pgtable::flush_tlb_range(mm, addr, PAGES.into());
    }
    pgtable::set_ptes(mm, addr, table.ptep(addr.pte_index()), Pte::kernel(Pfn(100)), PAGES);
    stage.touch(mm, addr);
}

#[test]
fn vunmap_that_does_not_flush() {
    check_wrong(
        |stage| vunmap_and_map_again(stage, !stage.wrong, false, false),
        |arch| {
            let bbm_violation = when(arch.facts().break_before_make, &[BbmViolation]);
            [when(!clears_translations(arch), &[StaleTranslation]), bbm_violation].concat()
        },
    );
}

#[test]
fn vunmap_that_reads_raw_what_it_has_cleared() {
    check_wrong(
        |stage| vunmap_and_map_again(stage, true, stage.wrong, false),
        |arch| when(clears_late(arch), &[StaleRead]),
    );
}

#[test]
fn vunmap_that_flushes_before_the_disable() {
    check_wrong(
        |stage| vunmap_and_map_again(stage, true, false, stage.wrong),
        |arch| when(clears_late(arch), &[FlushBeforeStores]),
    );
}
