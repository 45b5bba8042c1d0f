//! Xen PV: page tables that are pinned and those that are not (review fidelity 2, 3, 19).

use emu_arch::pgtable::{arch_dup_mmap, arch_exit_mmap};
use emu_arch::x86_xen::{
    MMU_UPDATE_CALL, MMUEXT_OP_CALL, MULTICALL, TRAP_AND_EMULATE, UPDATE_VA_MAPPING_CALL,
};
use emu_arch::{Arch, ArchEffect, Kernel, Machine, VirtAddr};
use emu_mm::proc::{Populate, parse};
use emu_mm::workload::{Options, Report, Workload, run};
use lazy_mmu::trace::Event;
use lazy_mmu::{Record, lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks, sched};

/// 128 MiB of anonymous memory: 32,768 pages in 64 tables.
const BIG: &str = "7f0000000000-7f0008000000 rw-p 00000000 00:00 0\n";
/// The eras in which the mode works for every task.
const ERAS: [Kernel; 4] = [Kernel::V6_16, Kernel::V6_19, Kernel::V7_0, Kernel::V7_1];

fn report(workload: Workload, kernel: Kernel, maps: &str) -> Report {
    let design = kernel.design();
    let options = Options { kernel, design, populate: Populate::All, ..Options::default() };
    let mappings = parse(maps.as_bytes()).expect("text as the kernel prints it");
    run(workload, Arch::XEN_PV, &mappings, &options, &mut |_, _| {}).expect("few pages")
}

/// How often an effect happened with the mode and with the mode paused.
fn counts(report: &Report, effect: ArchEffect) -> (u64, u64) {
    (report.total.lazy.of(effect), report.total.paused.of(effect))
}

#[test]
fn an_exit_unpins_first_and_traps_nowhere() {
    for kernel in ERAS {
        let exit = report(Workload::Exit, kernel, BIG);
        assert_eq!(counts(&exit, TRAP_AND_EMULATE), (0, 0), "{kernel}");
        assert_eq!(counts(&exit, MMU_UPDATE_CALL), (0, 0), "{kernel}");
        // The CPUs that have used the process are in its mask: a flush of all for each gather.
        assert_eq!(counts(&exit, MMUEXT_OP_CALL), (4, 4), "{kernel}");
        // 2 + 1 for the roots, 1 + 1 + 2 * 64 for the tables, 1 for the root: 32 in a multicall.
        assert_eq!(counts(&exit, MULTICALL), (5, 5), "{kernel}");
    }
}

/// In v6.12 a switch takes the CPU out of the mask, so that nobody is left to flush.
#[test]
fn an_exit_of_v6_12_flushes_no_cpu() {
    let exit = report(Workload::Exit, Kernel::V6_12Y, BIG);
    assert_eq!(counts(&exit, MMUEXT_OP_CALL), (0, 0));
    // That v6.14 is among the later ones is an assumption.
    for kernel in [Kernel::V6_14, Kernel::V7_2, Kernel::V7_3] {
        let exit = report(Workload::Exit, kernel, BIG);
        assert_eq!(counts(&exit, MMUEXT_OP_CALL), (4, 4), "{kernel}");
    }
}

#[test]
fn a_fork_stores_the_levels_above_plainly_and_pins_at_the_end() {
    for kernel in ERAS {
        let fork = report(Workload::Fork, kernel, BIG);
        assert_eq!(counts(&fork, MMU_UPDATE_CALL), (64 * 17, 32_768), "{kernel}");
        // 1 + 1 + 2 * 64 for the tables, 2 for each root.
        assert_eq!(counts(&fork, MULTICALL), (5, 5), "{kernel}");
        // The parent's tables are pinned: taking the right to write is an atomic operation.
        assert_eq!(counts(&fork, TRAP_AND_EMULATE), (32_768, 32_768), "{kernel}");
    }
}

/// The effects of `f` on a machine of `kernel`, in order.
fn effects(kernel: Kernel, f: impl FnOnce(&Machine)) -> Vec<String> {
    let machine = Machine::with_kernel(Arch::XEN_PV, kernel);
    let (_, record): (_, Record) =
        sched::with_design(kernel.design(), || machine.run(|| record_hooks(|| f(&machine))));
    let effects = record.events().filter_map(|seen| match seen.event {
        Event::Effect { name, n } => Some(lazy_mmu::trace::effect_text(name, n)),
        _ => None,
    });
    effects.filter(|text| text.starts_with("HYPERVISOR") || text.contains("MMUEXT")).collect()
}

fn page(addr: u64) -> VirtAddr {
    VirtAddr::page(addr).expect("an address of a page")
}

/// As a fork of a small process on 7.1.13 was traced: 21 calls in one multicall.
#[test]
fn a_pin_is_one_multicall_as_traced() {
    let maps = [0x40_0000, 0x3b9_7000, 0x2000_0000_0000, 0x7fdf_3b89_0000, 0x7ffe_75aa_a000];
    let pinned = effects(Kernel::V7_1, |machine| {
        let mm = machine.dup_mm().expect("an address space");
        for addr in maps.map(page) {
            drop(mm.pte_alloc_map_lock(addr));
        }
        arch_dup_mmap(&mm);
        assert!(mm.is_pinned());
    });
    let (l1, l4) = ("MMUEXT_PIN_L1_TABLE", "MMUEXT_PIN_L4_TABLE");
    assert_eq!(pinned, [l1, l1, l1, l1, l1, l4, l4, "HYPERVISOR_multicall(21)"]);
    let unpinned = effects(Kernel::V7_1, |machine| {
        let mm = machine.mm_alloc().expect("an address space");
        for addr in maps.map(page) {
            drop(mm.pte_table(addr));
        }
        arch_exit_mmap(&mm);
        assert!(!mm.is_pinned());
        // Nothing is left to unpin.
        arch_exit_mmap(&mm);
    });
    // Both roots in one call, then the copy for user mode and each table: 1 + 1 + 17 + 1 calls.
    assert_eq!(unpinned.last().map(String::as_str), Some("HYPERVISOR_multicall(20)"));
    assert_eq!(unpinned.len(), 2 + 5 + 1);
}

/// As traced: a multicall of two, then the entry that points to the table.
#[test]
fn a_new_kernel_table_is_made_read_only_and_pinned() {
    let addr = page(0xffff_8000_0800_0000);
    let alloc = |machine: &Machine| {
        let _ = machine.init_mm().pte_alloc_kernel(addr);
    };
    let (va, update) = (UPDATE_VA_MAPPING_CALL.name, "HYPERVISOR_mmu_update(1)");
    let outside =
        [va, update, va, update, "MMUEXT_PIN_L1_TABLE", "HYPERVISOR_multicall(2)", update];
    assert_eq!(effects(Kernel::V7_1, alloc), outside);
    let inside = effects(Kernel::V7_1, |machine| {
        lazy_mmu_mode_enable();
        alloc(machine);
        lazy_mmu_mode_disable();
    });
    // All wait in one queue, so that each entry is written behind the change of its table's page.
    assert_eq!(inside, ["MMUEXT_PIN_L1_TABLE", "HYPERVISOR_multicall(7)"]);
}
