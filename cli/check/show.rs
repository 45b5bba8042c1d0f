//! The result of a search as text and as JSON.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use emu_check::check::{Counterexample, End, Options, Pages, Portfolio, Report};
use indicatif::{HumanBytes, HumanCount};
use serde_json::{Value, json};

use super::save::file_name;

/// What was searched, in a line or two.
pub(super) fn model(report: &Report) -> String {
    let options = &report.options;
    let Options { arch, kernel, design, tasks, cpus, language, nesting, pages, .. } = options;
    let s = |n: u8| if n == 1 { "" } else { "s" };
    let pages = match pages {
        Pages::Kernel => "kernel pages",
        Pages::User => "user pages",
        Pages::None => "no pages",
    };
    let fall = match (options.interrupts, options.preemption) {
        (true, true) => "interrupts and preemption",
        (true, false) => "interrupts",
        (false, true) => "preemption",
        (false, false) => "nothing falls in",
    };
    let fault = options.fault.map_or(String::new(), |fault| format!("fault: {}\n", fault.about()));
    let fork = if options.fork { ", fork and exit" } else { "" };
    if let Some(programs) = report.programs {
        return format!(
            "{} {}, design {}: {programs} program{} on {cpus} CPU{}, {fall}\n{fault}",
            arch.id(),
            kernel.id(),
            design.id(),
            s(programs),
            s(*cpus),
        );
    }
    format!(
        "{} {}, design {}: {tasks} task{} on {cpus} CPU{}, {pages},\n\
         language {} at most {nesting} deep, {fall}{fork}\n{fault}",
        arch.id(),
        kernel.id(),
        design.id(),
        s(*tasks),
        s(*cpus),
        language.name(),
    )
}

/// How long a way is.
pub(super) fn length(found: &Counterexample) -> String {
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let moves = format!("{} move{}", found.moves, s(found.moves));
    match found.cost {
        0 => moves,
        1 => format!("{moves}, one of them a switch or an interrupt"),
        n => format!("{moves}, {n} of them switches or interrupts"),
    }
}

/// What the clients say together, for people.
pub(super) fn portfolio(portfolio: &Portfolio, time: Duration, saved: &[PathBuf]) -> String {
    let mut text = portfolio.head();
    for (options, found) in portfolio.broken() {
        let report = portfolio.reports.iter().find(|report| &report.options == options);
        text += &counterexample_text(report, found, saved);
    }
    text += &portfolio.summary();
    let seconds = time.as_secs_f64();
    text + &format!("{seconds:.2} s\n")
}

/// What the clients say together, for programs.
pub(super) fn portfolio_json(portfolio: &Portfolio, time: Duration) -> String {
    let mut json = portfolio.json();
    json["seconds"] = time.as_secs_f64().into();
    json.to_string()
}

/// The report for people.
pub(super) fn text(report: &Report, time: Duration, saved: &[PathBuf]) -> String {
    let mut text = model(report);
    for found in &report.broken {
        text += &counterexample_text(Some(report), found, saved);
    }
    text.push('\n');
    let broken = report.broken.iter().map(|found| found.property);
    let broken = broken.collect::<std::collections::BTreeSet<_>>().len();
    let all = report.looked_at();
    if report.is_exhaustive() {
        for never in &report.never {
            let _ = writeln!(text, "never: {}", never.about());
        }
        let _ = writeln!(text, "{} of {all} properties are not broken", all - broken);
    } else if broken == 0 {
        let _ = writeln!(text, "nothing found so far; nothing is proved");
    }
    let _ = writeln!(text, "{}", report.scope());
    let _ = writeln!(
        text,
        "{} states, {} moves between them, {} deep, {:.2} s, {}",
        HumanCount(report.states as u64),
        HumanCount(report.transitions),
        report.depth,
        time.as_secs_f64(),
        HumanBytes(report.bytes as u64),
    );
    text
}

/// A counterexample: the property, the length of the path, the record.
fn counterexample_text(
    report: Option<&Report>,
    found: &Counterexample,
    saved: &[PathBuf],
) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "\n{} is broken: {}", found.property.id(), found.property.about());
    if !found.detail.is_empty() {
        let _ = writeln!(text, "{}", found.detail);
    }
    let _ = writeln!(text, "{}:\n", length(found));
    for line in found.record.to_string().lines() {
        let _ = writeln!(text, "    {line}");
    }
    let name = report.map(|report| file_name(report, found));
    if let Some(path) = saved.iter().find(|path| name.as_ref().is_some_and(|n| path.ends_with(n))) {
        let _ = writeln!(text, "\nsaved as {}", path.display());
    } else if found.scenario.is_none() {
        let why = match report.and_then(|report| report.options.fault) {
            Some(_) => "not saved: a scenario cannot express --fault",
            None => "not saved: scenario syntax cannot express this path",
        };
        let _ = writeln!(text, "\n{why}");
    }
    text
}

/// The report for programs.
pub(super) fn json(report: &Report, time: Duration) -> String {
    let Options { arch, kernel, design, tasks, cpus, language, nesting, .. } = &report.options;
    let end = match report.end {
        End::Complete => "complete",
        End::First => "first",
        End::States => "max-states",
        End::Memory => "max-memory",
        End::Interrupted => "interrupted",
    };
    let broken: Vec<Value> = report.broken.iter().map(counterexample).collect();
    json!({
        "arch": arch.id(),
        "kernel": kernel.id(),
        "design": design.id(),
        "tasks": tasks,
        "cpus": cpus,
        "language": language.name(),
        "nesting": nesting,
        "end": end,
        "programs": report.programs,
        "proof": report.is_exhaustive(),
        "states": report.states,
        "transitions": report.transitions,
        "depth": report.depth,
        "seconds": time.as_secs_f64(),
        "bytes": report.bytes,
        "broken": broken,
        "never": report.never.iter().map(|never| never.about()).collect::<Vec<_>>(),
    })
    .to_string()
}

fn counterexample(found: &Counterexample) -> Value {
    json!({
        "property": found.property.id(),
        "detail": found.detail,
        "moves": found.moves,
        "switches_and_interrupts": found.cost,
        "record": found.record.to_string(),
        "scenario": found.scenario,
    })
}
