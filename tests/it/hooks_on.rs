//! `assert_hooks_on!`: one function on several architectures in one snapshot.

use emu_arch::{Arch, Machine, Pfn, Pte, VirtAddr, assert_hooks_on, pgtable, snapshot};
use emu_mm::mm::vmalloc::{VmapError, vmap_pages_range};
use lazy_mmu::{lazy_mmu_mode_enable, with_lazy_mmu};

fn page() -> VirtAddr {
    VirtAddr::page(0xffff_8000_0800_0000).expect("a page of the kernel")
}

/// Maps a page; what it returns nobody looks at.
fn map(machine: &Machine) -> Result<(), VmapError> {
    let _ = machine.init_mm().pte_table(page());
    vmap_pages_range(machine.init_mm(), page(), page().add_pages(1), &[Pfn(1)])
}

#[test]
fn those_that_do_the_same_stand_under_one_heading() {
    assert_hooks_on!([Arch::NAIVE, Arch::ARM64, Arch::X86], map, @r"
    naive, x86:
      vmap_pages_pte_range:
      lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
          ptep_get(0xffff800008000000)    -> ø
          set_pte_at(0xffff800008000000)  -> ø
      lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
      enable=0 pause=0, nothing pending
    arm64:
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
fn one_architecture_all_of_them_and_a_closure() {
    assert_hooks_on!(Arch::NAIVE, |_| with_lazy_mmu(|| 3), @r"
    naive:
      lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
      lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
      enable=0 pause=0, nothing pending
    ");
    let all = snapshot::records(Arch::all(), |machine| {
        let table = machine.init_mm().pte_table(page());
        pgtable::set_pte_at(machine.init_mm(), page(), table.ptep(0), Pte::kernel(Pfn(1)));
    });
    assert!(Arch::all().all(|arch| all.contains(arch.id())), "{all}");
}

#[test]
fn a_section_that_stays_open_is_said_and_ends_the_record() {
    let text = snapshot::records(Arch::all(), |_| lazy_mmu_mode_enable());
    assert!(text.ends_with("a section or a pause is still open: was a guard forgotten?\n"));
    assert!(text.starts_with("naive:\n") && !text.contains("arm64"), "{text}");
}
