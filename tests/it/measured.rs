//! Workloads beside booted kernels: the same mappings, the same number of pages in memory, and the
//! counts that were traced there.
//!
//! The kernels are powerpc 7.3-rc7 (hash, 4 KiB pages), arm64 7.3.4 and, under Xen, 6.12.107,
//! 6.19.14, 7.0.13, 7.1.13 and 7.3.4. The mappings are those of the traced program, a static one
//! that had touched 512 or 1300 pages of its own. Where a row differs, the test says which input is
//! missing.

use std::fmt::Write;

use emu_arch::x86_xen::{MMU_UPDATE_CALL, MULTICALL};
use emu_arch::{Arch, ArchEffect, Kernel, Machine, Pfn, VirtAddr, arm64, powerpc};
use emu_mm::mm::vmalloc::vmap_pages_range;
use emu_mm::proc::parse;
use emu_mm::workload::{Options, Report, Workload, run};
use lazy_mmu::sched;

/// A mapping: first address, pages, permissions, inode, pages in memory, those of no file.
type Mapped = (u64, u64, &'static str, u64, u64, u64);

/// The program on powerpc, without its own pages.
const PPC: [Mapped; 8] = [
    (0x1000_0000, 211, "r-xp", 10, 192, 0),
    (0x100e_c000, 4, "r--p", 10, 4, 2),
    (0x100f_0000, 3, "rw-p", 10, 3, 3),
    (0x100f_3000, 22, "rw-p", 0, 4, 4),
    (0x0100_0e5b_f000, 34, "rw-p", 0, 3, 3),
    VVAR_PPC,
    (0x3fff_9884_4000, 13, "r-xp", 0, 2, 0),
    (0x3fff_f129_5000, 33, "rw-p", 0, 3, 3),
];
const VVAR_PPC: Mapped = (0x3fff_9884_0000, 4, "r--p", 0, 0, 0);

/// The program on x86.
const XEN: [Mapped; 11] = [
    (0x40_0000, 1, "r--p", 10, 1, 0),
    (0x40_1000, 123, "r-xp", 10, 123, 0),
    (0x47_c000, 40, "r--p", 10, 36, 0),
    (0x4a_4000, 4, "r--p", 10, 4, 2),
    (0x4a_8000, 3, "rw-p", 10, 3, 3),
    (0x4a_b000, 23, "rw-p", 0, 5, 5),
    (0x3b9_7000, 34, "rw-p", 0, 3, 3),
    (0x7fdf_3b88_a000, 4, "r--p", 0, 0, 0),
    (0x7fdf_3b88_e000, 2, "r--p", 0, 0, 0),
    (0x7fdf_3b89_0000, 2, "r-xp", 0, 1, 0),
    (0x7ffe_75aa_a000, 33, "rw-p", 0, 3, 3),
];

/// The program on arm64.
const ARM64: [Mapped; 8] = [
    (0x40_0000, 129, "r-xp", 10, 128, 0),
    (0x49_c000, 4, "r--p", 10, 4, 2),
    (0x4a_0000, 3, "rw-p", 10, 3, 3),
    (0x4a_3000, 22, "rw-p", 0, 3, 3),
    (0x1414_2000, 34, "rw-p", 0, 3, 3),
    (0xffff_9a72_d000, 4, "r--p", 0, 0, 0),
    (0xffff_9a73_1000, 2, "r-xp", 0, 1, 0),
    (0xffff_dbb4_b000, 33, "rw-p", 0, 2, 2),
];

/// `pages` anonymous pages that the program had touched, `first` pages behind a table's beginning.
const fn own(first: u64, pages: u64) -> Mapped {
    (0x2000_0000_0000 + first * 0x1000, pages, "rw-p", 0, pages, pages)
}

/// The text of smaps.
fn smaps(mapped: &[Mapped]) -> String {
    let mut mapped = mapped.to_vec();
    mapped.sort_unstable_by_key(|(start, ..)| *start);
    let mut text = String::new();
    for (start, pages, perms, inode, rss, anon) in mapped {
        // The kernel's own data, which a child cannot rebuild: `[vvar]`.
        let (name, flags) = match (perms, rss) {
            ("r--p", 0) => ("[vvar]", "rd mr mm"),
            ("r-xp", _) if inode == 0 => ("[vdso]", "rd ex mr mw me"),
            _ => ("", ""),
        };
        let end = start + pages * 0x1000;
        let _ = write!(
            text,
            "{start:x}-{end:x} {perms} 00000000 00:03 {inode} {name}\nRss: {} kB\n\
             Anonymous: {} kB\nVmFlags: {flags}\n",
            rss * 4,
            anon * 4
        );
    }
    text
}

fn report(workload: Workload, arch: Arch, kernel: Kernel, mapped: &[Mapped]) -> Report {
    let options = Options { kernel, design: kernel.design(), ..Options::default() };
    let mappings = parse(smaps(mapped).as_bytes()).expect("text as the kernel prints it");
    run(workload, arch, &mappings, &options, &mut |_, _| {}).expect("few pages")
}

fn with(program: &[Mapped], own: Mapped) -> Vec<Mapped> {
    program.iter().copied().chain([own]).collect()
}

/// Sections, entries that reach the batch, `flush_hash_range()`, `flush_hash_page()`.
fn hash(workload: Workload, mapped: &[Mapped]) -> [u64; 4] {
    let report = report(workload, Arch::POWERPC_HASH, Kernel::V7_3, mapped);
    let total = &report.total;
    let lazy = |effect: ArchEffect| total.lazy.of(effect);
    let (range, page) = (powerpc::FLUSH_HASH_RANGE, powerpc::FLUSH_HASH_PAGE);
    [total.sections(), total.paused.of(page), lazy(range), lazy(page)]
}

#[test]
fn powerpc_mprotect_and_munmap() {
    let mprotect = |first, pages| hash(Workload::Mprotect, &[own(first, pages)]);
    assert_eq!(mprotect(0, 1), [1, 1, 0, 1]);
    assert_eq!(mprotect(0, 2), [1, 2, 1, 0]);
    assert_eq!(mprotect(0, 192), [1, 192, 1, 0]);
    assert_eq!(mprotect(0, 193), [1, 193, 1, 1]);
    assert_eq!(mprotect(0, 512), [1, 512, 3, 0]);
    // 192 192 28, 192 192 128, 192 184
    assert_eq!(mprotect(100, 1300), [3, 1300, 8, 0]);
    let munmap = |mapped| hash(Workload::Exit, &[mapped]);
    assert_eq!(munmap(own(0, 512)), [1, 512, 3, 0]);
    assert_eq!(munmap(own(100, 1300)), [3, 1300, 8, 0]);
    assert_eq!(munmap((0x2000_0000_0000, 300, "rw-s", 3, 300, 0)), [1, 300, 2, 0]);
}

#[test]
fn powerpc_fork_of_a_process_that_never_forked() {
    // 3, 4, 3, 192 192 128, none, 3
    assert_eq!(hash(Workload::Fork, &with(&PPC, own(0, 512))), [7, 525, 7, 0]);
}

/// The kernel's counts are 9, 1305, 9, 3 and 6, 5, 1, 3: of the pages that an earlier fork made
/// read-only, those that were not written since are not write-protected again. Missing input: which
/// entries may be written. Sections do not depend on it.
#[test]
fn powerpc_fork_after_a_fork() {
    assert_eq!(hash(Workload::Fork, &with(&PPC, own(100, 1300))), [9, 1313, 12, 0]);
    let shared = (0x2000_0000_0000, 300, "rw-s", 3, 300, 0);
    assert_eq!(hash(Workload::Fork, &with(&PPC, shared)), [6, 13, 4, 0]);
    // What was written since, and was so in the kernel: a page each of three mappings, 2 of the
    // stack, and all of the 1300.
    let rows = [(0x100f_0000, 1), (0x100f_3000, 1), (0x0100_0e5b_f000, 1), (0x3fff_f129_5000, 2)];
    let written = rows.map(|(start, pages)| (start, pages, "rw-p", 0, pages, pages));
    let exact: Vec<Mapped> = written.into_iter().chain([own(100, 1300)]).collect();
    assert_eq!(hash(Workload::Fork, &exact)[1..], [1305, 9, 3]);
}

/// The kernel's counts are 11, 1407, 12, 2. Missing input: two tables without a page in memory, a
/// section each, and which of the entries that a fork copied were used since, and so are hashed.
#[test]
fn powerpc_exit_of_a_child() {
    let mut child = with(&PPC, own(100, 1300));
    // As smaps has it at that time: less of the text, nothing of the vdso.
    (child[0].4, child[6].4) = (80, 0);
    assert_eq!(hash(Workload::Exit, &child), [9, 1397, 14, 0]);
}

#[test]
fn arm64_fork_and_vmalloc() {
    let fork = report(Workload::Fork, Arch::ARM64, Kernel::V7_3, &with(&ARM64, own(0, 512))).total;
    assert_eq!(fork.sections(), 7);
    assert_eq!((fork.lazy.of(arm64::DSB_ISHST), fork.lazy.of(arm64::ISB)), (12, 12));
    let vmalloc = report(Workload::Vmalloc, Arch::ARM64, Kernel::V7_3, &[own(0, 513)]).total;
    assert_eq!(vmalloc.lazy.of(arm64::DSB_ISHST), 2, "a pair for each of two tables");
}

/// On 6.19.14 the fork took 23, as need_resched ended one section early.
#[test]
fn xen_hypercalls_of_a_process() {
    let updates = |workload, kernel, mapped: &[Mapped]| {
        report(workload, Arch::XEN_PV, kernel, mapped).total.lazy.of(MMU_UPDATE_CALL)
    };
    let fork = with(&XEN, own(0, 512));
    for kernel in [Kernel::V6_12Y, Kernel::V6_19, Kernel::V7_0, Kernel::V7_1] {
        assert_eq!(updates(Workload::Mprotect, kernel, &[own(0, 512)]), 17, "{kernel}");
        assert_eq!(updates(Workload::Mprotect, kernel, &[own(100, 1300)]), 44, "{kernel}");
        assert_eq!(updates(Workload::Fork, kernel, &fork), 22, "{kernel}");
        assert_eq!(updates(Workload::Fork, kernel, &with(&XEN, own(100, 1300))), 49, "{kernel}");
        // One multicall of 21 calls pins the child's tables.
        let report = report(Workload::Fork, Arch::XEN_PV, kernel, &fork);
        assert_eq!(report.total.lazy.of(MULTICALL), 1, "{kernel}");
    }
    for kernel in [Kernel::V7_2, Kernel::V7_3] {
        assert_eq!(updates(Workload::Mprotect, kernel, &[own(0, 512)]), 512, "{kernel}");
        assert_eq!(updates(Workload::Mprotect, kernel, &[own(100, 1300)]), 1300, "{kernel}");
        // 532 in the trace: two write faults of the parent came behind the fork.
        assert_eq!(updates(Workload::Fork, kernel, &fork), 530, "{kernel}");
    }
}

/// Traced: 2 pages, then 513 in two tables, the second of which is new: 1 + 12 + 1 + 6 hypercalls.
/// The workload takes all tables to be there.
#[test]
fn xen_hypercalls_of_vmalloc() {
    let (start, table) = (0xffff_8000_0800_0000_u64, 0x1000 * 161);
    let page = |addr| VirtAddr::page(addr).expect("an address of a page");
    let frames: Vec<Pfn> = (1..=513).map(Pfn).collect();
    for (kernel, expected) in [(Kernel::V6_19, 20), (Kernel::V7_0, 20), (Kernel::V7_1, 20)] {
        let machine = Machine::with_kernel(Arch::XEN_PV, kernel);
        let init_mm = machine.init_mm();
        let _ = init_mm.pte_table(page(start));
        sched::with_design(kernel.design(), || {
            machine.run(|| {
                // Any two pages before the area, in the first table.
                vmap_pages_range(init_mm, page(start), page(start + 0x2000), &frames[..2])
                    .expect("room");
                let (from, to) = (start + table, start + table + 513 * 0x1000);
                vmap_pages_range(init_mm, page(from), page(to), &frames).expect("room");
            });
        });
        assert_eq!(machine.totals().of(MMU_UPDATE_CALL), expected, "{kernel}");
    }
    let of = |kernel| {
        let report = report(Workload::Vmalloc, Arch::XEN_PV, kernel, &[own(0, 2), own(2, 513)]);
        report.total.lazy.of(MMU_UPDATE_CALL)
    };
    assert_eq!(
        (of(Kernel::V7_1), of(Kernel::V7_2)),
        (19, 515),
        "traced: 20, 515 and the table's 1"
    );
}
