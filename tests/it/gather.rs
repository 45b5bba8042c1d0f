//! The gather of an exit: dirty pages of files, and s390, which gathers nothing (review fidelity 4,
//! 4a, 5).

use emu_arch::{Arch, Kernel, powerpc, s390, sparc64};
use emu_mm::proc::{Populate, parse};
use emu_mm::workload::{Options, Report, Row, Workload, run};

/// 300 pages of anonymous memory in one table, as many of a shared file in the next.
const MEM300: &str = "\
    7f0000000000-7f000012c000 rw-p 00000000 00:00 0\n\
    7f0000200000-7f000032c000 rw-s 00000000 fe:00 1 /var/x/file\n";
/// 512 anonymous pages, then 128 MiB of a shared file.
const BIG_FILE: &str = "\
    7f0000000000-7f0000200000 rw-p 00000000 00:00 0\n\
    7f0000200000-7f0008200000 rw-s 00000000 fe:00 1 /var/x/file\n";
/// 128 MiB of anonymous memory.
const BIG: &str = "7f0000000000-7f0008000000 rw-p 00000000 00:00 0\n";

fn exit(arch: Arch, maps: &str) -> Report {
    let kernel = arch.default_kernel();
    let design = kernel.design();
    let options = Options { kernel, design, ..Options::default() };
    let mappings = parse(maps.as_bytes()).expect("text as the kernel prints it");
    run(Workload::Exit, arch, &mappings, &options, &mut |_, _| {}).expect("few pages")
}

/// Sections, and what was flushed in them.
fn file(report: &Report, effects: &[emu_arch::ArchEffect]) -> (u64, u64) {
    let row: &Row = &report.mappings[1];
    (row.sections(), effects.iter().map(|effect| row.lazy.of(*effect)).sum())
}

/// The break comes after page 216 of the file: 7 + 509 pages with the 300 before.
#[test]
fn dirty_pages_of_a_file_begin_one_batch_only() {
    let sparc = [
        sparc64::FLUSH_TSB_USER,
        sparc64::FLUSH_TSB_USER_PAGE,
        sparc64::SMP_FLUSH_TLB_PENDING,
        sparc64::GLOBAL_FLUSH_TLB_PAGE,
    ];
    assert_eq!(file(&exit(Arch::SPARC64, MEM300), &sparc), (2, 6));
    let hash = [powerpc::FLUSH_HASH_RANGE, powerpc::FLUSH_HASH_PAGE];
    assert_eq!(file(&exit(Arch::POWERPC_HASH, MEM300), &hash), (2, 3));
}

/// Each table with a dirty page is flushed under its lock, so that the gather is empty again.
#[test]
fn dirty_pages_of_a_file_are_freed_table_by_table() {
    assert_eq!(file(&exit(Arch::POWERPC_HASH, BIG_FILE), &[]).0, 65);
}

/// What smaps calls clean is clean: the gather fills up as with anonymous memory.
#[test]
fn smaps_says_which_pages_of_a_file_are_dirty() {
    let smaps = |dirty: u64| {
        format!(
            "7f0000200000-7f0008200000 rw-s 00000000 fe:00 1 /var/x/file\n\
             Rss: 131072 kB\nShared_Dirty: {dirty} kB\nPrivate_Dirty: {dirty} kB\n\
             Anonymous: 0 kB\n"
        )
    };
    let sections = |dirty| exit(Arch::NAIVE, &smaps(dirty)).total.sections();
    assert_eq!(sections(0), 64 + 3, "each full gather ends a section");
    assert_eq!(sections(65536), 64, "every table is flushed");
}

#[test]
fn s390_never_forces_a_flush() {
    let report = exit(Arch::S390, BIG);
    assert_eq!((report.total.sections(), report.total.lazy.of(s390::TLB_FLUSH_MM_LAZY)), (64, 1));
    let report = exit(Arch::S390, BIG_FILE);
    assert_eq!((report.total.sections(), report.total.lazy.of(s390::TLB_FLUSH_MM_LAZY)), (65, 1));
    let options = Options { kernel: Kernel::S390V6, populate: Populate::All, ..Options::default() };
    let mappings = parse(BIG.as_bytes()).expect("text as the kernel prints it");
    let other = run(Workload::Exit, Arch::NAIVE, &mappings, &options, &mut |_, _| {});
    assert_eq!(other.expect("few pages").total.sections(), 67, "three breaks of a full gather");
}
