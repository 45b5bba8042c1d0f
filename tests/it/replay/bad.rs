//! Bad input: each has one error with a place, and no text panics.

use emu_arch::Arch;
use emu_mm::workload::Options;
use emu_replay::life::{Life, Snapshots, Touch};
use emu_replay::run::Run;
use emu_replay::strace::{LINE_MAX, Reader};
use proptest::prelude::{Strategy, any, prop};
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use super::logs::fixture;

/// Checks that the last of `lines` is refused with `expected`.
#[track_caller]
fn check_error(lines: &[&str], expected: &str) {
    let mut reader = Reader::default();
    let (last, before) = lines.split_last().expect("a line");
    for line in before {
        reader.line(line.as_bytes()).expect("a line of strace");
    }
    match reader.line(last.as_bytes()) {
        Ok(event) => panic!("expected an error, found {event:?}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn errors_have_a_place() {
    check_error(&["", "mmap(NULL, 4096"], "2:16: expected `)` behind the arguments, found nothing");
    check_error(
        &["12 mmap(NULL, 40x6, PROT_READ, MAP_PRIVATE, 3, 0) = 0x1000"],
        "1:15: expected a number of bytes, found \"40x6\"",
    );
    check_error(
        &["mmap(NULL, 4096, PROT_REED, MAP_PRIVATE, 3, 0) = 0x1000"],
        "1:18: expected protections such as `PROT_READ`, found \"PROT_REED\"; \
         did you mean \"PROT_READ\"?",
    );
    check_error(
        &["munmap(0x1000, 4096) = zero"],
        "1:24: expected what the call returned, found \"zero\"",
    );
    check_error(
        &["munmap(0x1000, 4096)"],
        "1:21: expected `= ` and what the call returned, found nothing",
    );
    check_error(
        &["munmap(0x1000, 99999999999999999999) = 0"],
        "1:16: expected a number of bytes, found \"99999999999999999999\"",
    );
    check_error(
        &["1 <... munmap resumed>) = 0"],
        "1:8: expected a call that an earlier line began, found \"munmap\"",
    );
    check_error(
        &["1 munmap(0x1000, 4096 <unfinished ...>", "1 <... mmap resumed>) = 0"],
        "2:8: expected the end of the call that line 1 began, found \"mmap\"",
    );
    check_error(
        &["1 munmap(0x1000, <unfinished ...>", "1 <... munmap resumed>ten) = 0"],
        "2:23: expected a number of bytes, found \"ten\"",
    );
    check_error(
        &["Nov 28 11:57:35 vm kernel: Linux version"],
        "1:1: expected a call such as `mmap(`, a signal or an end, found \"Nov\"",
    );
    check_error(&["\u{7f}ELF\0\u{1}"], "1:5: expected text, found a byte that is none");
    let long = "x".repeat(1_000_000);
    check_error(&[&long], &format!("1:1: expected at most {LINE_MAX} bytes in a line, found more"));
}

#[test]
fn a_process_that_makes_itself_differs() {
    let (mut reader, mut life) = (Reader::default(), Life::new(Touch::All, Snapshots::default()));
    for line in ["1 fork() = 1", "1 fork() = 2", "2 fork() = 1", "1 fork() = 2"] {
        let event = reader.line(line.as_bytes()).expect("a line");
        life.event(reader.number(), &event, reader.names());
    }
    assert_eq!(life.told().differing.0, 1);
    assert_eq!(life.pids().collect::<Vec<_>>(), [1, 2]);
}

/// Does all that a log can ask for, whatever it is.
fn replay(text: &[u8]) {
    let mut life = Life::new(Touch::First, Snapshots::default());
    let mut run = Run::new(&[Arch::POWERPC_HASH], &Options::default(), 1);
    let (mut reader, mut each) = (Reader::default(), |_: &_, _, _: &_| {});
    for line in text.split(|byte| *byte == b'\n') {
        if let Ok(event) = reader.line(line) {
            life.event(reader.number(), &event, reader.names());
        }
    }
    life.end(reader.names());
    run.add(life.jobs(), &mut each);
    let _ = run.finish(&mut each);
}

/// Lines of real logs, cut, in any order, with bytes replaced.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let logs = ["compiler", "database", "runtime"].map(|name| fixture(&format!("{name}.strace")));
    let lines: Vec<String> = logs.iter().flat_map(|log| log.lines().map(str::to_owned)).collect();
    let numbers = ["0", "-1", "0xffffffffffffffff", "281474976706560", "1", "NULL"];
    let change = (any::<Index>(), any::<Index>(), any::<u8>(), 0..8_u8);
    prop::collection::vec(change, 1..60).prop_map(move |changes| {
        let mut text = Vec::new();
        for (which, at, byte, how) in changes {
            let mut line = which.get(&lines).clone().into_bytes();
            match how {
                0 => line[at.index(which.get(&lines).len())] = byte,
                1 => line.truncate(at.index(line.len())),
                2 => {
                    let line_text = which.get(&lines);
                    let words: Vec<&str> = line_text.split(", ").collect();
                    let word = at.get(&words);
                    line = line_text.replacen(word, numbers[usize::from(byte) % 6], 1).into_bytes();
                }
                // One process after all: what was apart meets.
                3 => {
                    line =
                        [b"1 ", line.split_at(line.iter().position(|b| *b == b' ').unwrap_or(0)).1]
                            .concat()
                }
                _ => {}
            }
            text.extend(line);
            text.push(b'\n');
        }
        text
    })
}

#[test]
fn no_text_panics() {
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&broken(), |text| {
            replay(&text);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    runner
        .run(&bytes, |text| {
            replay(&text);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
