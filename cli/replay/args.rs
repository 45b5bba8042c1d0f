//! The arguments of `lazymmu replay`.

use std::path::PathBuf;

use clap::Args;
use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

use crate::format::{self, Format};
use crate::values::{arch_parser, design_parser, kernel_parser};

/// Arguments of `lazymmu replay`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// A log of `strace -f -e trace=%memory,%process`; plain, .xz or .gz; `-` is standard input
    #[arg(value_name = "LOG")]
    pub(super) log: PathBuf,

    /// Which pages the processes touch: none, the first of what a call maps, all of it, or those
    /// that FILE names, the text of `perf script` or of ftrace with page_fault_user
    #[arg(long, value_name = "none|first|all|FILE", default_value = "all")]
    pub(super) touch: PathBuf,

    /// What /proc/PID/maps said at the stops of the log, as record.sh writes it: the mappings of a
    /// program behind its execve, and moments at which the model is held against them
    #[arg(long, value_name = "FILE")]
    pub(super) maps: Option<PathBuf>,

    /// The architectures, separated by commas; all by default
    #[arg(long, value_delimiter = ',', value_parser = arch_parser())]
    pub(crate) arch: Vec<Arch>,

    /// How to print the report
    #[arg(long, default_value = "text", value_parser = format::parser(format::REPLAY))]
    pub(super) format: Format,

    /// One table, with a row for each architecture
    #[arg(long, conflicts_with_all = ["top", "calls"])]
    pub(super) summary: bool,

    /// Show the N calls with the most page table writes, too
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) top: usize,

    /// Print a line for each call that has work on page tables, as soon as it is read
    #[arg(long)]
    pub(super) calls: bool,

    /// Stop at the first line that is not as strace prints it, with exit status 2
    #[arg(long)]
    pub(super) strict: bool,

    /// Pages of a folio as a power of two
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = crate::workload::folio_order_parser())]
    pub(super) folio_order: u8,

    /// How many forks lie between the kernel's first task and those of the log
    #[arg(long, value_name = "N", default_value_t = 2)]
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

const EXAMPLES: &str = "\
Examples:
  strace -f -o log -e trace=%memory,%process make
  lazymmu replay log --summary                        what the mode saved, everywhere
  lazymmu replay log --arch powerpc-hash --top 5      and the calls that did most
  lazymmu replay log --touch faults.txt --calls       call by call, with real faults
  lazymmu replay log.xz --maps log.maps.xz --strict   and hold the mappings against real ones

A log does not say what execve maps, unless --maps does, and never which pages are touched: --touch
is the model. Lines that strace does not print are counted, and left out.

Exit status: 0 done, 1 a moment of --maps disagrees, 2 bad input.";

impl ReplayArgs {
    /// The kernel of the report; without an option the newest, or that of the only architecture.
    pub(super) fn kernel(&self) -> Kernel {
        self.kernel.unwrap_or_else(|| match self.arch[..] {
            [arch] => arch.default_kernel(),
            _ => Kernel::default(),
        })
    }
}
