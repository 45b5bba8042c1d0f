//! `lazymmu prove`: whether two designs are equivalent, or what distinguishes them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use emu_check::least::{self, NESTING_MAX, Rule};
use emu_check::prove::{self, Compare, Language, Question, TASKS_MAX, Verdict};
use emu_view::html;
use lazy_mmu::design::Design;
use lazymmu_docs::equivalence;

use crate::format::{self, Format};
use crate::io::print;
use crate::progress::Progress;
use crate::report::Failure;
use crate::values::{design_parser, language_parser, rows_parser};

/// Arguments of `lazymmu prove`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true)
    .args(["design", "tree", "all", "least"]).multiple(true),
    group = ArgGroup::new("other").args(["against", "tree"]).multiple(true))]
pub(crate) struct ProveArgs {
    /// A design
    #[arg(long, value_name = "ID", value_parser = design_parser(), requires = "other")]
    pub(crate) design: Option<Design>,
    /// The design that it is compared with
    #[arg(long, value_name = "ID", value_parser = design_parser(), requires = "what")]
    pub(crate) against: Option<Design>,
    /// A kernel tree in the place of one of the designs, or of both: the C of its headers
    #[arg(long, value_name = "DIR")]
    pub(crate) tree: Vec<PathBuf>,
    /// Compare every design with every other one, in each language
    #[arg(long, conflicts_with_all = ["design", "against", "tree", "tasks", "nesting"])]
    pub(crate) all: bool,
    /// Find the smallest machine that does what the API requires
    #[arg(long, conflicts_with_all = ["design", "against", "tree", "all", "irq", "tasks", "json"])]
    pub(crate) least: bool,
    /// A rule that --least does not require; may be given several times
    #[arg(long, value_name = "RULE", requires = "least", 
          value_parser = rows_parser(&Rule::ALL, Rule::id, Rule::about))]
    pub(crate) without: Vec<Rule>,
    /// Which call sequences are compared; D by default, each one with --all
    #[arg(long, value_parser = language_parser())]
    language: Option<Language>,
    /// What is compared of each step
    #[arg(long, default_value = "active", value_parser = rows_parser(&Compare::ALL, Compare::name, Compare::about))]
    compare: Compare,
    /// Let an interrupt come after any call
    #[arg(long)]
    irq: bool,
    /// Compare only programs in which at most so many brackets are open at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    nesting: Option<u16>,
    /// Count the states of so many tasks as well; language any only
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..=i64::from(TASKS_MAX)))]
    tasks: u8,
    /// Give up when there are more states
    #[arg(long, value_name = "N", default_value_t = prove::STATES_MAX,
          value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX / 8)))]
    max_states: u64,
    /// How to print the answer; markdown, with --all alone, is docs/equivalence.md
    #[arg(long, default_value = "text", value_parser = format::parser(format::TABLE))]
    format: Format,
    /// What --format json was called
    #[arg(long, hide = true, conflicts_with_all = ["markdown", "format"])]
    json: bool,
    /// What --format markdown was called
    #[arg(long, hide = true, conflicts_with = "format")]
    markdown: bool,
}

const EXAMPLES: &str = "\
Two designs run in lockstep under every call sequence of a language. Either it is proved that
no sequence distinguishes them, however long, or a shortest one that does is shown:

  lazymmu prove --design count-enabled-rfc --against count-paused-rfc
  lazymmu prove --design count-enabled-rfc --against count-paused-rfc --compare hooks
  lazymmu prove --design counts --against independent --language crossing
  lazymmu prove --design counts --against independent --nesting 255
  lazymmu prove --design counts --against nesting-active --language A --irq
  lazymmu prove --tree linux --against counts-task    the C of a kernel tree
  lazymmu prove --all --language D                    the matrix of all pairs
  lazymmu prove --least --language C --nesting 2      how much state does it take?

Counters have eight bits, and a program of unlimited depth makes them wrap: --nesting 255 asks
about those that do not.

Exit status: 0 equivalent, 1 distinguished, 2 usage, 3 gave up.";

