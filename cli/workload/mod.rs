//! `lazymmu workload`: run a kernel workload over the address space of a process.

mod input;
mod json;
mod table;

use std::fmt::{self, Display, Formatter};
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use emu_arch::Arch;
use emu_lab::proc::{FOLIO_ORDER_MAX, Mapping, MapsError, Populate};
use emu_lab::workload::{self, Options, Report, WORKLOADS, Workload};
use indicatif::{ProgressBar, ProgressStyle};
use lazy_mmu::design::Design;

/// Arguments of `lazymmu workload`.
#[derive(Args, Debug)]
pub(crate) struct WorkloadArgs {
    /// The workload: fork, exit, mprotect or vmalloc
    name: String,

    /// Read the mappings from FILE, the text of /proc/PID/maps or /proc/PID/smaps; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    maps: Option<PathBuf>,

    /// Read the mappings of process PID; this process by default
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// The architectures, separated by commas; all by default
    #[arg(long, value_name = "ARCH|LIST", value_delimiter = ',')]
    arch: Vec<String>,

    /// Which pages are in memory: as many as smaps tells, all, or none
    #[arg(long, value_enum, default_value_t)]
    populate: PopulateArg,

    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The scheduler wants the CPU back after N questions; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0)]
    resched: u32,

    /// Pages of a folio as a power of two, 0 to 9
    #[arg(long, value_name = "N", default_value_t = 0)]
    folio_order: u8,

    /// The design of the API
    #[arg(long, value_name = "ID", default_value = "counts")]
    design: String,
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

/// Why there is no report.
#[derive(Debug)]
pub(crate) enum WorkloadError {
    /// An argument is wrong.
    Usage(String),
    /// A file cannot be read, or the output not be written.
    Io {
        /// The file's name.
        name: String,
        error: io::Error,
    },
    /// The mappings are not as the kernel prints them.
    Maps {
        /// The file's name.
        name: String,
        error: MapsError,
    },
}

impl Display for WorkloadError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Io { name, error } => write!(f, "{name}: {error}"),
            Self::Maps { name, error } => write!(f, "{name}:{error}"),
        }
    }
}

impl std::error::Error for WorkloadError {}

/// The reports of one run, with what they are of.
struct Reports<'r> {
    /// The file that the mappings come from.
    name: &'r str,
    args: &'r WorkloadArgs,
    mappings: &'r [Mapping],
    reports: Vec<Report>,
}

/// Runs the command and prints its report to standard output.
///
/// # Errors
/// `Usage`: an argument is wrong. `Io`: a file cannot be read, or the output not be written.
/// `Maps`: the mappings are not as the kernel prints them.
pub(crate) fn run(args: &WorkloadArgs) -> Result<ExitCode, WorkloadError> {
    let ids = || WORKLOADS.map(Workload::id).join(", ");
    let workload =
        Workload::by_id(&args.name).ok_or_else(|| unknown("workload", &args.name, &ids()))?;
    let archs = archs(&args.arch)?;
    let options = options(args)?;
    let (name, mappings) = input::read(args)?;
    let mut reports = Vec::with_capacity(archs.len());
    for arch in archs {
        let bar = progress_bar(arch);
        let report = workload::run(workload, arch, &mappings, &options, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        reports.push(report.map_err(|error| WorkloadError::Usage(format!("{name}: {error}")))?);
    }
    let reports = Reports { name: &name, args, mappings: &mappings, reports };
    let text = match args.format {
        Format::Table => table::render(&mappings, &reports.reports),
        Format::Json => json::render(&reports),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(WorkloadError::Io { name: "standard output".to_owned(), error }),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

fn unknown(what: &str, found: &str, known: &str) -> WorkloadError {
    WorkloadError::Usage(format!("unknown {what} {found:?}, expected one of {known}"))
}

/// The architectures by their ids; all where none is given.
fn archs(ids: &[String]) -> Result<Vec<Arch>, WorkloadError> {
    if ids.is_empty() {
        return Ok(Arch::ALL.to_vec());
    }
    let known = || Arch::ALL.map(Arch::id).join(", ");
    ids.iter()
        .map(|id| Arch::by_id(id).ok_or_else(|| unknown("architecture", id, &known())))
        .collect()
}

fn options(args: &WorkloadArgs) -> Result<Options, WorkloadError> {
    let designs = || Design::ALL.iter().map(|design| design.id()).collect::<Vec<_>>().join(", ");
    let design =
        Design::by_id(&args.design).ok_or_else(|| unknown("design", &args.design, &designs()))?;
    if args.folio_order > FOLIO_ORDER_MAX {
        return Err(WorkloadError::Usage(format!(
            "expected a folio order of at most {FOLIO_ORDER_MAX}, found {}",
            args.folio_order
        )));
    }
    Ok(Options {
        populate: args.populate.populate(),
        resched: NonZeroU32::new(args.resched),
        folio_order: args.folio_order,
        design,
    })
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
