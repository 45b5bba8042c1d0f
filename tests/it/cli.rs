//! The command as a person uses it: what it prints, what it refuses, and how it ends.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::root;

/// Runs the command at the root of the project with `input` on standard input.
pub(crate) fn lazymmu(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lazymmu"))
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // A command that refuses its arguments never reads; that is not this test's business.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the command ends")
}

/// Checks that the command fails with status 2, prints nothing to standard output, and says each of
/// `expected`.
#[track_caller]
pub(crate) fn check_refused(args: &[&str], input: &[u8], expected: &[&str]) {
    let output = lazymmu(args, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(output.stdout, b"");
    for text in expected {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
    assert_eq!(said.matches("error:").count(), 1, "one error, not more:\n{said}");
}

/// Checks what is said about a scenario.
#[track_caller]
fn check_scenario_refused(input: &[u8], expected: &[&str]) {
    check_refused(&["run", "-"], input, expected);
}

#[test]
fn an_unknown_call_gets_the_nearest_name() {
    check_scenario_refused(
        b"enable\n  disabel\n",
        &["expected a call, found \"disabel\"", "<stdin>:2:3", "did you mean \"disable\"?"],
    );
    check_scenario_refused(b"lazy_mmu_mode_enabel()\n", &["\"lazy_mmu_mode_enable\"?", ":1:1"]);
}

#[test]
fn a_claim_that_does_not_hold() {
    let output = lazymmu(&["run", "-"], b"enable\nexpect active\n  expect inactive\n");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "<stdin>:3: expected inactive, found active\n");
    assert!(String::from_utf8_lossy(&output.stdout).contains("# line 3: expected inactive, "));
    assert_eq!(lazymmu(&["run", "-"], b"expect inactive\n").status.code(), Some(0));
}

/// Review F13: a claim of any kind makes the scenario a test.
#[test]
fn a_warning_is_excused_only_where_a_scenario_makes_no_claims() {
    let status = |text: &str| lazymmu(&["run", "-"], text.as_bytes()).status.code();
    let warns = "resume\nresume\npause\npause\n";
    assert_eq!(status(warns), Some(0));
    for claim in ["expect inactive", "expect none", "expect hazard stale-read", "expect dsb 0"] {
        assert_eq!(status(&format!("{warns}{claim}\n")), Some(1), "{claim}");
    }
    assert_eq!(status(&format!("{warns}expect hazard api-warning\n")), Some(0));
}

/// Review F11: what falls into a call runs on the stack of that call.
#[test]
fn blocks_nest_up_to_a_maximum() {
    let nested = |depth: usize| {
        let opens = "enable before store {\n".repeat(depth);
        opens + "run\n" + &"}\n".repeat(depth)
    };
    for command in ["run", "compare", "check"] {
        let refused = "<stdin>:65:21";
        check_refused(&[command, "-"], nested(65).as_bytes(), &["at most 64 blocks", refused]);
        check_refused(&[command, "-"], nested(10_000).as_bytes(), &["at most 64 blocks", refused]);
    }
    for command in ["run", "compare"] {
        let output = lazymmu(&[command, "-"], nested(64).as_bytes());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {output:?}");
    }
}

#[test]
fn a_number_of_effects_is_a_claim_on_the_good_runs() {
    let text = "good: arm64 v7.0\nbad: arm64 v6.19\n---\nenable\nexpect dsb 1\n";
    let run =
        |kernel| lazymmu(&["run", "-", "--arch", "arm64", "--kernel", kernel], text.as_bytes());
    let output = run("v7.0");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "<stdin>:5: expected dsb(ishst) 1 times, found 0\n");
    assert_eq!(output.status.code(), Some(1));
    // Not as the good run has it, or a run that the scenario does not speak of.
    assert_eq!([run("v6.19"), run("v7.1")].map(|output| output.status.code()), [Some(0); 2]);
    let text = text.replace("dsb 1", "dsb 0");
    let run = lazymmu(&["run", "-", "--arch", "arm64", "--kernel", "v6.19"], text.as_bytes());
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(said, "<stdin>:5: expected dsb(ishst) not 0 times in a bad run\n");
}

