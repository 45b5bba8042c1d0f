//! `lazymmu workload`: run a kernel workload over the address space of a process.

mod input;
mod json;
mod table;

use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Args, ValueEnum, value_parser};
use emu_arch::{Arch, Kernel};
use emu_mm::proc::{FOLIO_ORDER_MAX, Mapping, Populate};
use emu_mm::workload::{self, Options, Report, Workload};
use indicatif::{ProgressBar, ProgressStyle};
use lazy_mmu::design::Design;

use crate::args::{arch_parser, design_parser, kernel_parser};
use crate::report::Failure;
use crate::run::{check_era, print};

/// Arguments of `lazymmu workload`.
#[derive(Args, Debug)]
pub(crate) struct WorkloadArgs {
    /// What happens to the address space
    #[arg(value_name = "NAME", value_parser = workload_parser())]
    workload: Workload,

    /// Read the mappings from FILE, the text of /proc/PID/maps or /proc/PID/smaps; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    maps: Option<PathBuf>,

    /// Read the mappings of process PID; this process by default
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// The architectures, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_parser = arch_parser())]
    arch: Vec<Arch>,

    /// Which pages are in memory: as many as smaps tells, all, or none
    #[arg(long, value_enum, default_value_t)]
    populate: PopulateArg,

    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Show the N mappings with the most page table writes only; a table's totals are of all
    #[arg(long, value_name = "N", conflicts_with = "format")]
    top: Option<usize>,

    /// The scheduler wants the CPU back after N questions; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0)]
    resched: u32,

    /// Pages of a folio as a power of two
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = folio_order_parser())]
    folio_order: u8,

    /// The kernel: an API design and the architecture's code of that time
    #[arg(long, default_value = "v7.0", value_parser = kernel_parser())]
    kernel: Kernel,

    /// Another API design than the kernel's
    #[arg(long, value_parser = design_parser())]
    design: Option<Design>,
}

/// Which pages are in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum PopulateArg {
    /// As many as smaps tells, all where it does not
    #[default]
    Rss,
    /// All
    All,
    /// None
    None,
}

impl PopulateArg {
    const fn id(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::All => "all",
            Self::None => "none",
        }
    }

    const fn populate(self) -> Populate {
        match self {
            Self::Rss => Populate::Rss,
            Self::All => Populate::All,
            Self::None => Populate::None,
        }
    }
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table per architecture
    #[default]
    Table,
    /// One JSON object
    Json,
}

/// The reports of one run, with what they are of.
struct Reports<'r> {
    /// The file that the mappings come from.
    name: &'r str,
    args: &'r WorkloadArgs,
    mappings: &'r [Mapping],
    reports: Vec<Report>,
}

/// Runs the command and prints its report.
pub(crate) fn run(args: &WorkloadArgs) -> Result<ExitCode, Failure> {
    let archs = if args.arch.is_empty() { all_of(args.kernel) } else { args.arch.clone() };
    let options = Options {
        populate: args.populate.populate(),
        resched: NonZeroU32::new(args.resched),
        folio_order: args.folio_order,
        kernel: args.kernel,
        design: args.design.unwrap_or_else(|| args.kernel.design()),
    };
    let (name, mappings) = input::read(args)?;
    let mut reports = Vec::with_capacity(archs.len());
    for arch in archs {
        check_era(args.kernel, arch)?;
        let bar = progress_bar(arch);
        let report = workload::run(args.workload, arch, &mappings, &options, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        reports.push(report.map_err(|error| Failure::about(&name, error))?);
    }
    let reports = Reports { name: &name, args, mappings: &mappings, reports };
    let text = match args.format {
        Format::Table => table::render(&mappings, &reports.reports, args.top),
        Format::Json => json::render(&reports),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

/// The architectures that have the mode in `kernel`.
fn all_of(kernel: Kernel) -> Vec<Arch> {
    Arch::all().filter(|arch| arch.is_in(kernel).is_ok()).collect()
}

/// A parser that knows the list of workloads.
fn workload_parser() -> impl TypedValueParser<Value = Workload> {
    let values =
        Workload::ALL.map(|workload| PossibleValue::new(workload.id()).help(workload.about()));
    PossibleValuesParser::new(values)
        .map(|id| id.parse::<Workload>().expect("the parser accepts the listed ids only"))
}

/// A parser of folio orders.
fn folio_order_parser() -> RangedI64ValueParser<u8> {
    value_parser!(u8).range(..=i64::from(FOLIO_ORDER_MAX))
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
