//! `lazymmu conform`: traces of a booted kernel beside the emulated one.

mod args;
mod input;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use emu_arch::Arch;
use emu_conform::probes::{Symbols, script};
use emu_conform::trace::{self, Hits};
use emu_conform::{Options, Report, archs, conform, json, text};
use emu_view::html;
use emu_view::ktap::{self, Case};
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use args::ConformArgs;

use crate::format::Format;
use crate::io::print;
use crate::report::Failure;
use crate::values::check_era;

/// Compares every trace; status 1 where one differs.
pub(crate) fn run(args: &ConformArgs) -> Result<ExitCode, Failure> {
    if args.probes {
        return probes(args);
    }
    if args.hits.is_some() && args.traces.len() > 1 {
        return Err(Failure::Usage("--hits belongs to one trace, found several".to_owned()));
    }
    if let (Some(kernel), Some(arch)) = (args.kernel, args.arch) {
        check_era(kernel, arch)?;
    }
    let options = Options { arch: args.arch, kernel: args.kernel, only: &args.operation };
    let mut reports = Vec::new();
    for file in &args.traces {
        let (name, bytes) = input::read(file)?;
        let wrong = |error| Failure::input(&name, &bytes, error);
        let plain = emu_input::text(&bytes).and_then(trace::parse).map_err(wrong)?;
        let beside = args.hits.as_deref().map(input::read).transpose()?;
        let (trace, name, bytes) = match &beside {
            Some((hits_name, hits)) => {
                let wrong = |error| Failure::input(hits_name, hits, error);
                let read = emu_input::text(hits).and_then(Hits::parse).map_err(wrong)?;
                (trace::with_hits(&plain, &read).map_err(wrong)?, hits_name, hits)
            }
            None => (plain, &name, &bytes),
        };
        let wrong = |error| Failure::input(name, bytes, error);
        let bar = progress_bar();
        let report = conform(&trace, &options, &mut |name, done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(name.to_owned());
        });
        bar.finish_and_clear();
        let report = report.map_err(wrong)?;
        check_era(report.kernel, report.arch)?;
        reports.push((name.clone(), report));
    }
    let known = |name: &&String| {
        reports.iter().flat_map(|(_, report)| &report.checked).any(|one| one.name == **name)
    };
    if let Some(name) = args.operation.iter().find(|name| !known(name)) {
        let what = format!("--operation {name}: expected the name of an operation of the trace");
        return Err(Failure::Usage(what));
    }
    let show = |(name, report): &(String, Report)| show(args, name, report);
    if args.format == Format::Html {
        print(|to| to.write_all(html::conform(&reports).as_bytes()))?;
    } else if args.format == Format::Ktap {
        let cases: Vec<Case> =
            reports.iter().map(|(name, report)| ktap::conform(name, report)).collect();
        print(|to| to.write_all(ktap::document(&cases).as_bytes()))?;
    } else {
        reports.iter().try_for_each(show)?;
    }
    Ok(if reports.iter().all(|(_, report)| report.holds()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints the commands that record a trace.
fn probes(args: &ConformArgs) -> Result<ExitCode, Failure> {
    let arch = args.arch.unwrap_or_default();
    let kernel = args.kernel.unwrap_or_else(|| arch.default_kernel());
    check_era(kernel, arch)?;
    let file = args.symbols.as_deref().map(input::read).transpose()?;
    let symbols = match &file {
        None => Symbols::default(),
        Some((name, bytes)) => {
            let symbols = emu_input::text(bytes).and_then(Symbols::parse);
            symbols.map_err(|error| Failure::input(name, bytes, error))?
        }
    };
    let text = script(arch, kernel, &symbols).ok_or_else(|| {
        let known = archs().map(Arch::id).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("no trace of {arch} can be read, expected one of {known}"))
    })?;
    print(|to| write!(to, "{text}"))?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ConformArgs, name: &str, report: &Report) -> Result<(), Failure> {
    print(|to| {
        if args.format == Format::Json {
            return json(report).iter().try_for_each(|line| writeln!(to, "{line}"));
        }
        if args.traces.len() > 1 {
            writeln!(to, "{name}")?;
        }
        write!(to, "{}", text(report))
    })
}

/// A progress bar on standard error, or none where that is no terminal.
fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} operations, {msg}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