#[test]
fn a_hazard_is_told_of_at_the_end_and_is_expected_or_not() {
    let text = "A: enable\nA: set_pte_at 0xffff800008000000\nB@cpu1: write 0xffff800008000000\n\
                A: disable\n";
    let run = |text: &str| lazymmu(&["run", "-", "--arch", "arm64"], text.as_bytes());
    let output = run(text);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "<stdin>:3: unexpected hazard access-pending-barriers\n");
    let printed = String::from_utf8_lossy(&output.stdout);
    let summary = "\n1 hazard:\n\naccess-pending-barriers\n  \
        the access may fault: barriers are owed for the entry\n  \
        at:    write(0xffff800008000000)\n         \
        line 3, event 10; CPU 1, task B, section depth 0\n  \
        since: set_pte_at(0xffff800008000000), 5 events before\n         \
        line 2, event 6; CPU 0, task A, section depth 1\n";
    assert!(printed.ends_with(summary), "{printed}");
    let output = run(&format!("{text}expect hazard access-pending-barriers\n"));
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
    let many = run(&format!("enable\nset_pte_at 0x1000\n{}", "might_sleep\n".repeat(30)));
    let printed = String::from_utf8_lossy(&many.stdout);
    assert!(printed.ends_with("\n10 more: 10 sleep-in-section\n"), "{printed}");
}

#[test]
fn lines_of_two_codes() {
    let text = b"enable\nbug {\n  disable\n  disable\n}\nmended {\n  disable\n}\n";
    let output = lazymmu(&["run", "-"], text);
    assert!(String::from_utf8_lossy(&output.stdout).contains("WARNING"));
    let output = lazymmu(&["run", "-", "--mended"], text);
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches("disable()").count(), 1);
    check_refused(&["run", "-", "--mended"], b"enable\n", &["<stdin> has no block `mended {`"]);
    check_scenario_refused(b"enable\nbug {\n", &["expected `}` for this block", ":2:5"]);
    check_scenario_refused(b"enable\nbgu {\n", &["expected `before POINT`", "\"bug\"?"]);
    check_scenario_refused(b"A: bug {\n  A: enable\n}\n", &["expected bug alone", ":1:1"]);
    check_scenario_refused(b"bug {\n  enable\n} @cpu1\n", &["found \"@cpu1\"", ":3:3"]);
    check_scenario_refused(
        b"good: arm64 v7.0 mended\n---\nenable\n",
        &["expected a block `bug {` or `mended {` for this run", ":1:18"],
    );
    check_scenario_refused(b"bad: x86 v7.0 mended\n---\nenable\n", &["the fixed code", ":1:15"]);
    check_scenario_refused(
        b"good: arm64 v7.0 counts mendde\n---\nenable\n",
        &["expected `mended`, `,` or the end of the line, found \"mendde\"", ":1:25"],
    );
}

#[test]
fn wrong_claims() {
    check_scenario_refused(b"expect actve\n", &["did you mean \"active\"?", ":1:8"]);
    check_scenario_refused(
        b"expect\n",
        &["expected active or inactive or hazard or none or an effect after", ":1:7"],
    );
    check_scenario_refused(b"expect active now\n", &["expected nothing after active", ":1:15"]);
    check_scenario_refused(
        b"expect dbs 3\n",
        &["or an effect after", "did you mean \"dsb", ":1:8"],
    );
    check_scenario_refused(b"expect dsb\n", &["expected a number after dsb, found \"\"", ":1:11"]);
    check_scenario_refused(b"expect dsb -1\n", &["expected a number after dsb, found \"-1\""]);
    check_scenario_refused(b"expcet active\n", &["did you mean \"expect\"?"]);
}

#[test]
fn wrong_addresses() {
    check_scenario_refused(b"pte_clear 0x12g\n", &["expected an address", ":1:11"]);
    check_scenario_refused(b"pte_clear\n", &["expected an address after pte_clear", ":1:10"]);
    check_scenario_refused(b"pte_clear 0x1010\n", &["not a multiple", "0x1000"]);
    check_scenario_refused(b"pte_clear 0x1900000000000\n", &["outside of user space", ":1:11"]);
    check_scenario_refused(b"set_ptes 0x1ff000 2\n", &["do not lie in one page table"]);
    check_scenario_refused(b"set_ptes 0x1000 513\n", &["expected 1 to 512 pages"]);
}

