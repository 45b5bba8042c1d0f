//! `lazymmu review`: what a change of a kernel tree does.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use emu_arch::Arch;
use emu_tree::Tree;
use emu_tree::review::{self, Sides};

use crate::io::{print, read};
use crate::progress::Progress;
use crate::report::Failure;
use crate::values::{Choice, arch_parser, choice_parser};

/// Arguments of `lazymmu review`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReviewArgs {
    /// The kernel tree as it was
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The tree as it would be, or a patch to OLD: a file, or `-` for standard input
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The architectures, separated by commas; those that defer something by default
    #[arg(long, value_name = "LIST", value_delimiter = ',',
          value_parser = choice_parser(arch_parser()))]
    arch: Vec<Choice<Arch>>,
    /// How to print the review
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How a review is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// Plain text of 78 columns
    #[default]
    Text,
    /// Markdown
    Markdown,
    /// One JSON object
    Json,
}

const EXAMPLES: &str = "\
The API design of both trees is taken from their C and compared: under all call sequences, in the
built-in scenarios, by the properties of `lazymmu check`, in the workloads. What differs in the C of an
architecture is listed; the backends that run are the lab's.

  lazymmu review linux linux-next
  git -C linux format-patch -1 --stdout | lazymmu review linux -

Exit status: 0 nothing that the kernel does changes, 1 something does, 2 bad input.";

/// Runs the command and prints the review.
pub(crate) fn run(args: &ReviewArgs) -> Result<ExitCode, Failure> {
    let old = Tree::open(&args.old)?;
    let archs = archs(&args.arch);
    let mut progress = Progress::new("")?;
    let review = if args.new.is_dir() {
        let (new, change) = (Tree::open(&args.new)?, args.new.display().to_string());
        let sides = Sides { old, new, change, elsewhere: Vec::new() };
        review::review(&sides, &archs, &mut progress)?
    } else {
        let (name, bytes) = read(&args.new)?;
        let patched = review::apply(&old, &name, &String::from_utf8_lossy(&bytes))?;
        let (new, elsewhere) = (patched.tree.clone(), patched.elsewhere.clone());
        let sides = Sides { old, new, change: name, elsewhere };
        review::review(&sides, &archs, &mut progress)?
    };
    progress.done();
    let text = match args.format {
        Format::Text => review::text(&review),
        Format::Markdown => review::markdown(&review),
        Format::Json => format!("{}\n", review::json(&review)),
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(if review.changes_something() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The architectures of the list; those that defer something where it is empty.
fn archs(chosen: &[Choice<Arch>]) -> Vec<Arch> {
    let all = chosen.contains(&Choice::All);
    let named = |arch: &Arch| chosen.contains(&Choice::One(*arch));
    let usual = |arch: &Arch| chosen.is_empty() && arch.facts().defers.is_some();
    Arch::all().filter(|arch| all || named(arch) || usual(arch)).collect()
}
