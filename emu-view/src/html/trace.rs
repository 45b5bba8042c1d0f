//! A view as the rows of a page: bars per lane, what waits, and the way from cause to victim.

use emu_arch::Kernel;
use lazy_mmu::trace::{Event, task_name};
use serde::Serialize;

use super::fold::{Fold, fold};
use super::link;
use super::state::{State, states};
use crate::view::{Kind, Owner, Span, Step, Tone, View, about};

/// The most ways from cause to victim that are drawn.
const FLOWS_MAX: usize = 4;
/// The deepest bar that is drawn inside of others.
const BARS_MAX: usize = 6;

/// A record as a page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Trace {
    /// An id that no other trace of the page has.
    id: String,
    lanes: Vec<Column>,
    /// The columns of the ways from cause to victim.
    ways: usize,
    rows: Vec<Row>,
    /// The states of the rows, each once.
    states: Vec<State>,
    /// The row that is chosen first.
    first: usize,
    /// What holds what waits.
    batches: String,
    /// What is left at the end.
    left: String,
    /// The tones and bars that occur, for the legend.
    kinds: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Column {
    cpu: u8,
    task: String,
    name: String,
}

#[derive(Debug, Serialize)]
struct Row {
    /// The number of the step, from 1.
    n: usize,
    line: Option<u32>,
    /// The class of each column of ways.
    ways: Vec<&'static str>,
    cells: Vec<Cell>,
    /// What stands above the row where something comes in between, and what is open there.
    pause: Option<String>,
    between: Vec<Cell>,
    name: String,
    args: String,
    href: Option<String>,
    goes_on: bool,
    left: bool,
    depth: usize,
    /// How many steps the row stands for, and what the last of them is.
    times: usize,
    last: String,
    details: Vec<Part>,
    state: String,
    /// What waits behind it, and how much of the most there ever is.
    pending: String,
    percent: u32,
    wrong: bool,
    /// The index of the state behind it.
    at: usize,
}

#[derive(Debug, Serialize)]
struct Part {
    tone: &'static str,
    text: String,
    href: Option<String>,
    about: String,
}

/// A lane at a row: its bars from the outside in, and whether it is the one that acts.
#[derive(Debug, Serialize)]
struct Cell {
    bars: Vec<String>,
    acts: bool,
}

/// The rows of `view`, under the code of `kernel`.
pub(super) fn trace(id: &str, view: &View<'_>, kernel: Kernel) -> Trace {
    let folds = fold(view);
    let (indices, states) = states(view, &folds);
    let most = view.levels.iter().map(|level| level.n).max().unwrap_or(0);
    let ways: Vec<(usize, usize)> = ways(view, &folds);
    let lanes_at = lanes_at(view, &folds);
    let rows: Vec<Row> = folds
        .iter()
        .enumerate()
        .map(|(index, fold)| {
            let mut row = row(view, kernel, fold, most);
            row.at = indices[index];
            row.ways = ways.iter().map(|way| way_class(*way, index)).collect();
            row.cells = cells(view, fold, &lanes_at[index]);
            if row.pause.is_some() {
                row.between = between(view, fold.first, &lanes_at[index.saturating_sub(1)]);
            }
            row
        })
        .collect();
    let main = view.main_flow().map(|flow| flow.victim);
    let first = main.map_or(0, |at| folds.iter().position(|fold| fold.has(at)).unwrap_or(0));
    let mut kinds: Vec<&'static str> = view.spans.iter().map(|span| class(span.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut batches: Vec<&str> = view.levels.iter().map(|level| level.what).collect();
    batches.sort_unstable();
    batches.dedup();
    let left: Vec<String> = view.left.iter().map(|(n, what)| format!("{n} in {what}")).collect();
    let columns = view.lanes.iter().map(|lane| Column {
        cpu: lane.cpu,
        task: task_name(lane.task).to_string(),
        name: lane.name(),
    });
    Trace {
        id: id.to_owned(),
        lanes: columns.collect(),
        ways: ways.len(),
        rows,
        states,
        first,
        batches: batches.join(", "),
        left: left.join(", "),
        kinds,
    }
}

fn row(view: &View<'_>, kernel: Kernel, fold: &Fold, most: u32) -> Row {
    let (step, last) = (&view.steps[fold.first], &view.steps[fold.last]);
    let (name, args) = match step.text.split_once('(') {
        Some((name, args)) => (name.to_owned(), format!("({args}")),
        None => (step.text.clone(), String::new()),
    };
    let waits = view.waits(fold.last);
    let here = waits.iter().filter(|(owner, ..)| owner_acts(view, last, *owner));
    let n: u32 = here.clone().map(|(.., n)| n).sum();
    let pending = here.map(|(_, _, n)| n.to_string()).collect::<Vec<_>>();
    let state = last.state.map(|(task, state)| {
        let of =
            if task == view.task(last) { String::new() } else { format!("{}: ", task_name(task)) };
        of + &view.record.design().show(state)
    });
    let count = last.preempt_count.map(|count| format!("preempt_count={count}"));
    let is_remark = step.event.is_none();
    Row {
        n: fold.first + 1,
        line: step.line,
        ways: Vec::new(),
        cells: Vec::new(),
        pause: pause(view, fold.first),
        between: Vec::new(),
        href: link::function(kernel, &name).filter(|_| !is_remark),
        name,
        args,
        goes_on: step.goes_on,
        left: last.left,
        depth: step.depth.min(10),
        times: fold.last - fold.first + 1,
        last: if fold.last > fold.first { last.text.clone() } else { String::new() },
        details: last.details.iter().map(|one| part(kernel, one.tone, &one.text)).collect(),
        state: state.into_iter().chain(count).collect::<Vec<_>>().join(" "),
        pending: pending.join(" + "),
        percent: (n * 100).checked_div(most).unwrap_or(0),
        wrong: view.flows.iter().any(|flow| fold.has(flow.victim)),
        at: 0,
    }
}

