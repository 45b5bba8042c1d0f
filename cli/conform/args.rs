//! The arguments of `lazymmu conform`.

use std::path::PathBuf;

use clap::Args;
use emu_arch::{Arch, Kernel};

use crate::format::{self, Format};
use crate::values::{arch_parser, kernel_parser};

/// Arguments of `lazymmu conform`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConformArgs {
    /// Traces: the text of trace, trace_pipe or `trace-cmd report`, or a console with the dump of
    /// ftrace_dump_on_oops; plain, .xz or .gz; `-` is standard input
    #[arg(value_name = "TRACE", required_unless_present = "probes")]
    pub(super) traces: Vec<PathBuf>,

    /// What the TCG plugin wrote beside the one trace: the instructions that were executed (arm64);
    /// lines in the report are its lines
    #[arg(long, value_name = "FILE")]
    pub(super) hits: Option<PathBuf>,

    /// Print the commands that record such a trace, to paste on a test machine; with --arch and
    /// --kernel
    #[arg(long, requires = "arch", conflicts_with_all = ["traces", "hits"])]
    pub(super) probes: bool,

    /// What is known of the kernel's binary: the text of `pahole -C task_struct`, kallsyms and
    /// `objdump -d`, one after the other
    #[arg(long, value_name = "FILE", requires = "probes")]
    pub(super) symbols: Option<PathBuf>,

    /// The architecture; by default what the names of the events tell
    #[arg(long, value_parser = arch_parser())]
    pub(super) arch: Option<Arch>,

    /// The kernel; by default what the text of the events tells
    #[arg(long, value_parser = kernel_parser())]
    pub(super) kernel: Option<Kernel>,

    /// Compare this operation only; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) operation: Vec<String>,

    /// How to print the report
    #[arg(long, default_value = "text", value_parser = format::parser(format::CONFORM))]
    pub(super) format: Format,
}

const EXAMPLES: &str = "\
Write `BEGIN name` and `END` into trace_marker around what you do: each is an
operation of its own. Without markers the whole trace is one.

Exit status: 0 all operations are the same or left out, 1 one is different, 2 bad input.";
