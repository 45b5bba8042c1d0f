//! Copying page tables for a child: `copy_pte_range()`.

use std::num::NonZeroU32;

use emu_arch::{Arch, Pfn, Pte};
use emu_mm::mm::Resched;
use emu_mm::mm::vma::VmFlags;
use lazy_mmu::trace::PteOp;

use super::{USER, User, hooks, page, uses};

#[test]
fn copy_write_protects_the_parent_and_fills_the_child() {
    let user = User::anon(Arch::POWERPC_HASH, 2);
    let record = user.record(|| {
        let (child, counts) = user.fork(&Resched::never());
        assert_eq!(counts, [2, 2]);
        let pte = child.pte_table(page(USER)).ptep(1).read();
        assert_eq!(pte.flags_text(), "pu--d-", "neither writable nor young nor hashed");
        assert_eq!(pte.pfn(), user.pte(1).pfn());
    });
    insta::assert_snapshot!(record.to_string(), @"
    set_p4d(mm=2, 0x7f0000000000)            -> ø
    set_pud(mm=2, 0x7f0000000000)            -> ø
    set_pmd(mm=2, 0x7f0000000000)            -> ø
    spin_lock()                                 preempt_count=1
    spin_lock()                                 preempt_count=2
    copy_pte_range:
    lazy_mmu_mode_enable()                   -> arch_enter()  enable=1 pause=0
                                                preempt_disable()  preempt_count=3
        ptep_get(0x7f0000000000)             -> ø
        wrprotect_ptes(0x7f0000000000, nr=1) -> ppc64_tlb_batch.index=1
        set_ptes(mm=2, 0x7f0000000000, nr=1) -> ø
        ptep_get(0x7f0000001000)             -> ø
        wrprotect_ptes(0x7f0000001000, nr=1) -> ppc64_tlb_batch.index=2
        set_ptes(mm=2, 0x7f0000001000, nr=1) -> ø
    lazy_mmu_mode_disable()                  -> arch_leave()  enable=0 pause=0
                                                flush_hash_range(2)
                                                preempt_enable()  preempt_count=2
    spin_unlock()                               preempt_count=1
    spin_unlock()                               preempt_count=0
    enable=0 pause=0, nothing pending
    ");
    assert_eq!(user.pte(1).flags_text(), "pu-ydh", "hashed as before");
}

#[test]
fn copy_of_a_shared_mapping_is_left_to_faults() {
    let user = User::shared(Arch::NAIVE, 2);
    let record = user.record(|| assert_eq!(user.fork(&Resched::never()).1, [0, 0]));
    assert_eq!(hooks(&record), "");
}

#[test]
fn copy_asks_the_scheduler_every_32_points() {
    let user = User::anon(Arch::NAIVE, 10);
    let resched = Resched::every(NonZeroU32::new(1));
    let record = user.record(|| assert_eq!(user.fork(&resched).1, [10, 10]));
    // Each present entry is 8 points. The first question, after 4, is answered with no, the second
    // with yes; a new section starts at 0 points.
    assert_eq!(hooks(&record), ["arch_enter() arch_leave()"; 2].join(" "));
}

#[test]
fn copy_counts_an_empty_entry_as_one_point() {
    let user = User::anon(Arch::NAIVE, 66);
    for n in 0..65 {
        user.mm.pte_table(page(USER)).ptep(n).write(Pte::NONE);
    }
    let resched = Resched::every(NonZeroU32::new(1));
    let record = user.record(|| assert_eq!(user.fork(&resched).1, [1, 1]));
    assert_eq!(hooks(&record), ["arch_enter() arch_leave()"; 2].join(" "));
}

#[test]
fn a_folio_is_one_batch() {
    let user = User::anon(Arch::ARM64, 6);
    let table = user.mm.pte_table(page(USER));
    for n in 0..4 {
        table.ptep(n).write(table.ptep(0).read().advance_pfn(u64::from(n)));
    }
    let record = user.record(|| assert_eq!(user.fork(&Resched::never()).1, [6, 6]));
    assert_eq!(uses(&record, PteOp::wrprotect_ptes), [4, 1, 1]);
    assert_eq!(uses(&record, PteOp::set_ptes), [4, 1, 1]);
}

#[test]
fn a_batch_does_not_end_at_a_read_only_entry() {
    let user = User::anon(Arch::POWERPC_HASH, 3);
    let table = user.mm.pte_table(page(USER));
    for n in 0..3 {
        table.ptep(n).write(table.ptep(0).read().advance_pfn(u64::from(n)));
    }
    table.ptep(0).write(table.ptep(0).read().without(Pte::WRITE));
    let record = user.record(|| assert_eq!(user.fork(&Resched::never()).1, [3, 3]));
    assert_eq!(uses(&record, PteOp::wrprotect_ptes), [3]);
    assert!(!user.pte(2).has(Pte::WRITE));
}

#[test]
fn yields_do_not_change_the_copy() {
    let child = |period| {
        let user = User::anon(Arch::POWERPC_HASH, 1000);
        user.mm.pte_table(page(USER)).ptep(7).write(Pte(Pte::SPECIAL));
        let resched = Resched::every(NonZeroU32::new(period));
        let (child, counts) = user.machine.run(|| user.fork(&resched));
        assert_eq!(counts, [1000, 999]);
        let entries = (0..1000).map(|n| {
            let addr = page(USER).add_pages(n);
            child.pte_table(addr).ptep(addr.pte_index()).read()
        });
        entries.collect::<Vec<_>>()
    };
    assert_eq!(child(0), child(3));
}

/// Review fidelity 28: the kernel asks `VM_SHARED` for the dirty bit, and whether a write makes a
/// copy for the permission to write; a private mapping that no one may make writable is neither.
#[test]
fn a_private_mapping_that_is_never_copied_stays_dirty() {
    let dirty = |flags| {
        let pte = Pte::user(Pfn(1), true, false).with(Pte::DIRTY);
        let user = User::new(Arch::NAIVE, 1, flags | VmFlags::VM_MIXEDMAP, pte);
        let child = user.machine.run(|| user.fork(&Resched::never()).0);
        let copy = child.pte_table(page(USER)).ptep(0).read();
        (copy.has(Pte::DIRTY), copy.has(Pte::WRITE))
    };
    assert_eq!(dirty(VmFlags::VM_SHARED), (false, true));
    assert_eq!(dirty(VmFlags::default()), (true, true));
    assert_eq!(dirty(VmFlags::VM_MAYWRITE), (true, false));
}
