//! The arguments of the command: each option is declared once, for parser and help alike.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use emu_arch::{Arch, Kernel};
use emu_check::prove::Language;
use lazy_mmu::design::Design;

use crate::check::CheckArgs;
use crate::compare::CompareArgs;
use crate::prove::ProveArgs;
use crate::workload::WorkloadArgs;

/// A laboratory for the Linux kernel's lazy MMU mode.
#[derive(Debug, Parser)]
#[command(name = "lazymmu", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lazymmu run scenarios/nesting/nested.scn            one scenario, as a tree
  lazymmu run scenarios/nesting/nested.scn --arch powerpc-hash
  lazymmu compare scenarios/nesting/nested.scn --design direct,counts
  lazymmu check --arch xen-pv --kernel v7.0           every interleaving
  lazymmu prove --design count-enabled-rfc --against count-paused-rfc
  lazymmu workload fork --pid 1234 --arch powerpc-hash
  printf 'enable\\ndisable\\n' | lazymmu run -          from standard input
  lazymmu list                                        what there is to choose from

Exit status: 0 done, 1 stopped by a warning (--on-warn panic), or what a scenario expects, or a
property, does not hold, or two designs are told apart; 2 bad input; 3 a search gave up.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what the mode saves: a scenario as a trace, two workloads as numbers
    Demo,
    /// Run a scenario and print what was called and done
    Run(RunArgs),
    /// Run scenarios under several designs and show the results side by side
    Compare(CompareArgs),
    /// Search every interleaving for what goes wrong, or prove that nothing does
    Check(CheckArgs),
    /// Prove that two designs are equivalent, or show what tells them apart
    Prove(ProveArgs),
    /// Run a kernel workload over the address space of a process
    Workload(WorkloadArgs),
    /// Print the book of designs: what each one does, computed, as Markdown
    Book,
    /// List the architectures, designs and calls
    List,
}

#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The scenario: one call per line; `-` reads standard input, @NAME is a built-in one
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The architecture to run on; by default the first run that the scenario's header calls bad, or
    /// naive
    #[arg(long, value_parser = arch_parser())]
    pub(crate) arch: Option<Arch>,
    /// The kernel: an API design and the architecture's code of that time; v7.0 by default, or the
    /// header's
    #[arg(long, value_parser = kernel_parser())]
    pub(crate) kernel: Option<Kernel>,
    /// Another API design than the kernel's
    #[arg(long, value_parser = design_parser())]
    pub(crate) design: Option<Design>,
    /// Without the lines of the scenario that have a bug, with those that mend it
    #[arg(long)]
    pub(crate) mended: bool,
    /// How to print the record
    #[arg(long, default_value = "tree")]
    pub(crate) format: Format,
    /// What a sanity check that fires does: it is recorded, or it stops the run too
    #[arg(long, default_value = "record")]
    pub(crate) on_warn: OnWarn,
}

const RUN_EXAMPLES: &str = "\
A scenario has one call per line; indentation is free, # begins a comment:

  enable
      set_pte_at 0xffff800008000000
      pause
      resume
  disable

The kernel's names work too, so a sequence pasted from a mail runs:

  lazy_mmu_mode_enable()
  lazy_mmu_mode_disable()

`lazymmu list` names every call.";

/// How to print a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The notation of the kernel's commit messages
    Tree,
    /// JSON Lines: one object per event
    Json,
}

/// What a sanity check that fires does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnWarn {
    /// The warning is in the record
    Record,
    /// The run stops there, as with panic_on_warn
    Panic,
}

/// A parser that knows the list of architectures.
pub(crate) fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(archs())
        .map(|id| id.parse().expect("the parser accepts the listed ids only"))
}

/// A parser that knows the list of kernels.
pub(crate) fn kernel_parser() -> impl TypedValueParser<Value = Kernel> {
    PossibleValuesParser::new(kernels())
        .map(|id| id.parse().expect("the parser accepts the listed ids only"))
}

/// A parser that knows the list of designs.
pub(crate) fn design_parser() -> impl TypedValueParser<Value = Design> {
    PossibleValuesParser::new(designs())
        .map(|id| Design::by_id(&id).expect("the parser accepts the listed ids only"))
}

/// A parser that knows the languages.
pub(crate) fn language_parser() -> impl TypedValueParser<Value = Language> {
    let value = |language: Language| PossibleValue::new(language.name()).help(language.about());
    PossibleValuesParser::new(Language::ALL.map(value)).map(|name| {
        let mut all = Language::ALL.into_iter();
        all.find(|language| language.name() == name).expect("the parser accepts listed names only")
    })
}

/// The ids of the architectures, with what help says of each.
pub(crate) fn archs() -> impl Iterator<Item = PossibleValue> {
    Arch::all().map(|arch| PossibleValue::new(arch.id()).help(arch.about()))
}

/// The ids of the kernels.
pub(crate) fn kernels() -> impl Iterator<Item = PossibleValue> {
    Kernel::ALL.into_iter().map(|kernel| PossibleValue::new(kernel.id()).help(kernel.about()))
}

/// The ids of the designs.
pub(crate) fn designs() -> impl Iterator<Item = PossibleValue> {
    Design::all().map(|design| PossibleValue::new(design.id()).help(design.about()))
}

/// One entry of a list in which `all` stands for everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice<T> {
    /// `all`
    All,
    /// One by its id.
    One(T),
}

/// A parser of the ids in `values` and of `all`.
pub(crate) fn choice_parser<T: Clone + Send + Sync + 'static>(
    values: impl IntoIterator<Item = PossibleValue>,
    by_id: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = Choice<T>> {
    let all = PossibleValue::new("all").help("every one of them");
    PossibleValuesParser::new(values.into_iter().chain([all]))
        .map(move |id| by_id(&id).map_or(Choice::All, Choice::One))
}
