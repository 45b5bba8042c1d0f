//! `lazymmu run`: one scenario to a record.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use emu_arch::{Arch, Kernel};
use emu_lab::render::{hazards, json};
use emu_lab::scenario::{self, Outcome, Setup};
use emu_view::diagram::{dot, mermaid};
use emu_view::function_graph::FunctionGraph;
use emu_view::html;
use emu_view::ktap::{self, Case};
use emu_view::perfetto::perfetto;
use emu_view::terminal;
use emu_view::view::View;
use lazy_mmu::design::Design;

use crate::format::{self, Format};
use crate::io::{Source, paint, print};
use crate::report::{self, Failure};
use crate::setup::Asked;
use crate::values::{arch_parser, design_parser, kernel_parser};

/// Arguments of `lazymmu run`.
#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The scenarios, one call per line each; `-` reads standard input, @NAME is a built-in one
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
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
    #[arg(long, default_value = "text", value_parser = format::parser(format::RUN))]
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

/// What a sanity check that fires does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnWarn {
    /// The warning is in the record
    Record,
    /// The run stops there, as with panic_on_warn
    Panic,
}

/// Runs each scenario and prints its record; status 1 where a warning stopped one or a claim of it
/// did not hold.
pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    if args.files.len() > 1 && !matches!(args.format, Format::Text | Format::Ktap) {
        let what = "several scenarios, expected one, or --format text or ktap";
        return Err(Failure::Usage(what.to_owned()));
    }
    let mut failed = false;
    let mut cases = Vec::new();
    for (n, file) in args.files.iter().enumerate() {
        let source = Source::open(file)?;
        let (setup, outcome) = execute(args, &source)?;
        let said = said(&source.name, &outcome);
        failed |= !said.is_empty();
        if args.format == Format::Ktap {
            cases.push(case(&source.name, setup, &outcome, &said));
            continue;
        }
        if args.files.len() > 1 {
            let gap = if n > 0 { "\n" } else { "" };
            print(|to| writeln!(to, "{gap}{}", source.name))?;
        }
        print(|to| show(to, args.format, &source, setup, &outcome))?;
        report::lines(&said);
    }
    if args.format == Format::Ktap {
        print(|to| to.write_all(ktap::document(&cases).as_bytes()))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs a scenario on what the arguments or its header ask for.
fn execute(args: &RunArgs, source: &Source) -> Result<(Setup, Outcome), Failure> {
    let RunArgs { arch, kernel, design, mended, .. } = *args;
    let setup = Asked { arch, kernel, design, mended }.setup(source, Setup::default().arch)?;
    let setup = Setup { panic_on_warn: args.on_warn == OnWarn::Panic, ..setup };
    if !setup.design.is_made() && !setup.kernel.had(setup.design) {
        let (design, kernel) = (setup.design.id(), setup.kernel.id());
        report::note(&format!(
            "{kernel} never had the design {design}; the backends are those of {kernel}"
        ));
    }
    Ok((setup, scenario::run(&source.scenario, setup)))
}

/// Prints what came of a scenario.
fn show(
    to: &mut dyn Write,
    format: Format,
    source: &Source,
    setup: Setup,
    outcome: &Outcome,
) -> io::Result<()> {
    let line_of = |seq| outcome.line_of(seq);
    let record = &outcome.record;
    match format {
        Format::Text => {
            let line = |seq| line_of(seq).map(|line| format!("line {line}"));
            write!(to, "{}", terminal::tree(record, &line, &paint))?;
            let hazards = hazards::summary(record, &outcome.hazards, line_of);
            if hazards.is_empty() { Ok(()) } else { write!(to, "\n{hazards}") }
        }
        Format::Json => json::scenario_lines(outcome).try_for_each(|line| writeln!(to, "{line}")),
        Format::Html => {
            let what = &source.scenario.what;
            to.write_all(html::run(&source.name, what, setup, outcome).as_bytes())
        }
        Format::Perfetto => {
            let title = format!("{} on {} {}", source.name, setup.arch, setup.kernel);
            to.write_all(&perfetto(record, setup.arch, &title))
        }
        Format::FunctionGraph => write!(to, "{}", FunctionGraph(record)),
        Format::Mermaid => write!(to, "{}", mermaid(&View::of(record, setup.arch, &line_of))),
        Format::Dot => write!(to, "{}", dot(&View::of(record, setup.arch, &line_of))),
        Format::Ktap | Format::Markdown => Ok(()),
    }
}

/// What a run did not do as its scenario says.
fn said(name: &str, outcome: &Outcome) -> Vec<String> {
    let unmet = outcome.unmet.iter().map(|one| format!("{name}:{}: {}", one.line, one.message));
    let unexpected = outcome.unexpected.iter().map(|found| {
        let line = outcome.line_of(found.seq).map_or(String::new(), |line| format!(":{line}"));
        format!("{name}{line}: unexpected hazard {}", found.hazard.id())
    });
    let stopped = outcome.stopped.map(|line| {
        format!("{name}:{line}: Kernel panic - not syncing: kernel: panic_on_warn set ...")
    });
    unmet.chain(unexpected).chain(stopped).collect()
}

/// A run as a test: with its record and its hazards where it failed.
fn case(name: &str, setup: Setup, outcome: &Outcome, said: &[String]) -> Case {
    let on = format!("{} {}, design {}", setup.arch, setup.kernel, setup.design.id());
    let case = Case::new(name, ktap::Outcome::of(said.is_empty())).say(on);
    if said.is_empty() {
        return case;
    }
    let hazards = hazards::summary(&outcome.record, &outcome.hazards, |seq| outcome.line_of(seq));
    case.say(said.join("\n")).say(outcome.record.to_string()).say(hazards)
}