/// Tells whether the batch is the one that the step's CPU or task works with.
fn owner_acts(view: &View<'_>, step: &Step<'_>, owner: Owner) -> bool {
    let lane = view.lanes[step.lane];
    match owner {
        Owner::Cpu(cpu) => cpu == lane.cpu,
        Owner::Task(task) => task == lane.task,
    }
}

/// What comes in between before a step, in words.
fn pause(view: &View<'_>, at: usize) -> Option<String> {
    let step = &view.steps[at];
    let before = at.checked_sub(1).map(|before| &view.steps[before])?;
    if step.goes_on {
        return Some(format!("{} goes on", view.lanes[step.lane].name()));
    }
    let what = match step.event {
        Some(Event::Switch { .. }) if before.left => "preempted",
        Some(Event::Context { name, .. }) if name.contains("nmi_enter") => "NMI",
        Some(Event::Context { name, .. }) if name.ends_with("irq_enter") => "interrupt",
        _ if before.left => "meanwhile",
        Some(_) | None => return None,
    };
    Some(format!("{what} on {}", view.lanes[step.lane].name()))
}

fn part(kernel: Kernel, tone: Tone, text: &str) -> Part {
    let (word, class) = match tone {
        Tone::Hook => ("", "hook"),
        Tone::Effect => ("", "effect"),
        Tone::Warning => ("WARNING: ", "warning"),
        Tone::Bug => ("BUG: ", "bug"),
        Tone::Hazard => ("HAZARD: ", "hazard"),
        Tone::Note => ("", "note"),
    };
    let href = match tone {
        Tone::Effect => link::function(kernel, text.split('(').next().unwrap_or_default()),
        Tone::Hook => link::hook(kernel, text),
        Tone::Warning | Tone::Bug | Tone::Hazard | Tone::Note => None,
    };
    let about = if tone == Tone::Hazard { about(text) } else { "" };
    Part { tone: class, text: format!("{word}{text}"), href, about: about.to_owned() }
}

/// The rows of cause and victim of what is drawn as a way.
fn ways(view: &View<'_>, folds: &[Fold]) -> Vec<(usize, usize)> {
    let row = |step: usize| folds.iter().position(|fold| fold.has(step));
    let ways = view.flows.iter().filter_map(|flow| Some((row(flow.cause?)?, row(flow.victim)?)));
    let mut ways: Vec<(usize, usize)> = ways.filter(|(from, to)| from < to).collect();
    ways.sort_unstable();
    ways.dedup();
    ways.truncate(FLOWS_MAX);
    ways
}

const fn way_class((from, to): (usize, usize), row: usize) -> &'static str {
    if row == from {
        "from"
    } else if row == to {
        "to"
    } else if from < row && row < to {
        "via"
    } else {
        ""
    }
}

/// The lane on which each task is at each row, by the task's number.
fn lanes_at(view: &View<'_>, folds: &[Fold]) -> Vec<Vec<Option<usize>>> {
    let tasks = view.lanes.iter().map(|lane| usize::from(lane.task)).max().unwrap_or(0);
    let mut now = vec![None; tasks + 1];
    let at = |fold: &Fold| {
        let lane = view.steps[fold.first].lane;
        now[usize::from(view.lanes[lane].task)] = Some(lane);
        now.clone()
    };
    folds.iter().map(at).collect()
}

fn cells(view: &View<'_>, fold: &Fold, lanes_at: &[Option<usize>]) -> Vec<Cell> {
    let acting = view.steps[fold.first].lane;
    let lane = |(index, lane): (usize, &crate::view::Lane)| {
        let here = lanes_at[usize::from(lane.task)] == Some(index);
        let open = view.spans.iter().filter(|span| here && span.task == lane.task);
        let open = open.filter(|span| span.begin <= fold.last && fold.first <= span.end);
        let bars = open.take(BARS_MAX).map(|span| bar(span, fold, index == acting)).collect();
        Cell { bars, acts: index == acting }
    };
    view.lanes.iter().enumerate().map(lane).collect()
}

/// The lanes between two rows: what is open across them.
fn between(view: &View<'_>, step: usize, lanes_at: &[Option<usize>]) -> Vec<Cell> {
    let lane = |(index, lane): (usize, &crate::view::Lane)| {
        let here = lanes_at[usize::from(lane.task)] == Some(index);
        let open = view.spans.iter().filter(|span| here && span.task == lane.task);
        let open = open.filter(|span| span.begin < step && step <= span.end);
        let bars = open.take(BARS_MAX).map(|span| format!("{} idle", class(span.kind))).collect();
        Cell { bars, acts: false }
    };
    view.lanes.iter().enumerate().map(lane).collect()
}

/// The classes of a bar.
fn bar(span: &Span, fold: &Fold, acts: bool) -> String {
    let mut classes = class(span.kind).to_owned();
    classes += if fold.has(span.begin) { " begin" } else { "" };
    classes += if fold.has(span.end) { " end" } else { "" };
    classes += if acts { "" } else { " idle" };
    classes
}

const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "section",
        Kind::Pause => "pause",
        Kind::Interrupt => "interrupt",
        Kind::Atomic => "atomic",
        Kind::Step => "step",
    }
}
