//! `lazymmu run`: one scenario to a record.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use emu_arch::{Arch, Kernel};
use emu_lab::render::{hazards, json};
use emu_lab::scenario::{self, Setup};
use lazy_mmu::design::Design;

use crate::io::{Source, print};
use crate::report::{self, Failure};
use crate::setup::Asked;
use crate::values::{arch_parser, design_parser, kernel_parser};

/// Arguments of `lazymmu run`.
#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The scenario: one call per line; `-` reads standard input, @NAME is a built-in one
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The architecture to run on; by default the first run that the scenario's header calls bad,
    /// or naive
    #[arg(long, value_parser = arch_parser())]
    pub(crate) arch: Option<Arch>,
    /// The kernel: an API design and the architecture's code of that time, or any version; the
    /// newest by default, or the header's
    #[arg(long, value_parser = kernel_parser())]
    pub(crate) kernel: Option<Kernel>,
    /// Another API design than the kernel's
    #[arg(long, value_parser = design_parser())]
    pub(crate) design: Option<Design>,
    /// The API design of a kernel tree: the C of its headers, compiled by `cc`
    #[arg(long, value_name = "DIR", conflicts_with = "design")]
    pub(crate) tree: Option<PathBuf>,
    /// Run the fixed code: leave out the lines in `bug {` blocks and take those in `mended {`
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

/// Runs the scenario and prints its record; status 1 where a warning stopped it or a claim of the
/// scenario did not hold.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let source = Source::open(&args.file)?;
    let RunArgs { arch, kernel, design, mended, .. } = *args;
    let setup = Asked { arch, kernel, design, mended }.setup(&source, Setup::default().arch)?;
    let setup = Setup { panic_on_warn: args.on_warn == OnWarn::Panic, ..setup };
    if !setup.design.is_made() && !setup.kernel.had(setup.design) {
        let (design, kernel) = (setup.design.id(), setup.kernel.id());
        report::note(&format!(
            "{kernel} never had the design {design}; the backends are those of {kernel}"
        ));
    }
    let outcome = scenario::run(&source.scenario, setup);
    let name = &source.name;
    print(|to| match args.format {
        Format::Tree => {
            write!(to, "{}", outcome.record)?;
            let line_of = |seq| outcome.line_of(seq);
            let hazards = hazards::summary(&outcome.record, &outcome.hazards, line_of);
            if hazards.is_empty() { Ok(()) } else { write!(to, "\n{hazards}") }
        }
        Format::Json => json::scenario_lines(&outcome).try_for_each(|line| writeln!(to, "{line}")),
    })?;
    for unmet in &outcome.unmet {
        let _ = writeln!(anstream::stderr(), "{name}:{}: {}", unmet.line, unmet.message);
    }
    for found in &outcome.unexpected {
        let line = outcome.line_of(found.seq).map_or(String::new(), |line| format!(":{line}"));
        let hazard = found.hazard.id();
        let _ = writeln!(anstream::stderr(), "{name}{line}: unexpected hazard {hazard}");
    }
    let Some(line) = outcome.stopped else {
        let met = outcome.unmet.is_empty() && outcome.unexpected.is_empty();
        return Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let _ = writeln!(
        anstream::stderr(),
        "{name}:{line}: Kernel panic - not syncing: kernel: panic_on_warn set ..."
    );
    Ok(ExitCode::FAILURE)
}