/// Runs the command and prints the answer.
pub(crate) fn run(args: &ProveArgs) -> Result<ExitCode, Failure> {
    if args.least {
        return smallest(args);
    }
    if !args.without.is_empty() {
        return Err(Failure::Usage("--without: expected --least".to_owned()));
    }
    let format = args.format()?;
    let (Some(design), Some(against)) = (args.design, args.against) else {
        print(|to| to.write_all(all(args, format).as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    };
    let language = args.language.unwrap_or(Language::D);
    check_setting(args, language)?;
    let question = Question {
        language,
        compare: args.compare,
        irq: args.irq,
        nesting: args.nesting,
        tasks: args.tasks,
        max_states: args.max_states,
        ..Question::new(design, against)
    };
    let mut progress = Progress::new("")?;
    let answer = prove::prove_with(&question, &mut progress);
    progress.done();
    let text = if format == Format::Json {
        prove::json(&answer) + "\n"
    } else if format == Format::Html {
        html::prove(&answer)
    } else {
        prove::text(&answer)
    };
    print(|to| to.write_all(text.as_bytes()))?;
    Ok(match answer.verdict {
        Verdict::Equivalent => ExitCode::SUCCESS,
        Verdict::Distinguished(_) => ExitCode::from(1),
        Verdict::GaveUp { .. } | Verdict::Panics(_) => ExitCode::from(3),
    })
}

/// Prints the smallest machine that does what is required.
fn smallest(args: &ProveArgs) -> Result<ExitCode, Failure> {
    let language = args.language.unwrap_or(Language::D);
    if !language.nests() {
        let found = format!("expected A, B, C or D with --least, found {}", language.name());
        return Err(Failure::about("--language", found));
    }
    let nesting = args.nesting.unwrap_or(least::Question::default().nesting.into());
    let nesting = u8::try_from(nesting).ok().filter(|nesting| *nesting <= NESTING_MAX);
    let Some(nesting) = nesting else {
        let found = format!("expected 1 to {NESTING_MAX} brackets with --least");
        return Err(Failure::about("--nesting", found));
    };
    let mut rules = Rule::ALL.to_vec();
    rules.retain(|rule| !args.without.contains(rule));
    let answer = least::least(&least::Question { language, nesting, rules });
    print(|to| to.write_all(least::text(&answer).as_bytes()))?;
    Ok(if answer.machine.is_some() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

impl ProveArgs {
    /// How to print the answer.
    fn format(&self) -> Result<Format, Failure> {
        let format = match (self.json, self.markdown) {
            (true, _) => Format::Json,
            (false, true) => Format::Markdown,
            (false, false) => self.format,
        };
        if format == Format::Markdown && (!self.all || self.language.is_some() || self.irq) {
            let what = "--format markdown: expected --all, without --language and --irq";
            return Err(Failure::Usage(what.to_owned()));
        }
        Ok(format)
    }
}

/// Refuses what has no meaning in a language.
fn check_setting(args: &ProveArgs, language: Language) -> Result<(), Failure> {
    let language_is = |word| format!("{word}, found language {}", language.name());
    if args.tasks > 1 && language != Language::Any {
        return Err(Failure::about("--tasks", language_is("expected --language any")));
    }
    if args.nesting.is_some() && language == Language::Any {
        let expected = "expected a language with brackets: A, B, C, D or crossing";
        return Err(Failure::about("--nesting", language_is(expected)));
    }
    Ok(())
}

/// Every pair of designs.
fn all(args: &ProveArgs, format: Format) -> String {
    if format == Format::Markdown {
        return equivalence::markdown();
    }
    let one = args.language.map(|language| vec![language]);
    let languages = one.unwrap_or_else(|| Language::ALL.to_vec());
    let question = Question::new(Design::default(), Design::default());
    let question =
        Question { compare: args.compare, irq: args.irq, max_states: args.max_states, ..question };
    let matrices = prove::matrices(&Design::all().collect::<Vec<_>>(), &languages, &question);
    if format == Format::Html {
        return html::prove_all(&matrices);
    }
    if format == Format::Json {
        return matrices.iter().map(|matrix| prove::matrix_json(matrix) + "\n").collect();
    }
    prove::matrices_text(&matrices)
}
