//! The workloads: exact counts over small layouts, and real layouts on every architecture.

use std::num::NonZeroU32;

use emu_arch::{Arch, ArchEffect, arm64, powerpc, sparc64};
use emu_mm::proc::{Populate, parse};
use emu_mm::workload::{Options, Report, Workload, run};
use lazy_mmu::design::{Design, Hook};

/// 512 pages of a heap in one table, as many of a file and of a shared file in the next two.
const SMALL: &str = "\
    7f0000000000-7f0000200000 rw-p 00000000 00:00 0 [heap]\n\
    7f0000200000-7f0000400000 r-xp 00000000 fe:00 1 /bin/a\n\
    7f0000400000-7f0000600000 rw-s 00000000 fe:00 2 /tmp/b\n";

#[track_caller]
fn report(workload: Workload, arch: Arch, text: &[u8], options: &Options) -> Report {
    let mappings = parse(text).expect("text as the kernel prints it");
    run(workload, arch, &mappings, options, &mut |_, _| {}).expect("few pages")
}

#[track_caller]
fn small(workload: Workload, arch: Arch) -> Report {
    report(workload, arch, SMALL.as_bytes(), &Options::default())
}

/// Sections and entries written, per mapping.
fn sections(report: &Report) -> Vec<(u64, u64)> {
    report.mappings.iter().map(|row| (row.sections(), row.ptes)).collect()
}

/// How often an effect happened with the mode and with the mode paused.
fn counts(report: &Report, effect: ArchEffect) -> (u64, u64) {
    (report.total.lazy.of(effect), report.total.paused.of(effect))
}

#[test]
fn each_workload_touches_the_tables_it_should() {
    let touched = Workload::ALL.map(|workload| sections(&small(workload, Arch::NAIVE)));
    assert_eq!(touched[0], [(1, 1024), (0, 0), (0, 0)], "fork leaves files to faults");
    // The first dirty page of the file fills the batch that the pages before have begun, and none
    // is begun beyond it.
    assert_eq!(touched[1], [(1, 512), (1, 512), (2, 512)], "exit empties all");
    assert_eq!(touched[2], [(1, 1024), (0, 0), (1, 1024)], "mprotect changes what is writable");
    // The guard pages between the areas put the second and third across two tables each: they are
    // mapped and unmapped in two sections each.
    assert_eq!(touched[3], [(2, 1024), (4, 1024), (4, 1024)]);
}

#[test]
fn arm64_saves_the_barriers_of_vmalloc() {
    let one = "7f0000000000-7f0000200000 rw-p 00000000 00:00 0\n";
    let report = report(Workload::Vmalloc, Arch::ARM64, one.as_bytes(), &Options::default());
    assert_eq!(counts(&report, arm64::DSB_ISHST), (1, 512));
    assert_eq!(counts(&report, arm64::ISB), (1, 512));
    assert_eq!((report.total.delayable(), report.total.delayable_paused()), (2, 1024));
}

#[test]
fn arm64_saves_nothing_for_processes() {
    for workload in [Workload::Fork, Workload::Exit, Workload::Mprotect] {
        let total = small(workload, Arch::ARM64).total;
        assert_eq!(total.delayable(), total.delayable_paused(), "{workload:?}");
    }
}

#[test]
fn powerpc_hash_saves_flushes_in_every_workload() {
    for (workload, pages) in Workload::ALL.into_iter().zip([512, 1536, 1024, 1536]) {
        let report = small(workload, Arch::POWERPC_HASH);
        assert_eq!(counts(&report, powerpc::FLUSH_HASH_PAGE).1, pages, "{workload:?}");
        assert_eq!(report.total.delayable_paused(), pages, "{workload:?}");
        // Each full table is three batches: 192 + 192 + 128.
        assert!(report.total.delayable() <= pages / 512 * 4, "{workload:?}");
    }
    let exit = small(Workload::Exit, Arch::POWERPC_HASH);
    assert_eq!(counts(&exit, powerpc::FLUSH_HASH_RANGE), (9, 0));
    assert_eq!(counts(&exit, powerpc::FLUSH_HASH_PAGE).0, 1, "the first page of the third table");
}

