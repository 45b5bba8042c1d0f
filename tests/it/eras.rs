//! What differs between eras beside the mode: the preempt count and its checks, vmalloc, versions.

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel, powerpc, x86_xen};
use emu_lab::scenario::{self, Setup};
use emu_mm::proc::parse as parse_maps;
use emu_mm::workload::{Options, Workload, run as run_workload};
use lazy_mmu::trace::Event;

use crate::cli::{check_refused, lazymmu};
use crate::support::parse;

/// The preempt counts that a run shows, and the checks that fire.
fn counts(text: &str, arch: Arch, kernel: Kernel) -> Vec<String> {
    let setup = Setup { arch, kernel, ..Setup::from(kernel.design()) };
    let record = scenario::run(&parse(text), setup).record;
    assert_eq!(scenario::run_replayed(&parse(text), setup), record, "{arch} {kernel}");
    let shown = record.events().filter_map(|seen| match seen.event {
        Event::Context { preempt_count, .. } => Some(preempt_count.to_string()),
        Event::Warn { check, cond, .. } => Some(format!("{check}({cond})")),
        _ => None,
    });
    shown.collect()
}

#[track_caller]
fn check(text: &str, arch: Arch, kernel: Kernel, expected: &[&str]) {
    assert_eq!(counts(text, arch, kernel), expected, "{arch} {kernel}: {text}");
}

/// review fidelity 12, real-c 7: the layout of the count, and how an NMI is counted.
#[test]
fn an_nmi_has_four_bits_or_one() {
    let nested = "hardirq_enter\nnmi_enter\nnmi_enter\nnmi_exit\nnmi_exit\nhardirq_exit\n";
    let before = ["0x10000", "0x120000", "0x230000", "0x120000", "0x10000", "0"];
    let separate = ["0x1000000", "0x12000000", "0x23000000", "0x12000000", "0x1000000", "0"];
    let one_bit = ["0x1000000", "0x12000000", "0x13000000", "0x12000000", "0x1000000", "0"];
    for arch in [Arch::ARM64, Arch::POWERPC_HASH, Arch::SPARC64, Arch::X86, Arch::XEN_PV] {
        check(nested, arch, Kernel::V7_2, &before);
    }
    for arch in [Arch::ARM64, Arch::X86, Arch::XEN_PV] {
        check(nested, arch, Kernel::V7_3, &separate);
    }
    for arch in [Arch::POWERPC_HASH, Arch::POWERPC_RADIX, Arch::SPARC64] {
        check(nested, arch, Kernel::V7_3, &one_bit);
    }
    check(nested, Arch::S390, Kernel::S390V6, &before);
}

/// review fidelity 12: one NMI more than there may be is a BUG, but where four bits count them.
#[test]
fn the_sixteenth_nmi() {
    let text = "nmi_enter\n".repeat(16);
    let last = |arch, kernel| counts(&text, arch, kernel).pop().expect("sixteen lines");
    assert_eq!(last(Arch::ARM64, Kernel::V7_2), "BUG_ON(in_nmi() == NMI_MASK)");
    assert_eq!(last(Arch::SPARC64, Kernel::V7_3), "BUG_ON(__this_cpu_read(nmi_nesting) >= 15)");
    assert_eq!(last(Arch::ARM64, Kernel::V7_3), "0x10000000", "the carry is lost");
}

/// review fidelity 12: each era has the text of its own check.
#[test]
fn a_count_that_is_not_there() {
    let before = "DEBUG_LOCKS_WARN_ON(val > preempt_count())";
    let since = "DEBUG_LOCKS_WARN_ON(pc - uval > pc)";
    let spinlock = "DEBUG_LOCKS_WARN_ON((val < PREEMPT_MASK) && !(preempt_count() & PREEMPT_MASK))";
    for (kernel, text) in [(Kernel::V6_0, before), (Kernel::V7_2, before), (Kernel::V7_3, since)] {
        for arch in [Arch::NAIVE, Arch::X86] {
            check("preempt_enable\n", arch, kernel, &["0", text]);
            check("hardirq_exit\n", arch, kernel, &["0", text]);
            check("nmi_exit\n", arch, kernel, &["0", "BUG_ON(!in_nmi())"]);
            let bottom_halves = ["0x200", "0x200", spinlock];
            check("local_bh_disable\npreempt_enable\n", arch, kernel, &bottom_halves);
        }
    }
}

