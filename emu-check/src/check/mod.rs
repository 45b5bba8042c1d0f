//! The checker: every interleaving of a machine's tasks, and a shortest path to each thing that
//! goes wrong.
//!
//! A model is a machine as a value and clients that keep the contract of the API (see [`Options`]).
//! [`check`] visits all its states, breadth first. Interrupts, preemption, migration and fork
//! happen wherever a real machine allows them: between a call's store and its hook, between any two
//! effects of a hook. Each property that does not hold comes with a shortest path on which it
//! breaks; of the shortest, one with the fewest switches and interrupts.
//!
//! Counters are finite. A search that ends by itself is therefore a proof for call sequences of
//! *any* length, with brackets as deep as the client nests them.
//!
//! A small model, by hand: one task, no pages, no interrupts, brackets one deep, on an architecture
//! that defers nothing. The task is outside, in a section, or in a pause. From outside it can
//! enable or pause, from a section disable, from a pause resume: three states, four transitions.
//!
//! ```
//! use emu_arch::{Arch, Kernel};
//! use emu_check::check::{Options, Pages, check, nobody};
//!
//! let options = Options {
//!     tasks: 1,
//!     nesting: 1,
//!     pages: Pages::None,
//!     interrupts: false,
//!     preemption: false,
//!     ..Options::new(Arch::NAIVE, Kernel::V7_1)
//! };
//! let report = check(&options, &mut nobody());
//! assert!(report.is_exhaustive() && report.broken.is_empty());
//! assert_eq!((report.states, report.transitions), (3, 4));
//! ```

mod claims;
mod client;
mod interrupts;
mod json;
mod model;
mod moves;
mod ops;
mod options;
mod portfolio;
mod render;
mod property;
mod recorded;
mod report;
mod search;
mod table;
mod text;
mod to_scenario;
mod transitions;
mod verdict;

use emu_arch::replay::Memory;
use emu_lab::scenario::Scenario;
use model::MachineModel;

pub use crate::explore::{End, Watch, nobody};
pub use crate::language::Language;
pub use claims::Claims;
pub use json::json;
pub use ops::Refused;
pub use options::{Accesses, Client, Options, Pages};
pub use portfolio::Portfolio;
pub use property::{Property, Sometimes};
pub use recorded::recorded;
pub use report::{Counterexample, Report};
pub use table::overview;
pub use text::text;
pub use verdict::Verdict;

/// Searches the model of `options` with the most general client of its language.
pub fn check(options: &Options, watch: &mut dyn Watch) -> Report {
    let ops = ops::general(options);
    run(options, ops, Memory::new(options.arch), false, watch)
}

/// Searches each of `searches`, which are of one architecture, kernel and design: see
/// [`Options::portfolio`].
///
/// ```
/// use emu_arch::{Arch, Kernel};
/// use emu_check::check::{Options, Property, Verdict, check_portfolio, nobody};
///
/// let searches = Options::portfolio(Arch::NAIVE, Kernel::V7_1);
/// let portfolio = check_portfolio(&searches, &mut nobody());
/// let verdict = |id| {
///     let property = Property::by_id(id).unwrap();
///     portfolio.verdicts().find(|(known, _)| *known == property).unwrap().1
/// };
/// assert!(verdict("no-section-at-exit").is_proof());
/// let why = "the architecture has no hash page table";
/// assert_eq!(verdict("no-duplicate-hpte"), Verdict::NotApplicable(why));
/// ```
pub fn check_portfolio(searches: &[Options], watch: &mut dyn Watch) -> Portfolio {
    let mut reports = Vec::new();
    for (n, options) in searches.iter().enumerate() {
        let (name, of) = (options.client.name(), searches.len());
        watch.begins(&format!("client {name}, {} of {of}:", n + 1));
        reports.push(check(options, watch));
        if reports.last().is_some_and(|report| report.end == End::Interrupted) {
            break;
        }
    }
    Portfolio { reports }
}

/// Searches every interleaving of the programs of `scenario`: the lines of each task are its
/// program, and lines inside `hardirq` blocks are that of an interrupt, which comes once in each
/// task. Where a line names CPU 1 or more, tasks migrate between two CPUs, at any time.
///
/// # Errors
/// A line that the checker has no move for.
pub fn check_programs(
    scenario: &Scenario,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Report, Refused> {
    let (ops, memory, tasks) = ops::programs(scenario, options)?;
    let named = scenario.lines().filter_map(|line| line.cpu).max();
    let cpus = options.cpus.max(named.map_or(1, |cpu| (cpu + 1).min(2)));
    let options = Options { tasks, cpus, ..options.clone() };
    Ok(run(&options, ops, memory, true, watch))
}

fn run(
    options: &Options,
    ops: Vec<client::Op>,
    memory: Memory,
    programs: bool,
    watch: &mut dyn Watch,
) -> Report {
    let (mut model, start) = MachineModel::new(options.clone(), ops, memory, programs);
    let outcome = search::search(&mut model, start, watch);
    report::report(&mut model, outcome)
}

/// Asserts that all properties hold on an architecture as of a kernel, for every call sequence of
/// the most general client; panics with the shortest counterexamples otherwise.
///
/// Fields of the [`Options`](crate::check::Options) may follow. A search that gives up proves
/// nothing and panics too.
///
/// ```
/// use emu_arch::{Arch, Kernel};
/// use emu_check::assert_holds;
/// use emu_check::check::{Language, Property};
/// use lazy_mmu::design::{Design, independent};
///
/// assert_holds!(Arch::XEN_PV, Kernel::V7_1, nesting: 1);
/// let done = Some(vec![Property::SettledAtPause]);
/// let design = Design::of::<independent::State>();
/// assert_holds!(Arch::ARM64, Kernel::V7_1, design: design, properties: done, interrupts: false);
/// ```
///
/// ```should_panic
/// use emu_arch::{Arch, Kernel};
///
/// // A switch between the counter and the hook of an enable: v7.0 on Xen PV stops at a BUG_ON().
/// emu_check::assert_holds!(Arch::XEN_PV, Kernel::V7_0, nesting: 1);
/// ```
#[macro_export]
macro_rules! assert_holds {
    ($arch:expr, $kernel:expr $(, $field:ident: $value:expr)* $(,)?) => {{
        let options = $crate::check::Options::new($arch, $kernel);
        let options = $crate::check::Options { $($field: $value,)* ..options };
        let report = $crate::check::check(&options, &mut $crate::check::nobody());
        assert!(report.holds(), "{}", $crate::check::text(&report));
    }};
}
