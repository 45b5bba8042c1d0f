//! Views of records: what is counted, what is read back, what other programs accept.

mod browser;
mod ktap;
mod page;
mod perfetto;

use std::collections::BTreeMap;

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Outcome, Setup};
use emu_view::diagram::{dot, mermaid};
use emu_view::function_graph::{FunctionGraph, read};
use emu_view::view::{Kind, Mark, Owner, Pending, Spans, View};
use lazy_mmu::Record;
use lazy_mmu::trace::Event;

use crate::support::{files, parse, relative};

/// Calls `check` with what comes of every scenario on every architecture, in the newest kernel and
/// in the runs that the scenario speaks of.
fn every_run(mut check: impl FnMut(&str, Setup, &Outcome)) {
    for path in files("scenarios", ".scn") {
        let text = crate::support::read(&path);
        let scenario = parse(&text);
        let newest = Arch::all().map(|arch| {
            let kernel = arch.default_kernel();
            Setup { arch, kernel, design: kernel.design(), ..Setup::default() }
        });
        let said = scenario.bad.iter().chain(&scenario.good).map(|run| Setup::from(*run));
        for setup in newest.chain(said) {
            let name = format!("{} on {} {}", relative(&path), setup.arch, setup.kernel);
            check(&name, setup, &scenario::run(&scenario, setup));
        }
    }
}

/// What is counted along a record is what the machine says is left at its end, wherever a scenario
/// ends.
#[test]
fn what_waits_is_counted_as_the_machine_counts_it() {
    let mut counted = 0;
    for path in files("scenarios", ".scn") {
        let whole = parse(&crate::support::read(&path));
        for (arch, lines) in
            Arch::all().flat_map(|arch| (1..=whole.steps.len()).map(move |n| (arch, n)))
        {
            let mut scenario = whole.clone();
            scenario.steps.truncate(lines);
            let kernel = arch.default_kernel();
            let setup = Setup { arch, kernel, design: kernel.design(), ..Setup::default() };
            let record = scenario::run(&scenario, setup).record;
            let [counted_here, left] = counted_and_left(&record, arch);
            // An interrupt in the middle of a hook, after the hook has read the batch: no effect
            // tells what the hook has read.
            let name = relative(&path);
            let race = name == "scenarios/bugs/interrupted-pause.scn" && arch.id() == "s390";
            assert!(
                counted_here == left || race,
                "{name}, {lines} lines on {arch}: {counted_here}, not {left}\n{record}"
            );
            counted += u32::from(left > 0);
        }
    }
    assert!(counted > 300, "{counted} runs with something left: hardly anything was compared");
}

/// What is counted for the CPU and the task that are current at the end, and what the machine says.
fn counted_and_left(record: &Record, arch: Arch) -> [u32; 2] {
    let mut pending = Pending::new(arch.facts());
    let (mut left, mut place) = (0, (0, 0));
    for seen in record.events() {
        pending.event(&seen);
        if let Event::Pending { n, .. } = seen.event {
            left += n;
        }
        place = (seen.cpu, seen.task);
    }
    let here = pending.now().filter(|(owner, ..)| match owner {
        Owner::Cpu(cpu) => *cpu == place.0,
        Owner::Task(task) => *task == place.1,
    });
    [here.map(|(.., n)| n).sum(), left]
}

#[test]
fn function_graph_is_read_back_to_the_same_record() {
    let mut events = 0;
    every_run(|name, _, outcome| {
        let text = FunctionGraph(&outcome.record).to_string();
        let again = read(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let all = outcome.record.events().zip(again.events());
        for (a, b) in all {
            assert_eq!(a, b, "{name}\n{text}");
        }
        assert_eq!(outcome.record.len(), again.len(), "{name}\n{text}");
        events += again.len();
    });
    assert!(events > 10_000, "{events}");
    let wrong = read("# tracer: function_graph\n# design: counts\n 0)  A-1  |  nothing of ours\n");
    let wrong = wrong.expect_err("that is no line of a function graph");
    assert_eq!((wrong.line, wrong.message.contains("function_graph")), (3, true));
}

/// Every line with a brace that opens has one that closes, per task.
#[test]
fn braces_of_a_function_graph_match() {
    every_run(|name, _, outcome| {
        let text = FunctionGraph(&outcome.record).to_string();
        let mut open: BTreeMap<&str, i32> = BTreeMap::new();
        for line in text.lines() {
            let Some((comm, call)) = line.split_once('|') else { continue };
            let task = comm.split(')').nth(1).unwrap_or_default().trim();
            let depth = open.entry(task).or_default();
            *depth -= i32::from(call.trim_start().starts_with('}'));
            assert!(*depth >= 0, "{name}: {line}\n{text}");
            let call = call.split(" /* ").next().unwrap_or_default();
            *depth += i32::from(call.ends_with('{'));
        }
    });
}

/// What begins ends, and nothing ends twice; spans and steps agree with the record.
#[test]
fn spans_begin_and_end() {
    every_run(|name, setup, outcome| {
        let mut spans = Spans::new(outcome.record.design());
        let mut open: BTreeMap<(u8, Kind), i32> = BTreeMap::new();
        let mut task = 0;
        let mut count = |task, mark| {
            let (key, by) = match mark {
                Mark::Begin(kind) => ((task, kind), 1),
                Mark::End { task, kind } => ((task, kind), -1),
                Mark::GoesOn => return,
            };
            *open.entry(key).or_default() += by;
            assert!(open[&key] >= 0, "{name}");
        };
        for seen in outcome.record.events() {
            task = seen.task;
            spans.event(&seen, |mark| count(seen.task, mark));
        }
        spans.end(|mark| count(task, mark));
        assert!(open.values().all(|open| *open == 0), "{name}: {open:?}");

        let view = View::of(&outcome.record, setup.arch, &|seq| outcome.line_of(seq));
        let steps = view.steps.windows(2).all(|pair| pair[0].seq < pair[1].seq);
        assert!(steps, "{name}");
        for span in &view.spans {
            let lanes = [span.begin, span.end].map(|at| view.task(&view.steps[at]));
            assert_eq!(lanes, [span.task; 2], "{name}: {span:?}");
        }
        assert!(view.flows.len() >= outcome.hazards.len(), "{name}: a hazard without a flow");
    });
}

/// Same record, same bytes.
#[test]
fn diagrams_are_the_same_each_time_and_name_what_goes_wrong() {
    let text = crate::support::read(&crate::support::root().join("scenarios/bugs/stale-read.scn"));
    let (arch, kernel) = (Arch::all().find(|arch| arch.id() == "xen-pv").unwrap(), Kernel::V7_0);
    let setup = Setup { arch, kernel, design: kernel.design(), ..Setup::default() };
    let diagrams = || {
        let outcome = scenario::run(&parse(&text), setup);
        let view = View::of(&outcome.record, arch, &|_| None);
        [mermaid(&view), dot(&view)]
    };
    let [sequence, graph] = diagrams();
    assert_eq!([&sequence, &graph], diagrams().each_ref());
    assert!(sequence.starts_with("sequenceDiagram\n    participant L0 as CPU 0\n"), "{sequence}");
    let hazard = "Note over L0: HAZARD stale-read, caused by set_pte_at(0x7f0000001000)\n";
    assert!(sequence.contains(hazard), "{sequence}");
    assert!(graph.contains("s1 -> s2 [label=\"stale-read\", color=red"), "{graph}");
    assert_eq!(graph.matches('{').count(), graph.matches('}').count());
}
