//! What the work of calls costs: exact figures over small logs.

use emu_arch::Arch;
use emu_mm::workload::{Options, Row};
use emu_replay::life::{Faults, Touch};
use emu_replay::run::Run;

use super::lives;

/// What the calls of `log` named `call` cost on `arch`.
#[track_caller]
fn cost(log: &str, touch: Touch, arch: Arch, call: &str) -> Row {
    // The first task of the kernel: a forked one has no mode on some kernels.
    let options = Options { generation: 0, ..Options::default() };
    let mut run = Run::new(&[arch], &options, 0);
    let mut each = |_: &_, _, _: &_| {};
    run.add(lives(log, touch).jobs(), &mut each);
    let reports = run.finish(&mut each);
    reports[0].calls.get(call).map(|(_, row)| row.clone()).unwrap_or_default()
}

/// Entries written, sections, and what the mode can defer with it and without it.
fn numbers(row: &Row) -> [u64; 4] {
    [row.ptes, row.sections(), row.delayable(), row.delayable_paused()]
}

const MAP: &str = "1 mmap(NULL, 2097152, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) \
                   = 0x7f0000000000\n";

#[test]
fn an_unmapping_costs_what_its_pages_do() {
    let log = format!("{MAP}1 munmap(0x7f0000000000, 2097152) = 0\n");
    let of = |touch, arch| numbers(&cost(&log, touch, arch, "munmap"));
    // A full table is three batches: 192 + 192 + 128.
    assert_eq!(of(Touch::All, Arch::POWERPC_HASH), [512, 1, 3, 512]);
    assert_eq!(of(Touch::First, Arch::POWERPC_HASH), [1, 1, 1, 1]);
    assert_eq!(of(Touch::None, Arch::POWERPC_HASH), [0; 4]);
    assert_eq!(of(Touch::All, Arch::SPARC64), [512, 1, 6, 1024]);
    assert_eq!(of(Touch::All, Arch::NAIVE), [512, 1, 0, 0]);
}

#[test]
fn faults_say_which_pages_are_there() {
    let mut faults = Faults::default();
    let lines = [
        "  a b-1  [000] d..1. 12.345: page_fault_user: address=0x7f0000001234 ip=0x1 error_code=0x6",
        "a-b 1 [000] 12.345: exceptions:page_fault_user: address=0x7f0000002000 ip=0x1 error_code=0x4",
        "a 1/1 [001] 1.2: exceptions:page_fault_kernel: address=0x7f0000002008 error_code=0x2",
        "<...>-7 [000] d..1. 12.345: page_fault_user: address=0x7f0000003000 ip=0x1 error_code=0x6",
        "# tracer: nop",
    ];
    let read = lines.map(|line| faults.line(1, line).expect("a line of ftrace or perf"));
    assert_eq!((read, faults.len()), ([true, true, true, true, false], 3));
    // Process 7 has another address space.
    let log = format!("{MAP}1 munmap(0x7f0000000000, 2097152) = 0\n");
    let row = cost(&log, Touch::Faults(faults.clone()), Arch::POWERPC_HASH, "munmap");
    assert_eq!((row.pages, row.ptes), (2, 2));
    let error = faults.line(3, "a-1 [000]: page_fault_user: address=zero").unwrap_err();
    let text = "3:37: expected `address=` and the address in hex, found \"zero\"";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_call_without_page_tables_has_no_work() {
    let log = format!("{MAP}1 munmap(0x7f0000000000, 2097152) = 0\n1 +++ exited with 0 +++\n");
    let mut life = lives(&log, Touch::All);
    let calls: Vec<_> = life.jobs().iter().map(|job| job.call).collect();
    assert_eq!(calls, ["munmap"], "the exit finds nothing left");
}

#[test]
fn protections_forks_and_exits() {
    let log = format!(
        "{MAP}1 mprotect(0x7f0000000000, 1048576, PROT_READ) = 0\n1 fork() = 2\n\
         2 +++ exited with 0 +++\n1 +++ exited with 0 +++\n"
    );
    let of = |call| numbers(&cost(&log, Touch::All, Arch::POWERPC_HASH, call));
    // Each entry is written twice: when the change starts, and when it is committed.
    assert_eq!(of("mprotect"), [512, 1, 2, 256]);
    // All are copied, and the half that may be written is taken the permission of.
    assert_eq!(of("clone"), [768, 2, 2, 256]);
    // The child's entries are not hashed before they are used; here they count as used.
    assert_eq!(of("exit")[..2], [1024, 4]);
}

#[test]
fn pages_that_a_protection_opens_are_touched_then() {
    let log = "\
        1 mmap(NULL, 2097152, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n\
        1 mprotect(0x7f0000000000, 8192, PROT_READ|PROT_WRITE) = 0\n\
        1 madvise(0x7f0000000000, 4096, MADV_DONTNEED) = 0\n\
        1 munmap(0x7f0000000000, 2097152) = 0\n";
    let of = |call| cost(log, Touch::All, Arch::NAIVE, call).pages;
    assert_eq!(["mprotect", "madvise", "munmap"].map(of), [0, 1, 1]);
}

#[test]
fn a_move_empties_one_range_and_fills_another() {
    // One page off: each part of a table is a section, and the unmapping of the old table, which is
    // empty then, is one more.
    let log = format!(
        "{MAP}1 mremap(0x7f0000000000, 2097152, 2097152, MREMAP_MAYMOVE) = 0x7f0000801000\n\
         1 munmap(0x7f0000801000, 2097152) = 0\n"
    );
    let of = |arch, call| numbers(&cost(&log, Touch::All, arch, call));
    assert_eq!(of(Arch::POWERPC_HASH, "mremap"), [1024, 3, 4, 512]);
    assert_eq!(of(Arch::NAIVE, "munmap"), [512, 2, 0, 0]);
}

#[test]
fn advice_on_pages() {
    let of = |advice: &str, arch| {
        let log = format!("{MAP}1 madvise(0x7f0000000000, 2097152, {advice}) = 0\n");
        numbers(&cost(&log, Touch::All, arch, "madvise"))
    };
    assert_eq!(of("MADV_COLD", Arch::POWERPC_HASH), [512, 1, 3, 512]);
    assert_eq!(of("MADV_FREE", Arch::POWERPC_HASH), [1024, 1, 3, 512]);
    assert_eq!(of("MADV_DONTNEED", Arch::POWERPC_HASH), [512, 1, 3, 512]);
    assert_eq!(of("MADV_WILLNEED", Arch::POWERPC_HASH), [0; 4]);
}
