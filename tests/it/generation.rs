//! The bug of v7.2 and v7.3 under Xen PV in the workloads: a forked task is resumed though nobody
//! paused it, so that its pause count is not 0, and the mode is off in it and in all that it forks.
//!
//! Measured on a booted 7.3.4, by the trace point `xen_mc_flush`.

use emu_arch::replay::Fix;
use emu_arch::x86_xen::MMU_UPDATE_CALL;
use emu_arch::{Arch, Kernel};
use emu_check::check;
use emu_mm::proc::{Populate, parse};
use emu_mm::workload::{Options, Report, Workload, run};

/// `pages` pages of anonymous memory, `first` pages behind the beginning of a table.
fn anon(first: u64, pages: u64) -> String {
    let start = 0x2000_0000_0000 + first * 0x1000;
    format!("{start:x}-{:x} rw-p 00000000 00:00 0\n", start + pages * 0x1000)
}

fn report(workload: Workload, kernel: Kernel, generation: u32, maps: &str) -> Report {
    let (design, populate) = (kernel.design(), Populate::All);
    let options = Options { kernel, design, generation, populate, ..Options::default() };
    let mappings = parse(maps.as_bytes()).expect("text as the kernel prints it");
    run(workload, Arch::XEN_PV, &mappings, &options, &mut |_, _| {}).expect("few pages")
}

fn mmu_updates(workload: Workload, kernel: Kernel, generation: u32, maps: &str) -> u64 {
    report(workload, kernel, generation, maps).total.lazy.of(MMU_UPDATE_CALL)
}

/// The program of the chain was forked by a child of PID 1: generation 2. Its own generations are
/// counted from there.
#[test]
fn the_measured_chain_of_forks() {
    let measured = [
        (1, 100),
        (2, 100),
        (3, 100),
        (251, 100),
        (252, 100),
        (253, 100),
        (254, 4),
        (255, 100),
        (256, 100),
        (257, 100),
    ];
    for (generation, hypercalls) in measured {
        let computed = mmu_updates(Workload::Mprotect, Kernel::V7_2, generation + 2, &anon(0, 100));
        assert_eq!(computed, hypercalls, "generation {generation}");
    }
    let of = |n| report(Workload::Mprotect, Kernel::V7_2, n, &anon(0, 100)).mode_is_off;
    assert_eq!([0, 1, 2, 256, 257].map(of), [false, true, true, false, true]);
}

#[test]
fn a_process_of_7_2_never_batches() {
    let default = Options::default().generation;
    for (pages, at_once, batched) in [(512, 512, 17), (1300, 1300, 44)] {
        let maps = anon(if pages == 1300 { 100 } else { 0 }, pages);
        let of = |kernel| mmu_updates(Workload::Mprotect, kernel, default, &maps);
        assert_eq!(of(Kernel::V7_2), at_once);
        for kernel in [Kernel::V6_16, Kernel::V6_19, Kernel::V7_0, Kernel::V7_1] {
            assert_eq!(of(kernel), batched, "{kernel}");
        }
        let first = mmu_updates(Workload::Mprotect, Kernel::V7_2, 0, &maps);
        assert_eq!(first, batched, "the first task of the kernel was never forked");
    }
}

/// No other architecture and no other kernel has anything that passes from task to task.
#[test]
fn a_generation_changes_nothing_elsewhere() {
    for kernel in Kernel::ALL {
        for arch in Arch::all().filter(|arch| arch.is_in(kernel).is_ok()) {
            let of = |generation| {
                let design = kernel.design();
                let options = Options { kernel, design, generation, ..Options::default() };
                let mappings = parse(anon(0, 40).as_bytes()).expect("text as the kernel prints it");
                let report = run(Workload::Fork, arch, &mappings, &options, &mut |_, _| {});
                let report = report.expect("few pages");
                (report.total, report.mode_is_off)
            };
            let bug = arch == Arch::XEN_PV && matches!(kernel, Kernel::V7_2 | Kernel::V7_3);
            if !bug {
                assert_eq!(of(0), of(2), "{arch} {kernel}");
            } else {
                assert_ne!(of(0), of(2), "{arch} {kernel}");
            }
        }
    }
}

/// To clear the child's state is no fix; to pause the child once is, and so is a switch that
/// remembers whom it has paused. What breaks then breaks without a fork.
#[test]
fn two_of_three_fixes_restore_every_property() {
    let breaks = |fix| {
        let tasks = check::Options::of(check::Client::Tasks, Arch::XEN_PV, Kernel::V7_2);
        let report = check::check(&check::Options { fix, ..tasks }, &mut check::nobody());
        let broken = report.broken.iter().map(|found| found.property.id());
        broken.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let unfixed = ["hooks-alternate", "no-api-warning", "no-section-at-exit"];
    assert_eq!(breaks(None), unfixed);
    assert_eq!(breaks(Some(Fix::ResetInFork)), unfixed);
    assert_eq!(breaks(Some(Fix::PausedAtBirth)), ["hooks-alternate"]);
    assert_eq!(breaks(Some(Fix::SwitchFlag)), ["hooks-alternate"]);
}
