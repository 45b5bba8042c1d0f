//! What the tracker judges as the hardware would: entries of every level, flushes that are owed,
//! updates in interrupts, and the mode behind the last bracket.

use emu_arch::{Arch, Kernel, Machine, VirtAddr};
use emu_check::check::{Language, Options, check, check_programs, nobody};
use emu_lab::scenario::{self, Setup};
use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable};

use crate::support::parse;

/// The hazards of a run, in order, which both hosts find.
#[track_caller]
fn hazards(text: &str, arch: Arch, kernel: Kernel) -> Vec<&'static str> {
    let setup = Setup { arch, kernel, ..Setup::from(kernel.design()) };
    let scenario = parse(text);
    let outcome = scenario::run(&scenario, setup);
    assert_eq!(scenario::run_replayed(&scenario, setup), outcome.record, "{arch} {kernel}");
    outcome.hazards.iter().map(|found| found.hazard.id()).collect()
}

/// The kernels that have the mode on Xen PV.
fn xen() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| Arch::XEN_PV.is_in(*kernel).is_ok())
}

/// Review F2.
#[test]
fn an_update_that_is_done_before_its_primitive_returns_has_not_waited() {
    let commit = "ptep_modify_prot_start 0x7f0000000000\nptep_modify_prot_commit 0x7f0000000000 ro";
    let at = "0xffff800008000000";
    let updates = ["set_pmd", "set_pud", "set_p4d", "set_pgd", "set_pte_at"];
    let updates = updates.map(|op| format!("{op} {at}"));
    for kernel in xen() {
        for update in updates.iter().map(String::as_str).chain([commit]) {
            for [before, after] in [["", ""], ["enable\n", "disable\n"]] {
                let text =
                    format!("map 0x7f0000000000 1\n{before}hardirq {{\n{update}\n}}\n{after}");
                assert_eq!(hazards(&text, Arch::XEN_PV, kernel), [""; 0], "{kernel}:\n{text}");
            }
        }
    }
    // Nothing of what an interrupt defers there is done by the time that the primitive returns.
    let text = "map 0xffff800008000000 1\nenable\nhardirq {\nptep_get_and_clear 0xffff800008000000\n}\ndisable";
    assert_eq!(hazards(text, Arch::POWERPC_HASH, Kernel::V6_19), ["irq-deferred"]);
}

/// Review F16: a word of the PMD table is none of the PTE table.
#[test]
fn an_entry_above_is_not_the_entry_of_a_page() {
    for page in [0xffff_8000_0800_0000_u64, 0xffff_8000_0800_1000] {
        for op in ["set_pmd", "set_pud", "set_p4d", "set_pgd"] {
            let text = format!(
                "map 0xffff800008000000 2\nenable\n{op} 0xffff800008000000\n\
                 ptep_get_and_clear {page:#x}\ndisable"
            );
            for kernel in xen() {
                assert_eq!(hazards(&text, Arch::XEN_PV, kernel), [""; 0], "{kernel}:\n{text}");
            }
        }
    }
    let text = "map 0xffff800008000000 1\nenable\npte_clear 0xffff800008000000\n\
                ptep_get_and_clear 0xffff800008000000\ndisable";
    let found = hazards(text, Arch::XEN_PV, Kernel::V7_0);
    assert!(found.contains(&"overtaken"), "{found:?}: the same word is overtaken");
}

/// Review F16: every page that an entry covers waits for it, and none beside.
#[test]
fn an_entry_above_covers_its_pages() {
    const BASE: u64 = 0xffff_8000_0000_0000;
    for (op, bytes) in [("set_pmd", 2 << 20), ("set_pud", 1 << 30), ("set_p4d", 1 << 39)] {
        for (page, covered) in [(BASE, true), (BASE + bytes - 0x1000, true), (BASE + bytes, false)]
        {
            let text = format!("enable\n{op} {BASE:#x}\nread {page:#x}\ndisable");
            let expected = |hazard: &'static str| if covered { vec![hazard] } else { vec![] };
            let on = |arch, kernel| hazards(&text, arch, kernel);
            assert_eq!(on(Arch::XEN_PV, Kernel::V7_0), expected("access-pending-store"), "{text}");
            // Entries of the swapper's root go through the fixmap.
            let barriers =
                if op == "set_p4d" { vec![] } else { expected("access-pending-barriers") };
            assert_eq!(on(Arch::ARM64, Kernel::V7_0), barriers, "{text}");
        }
    }
    // Four levels: set_pgd() is set_p4d(), and covers as much.
    let text = |page: u64| format!("enable\nset_pgd {BASE:#x}\nread {page:#x}\ndisable");
    let on = |page| hazards(&text(page), Arch::XEN_PV, Kernel::V7_2);
    assert_eq!(on(BASE + (1 << 39) - 0x1000), ["access-pending-store"]);
    assert_eq!(on(BASE + (1 << 39)), [""; 0]);
}

