//! The arguments of `lazymmu check`, and the searches that they ask for.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use emu_arch::replay::{Fault, Fix};
use emu_arch::{Arch, Kernel};
use emu_check::check::{Accesses, Client, Language, Options, Pages, Property};
use lazy_mmu::design::Design;

use crate::format::{self, Format};
use crate::values::{arch_parser, design_parser, kernel_parser, language_parser, rows_parser};

/// Arguments of `lazymmu check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// A scenario whose tasks' lines are programs, in every interleaving; without one, the most
    /// general client of the language
    #[arg(value_name = "FILE",
          conflicts_with_all = ["tasks", "language", "nesting", "pages", "any_access", "fork"])]
    pub(super) file: Option<PathBuf>,
    /// Run the fixed code: leave out the lines in `bug {` blocks and take those in `mended {`
    #[arg(long, requires = "file")]
    pub(super) mended: bool,
    /// Check every architecture and kernel, and print what holds where
    #[arg(long, conflicts_with_all = ["file", "arch", "kernel", "design", "save"])]
    pub(super) all: bool,
    /// The architecture; that of the first bad run of FILE where no option says otherwise, else
    /// xen-pv
    #[arg(long, value_parser = arch_parser())]
    pub(crate) arch: Option<Arch>,
    /// The kernel: an API design and the architecture's code of that time, or any version; by
    /// default that of FILE's run, or the newest
    #[arg(long, value_parser = kernel_parser())]
    pub(super) kernel: Option<Kernel>,
    /// Another API design than the kernel's
    #[arg(long, value_parser = design_parser())]
    pub(crate) design: Option<Design>,
    /// The API design of a kernel tree: the C of its headers, compiled by `cc`
    #[arg(long, value_name = "DIR", conflicts_with = "design")]
    pub(crate) tree: Option<PathBuf>,
    /// A mistake to put into the code, to see what notices it; `lazymmu list` names them
    #[arg(long, value_name = "NAME", value_parser = fault_parser(), hide_possible_values = true)]
    fault: Option<Fault>,
    /// A proposed fix to put into the code, of the fork under Xen PV v7.2 and v7.3
    #[arg(long, value_name = "NAME", value_parser = rows_parser(&Fix::ALL, Fix::id, Fix::about))]
    fix: Option<Fix>,
    /// A property to look at, as often as you like; all by default
    #[arg(long, value_name = "NAME", value_parser = property_parser(), hide_possible_values = true)]
    pub(super) property: Vec<Property>,
    /// A property to leave out, as often as you like
    #[arg(long, value_name = "NAME", value_parser = property_parser(), hide_possible_values = true)]
    without: Vec<Property>,
    /// Stop at the first property that does not hold
    #[arg(long)]
    first: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
    /// Give up when there are more states
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    max_states: usize,
    /// Give up when the search holds more memory, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    max_memory: usize,
    /// Write each counterexample to this folder, as a scenario for `lazymmu run`
    #[arg(long, value_name = "DIR")]
    pub(super) save: Option<PathBuf>,
    /// How to print the result
    #[arg(long, default_value = "text", value_parser = format::parser(format::CHECK))]
    pub(super) format: Format,
}

/// What the client may do and what may interrupt its calls.
#[derive(Args, Debug)]
#[command(next_help_heading = "Client")]
pub(super) struct ClientArgs {
    /// What its tasks do: calls in every order, updates under locks, the life of tasks, or pages
    /// that fill batches; each of them in turn by default, calls where another option of the client
    /// is given
    #[arg(long, value_enum)]
    client: Option<ClientArg>,
    /// The number of tasks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    tasks: Option<u8>,
    /// The number of CPUs; tasks migrate between two
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2))]
    cpus: Option<u8>,
    /// The language of its calls: A nested sections with pauses inside, B pauses outside too, C
    /// sections in pauses too, D pauses in pauses too; D by default, A before v7.0
    #[arg(long, value_parser = language_parser())]
    language: Option<Language>,
    /// How many sections and pauses are open at most; 2 by default, 1 on sparc64 up to v6.14
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    nesting: Option<u8>,
    /// Which pages it changes; user pages on sparc64 and s390 by default, else the kernel's
    #[arg(long, value_enum)]
    pages: Option<PagesArg>,
    /// It touches pages whose change may still be pending, reads entries raw, and sleeps anywhere
    #[arg(long)]
    any_access: bool,
    /// Search without interrupts
    #[arg(long)]
    no_interrupts: bool,
    /// Interrupt handlers call the API too, as by default from v7.0 on
    #[arg(long)]
    interrupt_calls: bool,
    /// No task is left before its step is done
    #[arg(long)]
    no_preemption: bool,
    /// The last task is forked by another one, anywhere, and tasks exit
    #[arg(long)]
    fork: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClientArg {
    /// Calls in every order, interrupts and preemption
    Calls,
    /// Updates under page table locks, and flushes
    Locks,
    /// Fork, sleep, schedule and exit
    Tasks,
    /// Pages of two tables, batches of three entries
    Batches,
    /// Interrupts around batches of two entries
    Joins,
}

