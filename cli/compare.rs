//! `lazymmu compare`: scenarios under several designs, side by side.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use emu_arch::{Arch, Kernel};
use emu_lab::compare::{self, Comparison, Tone, json, markdown, text};
use emu_lab::scenario::Setup;
use emu_view::html;
use lazy_mmu::design::Design;

use crate::format::{self, Format};
use crate::io::{Source, colours, print};
use crate::report::Failure;
use crate::values::{Choice, arch_parser, check_era, choice_parser, design_parser, kernel_parser};

/// Arguments of `lazymmu compare`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// The scenarios, a comparison for each; `-` reads standard input, @NAME is a
    /// built-in one
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The API designs, separated by commas; all by default, or each kernel's where kernels are
    /// given
    #[arg(long, value_name = "LIST", value_delimiter = ',',
          value_parser = choice_parser(design_parser()))]
    pub(crate) design: Vec<Choice<Design>>,
    /// A kernel tree, as often as you like: the API design in the C of its headers
    #[arg(long, value_name = "DIR")]
    pub(crate) tree: Vec<PathBuf>,
    /// The kernels, separated by commas; the newest by default
    #[arg(long, value_name = "LIST", value_delimiter = ',',
          value_parser = choice_parser(kernel_parser()))]
    kernel: Vec<Choice<Kernel>>,
    /// The architectures, separated by commas; naive by default
    #[arg(long, value_name = "LIST", value_delimiter = ',',
          value_parser = choice_parser(arch_parser()))]
    pub(crate) arch: Vec<Choice<Arch>>,
    /// How to print the comparison
    #[arg(long, default_value = "text", value_parser = format::parser(format::TABLE))]
    format: Format,
}

const EXAMPLES: &str = "\
A column for each combination of what is listed, a row for each call:

  lazymmu compare @enable-in-pause
  lazymmu compare @irq/hardirq --kernel v6.19,v7.0 --arch arm64
  lazymmu compare a.scn b.scn --design counts,independent --format markdown

Plain tables are at most 78 columns wide, so that they can go into a mail.";

/// Runs the command and prints a comparison for each scenario.
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    if args.files.len() > 1 && args.format == Format::Html {
        return Err(Failure::Usage("--format html: several scenarios, expected one".to_owned()));
    }
    let (setups, skipped) = setups(args)?;
    let mut output = String::new();
    for file in &args.files {
        let source = Source::open(file)?;
        compare::check_size(&source.scenario, &setups).map_err(|error| source.wrong(error))?;
        let comparison = compare::compare(&source.scenario, &setups);
        if args.format == Format::Html {
            output += &html::compare(&source.name, &comparison, &skipped);
            continue;
        }
        if !output.is_empty() && !matches!(args.format, Format::Json) {
            output.push('\n');
        }
        output += &show(&source.name, &comparison, &skipped, args);
    }
    print(|to| to.write_all(output.as_bytes()))?;
    if matches!(args.format, Format::Json) {
        for line in &skipped {
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The comparison as the arguments ask for it, with the name of its file where there are several.
fn show(name: &str, comparison: &Comparison, skipped: &[String], args: &CompareArgs) -> String {
    if args.format == Format::Json {
        return json::render(comparison) + "\n";
    }
    let is_markdown = args.format == Format::Markdown;
    let mut text = match (args.files.len(), is_markdown) {
        (1, _) => String::new(),
        (_, true) => format!("## {name}\n\n"),
        (_, false) => format!("{name}\n"),
    };
    text += &match (is_markdown, colours()) {
        (true, _) => markdown::render(comparison),
        (false, true) => text::render(comparison, &paint),
        (false, false) => text::plain(comparison),
    };
    if is_markdown && !skipped.is_empty() {
        text += &format!("\n{}\n", skipped.join("  \n"));
    } else {
        for line in skipped.iter().flat_map(|line| text::remark(line)) {
            text += &format!("{line}\n");
        }
    }
    text
}

/// The text in the colour of its tone.
fn paint(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Plain => Style::new(),
        Tone::Differs => AnsiColor::Cyan.on_default(),
        Tone::Warning => AnsiColor::Yellow.on_default(),
        Tone::Bug => AnsiColor::Red.on_default().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// The columns: the product of what is listed; and a line on each architecture that `all` gives
/// kernels without it.
fn setups(args: &CompareArgs) -> Result<(Vec<Setup>, Vec<String>), Failure> {
    let archs = list(&args.arch, &Arch::all().collect::<Vec<_>>(), Arch::default());
    let any_arch = args.arch.contains(&Choice::All);
    let any_kernel = args.kernel.contains(&Choice::All);
    let mut setups = Vec::new();
    let mut skipped: Vec<(Arch, &str, Vec<&str>)> = Vec::new();
    for &arch in &archs {
        for kernel in list(&args.kernel, &Kernel::ALL, arch.default_kernel()) {
            if (any_arch || any_kernel)
                && let Err(why) = arch.is_in(kernel)
            {
                match skipped.last_mut() {
                    Some((last, _, kernels)) if *last == arch => kernels.push(kernel.id()),
                    _ => skipped.push((arch, why, vec![kernel.id()])),
                }
                continue;
            }
            check_era(kernel, arch)?;
            for design in designs_for(args, kernel) {
                setups.push(Setup { arch, kernel, design, panic_on_warn: false, mended: false });
            }
        }
    }
    let line = |(arch, why, kernels): (Arch, &str, Vec<&str>)| {
        format!("left out: {} on {}: {why}", kernels.join(", "), arch.id())
    };
    Ok((setups, skipped.into_iter().map(line).collect()))
}

/// The designs to run in `kernel`: what is listed; else the kernel's own, or all where no kernel is
/// listed either.
fn designs_for(args: &CompareArgs, kernel: Kernel) -> Vec<Design> {
    if args.design.is_empty() && !args.kernel.is_empty() {
        return vec![kernel.design()];
    }
    let chosen = if args.design.is_empty() { &[Choice::All][..] } else { &args.design };
    list(chosen, &Design::all().collect::<Vec<_>>(), Design::default())
}

/// What a list of the command line names, each once; `default` where it is empty.
fn list<T: Copy + PartialEq>(chosen: &[Choice<T>], all: &[T], default: T) -> Vec<T> {
    let mut items = Vec::new();
    let mut push = |item: T| {
        if !items.contains(&item) {
            items.push(item);
        }
    };
    for choice in chosen {
        match choice {
            Choice::All => all.iter().copied().for_each(&mut push),
            Choice::One(item) => push(*item),
        }
    }
    if items.is_empty() { vec![default] } else { items }
}
