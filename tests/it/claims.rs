//! What `check FILE` makes of the `expect` lines of a scenario (issue 11).

use std::fs;

use crate::cli::lazymmu;
use crate::support::root;

/// Checks the programs of `text` and returns the exit status and what is said.
#[track_caller]
fn check(text: &str, status: i32, said: &[&str]) {
    let name = format!("claims-{}.scn", text.len());
    let file = root().join("target").join(name);
    fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("text");
    let output = lazymmu(&["check", path, "--arch", "xen-pv", "--kernel", "v7.1"], b"");
    fs::remove_file(&file).expect("it is there");
    let err = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(status), "{out}{err}");
    for text in said {
        assert!(err.contains(text) || out.contains(text), "{text:?} is not in:\n{out}{err}");
    }
}

#[test]
fn the_mode_is_as_expected_in_every_interleaving() {
    check("A: enable\nA: expect active\nA: disable\nA: expect inactive\n", 0, &[]);
    let wrong = "A: enable\nA: disable\nA: expect active\nB: enable\nB: disable\n";
    check(wrong, 1, &[":3: expected active, found inactive in an interleaving", "claim-holds"]);
    // In an interrupt the mode is off, whatever the task has.
    let interrupt = "enable\nhardirq {\nexpect inactive\n}\nexpect active\ndisable\n";
    check(interrupt, 0, &[]);
    check(&interrupt.replace("expect inactive", "expect active"), 1, &[":3: expected active"]);
}

#[test]
fn a_count_of_effects_is_not_judged_and_that_is_said() {
    let text = "enable\nset_pte_at 0xffff800008000000\ndisable\n\
                expect HYPERVISOR_mmu_update 7\nexpect none\n";
    check(text, 0, &[":4: what is expected is about one run"]);
    let tasks = "A: enable\nA: disable\nB: run\nB: enable\nB: disable\nexpect active\n";
    check(tasks, 0, &[":6: what is expected is about one run"]);
}
