//! `lazymmu kunit`: a KUnit test of the mode under any design, on any architecture.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use emu_arch::{Arch, Kernel};
use emu_tree::kunit::{self, Setup};
use lazy_mmu::design::Design;

use crate::io::{print, read};
use crate::report::Failure;
use crate::values::{arch_parser, check_era, design_parser, kernel_parser};

/// Arguments of `lazymmu kunit`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KunitArgs {
    /// The test, a C file as the kernel has it; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The architecture; naive by default
    #[arg(long, value_parser = arch_parser())]
    pub(crate) arch: Option<Arch>,
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
The file is compiled by `cc` (CC names another) with the lab's own kunit/test.h, and its calls of
the mode are those of the emulated kernel:

  lazymmu kunit linux/mm/tests/lazy_mmu_mode_kunit.c
  lazymmu kunit my_test.c --tree linux

Beside the calls a test may use is_lazy_mmu_mode_active(), in_interrupt(), and what changes the
context: preempt_disable(), local_bh_disable(), hardirq_enter() and their like.

The output is KTAP. Exit status: 0 all passed, 1 a test case failed, 2 bad input.";

/// Runs the test and prints what came of it.
pub(crate) fn run(args: &KunitArgs) -> Result<ExitCode, Failure> {
    let (name, bytes) = read(&args.file)?;
    let arch = args.arch.unwrap_or_default();
    let kernel = args.kernel.unwrap_or_else(|| arch.default_kernel());
    check_era(kernel, arch)?;
    let setup = Setup { arch, kernel, design: args.design.unwrap_or_else(|| kernel.design()) };
    let text = String::from_utf8_lossy(&bytes);
    let report = kunit::run(&name, &text, setup)?;
    print(|to| write!(to, "{report}"))?;
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
