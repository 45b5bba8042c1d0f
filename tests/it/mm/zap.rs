//! Emptying page tables: `zap_pte_range()`.

use std::num::NonZeroU32;

use emu_arch::{Arch, Pte, arm64, pgtable, powerpc};
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::{MmuGather, Resched};
use lazy_mmu::design::Hook;
use lazy_mmu::trace::PteOp;
use lazy_mmu::with_lazy_mmu_paused;

use super::{USER, User, hooks, page, uses};

#[test]
fn zap_flushes_the_hash_batch_when_the_section_ends_and_the_tlb_after_it() {
    let user = User::shared(Arch::POWERPC_HASH, 2);
    let record = user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        user.zap(&mut tlb, &Resched::never());
        assert_eq!((tlb.freed(), tlb.waiting()), (2, 0), "dirty file pages force a flush");
    });
    insta::assert_snapshot!(record.to_string(), @"
    spin_lock()                                  preempt_count=1
    flush_tlb_batched_pending(0x7f0000000000) -> ø
    zap_pte_range:
    lazy_mmu_mode_enable()                    -> arch_enter()  enable=1 pause=0
                                                 preempt_disable()  preempt_count=2
        ptep_get(0x7f0000000000)              -> ø
        ptep_get_and_clear(0x7f0000000000)    -> ppc64_tlb_batch.index=1
        ptep_get(0x7f0000001000)              -> ø
        ptep_get_and_clear(0x7f0000001000)    -> ppc64_tlb_batch.index=2
    lazy_mmu_mode_disable()                   -> arch_leave()  enable=0 pause=0
                                                 flush_hash_range(2)
                                                 preempt_enable()  preempt_count=1
    tlb_flush(0x7f0000000000, nr=2)           -> ø
    spin_unlock()                                preempt_count=0
    enable=0 pause=0, nothing pending
    ");
}

#[test]
fn a_forced_flush_comes_after_the_section() {
    let user = User::shared(Arch::ARM64, 1);
    let record = user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        user.zap(&mut tlb, &Resched::never());
    });
    insta::assert_snapshot!(record.to_string(), @"
    spin_lock()                                  preempt_count=1
    flush_tlb_batched_pending(0x7f0000000000) -> ø
    zap_pte_range:
    lazy_mmu_mode_enable()                    -> arch_enter()  enable=1 pause=0
        ptep_get(0x7f0000000000)              -> ø
        ptep_get_and_clear(0x7f0000000000)    -> ø
    lazy_mmu_mode_disable()                   -> arch_leave()  enable=0 pause=0
    tlb_flush(0x7f0000000000, nr=1)           -> __flush_tlb_range(1)
    spin_unlock()                                preempt_count=0
    enable=0 pause=0, nothing pending
    ");
}

#[test]
fn zap_of_anonymous_pages_leaves_the_flush_to_the_end() {
    let user = User::anon(Arch::ARM64, 3);
    let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
    user.machine.run(|| user.zap(&mut tlb, &Resched::never()));
    let flush = arm64::FLUSH_TLB_RANGE;
    assert_eq!((tlb.freed(), tlb.waiting(), user.effects(flush)), (0, 3, 0));
    tlb.tlb_finish_mmu();
    assert_eq!((tlb.freed(), tlb.waiting(), user.effects(flush)), (3, 0, 1));
    assert!(user.pte(0).is_none());
}

#[test]
fn zap_skips_empty_entries_and_clears_swap_entries() {
    let user = User::anon(Arch::NAIVE, 4);
    let table = user.mm.pte_table(page(USER));
    table.ptep(1).write(Pte::NONE);
    table.ptep(2).write(Pte(Pte::SPECIAL));
    let record = user.record(|| {
        user.zap(&mut MmuGather::tlb_gather_mmu(&user.mm), &Resched::never());
    });
    assert_eq!(uses(&record, PteOp::ptep_get_and_clear), [1, 1]);
    assert_eq!(uses(&record, PteOp::pte_clear), [1]);
    assert_eq!(table.populated(), 0);
}

