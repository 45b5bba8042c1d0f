//! What the text of a trace says beside its events: versions, headers, ends, the clock.

use emu_arch::Kernel;
use emu_conform::{Options, Verdict, conform, trace};

use super::{FIXTURES, report};
use crate::cli::check_refused;

/// The text of the fixture called `name`.
fn fixture(name: &str) -> String {
    let found = FIXTURES.iter().find(|fixture| fixture.name == name).expect("a fixture");
    found.texts().0
}

/// The kernel that a text is compared with, and why.
fn told(text: &str) -> (Kernel, String) {
    let report = report(text, None, None, None);
    (report.kernel, report.why.expect("it was not given"))
}

#[test]
fn a_version_that_the_text_says_is_taken() {
    let text = fixture("xen-7.1.13");
    let (kernel, why) = told(&text);
    assert_eq!(kernel, Kernel::V7_1);
    assert!(why.ends_with("v7.0 fits as well (--kernel)"), "{why}");
    for line in ["# kernel: 7.0.13+deb13-amd64", "Linux version 7.0.13 (gcc)", "# kernel 7.0.13"] {
        let (kernel, why) = told(&format!("{line}\n{text}"));
        assert_eq!(kernel, Kernel::V7_0, "{line}");
        assert!(why.starts_with("line 1, 7.0.13") && !why.contains("; but"), "{why}");
    }
    let marked = text.replacen("BEGIN warmup", "KERNEL 7.0.13-amd64", 1);
    assert_eq!(told(&marked).0, Kernel::V7_0);
    // The events are of another kernel.
    let (kernel, why) = told(&format!("# kernel: 7.3.4\n{text}"));
    assert_eq!(kernel, Kernel::V7_3);
    assert!(why.contains("; but stores of counters"), "{why}");
    let old = "# kernel: 5.10.1\nt-1 [000] ..... 0.0: xen_mc_issue: flush: yes\n";
    let trace = trace::parse(old).expect("a trace");
    let error = conform(&trace, &Options::default(), &mut |_, _, _| {}).expect_err("too old");
    assert_eq!(error.line, 1);
}

/// The crash of 7.0.13 ends in the `BUG_ON()` of v7.0, so that v7.0 explains it and v7.1 does not.
#[test]
fn of_two_kernels_that_fit_the_one_that_explains_the_end_is_taken() {
    assert_eq!(told(&fixture("xen-7.0.13-crash")).0, Kernel::V7_0);
    let (kernel, why) = told(&fixture("powerpc-7.3-rc7"));
    assert_eq!(kernel, Kernel::V7_3);
    assert!(why.ends_with("v7.2, v7.1 and v7.0 fit as well (--kernel)"), "{why}");
}

#[test]
fn a_line_without_an_end_is_left_out() {
    let text = fixture("xen-7.1.13");
    let lines: Vec<&str> = text.lines().collect();
    // The bytes of a flush are cut: 496 becomes 49.
    let at = lines.iter().position(|line| line.contains("496 arg bytes")).expect("a full flush");
    let (head, _) = lines[at].split_once("6 arg bytes").expect("bytes");
    let report = report(&format!("{}\n{head}", lines[..at].join("\n")), None, None, None);
    assert!(report.cut && report.holds(), "{}", emu_conform::text(&report));
    // A marker that ends an operation is whole.
    let end = lines.iter().rposition(|line| line.contains(": END")).expect("a marker");
    let whole = super::report(&lines[..=end].join("\n"), None, None, None);
    assert!(!whole.cut && whole.holds());
}

#[test]
fn lines_of_windows_are_the_same() {
    let text = fixture("xen-7.1.13-preempt");
    let [unix, windows] = [text.clone(), text.replace('\n', "\r\n")]
        .map(|text| emu_conform::text(&report(&text, None, None, None)));
    assert_eq!(unix, windows);
}

#[test]
fn two_traces_are_not_one() {
    let text = format!("# tracer: nop\n{}", fixture("xen-7.0.13-crash"));
    let error = trace::parse(&format!("{text}{text}")).expect_err("two traces");
    assert_eq!(error.line, text.lines().count() + 1);
    assert!(error.message.contains("give each as a file"), "{}", error.message);
}

#[test]
fn hits_that_are_given_as_the_trace() {
    let message = "expected a trace, found hits of the TCG plugin";
    check_refused(&["conform", "-"], b"0 dsb(ishst)[queue_pte_barriers]\n", &[message, "--hits"]);
    check_refused(&["conform", "-"], b"1 >__switch_to\n", &[message, "<stdin>:1:1"]);
}

#[test]
fn the_clock_of_a_cpu_never_goes_back() {
    let trace = "t-1 [000] ..... 1.0: tracing_mark_write: BEGIN x\n\
                 t-1 [000] ..... 1.2: xen_mmu_set_pte: -\n\
                 u-2 [001] ..... 1.0: xen_mmu_set_pte: -\n\
                 t-1 [000] ..... 1.1: xen_mmu_set_pte: -\n";
    let report = report(trace, None, None, None);
    let Verdict::Different(found) = &report.checked[0].verdict else { panic!("it goes back") };
    assert_eq!((found.line, &*found.kernel), (4, "the time of CPU 0 goes back"));
}
