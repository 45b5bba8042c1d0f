//! `lazymmu check FILE`: the programs of a scenario in every interleaving, judged by its claims.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use emu_check::check::{Claims, Property, Report, check_programs};
use emu_lab::scenario::Setup;
use emu_view::{html, ktap};

use super::args::CheckArgs;
use super::output::{counterexamples, json, status, summary, verdicts};
use super::save;
use crate::format::Format;
use crate::io::{Source, print};
use crate::progress::Progress;
use crate::report::{self, Failure};
use crate::setup::Asked;

/// Searches the interleavings and prints what they show.
pub(super) fn run(args: &CheckArgs, source: &Source) -> Result<ExitCode, Failure> {
    let CheckArgs { arch, kernel, design, mended, .. } = *args;
    let asked = Asked { arch, kernel, design, mended };
    let setup = asked.setup(source, args.arch())?;
    if arch.is_none() && asked.header_run(source).is_none() {
        let Setup { arch, kernel, .. } = setup;
        let why = match asked {
            Asked { kernel: None, design: None, .. } => {
                format!("since {} names no bad run: --arch and --kernel choose", source.name)
            }
            Asked { .. } => "the default of --arch".to_owned(),
        };
        report::note(&format!("on {arch} {kernel}, {why}"));
    }
    let mut options = args.options(setup.arch, setup.kernel);
    options.design = setup.design;
    let mut progress = Progress::new("")?;
    let report = check_programs(source.scenario.code(setup.mended), &options, &mut progress)
        .map_err(|refused| source.wrong_line(refused.line, refused.why))?;
    let time = progress.done();
    let claims = Claims::of(&source.scenario, setup);
    let saved = args.save.as_deref().map(|folder| save::save(folder, &report));
    let (saved, failed) = match saved.transpose() {
        Ok(saved) => (saved.unwrap_or_default(), None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let text = show(args.format, source, &report, &claims, &saved, time);
    print(|to| to.write_all(text.as_bytes()))?;
    let met = judge(&source.name, &claims, &report);
    failed.map_or_else(|| Ok(status(&report, met)), Err)
}

/// Says on standard error which claims do not hold, and which are not judged; tells whether all
/// that are hold.
fn judge(name: &str, claims: &Claims, report: &Report) -> bool {
    if let [first, more @ ..] = claims.not_judged() {
        let lines = more.iter().fold(first.to_string(), |list, line| format!("{list}, {line}"));
        let what = "what is expected is about one run, so that a search does not judge it";
        report::note(&format!("{}:{lines}: {what}", name));
    }
    for found in &report.broken {
        if let Property::Claim(line) = found.property {
            let what = format!("{}:{line}: {} in an interleaving", name, found.detail);
            let _ = writeln!(anstream::stderr(), "{what}");
        }
    }
    let missing = claims.missing(report);
    for (hazard, line) in &missing {
        let what = format!("{name}:{line}: expected the hazard {hazard}, no interleaving shows it");
        let _ = writeln!(anstream::stderr(), "{what}");
    }
    missing.is_empty() && claims.unexpected(report).is_empty()
}

/// The report as `format` has it.
fn show(
    format: Format,
    source: &Source,
    report: &Report,
    claims: &Claims,
    saved: &[PathBuf],
    time: Duration,
) -> String {
    match format {
        Format::Json => format!("{}\n", json(report, time)),
        Format::Html => {
            let found: Vec<_> = report.broken.iter().map(|one| (&report.options, one)).collect();
            html::check(&[report], &found, &verdicts(report))
        }
        Format::Ktap => {
            let found: Vec<_> = report.broken.iter().collect();
            ktap::document(&[ktap::check(&source.name, verdicts(report), &found)])
        }
        Format::Text
        | Format::Markdown
        | Format::Perfetto
        | Format::FunctionGraph
        | Format::Mermaid
        | Format::Dot => {
            let said = |found: &_| match claims.expects(found) {
                true => ", as the scenario expects",
                false => "",
            };
            counterexamples(report, saved, said) + &summary(report, time)
        }
    }
}
