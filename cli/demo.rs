//! `lazymmu demo`: what the mode saves, with nothing to prepare.

use std::process::ExitCode;

use clap::Parser;
use emu_arch::Arch;
use emu_lab::scenario::{self, Setup};

use crate::args::{Cli, Command};
use crate::io::{builtin, print};
use crate::report::Failure;
use crate::workload;

const TRACE: &str = "\
1. lazymmu run @kernel-ptes --arch arm64: six writes to kernel page tables.
   Look at dsb(ishst) and isb(): three pairs; without the mode there are six.
";

const COLUMNS: &str = "
   Left: what the code calls, indented by nesting. Right: the hook that the
   call reached (ø: none) and the task's counters; below it, what arm64 did.
";

const VMALLOC: &str = "
2. lazymmu workload vmalloc --arch arm64: map in the kernel as many pages as
   this process has in memory, and unmap them. Look at the last line.
   sections: how often the mode was enabled. barriers: executed with the mode.
   without: executed in the same run with the mode paused.
";

const MPROTECT: &str = "
3. lazymmu workload mprotect --arch powerpc-hash: make the writable mappings of
   this process read-only. Look at the last line.
";

const NEXT: &str = "
Next: `lazymmu --help`, `lazymmu list`, and the scenarios in scenarios/.
";

/// Runs a scenario in which barriers are delayed, then two workloads over this process's mappings.
pub(crate) fn demo() -> Result<ExitCode, Failure> {
    let scenario = builtin("kernel-ptes")?;
    let outcome = scenario::run(scenario, Setup { arch: Arch::ARM64, ..Setup::default() });
    print(|to| writeln!(to, "{TRACE}\n{}{COLUMNS}{VMALLOC}", outcome.record))?;
    workload(&["vmalloc", "--arch", "arm64"])?;
    print(|to| writeln!(to, "{MPROTECT}"))?;
    workload(&["mprotect", "--arch", "powerpc-hash"])?;
    print(|to| write!(to, "{NEXT}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `lazymmu workload` with `args`, and prints the busiest mappings only.
fn workload(args: &[&str]) -> Result<(), Failure> {
    let args = ["lazymmu", "workload", "--top", "2"].iter().chain(args);
    let Command::Workload(args) = Cli::parse_from(args).command else {
        unreachable!("the arguments name the subcommand")
    };
    workload::run(&args).map(|_| ())
}