/// Review F16: the lock of a page table protects its entries alone, that of `init_mm` all levels.
#[test]
fn a_page_table_lock_protects_no_entry_above() {
    let text = |op: &str, lock: &str, addr: &str| {
        format!("enable\nspin_lock {lock}\n{op} {addr}\nspin_unlock {lock}\ndisable")
    };
    let on_xen = |text: String| hazards(&text, Arch::XEN_PV, Kernel::V7_0);
    let (user, kernel) = ("0x7f0000000000", "0xffff800008000000");
    assert_eq!(on_xen(text("set_pmd", user, user)), [""; 0]);
    assert_eq!(on_xen(text("set_pte_at", user, user)), ["pending-at-unlock"]);
    assert_eq!(on_xen(text("set_pmd", "init_mm", kernel)), ["pending-at-unlock"]);
    assert_eq!(hazards(&text("set_pmd", user, user), Arch::ARM64, Kernel::V7_0), [""; 0]);
}

/// Review F7: reading the levels below goes through the entry that is queued.
#[test]
fn a_walk_through_a_queued_entry_is_a_stale_read() {
    let walk =
        |op: &str| format!("enable\nset_pgd 0xffff800008000000\n{op} 0xffff800008001000\ndisable");
    for kernel in xen() {
        for op in ["raw_read", "ptep_get"] {
            assert_eq!(hazards(&walk(op), Arch::XEN_PV, kernel), ["stale-read"], "{op} {kernel}");
        }
        // Its caller knows that the value may be old.
        assert_eq!(hazards(&walk("ptep_get_lockless"), Arch::XEN_PV, kernel), [""; 0]);
    }
    // The store is in memory, and software reads memory.
    assert_eq!(hazards(&walk("raw_read"), Arch::ARM64, Kernel::V7_0), [""; 0]);
}

/// Review F7, in mm-style code: a table that is allocated in a section is walked to at once.
#[test]
fn a_table_allocated_in_a_section_is_walked_to_through_the_queue() {
    let found = |arch, section: bool| -> Vec<&str> {
        let machine = Machine::with_kernel(arch, Kernel::V7_0);
        machine.track_hazards();
        machine.run(|| {
            if section {
                lazy_mmu_mode_enable();
            }
            let addr = VirtAddr::page(0xffff_8000_0800_0000).expect("an address");
            let _table = machine.init_mm().pte_alloc_kernel(addr);
            if section {
                lazy_mmu_mode_disable();
            }
        });
        machine.hazards().iter().map(|found| found.hazard.id()).collect()
    };
    assert_eq!(found(Arch::XEN_PV, true), ["stale-read"]);
    for (arch, section) in [(Arch::XEN_PV, false), (Arch::ARM64, true), (Arch::X86, true)] {
        assert_eq!(found(arch, section), [""; 0], "{arch} {section}");
    }
}

/// Review F4: three ways to take rights away, and the flush is owed for each.
#[test]
fn a_flush_is_owed_for_rights_that_a_cpu_has_cached() {
    let text = |how: &str, flush: &str| {
        format!(
            "map 0x7f0000000000 1 rw pfn=0x100\nB@cpu1: write 0x7f0000000000\n\
             A: spin_lock 0x7f0000000000\n{how}{flush}A: spin_unlock 0x7f0000000000\n"
        )
    };
    let at = "0x7f0000000000";
    let pair = |prot: &str| {
        format!("A: ptep_modify_prot_start {at}\nA: ptep_modify_prot_commit {at} {prot}\n")
    };
    let put_back =
        |entry: &str| format!("A: ptep_get_and_clear {at}\nA: set_pte_at {at} {entry}\n");
    let wrprotect = format!("A: ptep_set_wrprotect {at}\n");
    let again = format!("{wrprotect}A: ptep_set_access_flags {at} rw\n");
    let owed = ["unflushed-at-unlock"];
    let rows: [(String, &[&str]); 7] = [
        (wrprotect.clone(), &owed),
        (format!("A: wrprotect_ptes {at} 1\n"), &owed),
        (pair("ro"), &owed),
        (put_back("ro pfn=0x100"), &owed),
        (pair("rw"), &[]),
        (put_back("rw pfn=0x100"), &[]),
        (again, &[]),
    ];
    let archs = [Arch::NAIVE, Arch::X86, Arch::ARM64, Arch::POWERPC_RADIX, Arch::XEN_PV];
    for arch in archs {
        for (how, expected) in &rows {
            let found = hazards(&text(how, ""), arch, Kernel::V7_0);
            assert_eq!(found, *expected, "{arch}:\n{how}");
            let flushed =
                hazards(&text(how, &format!("A: flush_tlb_range {at} 1\n")), arch, Kernel::V7_0);
            assert_eq!(flushed, [""; 0], "{arch}:\n{how}");
        }
    }
    // The right to execute is one that a translation may have cached, too.
    let text = "map 0x7f0000000000 1 rx pfn=0x100\nB@cpu1: read 0x7f0000000000\n\
                A: spin_lock 0x7f0000000000\nA: ptep_get_and_clear 0x7f0000000000\n\
                A: set_pte_at 0x7f0000000000 ro pfn=0x100\nA: spin_unlock 0x7f0000000000\n";
    for arch in archs {
        assert_eq!(hazards(text, arch, Kernel::V7_0), owed, "{arch}");
    }
}