#[test]
fn every_touched_table_is_a_section() {
    // From the middle of one table to the middle of the fourth.
    let user = User::anon(Arch::NAIVE, 3 * 512 + 1);
    let record = user.record(|| {
        user.zap(&mut MmuGather::tlb_gather_mmu(&user.mm), &Resched::never());
    });
    assert_eq!(user.mm.tables(), 4);
    assert_eq!(hooks(&record), ["arch_enter() arch_leave()"; 4].join(" "));
}

#[test]
fn zap_starts_again_after_a_yield() {
    let user = User::anon(Arch::POWERPC_HASH, 10);
    let resched = Resched::every(NonZeroU32::new(4));
    let record = user.record(|| {
        user.zap(&mut MmuGather::tlb_gather_mmu(&user.mm), &resched);
    });
    // 4 + 4 + 2 entries.
    assert_eq!(hooks(&record), ["arch_enter() arch_leave()"; 3].join(" "));
    assert_eq!(user.effects(powerpc::FLUSH_HASH_RANGE), 3);
    assert_eq!(user.mm.pte_table(page(USER)).populated(), 0);
}

#[test]
fn a_full_gather_breaks_the_section_and_flushes() {
    let pages = 7 + 19 * 509 + 1;
    let user = User::anon(Arch::ARM64, pages);
    let mut tlb = MmuGather::tlb_gather_mmu_fullmm(&user.mm);
    user.machine.run(|| user.zap(&mut tlb, &Resched::never()));
    assert_eq!((tlb.freed(), tlb.waiting()), (pages - 1, 1));
    assert_eq!(user.effects(arm64::FLUSH_TLB_RANGE), 1);
    // One section per table and one for the page that found no room.
    assert_eq!(user.machine.totals().hook(Hook::ENTER), pages.div_ceil(512) + 1);
}

#[test]
fn zap_flushes_each_hash_batch_of_192_once() {
    let user = User::anon(Arch::POWERPC_HASH, 1000);
    user.machine.run(|| {
        user.zap(&mut MmuGather::tlb_gather_mmu_fullmm(&user.mm), &Resched::never());
    });
    // 512 = 192 + 192 + 128 and 488 = 192 + 192 + 104: a batch ends with its section.
    assert_eq!(user.effects(powerpc::FLUSH_HASH_RANGE), 6);
    assert_eq!(user.effects(powerpc::FLUSH_HASH_PAGE), 0);

    let paused = User::anon(Arch::POWERPC_HASH, 1000);
    paused.machine.run(|| {
        with_lazy_mmu_paused(|| {
            paused.zap(&mut MmuGather::tlb_gather_mmu_fullmm(&paused.mm), &Resched::never());
        });
    });
    assert_eq!(paused.effects(powerpc::FLUSH_HASH_PAGE), 1000);
}

/// Review fidelity 7: what reclaim has deferred is flushed under the lock, before the section.
#[test]
fn zap_and_mprotect_flush_what_reclaim_deferred() {
    let flushes = |user: &User, f: &dyn Fn()| {
        let record = user.record(|| {
            let at = page(USER);
            pgtable::set_tlb_ubc_flush_pending(&user.mm, at, 1);
            f();
        });
        let text = record.to_string();
        let line = |what: &str| text.lines().position(|line| line.contains(what));
        let (lock, flush) = (line("spin_lock()"), line("flush_tlb_batched_pending"));
        assert!(lock < flush && flush < line("lazy_mmu_mode_enable()"), "{text}");
        text.lines().nth(flush.expect("a flush")).is_some_and(|line| line.contains("__flush_tlb"))
    };
    let user = User::anon(Arch::ARM64, 1);
    assert!(flushes(&user, &|| {
        user.zap(&mut MmuGather::tlb_gather_mmu(&user.mm), &Resched::never());
    }));
    let user = User::anon(Arch::ARM64, 1);
    assert!(flushes(&user, &|| {
        let (tlb, vma) = (&mut MmuGather::tlb_gather_mmu(&user.mm), &user.vma);
        change_protection(tlb, vma, vma.vm_start, vma.vm_end);
    }));
}
