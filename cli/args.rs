//! The arguments of the command: which subcommands there are.

use clap::{Parser, Subcommand, ValueEnum};

use crate::check::CheckArgs;
use crate::compare::CompareArgs;
use crate::conform::ConformArgs;
use crate::install::{CompletionsArgs, ManArgs};
use crate::kunit::KunitArgs;
use crate::list::ListArgs;
use crate::prove::ProveArgs;
use crate::replay::ReplayArgs;
use crate::review::ReviewArgs;
use crate::run::RunArgs;
use crate::workload::WorkloadArgs;

/// A laboratory for the Linux kernel's lazy MMU mode.
#[derive(Debug, Parser)]
#[command(name = "lazymmu", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Whether to colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// Whether output is in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

const EXAMPLES: &str = "\
Examples:
  lazymmu run @nested                                 one scenario, as a tree
  lazymmu run @nested --arch powerpc-hash
  lazymmu compare @nested --design direct,counts
  lazymmu check --arch xen-pv --kernel v7.0           every interleaving
  lazymmu conform trace.xz                            what a real kernel did
  lazymmu prove --design count-enabled-rfc --against count-paused-rfc
  lazymmu workload fork --pid 1234 --arch powerpc-hash
  lazymmu prove --tree linux --against counts-task     the C of a kernel tree
  lazymmu kunit linux/mm/tests/lazy_mmu_mode_kunit.c --tree linux
  lazymmu replay strace.log --summary                 the whole life of a program
  printf 'enable\\ndisable\\n' | lazymmu run -          from standard input
  lazymmu list                                        what there is to choose from

Exit status: 0 done, 1 stopped by a warning (--on-warn panic), or what a scenario expects, or a
property, does not hold, or two designs are distinguished; 2 bad input; 3 a search gave up.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what the mode saves: a scenario as a trace, two workloads as numbers
    Demo,
    /// Run a scenario and print what was called and done
    Run(RunArgs),
    /// Run scenarios under several designs and show the results side by side
    Compare(CompareArgs),
    /// Compare traces of a booted kernel with the emulated one
    Conform(ConformArgs),
    /// Search every interleaving for what goes wrong, or prove that nothing does
    Check(CheckArgs),
    /// Prove that two designs are equivalent, or show what distinguishes them
    Prove(ProveArgs),
    /// Run a KUnit test of the mode, a C file as the kernel has it
    Kunit(KunitArgs),
    /// Show what a change of a kernel tree does, for a reply on the list
    Review(ReviewArgs),
    /// Run a kernel workload over the address space of a process
    Workload(WorkloadArgs),
    /// Replay a log of strace: what the mode saves a program in its whole life
    Replay(ReplayArgs),
    /// Print the book of designs: what each one does, computed, as Markdown
    Book,
    /// List the architectures, designs and calls
    List(ListArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(ManArgs),
}
