//! The command `lazymmu`: a thin shell over the crates of the lab.

mod args;
mod book;
mod check;
mod compare;
mod demo;
mod list;
mod progress;
mod prove;
mod report;
mod run;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Demo => demo::demo(),
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Prove(args) => prove::run(args),
        Command::Workload(args) => workload::run(args),
        Command::Book => book::book(),
        Command::List => list::list(),
    };
    result.unwrap_or_else(|failure| failure.report())
}
