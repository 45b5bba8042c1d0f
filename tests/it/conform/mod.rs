//! Traces of booted kernels, reduced, beside the emulated ones: all operations are the same.

mod lines;
mod mutations;
mod table;
mod text;

use std::io::Read;

use emu_arch::{Arch, Kernel};
use emu_conform::trace::{self, Hits};
use emu_conform::{Options, Report, Verdict, conform};

use crate::cli::{check_refused, lazymmu};
use crate::support::{read_bytes, root};

/// A trace among the fixtures, and what it must give.
pub(crate) struct Fixture {
    /// The name of the file, without `.trace.xz`.
    pub(crate) name: &'static str,
    /// The kernel that wrote it.
    pub(crate) wrote: &'static str,
    pub(crate) kernel: Kernel,
    /// There are hits of the plugin beside it.
    pub(crate) hits: bool,
    /// How many operations are the same.
    pub(crate) same: usize,
    /// Those in which nothing touches page tables, or that cannot be told.
    pub(crate) left_out: &'static [&'static str],
}

pub(crate) const FIXTURES: [Fixture; 8] = [
    Fixture {
        name: "xen-7.0.13-crash",
        wrote: "7.0.13",
        kernel: Kernel::V7_0,
        hits: false,
        same: 1,
        left_out: &[],
    },
    Fixture {
        name: "xen-7.1.13",
        wrote: "7.1.13",
        kernel: Kernel::V7_1,
        hits: false,
        same: 26,
        left_out: &["warmup", "wrprotect-fault-16", "clear-refs"],
    },
    Fixture {
        name: "xen-7.1.13-preempt",
        wrote: "7.1.13",
        kernel: Kernel::V7_1,
        hits: false,
        same: 14,
        left_out: &[],
    },
    Fixture {
        name: "xen-7.3.4",
        wrote: "7.3.4",
        kernel: Kernel::V7_3,
        hits: false,
        same: 23,
        left_out: &[
            "warmup",
            "wrprotect-fault-16",
            "exit-1300",
            "cold-512",
            "clear-refs",
            "vfree-512",
        ],
    },
    Fixture {
        name: "powerpc-7.3-rc7",
        wrote: "7.3-rc7",
        kernel: Kernel::V7_3,
        hits: false,
        same: 27,
        left_out: &["warmup", "wrprotect-fault-16"],
    },
    Fixture {
        name: "powerpc-7.3-rc7-smp",
        wrote: "7.3-rc7",
        kernel: Kernel::V7_3,
        hits: false,
        same: 40,
        left_out: &["warmup", "move-pages", "mbind", "madv-collapse"],
    },
    Fixture {
        name: "arm64-7.3.4",
        wrote: "7.3.4",
        kernel: Kernel::V7_3,
        hits: true,
        same: 26,
        left_out: &["warmup", "wrprotect-fault-16", "cow-fault-16", "clear-refs"],
    },
    Fixture {
        name: "arm64-7.3.4-smp",
        wrote: "7.3.4",
        kernel: Kernel::V7_3,
        hits: true,
        same: 16,
        left_out: &["warmup", "both-dontneed"],
    },
];

impl Fixture {
    /// The text of the trace, and of the hits.
    pub(crate) fn texts(&self) -> (String, Option<String>) {
        let hits = self.hits.then(|| unpack(&format!("{}.hits.xz", self.name)));
        (unpack(&format!("{}.trace.xz", self.name)), hits)
    }

    /// The report against `kernel`.
    pub(crate) fn report(&self, kernel: Option<Kernel>) -> Report {
        let (trace, hits) = self.texts();
        report(&trace, hits.as_deref(), kernel, None)
    }
}

/// The text of a fixture.
fn unpack(name: &str) -> String {
    let bytes = read_bytes(&root().join("tests/fixtures/traces").join(name));
    let mut text = String::new();
    let mut reader = lzma_rust2::XzReader::new(&*bytes, true);
    reader.read_to_string(&mut text).unwrap_or_else(|e| panic!("{name}: {e}"));
    text
}

