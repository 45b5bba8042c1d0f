//! The command `lazymmu`: a temporary entry to its subcommand `workload`.

mod workload;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
enum Cli {
    /// Run a kernel workload over the address space of a process
    Workload(workload::WorkloadArgs),
}

fn main() -> ExitCode {
    let Cli::Workload(args) = Cli::parse();
    workload::run(&args).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "error: {error}");
        ExitCode::from(2)
    })
}
