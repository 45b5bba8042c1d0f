//! Pages: what they say, how large they are, and that they need nothing else.

use crate::cli::lazymmu;

/// The most bytes of the page of a counterexample.
const COUNTEREXAMPLE_MAX: usize = 200 << 10;

/// The page that `args` print: the same bytes each time, and nothing that a browser would fetch.
#[track_caller]
pub(super) fn page(args: &[&str], input: &[u8]) -> String {
    let html = || {
        let output = lazymmu(&[args, &["--format", "html"]].concat(), input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {said}");
        String::from_utf8(output.stdout).expect("a page is text")
    };
    let page = html();
    assert_eq!(page, html(), "{args:?}: other bytes");
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    for fetched in ["src=", "@import", "url(", "fetch(", "XMLHttpRequest", "<link rel=\"s"] {
        assert!(!page.contains(fetched), "{args:?}: {fetched}");
    }
    let links = page.matches("https://").count();
    let known = page.matches("href=\"https://elixir.bootlin.com/linux/").count();
    assert_eq!(links, known, "{args:?}: a link that leads elsewhere");
    page
}

/// Checks that the page alone names cause, victim, CPU, task and what waits.
#[track_caller]
fn check_counterexample(args: &[&str], expected: &[&str]) {
    let page = page(args, b"");
    assert!(page.len() <= COUNTEREXAMPLE_MAX, "{args:?}: {} bytes", page.len());
    let text = text_of(&page);
    for expected in expected {
        assert!(text.contains(expected), "{args:?}: {expected:?} is not in\n{text}");
    }
}

/// The text of a page, without its style, its script and its marks.
fn text_of(page: &str) -> String {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let mut text = String::new();
    for part in body.split('<') {
        let (tag, rest) = part.split_once('>').unwrap_or(("", part));
        if !tag.starts_with("script") {
            text += rest;
        }
    }
    text.replace("&gt;", ">").replace("&lt;", "<").replace("&#x27;", "'").replace("&#x2f;", "/")
}

#[test]
fn the_crash_of_v7_0_in_enable() {
    let file = "scenarios/bugs/xen-preempted-in-enable.scn";
    check_counterexample(
        &["run", file],
        &[
            "BUG in lazy_mmu_mode_enable() (step 6, line 6: task A on CPU 0)",
            "So lazy_mmu_mode_enable() (step 6, line 6: task A on CPU 0) hits \
             BUG_ON(this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE)",
            "preempted on CPU 0, task A",
            "CPU 0, task A goes on",
            "nothing pending",
        ],
    );
}

#[test]
fn the_crash_of_v7_0_in_disable() {
    check_counterexample(
        &["run", "scenarios/bugs/xen-preempted-in-disable.scn"],
        &["lazy_mmu_mode_disable()", "hits BUG_ON(", "task A on CPU 0"],
    );
}

#[test]
fn the_underflow_in_fork() {
    check_counterexample(
        &["run", "scenarios/bugs/xen-fork-resumes-unpaused.scn"],
        &["A warning in switch to B (step 2, line 7: task A on CPU 0)", "pause=255"],
    );
}

#[test]
fn a_stale_read() {
    check_counterexample(
        &["run", "scenarios/bugs/stale-read.scn"],
        &[
            "set_pte_at(0x7f0000001000) (step 2, line 7: CPU 0) deferred its work",
            "the read does not see an update that is still pending",
            "HAZARD: stale-read",
            "pending in",
        ],
    );
}

#[test]
fn a_flush_before_the_stores() {
    check_counterexample(
        &["run", "scenarios/bugs/flush-in-section.scn"],
        &["HAZARD: flush-before-stores", "deferred its work", "the TLB flush comes before"],
    );
}

#[test]
fn searches_and_tables_are_pages_too() {
    let check = page(&["check", "scenarios/bugs/xen-preempted-in-enable.scn"], b"");
    assert!(check.contains("A scenario that goes this way") && check.len() < COUNTEREXAMPLE_MAX);
    let compare = page(&["compare", "scenarios/nesting/enable-in-pause.scn"], b"");
    assert!(compare.contains("differences only") && compare.contains("class=\"differs\""));
    let prove = page(&["prove", "--design", "counts", "--against", "independent"], b"");
    assert!(prove.contains("are distinguished, in 257 calls"), "{}", text_of(&prove));
    let maps = "tests/fixtures/maps/rustc.maps";
    let workload = page(&["workload", "vmalloc", "--arch", "arm64", "--maps", maps], b"");
    assert!(workload.contains("The mode saves 182,760 of 183,282 barriers on arm64 (99.7 %)"));
}

/// A text of the input is text in the page.
#[test]
fn what_a_scenario_says_is_no_markup() {
    let text = "what: <script>alert(1)</script> & \"quotes\"\n---\nenable\ndisable\n";
    let page = page(&["run", "-"], text.as_bytes());
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)"));
}

/// A long run folds: what is alike is one row.
#[test]
fn a_long_run_is_folded() {
    let set = |n: u64| format!("set_pte_at {:#x}\n", 0xffff_8000_0800_0000_u64 + n * 4096);
    let steps: String = (0..20_000).map(set).collect();
    let text = format!("enable\n{steps}disable\n");
    let page = page(&["run", "-", "--arch", "powerpc-hash"], text.as_bytes());
    assert!(page.contains("× 20000"), "{}", page.len());
    assert!(page.len() < COUNTEREXAMPLE_MAX, "{}", page.len());
}
