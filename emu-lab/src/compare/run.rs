//! A scenario and its setups to a comparison.

use lazy_mmu::Record;
use lazy_mmu::design::{HookInfo, StateBits};
use lazy_mmu::sched;
use lazy_mmu::trace::{Event, effect_text};

use super::columns::columns;
use super::{Cell, Comparison, End, Part, Row, Total};
use crate::scenario::{self, Line, Outcome, Scenario, Setup, Step};
use emu_arch::kernel;
use emu_input::InputError;

/// The most cells of a comparison, lines times columns: all of them are in memory at once.
pub const CELLS_MAX: usize = 1_000_000;

/// Checks that `scenario` under each of `setups` makes no more than [`CELLS_MAX`] cells.
///
/// # Errors
/// The first line that is too many.
pub fn check_size(scenario: &Scenario, setups: &[Setup]) -> Result<(), InputError> {
    let columns = setups.len().max(1);
    let rows_max = CELLS_MAX / columns;
    let Some(line) = scenario.steps.iter().filter(|line| shown(line)).nth(rows_max) else {
        return Ok(());
    };
    let message = format!("expected at most {rows_max} lines to compare in {columns} columns");
    let help = Some("list fewer designs, kernels or architectures".to_owned());
    Err(InputError { line: line.number as usize, column: 1, len: 0, message, help })
}

/// Runs `scenario` under each of `setups` and puts the results side by side.
///
/// A scenario that [`check_size`] refuses is compared all the same, as far as memory lasts.
#[must_use]
pub fn compare(scenario: &Scenario, setups: &[Setup]) -> Comparison {
    let columns = columns(setups);
    let runs: Vec<Run> = setups.iter().map(|setup| Run::new(scenario, *setup)).collect();
    let mut rows = empty_rows(scenario);
    for (index, row) in rows.iter_mut().enumerate() {
        row.cells = runs.iter().map(|run| run.cells[index].clone()).collect();
        for (at, column) in columns.iter().enumerate() {
            let (cell, measure) = (&row.cells[at], &row.cells[column.measure]);
            let differs = (&cell.parts, cell.active) != (&measure.parts, measure.active);
            row.cells[at].differs = differs;
        }
    }
    let ends = runs.iter().map(Run::end).collect();
    Comparison { what: scenario.what.clone(), columns, rows, totals: totals(&runs), ends }
}

/// What one setup made of the scenario.
struct Run {
    cells: Vec<Cell>,
    outcome: Outcome,
}

impl Run {
    fn new(scenario: &Scenario, setup: Setup) -> Self {
        let mut cells = Vec::with_capacity(scenario.steps.len());
        let setup = Setup { panic_on_warn: false, ..setup };
        let outcome = scenario::run_lines(scenario, setup, &mut |line, record| {
            if shown(line) {
                cells.push(cell(record));
            }
        });
        Self { cells, outcome }
    }

    fn end(&self) -> End {
        let mut end = End { state: StateBits::default(), pending: Vec::new(), preempt_count: 0 };
        for seen in self.outcome.record.events() {
            if let Event::Pending { n, what } = seen.event {
                end.pending.push((n, what.to_owned()));
            } else if let Event::End { state, preempt_count } = seen.event {
                (end.state, end.preempt_count) = (state, preempt_count.0);
            }
        }
        end
    }

    /// How many parts are of the kind that `is` knows.
    fn count(&self, is: impl Fn(&Part) -> bool) -> u64 {
        self.cells.iter().flat_map(|cell| &cell.parts).filter(|part| is(part)).count() as u64
    }
}

/// Tells whether a line has a row: what is mapped beforehand has none.
const fn shown(line: &Line) -> bool {
    !matches!(line.step, Step::Map(_))
}

