//! `lazymmu demo`: the main job end to end, with nothing to prepare.

use std::process::ExitCode;

use clap::Parser;
use emu_arch::Arch;
use emu_lab::scenario::{self, Setup};

use crate::args::{Cli, Command};
use crate::report::Failure;
use crate::run::{builtin, print};
use crate::workload;

/// Runs the call table of the proposal on two architectures, then a fork of this very process.
pub(crate) fn demo() -> Result<ExitCode, Failure> {
    let parsed = builtin("nested")?;
    print(|to| {
        writeln!(to, "The call table of the proposal of 12 September 2025, as merged in v7.0:")?;
        for arch in [Arch::ARM64, Arch::POWERPC_HASH] {
            let outcome = scenario::run(parsed, Setup { arch, ..Setup::default() });
            write!(to, "\n# {}: {}\n{}", arch.id(), arch.about(), outcome.record)?;
        }
        writeln!(to, "\nWhat a fork of this very process costs, by its /proc/self/maps:\n")
    })?;
    let args = ["lazymmu", "workload", "fork", "--arch", "arm64,powerpc-hash"];
    let Command::Workload(args) = Cli::parse_from(args).command else {
        unreachable!("the arguments name the subcommand")
    };
    workload::run(&args)?;
    print(|to| {
        writeln!(to, "\nNext: `lazymmu --help`, `lazymmu list`, and the scenarios in scenarios/.")
    })?;
    Ok(ExitCode::SUCCESS)
}
