//! Changing protections: `change_pte_range()`.

use emu_arch::{Arch, Pte};
use emu_mm::mm::MmuGather;
use emu_mm::mm::mprotect::change_protection;
use emu_mm::mm::vma::VmFlags;
use lazy_mmu::trace::Event;

use super::{USER, User, hooks, page};

#[test]
fn mprotect_changes_each_entry_in_two_steps() {
    let mut user = User::anon(Arch::POWERPC_HASH, 1);
    user.vma.vm_flags = user.vma.vm_flags.without(VmFlags::VM_WRITE);
    let record = user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        let (start, end) = (user.vma.vm_start, user.vma.vm_end);
        assert_eq!(change_protection(&mut tlb, &user.vma, start, end), 1);
        tlb.tlb_finish_mmu();
    });
    insta::assert_snapshot!(record.to_string(), @"
    spin_lock()                                    preempt_count=1
    flush_tlb_batched_pending(0x7f0000000000)   -> ø
    change_pte_range:
    lazy_mmu_mode_enable()                      -> arch_enter()  enable=1 pause=0
                                                   preempt_disable()  preempt_count=2
        ptep_get(0x7f0000000000)                -> ø
        ptep_modify_prot_start(0x7f0000000000)  -> ppc64_tlb_batch.index=1
        ptep_modify_prot_commit(0x7f0000000000) -> ø
    lazy_mmu_mode_disable()                     -> arch_leave()  enable=0 pause=0
                                                   flush_hash_page()
                                                   preempt_enable()  preempt_count=1
    spin_unlock()                                  preempt_count=0
    tlb_flush(0x7f0000000000, nr=1)             -> ø
    enable=0 pause=0, nothing pending
    ");
    assert_eq!(user.pte(0).flags_text(), "pu-yd-");
}

#[test]
fn mprotect_flushes_one_range_at_the_end() {
    let mut user = User::anon(Arch::ARM64, 600);
    user.vma.vm_flags = user.vma.vm_flags.without(VmFlags::VM_WRITE);
    let record = user.record(|| {
        let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
        change_protection(&mut tlb, &user.vma, user.vma.vm_start, user.vma.vm_end);
        tlb.tlb_finish_mmu();
    });
    assert_eq!(hooks(&record), ["arch_enter() arch_leave()"; 2].join(" "));
    let flushed = record.events().find_map(|recorded| match recorded.event {
        Event::Effect { name: "__flush_tlb_range", n } => n,
        _ => None,
    });
    assert_eq!(flushed, Some(600));
}

#[test]
fn mprotect_does_not_let_private_pages_write() {
    let user = User::anon(Arch::NAIVE, 1);
    let table = user.mm.pte_table(page(USER));
    table.ptep(0).write(user.pte(0).without(Pte::WRITE));
    let mut tlb = MmuGather::tlb_gather_mmu(&user.mm);
    change_protection(&mut tlb, &user.vma, user.vma.vm_start, user.vma.vm_end);
    assert_eq!(user.pte(0).flags_text(), "pu-yd-", "the next write fault decides");
}
