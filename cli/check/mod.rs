//! `lazymmu check`: every interleaving, and a shortest path to each thing that goes wrong.

mod all;
mod args;
mod output;
mod save;

use std::process::ExitCode;

use emu_check::check::{check_portfolio, check_programs};

pub(crate) use args::CheckArgs;
use args::Format;
use output::{json, portfolio_json, portfolio_status, portfolio_text, status, text};

use crate::io::{Source, print};
use crate::progress::Progress;
use crate::report::Failure;
use crate::values::check_era;

/// Runs the command and prints what it found.
pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let options = args.options(args.arch, args.kernel);
    if options.properties.as_ref().is_some_and(Vec::is_empty) {
        let what = "--property and --without leave no property to look at";
        return Err(Failure::Usage(what.to_owned()));
    }
    if args.all {
        return all::run(args);
    }
    check_era(args.kernel, args.arch)?;
    if args.format == Format::Markdown {
        return Err(Failure::Usage("--format markdown needs --all".to_owned()));
    }
    if let Some(folder) = &args.save {
        save::prepare(folder)?;
    }
    let source = args.file.as_deref().map(Source::open).transpose()?;
    if source.is_none() {
        return search(args);
    }
    let mut progress = Progress::new("")?;
    let report = match &source {
        Some(source) => {
            let code = source.scenario.code(args.mended);
            check_programs(code, &options, &mut progress)
                .map_err(|refused| source.wrong_line(refused.line, refused.why))?
        }
        None => unreachable!("handled above"),
    };
    let time = progress.done();
    let saved = args.save.as_deref().map(|folder| save::save(folder, &report));
    let (saved, failed) = match saved.transpose() {
        Ok(saved) => (saved.unwrap_or_default(), None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let text = match args.format {
        Format::Text | Format::Markdown => text(&report, time, &saved),
        Format::Json => format!("{}\n", json(&report, time)),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    failed.map_or_else(|| Ok(status(&report)), Err)
}

/// Searches the clients and prints what they say together.
fn search(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let searches = if args.client.is_default() {
        args.portfolio(args.arch, args.kernel)
    } else {
        vec![args.options(args.arch, args.kernel)]
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
        Format::Text | Format::Markdown => portfolio_text(&portfolio, time, &saved),
        Format::Json => format!("{}\n", portfolio_json(&portfolio, time)),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(portfolio_status(&portfolio, !args.property.is_empty()))
}
