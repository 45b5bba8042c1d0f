//! `lazymmu workload`: run a kernel workload over the address space of a process.

mod args;
mod input;
pub(crate) mod json;
pub(crate) mod notes;
pub(crate) mod table;

use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::process::ExitCode;

use emu_arch::{Arch, Kernel};
use emu_mm::workload::{self, Options, Workload};
use emu_view::html;
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use args::{WorkloadArgs, folio_order_parser};
use input::Input;
use json::Reports;

use crate::format::Format;
use crate::io::print;
use crate::report::Failure;
use crate::values::check_era;

/// Runs the command and prints its report.
pub(crate) fn run(args: &WorkloadArgs) -> Result<ExitCode, Failure> {
    let kernel = args.kernel();
    let archs =
        if args.arch.is_empty() { all_of(kernel, args.workload) } else { args.arch.clone() };
    let options = Options {
        populate: args.populate.populate(),
        resched: NonZeroU32::new(args.resched),
        folio_order: args.folio_order,
        kernel,
        design: args.design.unwrap_or_else(|| kernel.design()),
        generation: args.generation,
    };
    let Input { name, maps, pagemap } = input::read(args)?;
    let mappings = &maps.mappings;
    let mut reports = Vec::with_capacity(archs.len());
    for arch in archs {
        check_era(kernel, arch)?;
        let bar = progress_bar(arch);
        let report = workload::run(args.workload, arch, mappings, &options, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        reports.push(report.map_err(|error| Failure::about(&name, error))?);
    }
    let notes = notes::of_input(args, &maps, pagemap);
    let reports = Reports { name: &name, args, maps: &maps, notes: &notes, reports };
    let text = if args.format == Format::Json {
        json::render(&reports)
    } else if args.format == Format::Html {
        html::workload(&name, mappings, &reports.reports, &notes)
    } else if args.summary {
        table::summarized(&reports.reports, &notes)
    } else {
        let run = (args.kernel(), args.generation);
        table::render(mappings, &reports.reports, args.top, run, &notes)
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

/// The architectures that have the mode in `kernel`, and the workload.
fn all_of(kernel: Kernel, workload: Workload) -> Vec<Arch> {
    Arch::all().filter(|arch| arch.is_in(kernel).is_ok() && workload.is_on(*arch).is_ok()).collect()
}

/// A progress bar on standard error, or none where that is no terminal.
fn progress_bar(arch: Arch) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} [{bar:40}] {human_pos}/{human_len} pages");
    let bar = ProgressBar::new(0).with_prefix(arch.id());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
