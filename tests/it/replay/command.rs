//! The command as a person uses it.

use crate::cli::{check_refused, lazymmu};

const LOG: &str = "\
    1 mmap(NULL, 2097152, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000\n\
    1 munmap(0x7f0000000000, 2097152) = 0\n";

#[track_caller]
fn check_says(args: &[&str], input: &str, expected: &[&str]) {
    let output = lazymmu(args, input.as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    for text in expected {
        assert!(said.contains(text) || errors.contains(text), "no {text:?} in:\n{said}{errors}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80 || line.starts_with("line ")));
}

#[test]
fn tables_of_a_log() {
    let args = ["replay", "-", "--arch", "powerpc-hash", "--top", "1"];
    check_says(
        &args,
        LOG,
        &[
            "<stdin>: 2 lines, 1 task, 1 address space",
            " munmap       1    512         512         1             3               512",
            "the mode saved 509 of 512 hash flushes (99.4 %)",
            " 2        1  munmap  0x7f0000000000         512         1             3      512",
        ],
    );
    check_says(&["replay", "-", "--summary"], LOG, &["sparc64        TSB/TLB flushes", "99.4 %"]);
}

#[test]
fn call_by_call() {
    let args = ["replay", "-", "--arch", "powerpc-hash", "--calls"];
    check_says(
        &args,
        LOG,
        &["line 2: 1 munmap 0x7f0000000000-0x7f0000200000 on powerpc-hash: 512 \
        pages, 512 PTE writes, 1 sections, 2 hooks, 3 hash flushes, 512 without the mode"],
    );
    let json =
        lazymmu(&["replay", "-", "--arch", "naive", "--calls", "--format", "json"], LOG.as_bytes());
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&json.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["call"], &lines[0]["pages"]), (&"munmap".into(), &512.into()));
    assert_eq!(lines[1]["archs"][0]["total"]["pte_writes"], 512);
}

#[test]
fn bad_lines_are_counted_or_end_it() {
    let log = format!("{LOG}foreign line\n1 munmap(0x7f0000000000, x) = 0\n");
    check_says(
        &["replay", "-", "--summary"],
        &log,
        &[
            "<stdin>:3:1: expected a call such as `mmap(`",
            "note: 2 lines left out that strace does not print so (--strict stops there)",
        ],
    );
    check_refused(&["replay", "-", "--strict"], log.as_bytes(), &["<stdin>:3:1", "foreign line"]);
    check_refused(&["replay", "-"], b"", &["<stdin>: the input is empty"]);
    // The magic of gzip, and nothing behind it.
    let cut = b"\x1f\x8b\x08\x00";
    check_refused(&["replay", "-"], cut, &["<stdin>: expected a whole file of gzip"]);
    check_refused(&["replay", "nothing.log"], b"", &["nothing.log: no such file"]);
    check_refused(&["replay", "-", "--touch", "al"], LOG.as_bytes(), &["did you mean all?"]);
}

#[test]
fn a_recorded_log_agrees_with_the_real_process() {
    let log = "tests/fixtures/replay/compiler.strace.xz";
    let maps = "tests/fixtures/replay/compiler.maps.xz";
    check_says(
        &["replay", log, "--maps", maps, "--strict", "--arch", "naive"],
        "",
        &["the mappings agree with the real ones at 27 of 27 moments"],
    );
    let output = lazymmu(
        &[
            "replay",
            "tests/fixtures/replay/runtime.strace.xz",
            "--maps",
            "tests/fixtures/replay/runtime.maps.xz",
            "--touch",
            "none",
            "--arch",
            "naive",
        ],
        b"",
    );
    assert_eq!(output.status.code(), Some(1));
}
