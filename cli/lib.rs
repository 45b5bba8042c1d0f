//! The command `lazymmu`, for architectures and designs of your own beside those of the lab.
//!
//! A program that calls [`cli`] is the whole command: `--arch` and `--design` take the ids of what
//! is in its [`Registry`], `list` and `--help` show them, `compare --arch all` and `check --all`
//! include them, and scenarios know their effects, their calls and, in headers, their ids.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use lazymmu::Registry;
//! # mod mine {
//! #     use emu_arch::{At, Backend, Facts, HwOf, Kernel};
//! #     #[derive(Clone, Copy, Debug)]
//! #     pub(crate) struct Riscv;
//! #     impl Backend for Riscv {
//! #         type PerCpu = ();
//! #         const FACTS: Facts = Facts::new("riscv", "delays nothing yet");
//! #         fn in_kernel(_: Kernel) -> Self {
//! #             Self
//! #         }
//! #         fn enter(self, _: &mut impl HwOf<Self>) {}
//! #         fn leave(self, _: &mut impl HwOf<Self>) {}
//! #         fn flush(self, _: &mut impl HwOf<Self>) {}
//! #         fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
//! #             hw.tlb_invalidate(at, pages);
//! #         }
//! #     }
//! #     pub(crate) use lazy_mmu::design::counts::State as Proposal;
//! # }
//! # use mine::{Proposal, Riscv};
//!
//! // `Riscv` is an `emu_arch::Backend`, `Proposal` a `lazy_mmu::design::LazyMmuDesign`.
//! fn main() -> ExitCode {
//!     lazymmu::cli(Registry::new().arch::<Riscv>().design::<Proposal>())
//! }
//! ```
//!
//! `examples/my_arch.rs` has a backend and runs it.

#![warn(clippy::wildcard_enum_match_arm)]

mod args;
mod book;
mod check;
mod compare;
mod conform;
mod demo;
mod format;
mod install;
mod io;
mod kunit;
mod list;
mod progress;
mod prove;
mod registry;
mod replay;
mod report;
mod review;
mod run;
mod setup;
mod tree;
mod values;
mod workload;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use anstream::ColorChoice;
use args::{Cli, Color, Command};
pub use registry::Registry;
use report::Failure;

/// The name of the command with nothing of your own in it, which the examples of its help use.
const NAME: &str = "lazymmu";

/// Runs the command that the arguments of the process name.
///
/// The architectures and designs of `registry` are known to the whole process from now on. An id
/// that is taken is an error like bad input: it is printed, and the status is 2. Nothing here
/// panics, and nothing ends the process.
#[must_use]
pub fn cli(registry: Registry) -> ExitCode {
    if let Err(failure) = registry.register() {
        return failure.report();
    }
    let mut cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    match cli.color {
        Color::Auto => {}
        Color::Always => ColorChoice::Always.write_global(),
        Color::Never => ColorChoice::Never.write_global(),
    }
    let loaded = tree::load(&mut cli.command);
    let result = loaded.and_then(|()| execute(&cli.command));
    emu_tree::notes().iter().for_each(|note| report::note(note));
    emu_tree::clean_up();
    // What a guest that went wrong has said since is not to be believed.
    let failed = emu_tree::failure().cloned().map(Failure::from);
    match (failed, result) {
        (Some(failure), _) | (None, Err(failure)) => failure.report(),
        (None, Ok(status)) => status,
    }
}

fn execute(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo => demo::demo(),
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Conform(args) => conform::run(args),
        Command::Prove(args) => prove::run(args),
        Command::Workload(args) => workload::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Book => book::book(),
        Command::List(args) => list::list(args),
        Command::Kunit(args) => kunit::run(args),
        Command::Completions(args) => install::completions(args, &self::command()),
        Command::Man(args) => install::man(args, &self::command()),
        Command::Review(args) => review::run(args),
    }
}

/// Parses the arguments of the process; help shows the examples under the name of the program.
fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command().try_get_matches()?)
}

/// The command under the name of the program.
fn command() -> clap::Command {
    let program = std::env::args_os().next().map(PathBuf::from);
    let name = program.as_deref().and_then(Path::file_stem).and_then(OsStr::to_str);
    under(Cli::command(), name.unwrap_or(NAME))
}

fn under(command: clap::Command, name: &str) -> clap::Command {
    let help = command.get_after_help().map(ToString::to_string);
    let command = match help {
        Some(help) => command.after_help(help.replace(NAME, name)),
        None => command,
    };
    command.mut_subcommands(|sub| under(sub, name))
}

/// The Rust blocks of the guide, which are doctests.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../docs/guide/src/annotate.md")]
    struct Annotate;
    #[doc = include_str!("../docs/guide/src/design.md")]
    struct Design;
}