#[test]
fn wrong_arguments() {
    check_scenario_refused(b"enable 3\n", &["enable takes no argument, found \"3\"", ":1:8"]);
    check_scenario_refused(b"pte_clear 0x1000 wr\n", &["did you mean \"rw\"?"]);
    check_scenario_refused(b"pte_clear 0x1000 rwx\n", &["expected ro, rw, rx, none, mm="]);
    check_scenario_refused(b"pte_clear 0x1000 mm=32\n", &["mm=1 to mm=31"]);
    check_scenario_refused(b"pte_clear(0x1000\n", &["expected `)`"]);
    check_scenario_refused(b"what: x\nform: y\n---\nenable\n", &["did you mean \"from\"?", ":2:1"]);
    check_scenario_refused(
        b"> what: x\n>   form: y\n> ---\n> enable\n",
        &["found \"form\"", ":2:5"],
    );
}

#[test]
fn inputs_that_are_no_scenario() {
    check_scenario_refused(b"", &["the input is empty"]);
    check_scenario_refused(b"# nothing\n", &["the scenario has no step"]);
    check_scenario_refused(b"enable\n\xff\xfe\n", &["expected text", "<stdin>:2:1"]);
    check_scenario_refused(b"\x7fELF\x02\0\0", &["expected text"]);
    check_refused(&["run", "scenarios"], b"", &["scenarios: is a directory"]);
    check_refused(&["run", "no-such-file.scn"], b"", &["no-such-file.scn: no such file"]);
}

#[test]
fn wrong_options_get_the_list() {
    check_refused(&["run", "-", "--arch", "arm46"], b"", &["powerpc-hash", "'arm64'"]);
    check_refused(&["run", "-", "--design", "count"], b"", &["count-paused-rfc", "counts"]);
    check_refused(&["rum", "-"], b"", &["'run'"]);
}

#[test]
fn a_sequence_pasted_from_a_mail_runs() {
    let mail = b"\
> lazy_mmu_mode_enable()\t\t-> arch_enter()\n\
>   lazy_mmu_mode_enable();\t\t-> nothing\n\
>   lazy_mmu_mode_disable();\n\
> lazy_mmu_mode_disable()\n";
    let output = lazymmu(&["run", "-"], mail);
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
        lazy_mmu_mode_enable()          -> ø             enable=2 pause=0
        lazy_mmu_mode_disable()         -> arch_flush()  enable=1 pause=0
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
    enable=0 pause=0, nothing pending
    ");
}

#[test]
fn json_has_the_fields_that_never_change() {
    let output = lazymmu(&["run", "-", "--format", "json"], b"enable\n");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r#"
    {"seq":0,"cpu":0,"task":0,"event":"call","name":"lazy_mmu_mode_enable","line":1}
    {"seq":1,"cpu":0,"task":0,"event":"store","name":"lazy_mmu_state","state":{"enable_count":1,"pause_count":0},"line":1}
    {"seq":2,"cpu":0,"task":0,"event":"hook","name":"arch_enter_lazy_mmu_mode","line":1}
    {"seq":3,"cpu":0,"task":0,"event":"return","name":"lazy_mmu_mode_enable","active":true,"state":{"enable_count":1,"pause_count":0},"line":1}
    {"seq":4,"cpu":0,"task":0,"event":"end","name":"end","preempt_count":0,"state":{"enable_count":1,"pause_count":0}}
    "#);
}

