//! `lazymmu replay`: a log of strace as the lives of address spaces.

mod args;
mod input;
mod json;
mod notes;
mod replayed;
mod table;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use emu_arch::{Arch, Kernel};
use emu_input::InputError;
use emu_mm::workload::{Options, Row};
use emu_replay::job::Job;
use emu_replay::life::{Faults, Life, Snapshots, Touch};
use emu_replay::run::{CallRow, Each, Report, Run};
use emu_replay::strace::Reader;
use indicatif::ProgressBar;

pub(crate) use args::ReplayArgs;
use input::Lines;
use replayed::Replayed;

use crate::format::Format;
use crate::io::print;
use crate::report::{self, Failure};
use crate::values::check_era;

/// How many bad lines are shown; all are counted.
const SHOWN_MAX: u64 = 3;

/// Replays the log and prints what it took.
pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let kernel = args.kernel();
    let archs = if args.arch.is_empty() { all_of(kernel) } else { args.arch.clone() };
    for arch in &archs {
        check_era(kernel, *arch)?;
    }
    let options = Options {
        folio_order: args.folio_order,
        kernel,
        design: args.design.unwrap_or_else(|| kernel.design()),
        generation: args.generation,
        ..Options::default()
    };
    let snapshots = args.maps.as_deref().map(snapshots).transpose()?.unwrap_or_default();
    let mut life = Life::new(touch(&args.touch)?, snapshots);
    let mut log = Lines::open(&args.log)?;
    let mut done = None;
    print(|to| {
        let mut each = |job: &Job, arch: Arch, row: &Row| {
            if args.calls {
                let call = CallRow::new(job, row);
                // What cannot be printed here cannot be printed at the end either.
                let _ = if args.format == Format::Json {
                    writeln!(to, "{}", json::call(arch, &call))
                } else {
                    writeln!(to, "{}", table::call(arch, &call))
                };
            }
        };
        let run = Run::new(&archs, &options, args.top);
        done = Some(replay(args, &mut log, &mut life, run, &mut each));
        Ok(())
    })?;
    let Some(done) = done else { return Ok(ExitCode::SUCCESS) };
    let (reports, lines, bad) = done?;
    let (name, told, left) = (log.name.as_str(), life.told(), life.snapshots_left());
    let replayed = Replayed { name, args, lines, bad, told, left, reports };
    let text = if args.format == Format::Json {
        json::render(&replayed)
    } else {
        table::render(&replayed)
    };
    print(|to| to.write_all(text.as_bytes()))?;
    let agree = told.checkpoints.iter().all(|checkpoint| checkpoint.differs.is_none());
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads all lines and does what they say.
fn replay(
    args: &ReplayArgs,
    log: &mut Lines,
    life: &mut Life,
    mut run: Run,
    each: &mut Each<'_>,
) -> Result<(Vec<Report>, usize, u64), Failure> {
    let (mut reader, mut bad) = (Reader::default(), 0);
    let name = log.name.clone();
    let bar = progress_bar();
    while let Some(line) = log.next()? {
        match reader.line(line) {
            Ok(event) => {
                life.event(reader.number(), &event, reader.names());
                run.add(life.jobs(), each);
            }
            Err(error) if args.strict => return Err(wrong(&name, line, error)),
            Err(error) => {
                bad += 1;
                if bad <= SHOWN_MAX {
                    report::note(&format!("{name}:{error}; the line is left out"));
                }
            }
        }
        if reader.number().is_multiple_of(10_000) {
            bar.set_message(format!("{} lines", reader.number()));
        }
    }
    bar.finish_and_clear();
    if reader.number() == 0 {
        return Err(Failure::about(&name, "the input is empty"));
    }
    life.end(reader.names());
    run.add(life.jobs(), each);
    Ok((run.finish(each), reader.number(), bad))
}

/// The failure of a line whose text alone is known.
fn wrong(name: &str, line: &[u8], error: InputError) -> Failure {
    let text = String::from_utf8_lossy(line);
    let before = "\n".repeat(error.line.saturating_sub(1));
    Failure::Input { name: name.to_owned(), text: format!("{before}{text}"), error }
}

/// The model of which pages are touched.
fn touch(what: &Path) -> Result<Touch, Failure> {
    match what.to_str() {
        Some("none") => return Ok(Touch::None),
        Some("first") => return Ok(Touch::First),
        Some("all") => return Ok(Touch::All),
        _ => {}
    }
    let near = what.to_str().and_then(|word| emu_input::nearest(word, ["none", "first", "all"]));
    let near = near.filter(|_| !what.exists());
    if let Some(near) = near {
        let what = what.display();
        return Err(Failure::Usage(format!("--touch {what}: no such file; did you mean {near}?")));
    }
    let mut lines = Lines::open(what)?;
    let (name, mut faults, mut number) = (lines.name.clone(), Faults::default(), 0);
    while let Some(line) = lines.next()? {
        number += 1;
        let text = String::from_utf8_lossy(line);
        faults.line(number, &text).map_err(|error| wrong(&name, line, error))?;
    }
    if faults.is_empty() {
        let what = "expected lines with `page_fault_user: address=...`, found none";
        return Err(Failure::about(&name, what));
    }
    Ok(Touch::Faults(faults))
}

fn snapshots(file: &Path) -> Result<Snapshots, Failure> {
    let (name, text) = Lines::text(file)?;
    Snapshots::parse(&text).map_err(|error| Failure::input(&name, text.as_bytes(), error))
}

/// The architectures that have the mode in `kernel`.
fn all_of(kernel: Kernel) -> Vec<Arch> {
    Arch::all().filter(|arch| arch.is_in(kernel).is_ok()).collect()
}

/// Progress on standard error, or none where that is no terminal.
fn progress_bar() -> ProgressBar {
    if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}