#[test]
fn sparc64_saves_flushes_of_user_pages_only() {
    for (workload, pages) in Workload::ALL.into_iter().zip([512, 1536, 1024, 0]) {
        let report = small(workload, Arch::SPARC64);
        assert_eq!(counts(&report, sparc64::FLUSH_TSB_USER_PAGE).1, pages, "{workload:?}");
        // At once, each page is a TSB flush and a TLB flush; a batch is one of each too.
        assert_eq!(report.total.delayable_paused(), 2 * pages, "{workload:?}");
        assert!(report.total.delayable() <= 2 * pages / 512 * 4, "{workload:?}");
    }
    let exit = small(Workload::Exit, Arch::SPARC64);
    // As powerpc: three batches a table, and the first dirty page of the file.
    assert_eq!(counts(&exit, sparc64::SMP_FLUSH_TLB_PENDING), (9, 0));
    assert_eq!(counts(&exit, sparc64::FLUSH_TSB_USER), (10, 0));
}

#[test]
fn the_paused_run_reaches_no_hook() {
    for arch in Arch::all() {
        // The first task of the kernel: a forked one has no mode on some kernels.
        let options = Options { generation: 0, ..Options::default() };
        let total = report(Workload::Exit, arch, SMALL.as_bytes(), &options).total;
        let sections = if arch.facts().mmu_gather_no_gather { 3 } else { 4 };
        assert_eq!(
            Hook::KERNEL.map(|hook| total.lazy.hook(hook)),
            [sections, sections, 0],
            "{arch:?}"
        );
        assert_eq!(Hook::KERNEL.map(|hook| total.paused.hook(hook)), [0, 0, 0], "{arch:?}");
    }
}

#[test]
fn no_architecture_does_more_with_the_mode() {
    let texts: [&[u8]; 3] = [
        include_bytes!("../fixtures/maps/sh.maps"),
        include_bytes!("../fixtures/maps/rustc.maps"),
        include_bytes!("../fixtures/maps/python3.smaps"),
    ];
    for text in texts {
        for arch in Arch::all() {
            for workload in Workload::ALL {
                let total = report(workload, arch, text, &Options::default()).total;
                assert!(total.delayable() <= total.delayable_paused(), "{workload:?} {arch:?}");
                assert_eq!(total.lazy.hook(Hook::ENTER), total.lazy.hook(Hook::LEAVE));
            }
        }
    }
}

#[test]
fn entries_written_do_not_depend_on_the_architecture_or_on_yields() {
    let text = include_bytes!("../fixtures/maps/rustc.maps");
    for workload in Workload::ALL {
        let mut all = Arch::all().map(|arch| {
            let resched = NonZeroU32::new(7);
            let options = Options { resched, folio_order: 2, ..Options::default() };
            report(workload, arch, text, &options).total.ptes
        });
        let plain = report(workload, Arch::NAIVE, text, &Options::default()).total.ptes;
        assert!(all.all(|ptes| ptes == plain), "{workload:?}");
    }
}

#[test]
fn yields_cost_sections() {
    let options = Options { resched: NonZeroU32::new(100), ..Options::default() };
    let report = report(Workload::Exit, Arch::POWERPC_HASH, SMALL.as_bytes(), &options);
    // Questions run on across tables: 100 entries per section but where a table ends, and where
    // the dirty pages of the file fill the gather.
    assert_eq!(report.total.sections(), 19);
    assert_eq!(report.total.delayable(), 19);
}

#[test]
fn other_designs_run_too() {
    for design in Design::LAB {
        let options = Options { design: *design, ..Options::default() };
        let report = report(Workload::Fork, Arch::POWERPC_HASH, SMALL.as_bytes(), &options);
        assert_eq!((report.design.id(), report.total.ptes), (design.id(), 1024));
        assert_eq!(counts(&report, powerpc::FLUSH_HASH_PAGE).1, 512);
    }
}

#[test]
fn nothing_in_memory_is_no_work() {
    let options = Options { populate: Populate::None, ..Options::default() };
    for workload in Workload::ALL {
        let report = report(workload, Arch::ARM64, SMALL.as_bytes(), &options);
        assert!(report.total.is_idle(), "{workload:?}: {:?}", report.total);
    }
}

#[test]
fn progress_ends_at_the_total() {
    let mappings = parse(SMALL.as_bytes()).expect("text as the kernel prints it");
    for workload in [Workload::Exit, Workload::Vmalloc] {
        let mut seen = Vec::new();
        run(workload, Arch::NAIVE, &mappings, &Options::default(), &mut |done, total| {
            assert_eq!(total, 2 * 1536);
            seen.push(done);
        })
        .expect("few pages");
        assert!(seen.is_sorted() && seen.last() == Some(&(2 * 1536)), "{seen:?}");
    }
}