/// The rows without their cells; brackets indent what is between them.
fn empty_rows(scenario: &Scenario) -> Vec<Row> {
    let mut open = 0usize;
    let row = |line: &Line| {
        let (opens, closes) = match line.step {
            Step::Kernel(kernel::Step::Call(info, _)) => (info.role.opens(), info.role.closes()),
            Step::Kernel(kernel::Step::Context(op)) => (op.add, !op.add),
            Step::Kernel(_) | Step::Map(_) | Step::Expect(_) => (false, false),
        };
        open = open.saturating_sub(usize::from(closes));
        let depth = open;
        open += usize::from(opens);
        use kernel::Step::{Call, Pte};
        let reaches = matches!(line.step, Step::Kernel(Call(..) | Pte(..)));
        let call = line.step.to_string();
        Row { line: line.number, call, depth, reaches, cells: Vec::new() }
    };
    scenario.steps.iter().filter(|line| shown(line)).map(row).collect()
}

/// The cell of one line, from the record of the line alone.
fn cell(record: &Record) -> Cell {
    let mut parts = Vec::new();
    let mut state = StateBits::default();
    for seen in record.events() {
        match seen.event {
            Event::Hook(hook) => parts.extend(record.design().hook_info(hook).map(Part::Hook)),
            Event::Effect { name, n } => parts.push(Part::Effect(effect_text(name, n))),
            // What the architecture changes is an effect; what the task does is the line itself.
            Event::Context { name, by_arch: true, .. } => {
                parts.push(Part::Effect(format!("{name}()")))
            }
            Event::Warn { check, cond, again } => {
                let text = format!("{check}({cond})");
                parts.push(match (check.ends_with("BUG_ON"), again) {
                    (true, _) => Part::Bug(text),
                    (false, true) => Part::Again(text),
                    (false, false) => Part::Warning(text),
                });
            }
            Event::Hazard { name, .. } => parts.push(Part::Warning(format!("hazard {name}"))),
            Event::Note(text) if text.starts_with("line ") => {
                let text = text.split_once(": ").map_or(text, |(_, message)| message);
                parts.push(Part::Unmet(text.to_owned()));
            }
            Event::End { state: bits, .. } => state = bits,
            Event::Context { by_arch: false, .. }
            | Event::Note(_)
            | Event::Section(_)
            | Event::Call(_)
            | Event::Store(_)
            | Event::Pte(_)
            | Event::Return { .. }
            | Event::Switch { .. }
            | Event::Away
            | Event::Back
            | Event::Pending { .. } => {}
        }
    }
    Cell { parts, active: sched::is_lazy_mmu_mode_active(), state, differs: false }
}

/// What happened how often: hooks, then effects that cost time, then what went wrong.
fn totals(runs: &[Run]) -> Vec<Total> {
    let mut totals = Vec::new();
    let mut push = |name: &str, bad: bool, times: Vec<u64>| {
        if times.iter().any(|times| *times > 0) {
            totals.push(Total { name: name.to_owned(), times, bad });
        }
    };
    let mut hooks: Vec<&HookInfo> = Vec::new();
    for hook in runs.iter().flat_map(|run| run.outcome.record.design().hooks()) {
        if !hooks.iter().any(|known| known.hook == hook.hook) {
            hooks.push(hook);
        }
    }
    for info in hooks {
        let times = runs.iter().map(|run| run.outcome.totals.hook(info.hook)).collect();
        push(info.short, false, times);
    }
    let mut names: Vec<&'static str> = Vec::new();
    for total in runs.iter().flat_map(|run| run.outcome.totals.effects()) {
        if !names.contains(&total.name) {
            names.push(total.name);
        }
    }
    for name in names {
        push(name, false, runs.iter().map(|run| run.outcome.totals.times(name)).collect());
    }
    let mut bad = |name, is: fn(&Part) -> bool| {
        push(name, true, runs.iter().map(|run| run.count(is)).collect());
    };
    bad("warnings", |part| matches!(part, Part::Warning(_)));
    bad("BUGs", |part| matches!(part, Part::Bug(_)));
    bad("claims that do not hold", |part| matches!(part, Part::Unmet(_)));
    totals
}