/// The report on texts.
pub(crate) fn report(
    trace: &str,
    hits: Option<&str>,
    kernel: Option<Kernel>,
    arch: Option<Arch>,
) -> Report {
    let trace = trace::parse(trace).expect("a trace");
    let hits = hits.map(|hits| Hits::parse(hits).expect("hits"));
    let trace =
        hits.map_or(Ok(trace.clone()), |hits| trace::with_hits(&trace, &hits)).expect("they match");
    let options = Options { arch, kernel, only: &[] };
    conform(&trace, &options, &mut |_, _, _| {}).expect("a trace that can be read")
}

#[test]
fn both_counters_are_as_the_last_store_left_them() {
    let text = unpack("xen-7.1.13.trace.xz");
    let line = text.lines().nth(11).expect("a line");
    let wrong = text.replacen(line, &line.replace("pa=0", "pa=1"), 1);
    assert_ne!(wrong, text);
    let report = report(&wrong, None, None, None);
    let different = report.checked.iter().filter_map(|one| match &one.verdict {
        Verdict::Different(found) => Some((&*one.name, found.line)),
        Verdict::Same | Verdict::LeftOut(_) => None,
    });
    assert_eq!(different.collect::<Vec<_>>(), [("mprotect-ro-1", 12)]);
}

/// The names of the operations with a verdict.
fn named(report: &Report, is: fn(&Verdict) -> bool) -> Vec<&str> {
    let found = report.checked.iter().filter(|one| is(&one.verdict));
    found.map(|one| one.name.as_str()).collect()
}

#[test]
fn each_operation_of_each_kernel_is_the_same() {
    for fixture in &FIXTURES {
        let report = fixture.report(Some(fixture.kernel));
        let different = named(&report, |verdict| matches!(verdict, Verdict::Different(_)));
        assert!(different.is_empty(), "{}: {different:?}\n{}", fixture.name, text(&report));
        let left = named(&report, |verdict| matches!(verdict, Verdict::LeftOut(_)));
        assert_eq!(left, fixture.left_out, "{}", fixture.name);
        assert_eq!(report.verdicts()[0], fixture.same, "{}", fixture.name);
    }
}

use emu_conform::text;

#[test]
fn the_kernel_is_told_by_the_text_of_the_events() {
    let told = |name: &str| {
        let fixture = FIXTURES.iter().find(|fixture| fixture.name == name).expect("a fixture");
        let report = fixture.report(None);
        (report.arch, report.kernel, report.holds())
    };
    assert_eq!(told("xen-7.1.13"), (Arch::XEN_PV, Kernel::V7_1, true));
    let (arch, kernel, holds) = told("xen-7.3.4");
    assert!(arch == Arch::XEN_PV && kernel >= Kernel::V7_2 && holds, "{kernel}");
    let (arch, kernel, holds) = told("powerpc-7.3-rc7");
    assert!(arch == Arch::POWERPC_HASH && kernel >= Kernel::V7_2 && holds, "{kernel}");
    assert_eq!(told("arm64-7.3.4").0, Arch::ARM64);
}

/// The mode is dead on Xen PV from v7.2 on: each of 512 entries is a hypercall, on both sides.
#[test]
fn the_dead_mode_is_the_same() {
    let fixture = FIXTURES.iter().find(|fixture| fixture.name == "xen-7.3.4").expect("it is there");
    let report = fixture.report(Some(Kernel::V7_2));
    let one = report.checked.iter().find(|one| one.name == "mprotect-ro-512").expect("it is there");
    assert_eq!(one.verdict, Verdict::Same);
    assert_eq!((one.calls, one.effects), (1024, 1024), "queued and flushed, one by one");
    let other = fixture.report(Some(Kernel::V7_1));
    let one = other.checked.iter().find(|one| one.name == "mprotect-ro-512").expect("it is there");
    assert_eq!(one.verdict, Verdict::Same, "no section is seen, so none is emulated");
}