impl From<ClientArg> for Client {
    fn from(arg: ClientArg) -> Self {
        match arg {
            ClientArg::Calls => Self::Calls,
            ClientArg::Locks => Self::Locks,
            ClientArg::Tasks => Self::Tasks,
            ClientArg::Batches => Self::Batches,
            ClientArg::Joins => Self::Joins,
        }
    }
}

impl ClientArgs {
    /// Whether nothing is said of the client, so that each one is searched.
    pub(super) fn is_default(&self) -> bool {
        let Self { client, tasks, cpus, language, nesting, pages, .. } = self;
        let numbers = [tasks, cpus, nesting].into_iter().all(Option::is_none);
        let flags = self.any_access
            || self.no_interrupts
            || self.interrupt_calls
            || self.no_preemption
            || self.fork;
        client.is_none() && numbers && language.is_none() && pages.is_none() && !flags
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PagesArg {
    /// Pages of the kernel
    Kernel,
    /// Pages of one process
    User,
    /// None: calls alone
    None,
}

const EXAMPLES: &str = "\
The crash of v7.0 as a Xen PV guest, found from nothing but the rules of the API:

  lazymmu check --arch xen-pv --kernel v7.0 --save found
  lazymmu run found/no-arch-bug-1.scn --arch xen-pv --kernel v7.0

  lazymmu check --arch xen-pv --kernel v7.1         it is gone
  lazymmu check --arch arm64 --cpus 2 --nesting 1 --no-interrupts   with migration
  lazymmu check @xen-preempted-in-enable              its tasks, interleaved
  lazymmu check --all                               what holds where

A search that ends by itself is exhaustive, for call sequences of any length. A property then
holds, which is a proof, if something exercised it; else the report says what never happened.
Properties are named in the output and by `lazymmu list`.

FILE runs on the first bad run of its header unless an option says otherwise. Where it has lines
`expect`, these are what counts: a hazard that it expects and that no interleaving shows, one that
it does not expect, or a mode that is not as expected in some interleaving is a failure. How often
an effect happens is about one run, so that a search does not judge it.

Exit status: 0 none is broken, 1 one is (one of speed alone counts only where it was asked for by
name), 2 bad usage, 3 gave up before it knew, or a property asked for by name is not exercised.";

fn property_parser() -> impl TypedValueParser<Value = Property> {
    let values = Property::all().map(|property| {
        let id: &'static str = property.id();
        PossibleValue::new(id).help(property.about())
    });
    PossibleValuesParser::new(values)
        .map(|id| Property::by_id(&id).expect("the parser accepts the listed ids only"))
}

fn fault_parser() -> impl TypedValueParser<Value = Fault> {
    let values = Fault::ALL.iter().map(|fault| PossibleValue::new(fault.id()));
    PossibleValuesParser::new(values)
        .map(|id| id.parse::<Fault>().expect("the parser accepts the listed ids only"))
}

impl CheckArgs {
    /// The architecture where no file says otherwise.
    pub(super) fn arch(&self) -> Arch {
        self.arch.unwrap_or_else(|| "xen-pv".parse().expect("it is built in"))
    }

    /// The kernel where no file says otherwise.
    pub(super) fn kernel(&self) -> Kernel {
        self.kernel.unwrap_or_else(|| self.arch().default_kernel())
    }

    /// The searches of each client on `arch` as of `kernel`.
    pub(super) fn portfolio(&self, arch: Arch, kernel: Kernel) -> Vec<Options> {
        let usual = self.options(arch, kernel);
        let with = |options: Options| Options {
            design: usual.design,
            fault: usual.fault,
            fix: usual.fix,
            first: usual.first,
            max_states: usual.max_states,
            max_memory: usual.max_memory,
            properties: usual.properties.clone(),
            ..options
        };
        Options::portfolio(arch, kernel).into_iter().map(with).collect()
    }

    /// What is searched on `arch` as of `kernel`.
    pub(super) fn options(&self, arch: Arch, kernel: Kernel) -> Options {
        let ClientArgs { tasks, cpus, language, nesting, pages, .. } = self.client;
        let client = &self.client;
        let mut options =
            Options::of(client.client.map_or(Client::Calls, Client::from), arch, kernel);
        options.design = self.design.unwrap_or(options.design);
        options.fault = self.fault;
        options.fix = self.fix;
        options.tasks = tasks.unwrap_or(options.tasks);
        options.cpus = cpus.unwrap_or(options.cpus);
        options.language = language.unwrap_or(options.language);
        options.nesting = nesting.unwrap_or(options.nesting);
        options.pages = match pages {
            None => options.pages,
            Some(PagesArg::Kernel) => Pages::Kernel,
            Some(PagesArg::User) => Pages::User,
            Some(PagesArg::None) => Pages::None,
        };
        if client.any_access {
            options.accesses = Accesses::Any;
        }
        options.interrupts &= !client.no_interrupts;
        options.interrupt_calls |= client.interrupt_calls;
        options.preemption &= !client.no_preemption;
        options.fork |= client.fork;
        options.first = self.first;
        options.max_states = self.max_states;
        options.max_memory = self.max_memory.saturating_mul(1 << 20);
        let looks_at = |property: &Property| {
            (self.property.is_empty() || self.property.contains(property))
                && !self.without.contains(property)
        };
        if !(self.property.is_empty() && self.without.is_empty()) {
            options.properties = Some(Property::all().filter(looks_at).collect());
        }
        options
    }
}