/// review fidelity 8: the check comes after the add, from 245 levels on, and the count goes on.
#[test]
fn the_spinlock_count_overflows_soon() {
    let soon = "DEBUG_LOCKS_WARN_ON((preempt_count() & PREEMPT_MASK) >= PREEMPT_MASK - 10)";
    for kernel in [Kernel::V6_0, Kernel::V7_2, Kernel::V7_3] {
        let shown = counts(&"preempt_disable\n".repeat(257), Arch::NAIVE, kernel);
        let first = shown.iter().position(|text| text == soon).expect("it fires");
        assert_eq!(shown[first - 2..first], ["244", "245"]);
        assert_eq!(shown.iter().filter(|text| *text == soon).count(), 11, "245 to 255");
        // A full field spills into that of the softirqs.
        assert_eq!(shown[shown.len() - 3..], [soon, "0x100", "0x101"]);
    }
}

/// review fidelity 9: a switch runs at `2*PREEMPT_DISABLE_OFFSET`, and the flush adds its own.
#[test]
fn a_switch_has_a_preempt_count_of_two() {
    let text = "A: enable\nA: set_pte 0xffff800008000000\nB: run\n";
    for kernel in Arch::XEN_PV.kernels() {
        let shown = counts(text, Arch::XEN_PV, kernel);
        let flush = shown.windows(2).any(|two| two == ["3", "2"]);
        assert!(flush, "{kernel}: {shown:?}");
    }
}

/// 512 pages of vmalloc: one table to map and to unmap.
fn vmalloc(arch: Arch, kernel: Kernel) -> emu_mm::workload::Report {
    let maps = parse_maps(b"7f0000000000-7f0000200000 rw-p 00000000 00:00 0\n").expect("a line");
    let options = Options { kernel, design: kernel.design(), ..Options::default() };
    run_workload(Workload::Vmalloc, arch, &maps, &options, &mut |_, _| {}).expect("few pages")
}

/// The fourth difference from a booted v6.12: vmalloc had no section before v6.16.
#[test]
fn vmalloc_has_no_section_before_v6_16() {
    for kernel in [Kernel::V6_0, Kernel::V6_14, Kernel::V6_12Y, Kernel::V6_16, Kernel::V7_3] {
        let sections = if kernel < Kernel::V6_16 { 0 } else { 2 };
        let hash = vmalloc(Arch::POWERPC_HASH, kernel);
        assert_eq!(hash.mappings[0].sections(), sections, "{kernel}");
        // Unmapped one by one, or as 192, 192 and 128.
        let pages = if sections == 0 { 512 } else { 0 };
        assert_eq!(hash.total.lazy.of(powerpc::FLUSH_HASH_PAGE), pages, "{kernel}");
        let ranges = if sections == 0 { 0 } else { 3 };
        assert_eq!(hash.total.lazy.of(powerpc::FLUSH_HASH_RANGE), ranges, "{kernel}");
    }
    // In v6.14 set_ptes() is a section of its own, of one store.
    for (kernel, calls) in [(Kernel::V6_12Y, 512), (Kernel::V6_14, 512), (Kernel::V7_0, 17)] {
        let xen = vmalloc(Arch::XEN_PV, kernel);
        assert_eq!(xen.total.lazy.of(x86_xen::MMU_UPDATE_CALL), calls, "{kernel}");
    }
}

/// What of v6.15 is in stable v6.12 and what is not.
#[test]
fn stable_v6_12_is_a_mix() {
    let version = |arch: Arch| arch.version(Kernel::V6_12Y);
    assert_eq!(version(Arch::SPARC64), Arch::SPARC64.version(Kernel::V6_16));
    assert_eq!(version(Arch::POWERPC_HASH), Arch::POWERPC_HASH.version(Kernel::V6_14));
    assert_eq!(version(Arch::ARM64), None);
    // `set_ptes()` joins the section around it, which may be nested.
    let text = "enable\nset_ptes 0xffff800008000000 8\nenable\ndisable\n\
                set_ptes 0xffff800008008000 8\ndisable\n";
    let hypercalls = |kernel: Kernel| {
        let setup = Setup { arch: Arch::XEN_PV, kernel, ..Setup::from(kernel.design()) };
        scenario::run(&parse(text), setup).record.to_string().matches("HYPERVISOR").count()
    };
    assert_eq!([Kernel::V6_14, Kernel::V6_12Y].map(hypercalls), [2, 2]);
}