/// The crash of 7.0.13: v7.0 allows it, v7.1 does not.
#[test]
fn the_crash_is_one_of_v7_0_and_not_of_v7_1() {
    let fixture = &FIXTURES[0];
    let bug = |kernel| {
        let report = fixture.report(Some(kernel));
        assert!(report.holds(), "{}", text(&report));
        report.checked[0].bug.map(|(_, bug)| bug)
    };
    assert_eq!(bug(Kernel::V7_0), Some("this_cpu_read(xen_lazy_mode) != mode"));
    assert_eq!(bug(Kernel::V7_1), None);
}

/// As above, where the console says that the kernel died.
#[test]
fn a_console_with_the_dump_of_a_crash() {
    let (trace, _) = FIXTURES[0].texts();
    let mut console = "[    8.2] kernel BUG at arch/x86/include/asm/xen/hypervisor.h:85!\n\
                       [    8.3] Dumping ftrace buffer:\n"
        .to_owned();
    for line in trace.lines().filter(|line| !line.starts_with('#') && !line.contains("BEGIN")) {
        let (who, rest) = line.split_once(" [000] ").expect("a CPU");
        let (flags, rest) = rest.split_once(" 0.0: ").expect("a time");
        console += &format!("[    8.4]  {who}  0{flags} 1us : {rest}\n");
    }
    let against = |kernel| report(&console, None, Some(kernel), None);
    assert!(against(Kernel::V7_0).holds() && against(Kernel::V7_0).checked[0].said);
    let Verdict::Different(difference) = &against(Kernel::V7_1).checked[0].verdict else {
        panic!("v7.1 does not crash");
    };
    assert_eq!((&*difference.kernel, &*difference.emulated), ("BUG_ON()", "nothing"));
}

#[test]
fn another_kernel_is_different() {
    let fixture = FIXTURES.iter().find(|fixture| fixture.name == "xen-7.1.13").expect("a fixture");
    let report = fixture.report(Some(Kernel::V6_19));
    assert!(!report.holds(), "v6.19 has no counters");
}

#[test]
fn the_command_says_it_in_eighty_columns() {
    let file = "tests/fixtures/traces/xen-7.1.13.trace.xz";
    let output = lazymmu(&["conform", file], b"");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("29 operations: 26 same, 0 different, 3 left out"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert!(output.stderr.is_empty(), "silent in a pipe");
    let output = lazymmu(&["conform", file, "--kernel", "v6.19"], b"");
    assert_eq!(output.status.code(), Some(1));
    let output = lazymmu(&["conform", file, "--format", "json"], b"");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = lines.lines().last().expect("totals");
    let total: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!((&total["same"], &total["different"]), (&26.into(), &0.into()));
}

#[test]
fn what_is_no_trace_is_refused() {
    let refused =
        |input: &[u8], expected: &[&str]| check_refused(&["conform", "-"], input, expected);
    refused(b"", &["the input is empty"]);
    refused(b"enable\ndisable\n", &["<stdin>:1:1", "expected an event of ftrace"]);
    refused(b"\x7fELF\0\0", &["expected text"]);
    let line = "  x-1 [000] d.... 0.1: xen_mc_flush: flushing ";
    refused(format!("{line}many calls\n").as_bytes(), &["expected a number", "<stdin>:1:"]);
    let cut =
        format!("{line}0 hypercalls, 0 arg bytes\n  x-1 [000] d.... 0.1: xen_mc_entry: op 1(\n");
    refused(cut.as_bytes(), &["<stdin>:2:43", "xen_mc_entry: op 1("]);
    refused(b"  x-1 [000] d.... 0.1: sched_waking: pid=1\n", &["that tell the architecture"]);
    refused(&[0x1f, 0x8b, 8, 0, 0], &["expected a whole file of gzip"]);
    refused(b"\xfd7zXZ\0\0\x04", &["expected a whole file of xz"]);
    check_refused(&["conform", "no-such-file"], b"", &["no such file"]);
}
