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

/// The workloads that the kernel has on `arch`.
fn on(arch: Arch) -> impl Iterator<Item = Workload> {
    Workload::ALL.into_iter().filter(move |workload| workload.is_on(arch).is_ok())
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
    let touched: Vec<_> =
        on(Arch::NAIVE).map(|workload| sections(&small(workload, Arch::NAIVE))).collect();
    assert_eq!(touched[0], [(1, 1024), (0, 0), (0, 0)], "fork leaves files to faults");
    // The first dirty page of the file fills the batch that the pages before have begun, and none
    // is begun beyond it.
    assert_eq!(touched[1], [(1, 512), (1, 512), (2, 512)], "exit empties all");
    assert_eq!(touched[2], [(1, 1024), (0, 0), (1, 1024)], "mprotect changes what is writable");
    // The guard pages between the areas put the second and third across two tables each: they are
    // mapped and unmapped in two sections each.
    assert_eq!(touched[3], [(2, 1024), (4, 1024), (4, 1024)]);
    // A gather of its own has room for one table of dirty pages.
    assert_eq!(touched[4], [(1, 512); 3], "munmap is an exit in parts");
    // 511 pages and 1, and the empty table when the old place is unmapped.
    assert_eq!(touched[5], [(3, 1024); 3], "mremap moves one page off");
    assert_eq!(touched[6], [(1, 512); 3], "what is cold was young");
    assert_eq!(touched[7], [(1, 1024), (0, 0), (0, 0)], "MADV_FREE is for memory of no file");
    // 64 pages around the first page, then 32 on either side of the next that is young.
    assert_eq!(touched[8], [(15, 512); 3], "naive hardware sets no accessed bit");
    assert_eq!(touched[9], [(1, 1024); 3]);
    // The tables end where the new ones, which begin a page further on, do not.
    assert_eq!(touched[10], [(2, 1024), (0, 0), (0, 0)], "userfaultfd moves memory of no file");
    assert_eq!(touched[11], [(1, 1024); 3]);
    // 64 pages of shadow, mapped and unmapped, each in a pause: two sections and 128 pauses.
    assert_eq!(touched[12], [(130, 128); 3]);
    let arm64 = sections(&small(Workload::SetMemory, Arch::ARM64));
    // Two splits and two changes each; the second split finds nothing to do.
    assert_eq!(arm64, [(4, 1024); 3]);
}

#[test]
fn mremap_of_512_pages_is_as_on_a_booted_kernel() {
    // powerpc hash 7.3-rc7: 2 sections and an empty one; flush_hash_range(192, 192, 127), and one
    // flush_hash_page().
    let one = "7f0000000000-7f0000200000 rw-p 00000000 00:00 0\n";
    let report = report(Workload::Mremap, Arch::POWERPC_HASH, one.as_bytes(), &Options::default());
    assert_eq!(report.total.sections(), 3);
    assert_eq!(counts(&report, powerpc::FLUSH_HASH_RANGE), (3, 0));
    assert_eq!(counts(&report, powerpc::FLUSH_HASH_PAGE), (1, 512));
}

#[test]
fn a_workload_that_the_architecture_does_not_have_is_refused() {
    let mappings = parse(SMALL.as_bytes()).expect("text as the kernel prints it");
    for (workload, arch) in [(Workload::Kasan, Arch::SPARC64), (Workload::SetMemory, Arch::X86)] {
        let refused = run(workload, arch, &mappings, &Options::default(), &mut |_, _| {});
        let reason = workload.is_on(arch).expect_err("not there");
        assert!(refused.expect_err("refused").to_string().contains(reason));
    }
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
            for workload in on(arch) {
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
        let archs = Arch::all().filter(|arch| workload.is_on(*arch).is_ok());
        let mut all = archs.clone().map(|arch| {
            let resched = NonZeroU32::new(7);
            let options = Options { resched, folio_order: 2, ..Options::default() };
            report(workload, arch, text, &options).total.ptes
        });
        let plain = report(workload, archs.last().expect("one"), text, &Options::default());
        let plain = plain.total.ptes;
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
    for workload in on(Arch::ARM64) {
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