#[test]
fn a_warning_can_stop_the_run() {
    let output = lazymmu(&["run", "-", "--on-warn", "panic"], b"resume\nenable\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("<stdin>:1: Kernel panic"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("lazy_mmu_mode_enable"));
}

#[test]
fn the_list_names_everything() {
    let output = lazymmu(&["list"], b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for arch in emu_arch::Arch::all() {
        assert!(text.contains(arch.id()));
    }
    let hazards = emu_arch::hazard::Hazard::ALL.into_iter().map(|hazard| hazard.id());
    let effects = emu_arch::effects().into_iter().map(|effect| effect.name);
    for word in emu_lab::scenario::words().chain(hazards).chain(effects) {
        assert!(text.contains(word), "{word}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    assert!(Path::new(root()).join("scenarios").is_dir());
}

#[test]
fn check_says_by_its_status_what_it_found() {
    let status = |args: &[&str]| {
        let output = lazymmu(&[&["check"], args].concat(), b"");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text, _) = status(&["--kernel", "v7.1", "--nesting", "1"]);
    assert!(
        code == Some(0) && text.contains("17 hold (exercised, every state searched)"),
        "{text}"
    );
    let (code, text, _) = status(&["--kernel", "v7.0", "--nesting", "1", "--first"]);
    assert!(code == Some(1) && text.contains("no-arch-bug is broken"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 105), "{text}");
    let (code, text, _) = status(&["--kernel", "v7.1", "--max-states", "100"]);
    assert!(
        code == Some(3) && text.contains("30 open") && text.contains("not searched to the end"),
        "{text}"
    );
    let (code, text, errors) = status(&["--property", "no-arch-bag"]);
    assert!(code == Some(2) && text.is_empty() && errors.contains("no-arch-bug"), "{errors}");
    let (code, text, errors) = status(&["--kernel", "v7.0", "--first", "--save", "Cargo.toml/x"]);
    assert!(code == Some(2) && text.is_empty() && errors.contains("Cargo.toml/x"), "{errors}");
    let (code, text, _) = status(&["--kernel", "v7.0", "--first", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
    assert_eq!((code, &json["broken"][0]["property"]), (Some(1), &"no-arch-bug".into()));
}

#[test]
fn check_of_a_file_runs_where_run_does() {
    let file = "scenarios/bugs/exit-in-section.scn";
    for code in [&[][..], &["--mended"]] {
        for command in ["run", "check"] {
            let output = lazymmu(&[&[command, file], code].concat(), b"");
            let errors = String::from_utf8_lossy(&output.stderr);
            let note = format!("note: on arm64 v7.0, the first run that {file} calls bad\n");
            assert_eq!((output.status.code(), &*errors), (Some(0), &*note), "{command} {code:?}");
        }
    }
    let output = lazymmu(&["check", "-"], b"enable\ndisable\n");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("on xen-pv v7.3, since <stdin> names no bad run"), "{errors}");
    check_refused(&["check", "-", "--mended"], b"enable\n", &["<stdin> has no block `mended {`"]);
}

#[test]
fn check_saves_what_run_replays() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found");
    let _ = std::fs::remove_dir_all(&folder);
    let save = folder.to_str().expect("a path in Unicode");
    let output = lazymmu(&["check", "--kernel", "v7.0", "--nesting", "1", "--save", save], b"");
    assert_eq!(output.status.code(), Some(1));
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|file| file.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["no-arch-bug-1.scn", "no-arch-bug-2.scn"]);
    for name in names {
        let file = folder.join(name);
        let file = file.to_str().expect("a path in Unicode");
        let output = lazymmu(&["run", file, "--arch", "xen-pv", "--kernel", "v7.0"], b"");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("BUG_ON"));
    }
}

#[test]
fn conform_compares_a_trace_with_its_own_architecture() {
    let trace = "tests/fixtures/traces/xen-7.0.13-crash.trace.xz";
    for arch in ["powerpc-hash", "powerpc-radix", "arm64"] {
        let found = format!("expected a trace of {arch}, found an event of xen-pv");
        check_refused(&["conform", trace, "--arch", arch], b"", &[&found, ".xz:"]);
    }
    let named = ["conform", trace, "--operation", "crahs"];
    check_refused(&named, b"", &["--operation crahs: expected the name of an operation"]);
}

#[test]
fn the_least_state_is_a_proof_and_refuses_what_has_no_least() {
    let output = lazymmu(&["prove", "--least", "--language", "A", "--nesting", "2"], b"");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.starts_with("3 states do, in 2 bits, and no machine has fewer: proof\n"),
        "{text}"
    );
    assert!(text.contains("1  active   ø 2"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    check_refused(
        &["prove", "--least", "--language", "crossing"],
        b"",
        &["--language: expected A, B, C or D with --least, found crossing"],
    );
    check_refused(&["prove", "--least", "--nesting", "7"], b"", &["expected 1 to 6 brackets"]);
    check_refused(&["prove", "--without", "active-bit", "--design", "counts"], b"", &["--least"]);
}
