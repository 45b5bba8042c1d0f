//! An architecture of one's own: the example stays small, and has every right that a built-in one
//! has.

#[expect(dead_code, reason = "an example has a main function")]
#[path = "../../examples/my_arch.rs"]
mod example;

use std::process::{Command, Output};

use emu_arch::conformance;

use crate::support::{check_snapshot, read, root};
use example::Riscv;

/// The most lines that a backend may take, blank ones aside.
const LINES_MAX: usize = 60;

#[test]
fn a_backend_of_ones_own_is_small() {
    let text = read(&root().join("examples/my_arch.rs"));
    let lines = text.lines().skip_while(|line| !line.starts_with("const SFENCE"));
    let lines = lines.take_while(|line| !line.contains("SCENARIO"));
    let lines = lines.filter(|line| !line.trim().is_empty()).count();
    assert!((30..=LINES_MAX).contains(&lines), "{lines} lines, at most {LINES_MAX}");
}

#[test]
fn it_is_run_and_compared() {
    let text = format!("{}\n{}", example::ran(), example::compared());
    check_snapshot!("compare", "my-arch", "a backend of one's own beside arm64", &text);
}

/// What arrives inside of a hook is the business of a search.
#[test]
fn conformance_cannot_see_what_the_check_finds() {
    let reports = [conformance::check::<Riscv<false>>(), conformance::check::<Riscv<true>>()];
    assert!(reports.iter().all(conformance::Report::holds), "{}{}", reports[0], reports[1]);
    let text = [example::checked::<Riscv<false>>(), example::checked::<Riscv<true>>()].join("\n");
    check_snapshot!("check", "my-arch", "a leave hook that lets the task go too early", &text);
}

/// Runs the example with arguments, as a reader does.
fn command(args: &[&str]) -> Output {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--profile", profile, "--example", "my_arch", "--"])
        .args(args)
        .current_dir(root())
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output();
    output.expect("cargo runs")
}

#[track_caller]
fn check_command(args: &[&str], status: i32, says: &[&str]) {
    let output = command(args);
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{text}");
    for said in says {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
}

#[test]
fn the_whole_command_knows_it() {
    let file = format!("{}/my_arch.scn", env!("CARGO_TARGET_TMPDIR"));
    let scenario = "good: riscv v7.1\n---\n\
                    enable\nset_ptes 0xffff800008000000 8\ndisable\nexpect sfence.vma 1\n";
    std::fs::write(&file, scenario).expect("the folder for tests can be written");
    check_command(&["list"], 0, &["\n  riscv         delays sfence.vma\n", " sfence.vma"]);
    check_command(&["--help"], 0, &["Usage: my_arch", "  my_arch check --arch xen-pv"]);
    check_command(&["run", &file, "--arch", "riscv", "--kernel", "v7.1"], 0, &["sfence_pending=1"]);
    check_command(&["compare", &file, "--arch", "all"], 0, &["riscv-hasty"]);
    check_command(&["run", &file, "--arch", "risc"], 2, &["a similar value exists: 'riscv'"]);
    let hasty = ["check", "--arch", "riscv-hasty", "--kernel", "v7.2", "--first"];
    check_command(&hasty, 1, &["HAZARD: batch-at-switch"]);
    let workload = ["workload", "vmalloc", "--maps", "tests/fixtures/maps/sh.maps"];
    check_command(
        &[&workload[..], &["--arch", "riscv"]].concat(),
        0,
        &["the mode saved", "fences"],
    );
}

#[test]
fn where_it_is_not_registered_the_error_names_what_is() {
    let parsed = emu_lab::scenario::parse("bad: riscv v7.1\n---\nenable\n");
    let bad = parsed.expect_err("no such architecture").to_string();
    assert!(bad.contains("expected an architecture, found \"riscv\""), "{bad}");
    assert!(bad.contains("expected one of naive, arm64, "), "{bad}");
}
