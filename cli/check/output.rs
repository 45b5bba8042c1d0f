//! What `lazymmu check` prints, and its exit status.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use emu_check::check::{Counterexample, End, Portfolio, Property, Report, Verdict};
use emu_view::terminal;
use emu_view::view::View;
use indicatif::HumanBytes;
use serde_json::Value;

use super::save;
use crate::io::paint;

/// The exit status of the searches of clients: 3 also where a property that was asked for by name
/// was not exercised.
pub(super) fn portfolio_status(portfolio: &Portfolio, asked: bool) -> ExitCode {
    let unknown = |(_, verdict): (Property, Verdict)| match verdict {
        Verdict::NotExercised(_) | Verdict::NotApplicable(_) => asked,
        Verdict::Open => true,
        Verdict::Holds { .. } | Verdict::Broken => false,
    };
    let first = portfolio.reports.iter().any(|report| report.end == End::First);
    match portfolio {
        _ if portfolio.is_violated() => ExitCode::FAILURE,
        _ if !first && portfolio.verdicts().any(unknown) => ExitCode::from(3),
        _ => ExitCode::SUCCESS,
    }
}

/// What the clients say together, for people.
pub(super) fn portfolio_text(portfolio: &Portfolio, time: Duration, saved: &[PathBuf]) -> String {
    let mut text = portfolio.head();
    for (options, found) in portfolio.broken() {
        if let Some(report) = portfolio.reports.iter().find(|report| &report.options == options) {
            text += &counterexample(report, found, saved, "");
        }
    }
    text + &portfolio.summary() + &format!("{:.2} s\n", time.as_secs_f64())
}

/// What the clients say together, for programs.
pub(super) fn portfolio_json(portfolio: &Portfolio, time: Duration) -> Value {
    let mut json = portfolio.json();
    json["seconds"] = time.as_secs_f64().into();
    json
}

/// The head of a report and its counterexamples, each with where its scenario is and what is `said`
/// of it.
pub(super) fn counterexamples(
    report: &Report,
    saved: &[PathBuf],
    said: impl Fn(&Counterexample) -> &'static str,
) -> String {
    let mut text = report.head();
    for found in &report.broken {
        text += &counterexample(report, found, saved, said(found));
    }
    text
}

/// The last lines of a report, with what the search took.
pub(super) fn summary(report: &Report, time: Duration) -> String {
    let (seconds, bytes) = (time.as_secs_f64(), HumanBytes(report.bytes as u64));
    report.summary() + &format!(", {seconds:.2} s, {bytes}\n")
}

/// A counterexample of the report, what is `said` of it, and where its scenario is.
fn counterexample(
    report: &Report,
    found: &Counterexample,
    saved: &[PathBuf],
    said: &str,
) -> String {
    let name = save::file_name(report, found);
    let view = View::of(&found.record, report.options.arch, &|_| None);
    let view = View { numbered: false, ..view };
    let mut text = report.show_with(found, said, &|record| {
        let mut tree = terminal::narrow(record, 4, &paint);
        tree.push('\n');
        view.story(found.property.about()).for_each(|said| tree += &terminal::sentence(&said));
        tree
    });
    if let Some(path) = saved.iter().find(|path| path.ends_with(&name)) {
        text += &format!("\nsaved as {}\n", path.display());
    }
    text
}

/// What a search says of each property that it looked at.
pub(super) fn verdicts(report: &Report) -> Vec<(Property, Verdict)> {
    let looked_at = Property::all().filter(|property| report.options.looks_at(*property));
    looked_at.map(|property| (property, report.verdict(property))).collect()
}

/// The report for programs, with the time that the search took.
pub(super) fn json(report: &Report, time: Duration) -> Value {
    let mut json = serde_json::json!(report);
    json["seconds"] = time.as_secs_f64().into();
    json
}

/// The exit status of a search, which is as it is to be so far where it is `met`.
pub(super) fn status(report: &Report, met: bool) -> ExitCode {
    match report.end {
        _ if !met => ExitCode::FAILURE,
        End::Complete | End::First => ExitCode::SUCCESS,
        End::States | End::Memory | End::Interrupted => ExitCode::from(3),
    }
}
