//! The arguments of `lazymmu workload`.

use std::path::PathBuf;

use clap::builder::{RangedI64ValueParser, StringValueParser, TypedValueParser};
use clap::{Args, ValueEnum, value_parser};
use emu_arch::{Arch, Kernel};
use emu_mm::proc::{FOLIO_ORDER_MAX, Populate};
use emu_mm::workload::Workload;
use lazy_mmu::design::Design;

use crate::format::{self, Format};
use crate::values::{arch_parser, design_parser, kernel_parser, rows_parser};

/// Arguments of `lazymmu workload`.
#[derive(Args, Debug)]
pub(crate) struct WorkloadArgs {
    /// What happens to the address space
    #[arg(value_name = "NAME", value_parser = rows_parser(&Workload::ALL, Workload::id, Workload::about))]
    pub(super) workload: Workload,

    /// Read the mappings from FILE, the text of /proc/PID/maps or /proc/PID/smaps; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "pid")]
    pub(super) maps: Option<PathBuf>,

    /// Read the mappings of process PID; this process by default
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,

    /// The architectures, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_parser = arch_parser())]
    pub(crate) arch: Vec<Arch>,

    /// Which pages are in memory: as many as smaps tells, all, or none
    #[arg(long, value_enum, default_value_t)]
    pub(super) populate: PopulateArg,

    /// How to print the report
    #[arg(long, default_value = "text", value_parser = format::parser(format::WORKLOAD))]
    pub(super) format: Format,

    /// One table, with a row for each architecture
    #[arg(long, conflicts_with_all = ["top", "format"])]
    pub(super) summary: bool,

    /// Show the N mappings with the most page table writes only; a table's totals are of all
    #[arg(long, value_name = "N", conflicts_with = "format")]
    pub(super) top: Option<usize>,

    /// The scheduler wants the CPU back after N questions; 0 is never
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) resched: u32,

    /// Pages of a folio as a power of two
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = folio_order_parser())]
    pub(super) folio_order: u8,

    /// How many forks lie between the kernel's first task and the one of the workload: 0 is the
    /// first, 1 PID 1 or a kernel thread, 2 a process that one of these forked
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = generation_parser(),
          allow_negative_numbers = true)]
    pub(super) generation: u32,

    /// The kernel: an API design and the architecture's code of that time, or any version; the
    /// newest by default
    #[arg(long, value_parser = kernel_parser())]
    kernel: Option<Kernel>,

    /// Another API design than the kernel's
    #[arg(long, value_parser = design_parser())]
    pub(crate) design: Option<Design>,

    /// The API design of a kernel tree: the C of its headers, compiled by `cc`
    #[arg(long, value_name = "DIR", conflicts_with = "design")]
    pub(crate) tree: Option<PathBuf>,
}

/// Which pages are in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PopulateArg {
    /// As many as smaps tells, all where it does not
    #[default]
    Rss,
    /// All
    All,
    /// None
    None,
}

impl PopulateArg {
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::All => "all",
            Self::None => "none",
        }
    }

    pub(super) const fn populate(self) -> Populate {
        match self {
            Self::Rss => Populate::Rss,
            Self::All => Populate::All,
            Self::None => Populate::None,
        }
    }
}

/// A parser of folio orders.
pub(crate) fn folio_order_parser() -> RangedI64ValueParser<u8> {
    value_parser!(u8).range(..=i64::from(FOLIO_ORDER_MAX))
}

/// A parser of fork generations.
fn generation_parser() -> impl TypedValueParser<Value = u32> {
    StringValueParser::new().try_map(|text| {
        let what = || format!("expected a number of forks from 0 on, found {text:?}");
        text.parse().map_err(|_| what())
    })
}

impl WorkloadArgs {
    /// The kernel of the report; without an option the newest, or that of the only architecture.
    pub(super) fn kernel(&self) -> Kernel {
        self.kernel.unwrap_or_else(|| match self.arch[..] {
            [arch] => arch.default_kernel(),
            _ => Kernel::default(),
        })
    }
}
