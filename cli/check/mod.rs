//! `lazymmu check`: every interleaving, and a shortest path to each thing that goes wrong.

mod all;
mod args;
mod file;
mod output;
mod save;

use std::process::ExitCode;

use emu_check::check::{Report, check_portfolio};
use emu_view::{html, ktap};

pub(crate) use args::CheckArgs;
use output::{portfolio_json, portfolio_status, portfolio_text};

use crate::format::Format;
use crate::io::{Source, print};
use crate::progress::Progress;
use crate::report::Failure;
use crate::values::check_era;

/// Runs the command and prints what it found.
pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let options = args.options(args.arch(), args.kernel());
    if options.properties.as_ref().is_some_and(Vec::is_empty) {
        let what = "--property and --without leave no property to look at";
        return Err(Failure::Usage(what.to_owned()));
    }
    if args.all {
        return all::run(args);
    }
    if args.format == Format::Markdown {
        return Err(Failure::Usage("--format markdown needs --all".to_owned()));
    }
    if let Some(folder) = &args.save {
        save::prepare(folder)?;
    }
    match &args.file {
        Some(file) => file::run(args, &Source::open(file)?),
        None => search(args),
    }
}

/// Searches the clients and prints what they say together.
fn search(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let (arch, kernel) = (args.arch(), args.kernel());
    check_era(kernel, arch)?;
    let searches = if args.client.is_default() {
        args.portfolio(arch, kernel)
    } else {
        vec![args.options(arch, kernel)]
    };
    let mut progress = Progress::new("")?;
    let portfolio = check_portfolio(&searches, &mut progress);
    let time = progress.done();
    let mut saved = Vec::new();
    if let Some(folder) = &args.save {
        for report in &portfolio.reports {
            saved.extend(save::save(folder, report)?);
        }
    }
    let text = match args.format {
        Format::Json => format!("{}\n", portfolio_json(&portfolio, time)),
        Format::Html => {
            let reports: Vec<&Report> = portfolio.reports.iter().collect();
            html::check(&reports, &portfolio.broken(), &portfolio.verdicts().collect::<Vec<_>>())
        }
        Format::Ktap => {
            let found: Vec<_> = portfolio.broken().into_iter().map(|(_, found)| found).collect();
            let name = format!("{arch} {kernel}");
            ktap::document(&[ktap::check(&name, portfolio.verdicts(), &found)])
        }
        Format::Text
        | Format::Markdown
        | Format::Perfetto
        | Format::FunctionGraph
        | Format::Mermaid
        | Format::Dot => portfolio_text(&portfolio, time, &saved),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(portfolio_status(&portfolio, !args.property.is_empty()))
}
