//! Kernel mappings: `vmap_pages_pte_range()` and `vunmap_pte_range()`.

use emu_arch::{Arch, Machine, Pfn, Pte, arm64};
use emu_mm::mm::vmalloc::{VmapError, vmap_pages_range, vunmap_range};
use lazy_mmu::{record_hooks, with_lazy_mmu_paused};

use super::{hooks, page};

const KERNEL: u64 = 0xffff_8000_0800_0000;

/// Frames for `n` pages.
fn frames(n: u64) -> Vec<Pfn> {
    (1..=n).map(Pfn).collect()
}

#[test]
fn vmalloc_of_a_table_needs_one_pair_of_barriers() {
    let machine = Machine::new(Arch::ARM64);
    let (start, end) = (page(KERNEL), page(KERNEL).add_pages(512));
    let _ = machine.init_mm().pte_table(start);
    machine.run(|| vmap_pages_range(machine.init_mm(), start, end, &frames(512))).expect("room");
    let once = machine.totals();
    assert_eq!((once.of(arm64::DSB_ISHST), once.of(arm64::ISB)), (1, 1));

    machine.run(|| {
        vunmap_range(machine.init_mm(), start, end);
        with_lazy_mmu_paused(|| {
            vmap_pages_range(machine.init_mm(), start, end, &frames(512)).expect("room again");
        });
    });
    let paused = machine.totals().since(&once);
    assert_eq!((paused.of(arm64::DSB_ISHST), paused.of(arm64::ISB)), (512, 512));
}

#[test]
fn vmap_allocates_its_table_before_the_section() {
    let machine = Machine::new(Arch::ARM64);
    let (start, end) = (page(KERNEL), page(KERNEL).add_pages(1));
    let (_, record) = machine
        .run(|| record_hooks(|| vmap_pages_range(machine.init_mm(), start, end, &frames(1))));
    insta::assert_snapshot!(record.to_string(), @"
    set_p4d(0xffff800008000000)         -> ø
    set_pud(0xffff800008000000)         -> dsb(ishst)
                                           isb()
    set_pmd(0xffff800008000000)         -> dsb(ishst)
                                           isb()
    vmap_pages_pte_range:
    lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
        ptep_get(0xffff800008000000)    -> ø
        set_pte_at(0xffff800008000000)  -> TIF_LAZY_MMU_PENDING=1
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
                                           dsb(ishst)
                                           isb()
    enable=0 pause=0, nothing pending
    ");
}

#[test]
fn vmap_errors_end_the_section() {
    let machine = Machine::new(Arch::ARM64);
    let start = page(KERNEL);
    let vmap = |from, pages: &[Pfn]| {
        let (mm, from) = (machine.init_mm(), start.add_pages(from));
        let vmap = || vmap_pages_range(mm, from, from.add_pages(2), pages);
        let (result, record) = machine.run(|| record_hooks(vmap));
        assert_eq!(hooks(&record), "arch_enter() arch_leave()");
        result
    };
    assert_eq!(vmap(0, &frames(1)), Err(VmapError::ENOMEM));
    assert_eq!(vmap(0, &frames(2)), Err(VmapError::EBUSY));
    assert_eq!(vmap(1, &[Pfn(1), Pfn(1 << 38)]), Err(VmapError::EINVAL));
}

#[test]
fn vunmap_clears_empty_entries_too_and_flushes_at_the_end() {
    let machine = Machine::new(Arch::POWERPC_RADIX);
    let (start, end) = (page(KERNEL), page(KERNEL).add_pages(2));
    let table = machine.init_mm().pte_table(start);
    table.ptep(0).write(Pte::kernel(Pfn(1)));
    let (_, record) = machine.run(|| record_hooks(|| vunmap_range(machine.init_mm(), start, end)));
    insta::assert_snapshot!(record.to_string(), @"
    vunmap_pte_range:
    lazy_mmu_mode_enable()                     -> arch_enter()  enable=1 pause=0
        ptep_get_and_clear(0xffff800008000000) -> ø
        ptep_get_and_clear(0xffff800008001000) -> ø
    lazy_mmu_mode_disable()                    -> arch_leave()  enable=0 pause=0
    flush_tlb_range(0xffff800008000000, nr=2)  -> radix__flush_tlb_kernel_range(2)
    enable=0 pause=0, nothing pending
    ");
}