/// Review F8: a program that has closed all it opened, with the mode on.
#[test]
fn the_mode_is_off_once_everything_is_closed() {
    let on = |text: &str| hazards(text, Arch::ARM64, Kernel::V7_0);
    assert_eq!(on("enable\npause\ndisable\nresume"), ["mode-left-on"]);
    // The count goes below zero and is 255 from then on.
    assert_eq!(on("pause\nenable\nresume\ndisable"), ["api-warning", "mode-left-on"]);
    assert_eq!(on("disable"), ["api-warning", "mode-left-on"]);
    for open in ["enable", "enable\npause", "enable\nenable\ndisable", "pause\nenable\ndisable"] {
        assert_eq!(on(open), [""; 0], "{open}");
    }
    // One section that is open still, of another task.
    assert_eq!(on("A: enable\nB: enable\nB: disable"), [""; 0]);
}

/// Review F8: both orders in which two brackets cross.
#[test]
fn check_finds_both_orders_of_crossing() {
    let options = Options::new(Arch::ARM64, Kernel::V7_1);
    let broken = |text: &str| -> Vec<&str> {
        let report = check_programs(&parse(text), &options, &mut nobody()).expect("a program");
        report.broken.iter().map(|found| found.property.id()).collect()
    };
    for orders in ["enable pause disable resume", "pause enable resume disable"] {
        let text: String = orders.split(' ').map(|call| format!("A: {call}\n")).collect();
        assert!(broken(&text).contains(&"no-mode-left-on"), "{orders}");
    }
    assert_eq!(broken("A: enable\nA: pause"), [""; 0]);
    let small = Options { tasks: 1, interrupts: false, preemption: false, ..options };
    let crossing = check(&Options { language: Language::Crossing, ..small.clone() }, &mut nobody());
    let found: Vec<_> = crossing.broken.iter().map(|found| found.property.id()).collect();
    assert!(found.contains(&"no-mode-left-on"), "{found:?}");
    assert!(check(&small, &mut nobody()).holds(), "brackets that nest leave the mode off");
}

/// Fidelity 10: arm64's own code allocates in its section, and no generic code may.
#[test]
fn arch_code_sleeps_where_its_architecture_lets_it() {
    let sleeps =
        |word: &str, arch| hazards(&format!("enable\n{word}\ndisable"), arch, Kernel::V7_2);
    for arch in [Arch::X86, Arch::XEN_PV, Arch::POWERPC_RADIX, Arch::NAIVE] {
        assert_eq!(sleeps("arch_might_sleep", arch), ["sleep-in-section"], "{arch}");
    }
    assert_eq!(sleeps("arch_might_sleep", Arch::ARM64), [""; 0]);
    assert_eq!(sleeps("might_sleep", Arch::ARM64), ["sleep-in-section"]);
    assert_eq!(sleeps("arch_might_sleep", Arch::POWERPC_HASH), ["sleep-in-atomic"]);
    let locked =
        "enable\nspin_lock 0x7f0000000000\narch_might_sleep\nspin_unlock 0x7f0000000000\ndisable";
    assert_eq!(hazards(locked, Arch::ARM64, Kernel::V7_2), ["sleep-in-atomic"]);
}

/// Review F10: an interrupt that ends and never began is reported by a run and by a search.
#[test]
fn an_unmatched_end_of_an_interrupt_is_a_warning_in_a_search_too() {
    for end in ["hardirq_exit", "softirq_exit", "nmi_exit", "local_bh_enable"] {
        let text = format!("A: {end}");
        assert_eq!(hazards(&text, Arch::ARM64, Kernel::V7_1), ["api-warning"], "{end}");
        let options = Options::new(Arch::ARM64, Kernel::V7_1);
        let report = check_programs(&parse(&text), &options, &mut nobody()).expect("a program");
        let broken: Vec<_> = report.broken.iter().map(|found| found.property.id()).collect();
        assert_eq!(broken, ["no-api-warning"], "{end}");
    }
    // Those that nest have matching ends.
    let nested = "A: hardirq_enter\nA: hardirq_enter\nA: hardirq_exit\nA: hardirq_exit\nA: enable\nA: disable";
    let options = Options::new(Arch::ARM64, Kernel::V7_1);
    let report = check_programs(&parse(nested), &options, &mut nobody()).expect("a program");
    assert!(report.broken.is_empty());
    assert_eq!(hazards(nested, Arch::ARM64, Kernel::V7_1), [""; 0]);
}
