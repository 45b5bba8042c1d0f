//! Logs of real programs: the mappings of the model are those of the kernel.
//!
//! `tests/fixtures/replay/record.sh` wrote them on a kernel of 6.18: gcc that compiles a file with
//! four programs of its own, a PostgreSQL server with two clients, and node with its threads.

use std::io::Read;

use emu_arch::Arch;
use emu_mm::workload::Options;
use emu_replay::life::{Faults, Life, Snapshots, Touch};
use emu_replay::run::Run;
use emu_replay::strace::Reader;

use crate::support::{read_bytes, root};

/// The text of a file below tests/fixtures/replay/.
pub(super) fn fixture(name: &str) -> String {
    let bytes = read_bytes(&root().join("tests/fixtures/replay").join(format!("{name}.xz")));
    let mut text = String::new();
    let read = lzma_rust2::XzReader::new(&*bytes, true).read_to_string(&mut text);
    read.expect("a whole file of xz");
    text
}

fn faults(name: &str) -> Touch {
    let mut faults = Faults::default();
    for (number, line) in (1..).zip(fixture(&format!("{name}.faults")).lines()) {
        assert!(faults.line(number, line).expect("a fault"));
    }
    Touch::Faults(faults)
}

/// Replays log `name`; every line is one of strace, and no call differs.
#[track_caller]
fn replay(name: &str, touch: Touch) -> Life {
    let maps = fixture(&format!("{name}.maps"));
    let snapshots = Snapshots::parse(&maps).expect("snapshots");
    let (mut reader, mut life) = (Reader::default(), Life::new(touch, snapshots));
    for line in fixture(&format!("{name}.strace")).lines() {
        let event = reader.line(line.as_bytes()).expect("a line of strace");
        life.event(reader.number(), &event, reader.names());
    }
    assert_eq!(life.told().differing, (0, Vec::new()), "{name}");
    assert_eq!(life.snapshots_left(), 0, "{name}");
    life
}

/// At how many moments of how many the mappings agree.
fn agreement(life: &Life) -> (usize, usize) {
    let points = &life.told().checkpoints;
    (points.iter().filter(|point| point.differs.is_none()).count(), points.len())
}

#[test]
fn a_compiler_agrees_at_every_moment() {
    for touch in [Touch::None, Touch::First, Touch::All, faults("compiler")] {
        assert_eq!(agreement(&replay("compiler", touch)), (27, 27));
    }
}

#[test]
fn a_runtime_with_threads_agrees_at_every_moment() {
    for touch in [Touch::First, Touch::All] {
        assert_eq!(agreement(&replay("runtime", touch)), (30, 30));
    }
}

/// Libraries with `.bss` that is written late or never: with the faults and their times, all agree.
#[test]
fn a_database_agrees_at_every_moment_where_its_faults_are_known() {
    assert_eq!(agreement(&replay("database", faults("database"))), (51, 51));
    assert_eq!(agreement(&replay("database", Touch::All)), (22, 51));
}

/// Which pages were written decides which mappings become one: where that is wrong, a moment shows
/// it.
#[test]
fn a_moment_that_does_not_agree_is_shown() {
    let life = replay("runtime", Touch::None);
    assert_eq!(agreement(&life), (25, 30));
    let differs = life.told().checkpoints.iter().find_map(|point| point.differs.clone());
    let differs = differs.expect("a difference");
    assert!(differs.contains("expected 7f8b30000000-7f8b30003000 ---p"), "{differs}");
}

#[test]
fn whole_programs_on_every_architecture() {
    let archs: Vec<Arch> = Arch::all().collect();
    let options = Options { generation: 0, ..Options::default() };
    for (name, tasks) in [("compiler", 5), ("database", 9), ("runtime", 7)] {
        let mut life = replay(name, Touch::First);
        assert_eq!(life.told().tasks, tasks, "{name}");
        let mut run = Run::new(&archs, &options, 3);
        let mut each = |_: &_, _, _: &_| {};
        run.add(life.jobs(), &mut each);
        let reports = run.finish(&mut each);
        let writes = reports[0].total.ptes;
        for report in &reports {
            let (arch, total) = (report.arch, &report.total);
            assert_eq!(total.ptes, writes, "{name} on {arch}");
            assert!(total.delayable() <= total.delayable_paused(), "{name} on {arch}");
            let top: Vec<u64> = report.top().map(|call| call.row.ptes).collect();
            assert!(top.len() == 3 && top.is_sorted_by(|a, b| a >= b), "{name} on {arch}");
        }
    }
}

/// The compiler's log `times` over, each time with other processes.
fn again_and_again(times: u32) -> impl Iterator<Item = String> {
    let log = fixture("compiler.strace");
    let pid = |word: &str| word.parse::<u32>().expect("a process");
    (0..times).flat_map(move |n| {
        let later = |word: &str| (pid(word) + 20_000 * n).to_string();
        let line = |line: &str| {
            let (head, rest) = line.split_once(' ').expect("a process and a call");
            let child =
                rest.split_once("vfork resumed>) = ").map(|(_, rest)| rest.split(' ').next());
            let rest = match child.flatten() {
                Some(child) => rest.replacen(child, &later(child), 1),
                None => rest.to_owned(),
            };
            format!("{} {rest}", later(head))
        };
        log.lines().map(line).collect::<Vec<_>>()
    })
}

#[test]
fn a_longer_log_takes_no_more_memory() {
    let peak = |times| {
        let mut lines = 0;
        let info = allocation_counter::measure(|| {
            let (mut reader, mut life) =
                (Reader::default(), Life::new(Touch::All, Snapshots::default()));
            let mut run = Run::new(&[Arch::NAIVE], &Options::default(), 5);
            let mut each = |_: &_, _, _: &_| {};
            for line in again_and_again(times) {
                let event = reader.line(line.as_bytes()).expect("a line of strace");
                life.event(reader.number(), &event, reader.names());
                run.add(life.jobs(), &mut each);
            }
            lines = reader.number();
            assert_eq!(life.pids().count(), 0, "all have exited");
        });
        (info.bytes_max, lines)
    };
    let ((few, _), (many, lines)) = (peak(20), peak(80));
    assert!(lines > 40_000, "{lines}");
    assert!(many < few + few / 4, "{many} bytes for {lines} lines, {few} for a fourth");
}