/// What the command says on standard error of a kernel that it takes another one for.
#[track_caller]
fn check_note(args: &[&str], input: &str, expected: &str) {
    let output = lazymmu(args, input.as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected, "{args:?}");
    assert!(output.status.success());
}

#[test]
fn a_version_is_taken_as_its_era_with_a_note() {
    let run = |kernel| ["run", "-", "--arch", "x86", "--kernel", kernel];
    let v7_1 = "taken as v7.1 (Xen hooks tolerate being called twice)";
    let stable = "taken as v7.1, without what its stable kernel has back-ported (Xen hooks \
                  tolerate being called twice)\n";
    check_note(&run("v7.1.13"), "enable\n", &format!("note: v7.1.13 is {stable}"));
    check_note(&run("v7.1"), "enable\n", "");
    let compare = ["compare", "-", "--kernel", "7.1,v7.2"];
    check_note(&compare, "enable\n", &format!("note: 7.1 is {v7_1}\n"));
    let header = "bad: x86 7.1\n---\nenable\ndisable\n";
    let bad = "note: on x86 v7.1, the first run that <stdin> calls bad\n";
    check_note(&["run", "-"], header, &format!("note: <stdin>: 7.1 is {v7_1}\n{bad}"));
}

#[test]
fn a_version_without_an_era() {
    let run = |kernel| ["run", "-", "--kernel", kernel];
    check_refused(&run("5.15"), b"", &["'5.15'", "expected a kernel from v6.0 to v7.3"]);
    check_refused(&run("v7.x"), b"", &["'v7.x'", "v6.12.y", "s390-v6"]);
    let header = |kernel| format!("bad: x86 {kernel}\n---\nenable\n");
    let old = ["expected a kernel from v6.0 to v7.3, found 5.15", "<stdin>:1:10"];
    check_refused(&["run", "-"], header("5.15").as_bytes(), &old);
    check_refused(&["run", "-"], header("v7.x").as_bytes(), &["expected a kernel, found"]);
}

/// An architecture that the newest kernel lacks has a default of its own.
#[test]
fn the_default_is_the_newest_kernel_that_has_the_architecture() {
    for (arch, shown) in [("x86", "0x1000000"), ("s390", "0x10000")] {
        let output = lazymmu(&["run", "-", "--arch", arch], b"hardirq_enter\n");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("preempt_count={shown}\n")), "{text}");
    }
}

/// review F15: a check that reports once is silent later, on either host; an engineer sees it.
#[test]
fn a_check_that_reports_once_is_silent_later() {
    let text = "disable\nenable\ndisable\npreempt_enable\nlocal_bh_disable\npreempt_enable\n";
    let setup = Setup { arch: Arch::X86, ..Setup::default() };
    let outcome = scenario::run(&parse(text), setup);
    assert_eq!(scenario::run_replayed(&parse(text), setup), outcome.record);
    let tree = outcome.record.to_string();
    let warned: Vec<_> = tree.lines().filter(|line| line.contains("WARNING")).collect();
    let expected = [
        "WARNING: VM_WARN_ON_ONCE(state->enable_count == 0)",
        "WARNING: VM_WARN_ON_ONCE(state->enable_count == U8_MAX)",
        "WARNING (again): VM_WARN_ON_ONCE(state->enable_count == 0)",
        // debug_locks_off(): the first such report is the last one, whatever its condition.
        "WARNING: DEBUG_LOCKS_WARN_ON(pc - uval > pc)",
        "WARNING (again): DEBUG_LOCKS_WARN_ON((val < PREEMPT_MASK) && \
         !(preempt_count() & PREEMPT_MASK))",
    ];
    assert_eq!(warned.iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
    let hazards = |hazard| outcome.hazards.iter().filter(|found| found.hazard == hazard).count();
    assert_eq!(hazards(Hazard::ApiWarning), 3, "the reports of a kernel");
    assert_eq!(hazards(Hazard::ModeLeftOn), 2, "a count of 255");
    assert_eq!(outcome.hazards.len(), 5);
    let compared = lazymmu(&["compare", "-", "--arch", "x86", "--kernel", "v7.3"], text.as_bytes());
    let table = String::from_utf8_lossy(&compared.stdout).into_owned();
    assert!(table.lines().any(|line| line.starts_with("warnings") && line.ends_with(" 5")));
}
