//! The page of a comparison: the table with what differs marked.

use emu_lab::compare::{Cell as Compared, Comparison, Part, Row};

use super::super::table::{Cell, Look, Table};
use super::super::{Block, Page, render};

/// The page of `comparison`, that of the scenario called `name`.
#[must_use]
pub fn compare(name: &str, comparison: &Comparison, skipped: &[String]) -> String {
    let labels: Vec<String> =
        comparison.columns.iter().map(|column| column.label.join(" ")).collect();
    let mut blocks = vec![Block::Table(calls(comparison, &labels))];
    let head = ["how often".to_owned()].into_iter().chain(labels.iter().cloned());
    let mut totals = Table::new("Totals", head).numbers(1..=labels.len()).sorted(None);
    for total in &comparison.totals {
        let times = total.times.iter().map(|times| {
            let look = if total.bad && *times > 0 { Look::Bad } else { Look::Plain };
            Cell::new(times.to_string(), look)
        });
        totals.row(false, [Cell::new(&total.name, Look::Mono)].into_iter().chain(times));
    }
    blocks.push(Block::Table(totals));
    blocks.push(Block::Table(ends(comparison, &labels)));
    blocks.extend(skipped.iter().cloned().map(Block::Paragraph));
    let differ = comparison.rows.iter().filter(|row| row.differs()).count();
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let (rows, columns) = (comparison.rows.len(), labels.len());
    let lead = format!("{differ} of {rows} line{} differ between {columns} columns.", s(rows));
    let title = if comparison.what.is_empty() { name } else { &comparison.what };
    let facts = vec![("scenario", name.to_owned())];
    render(&Page { title: title.to_owned(), lead, facts, blocks, ..Page::default() })
}

fn calls(comparison: &Comparison, labels: &[String]) -> Table {
    let head = ["line", "call"].into_iter().map(str::to_owned).chain(labels.iter().cloned());
    let mut table = Table::new("Calls", head).numbers([0]).pinned().filtered("differences only");
    for row in &comparison.rows {
        let call = "\u{a0}\u{a0}".repeat(row.depth.min(15)) + &row.call;
        let first = [Cell::new(row.line.to_string(), Look::Dim), Cell::new(call, Look::Mono)];
        let cells = row.cells.iter().map(|cell| {
            Cell::new(text(row, cell), if cell.differs { Look::Differs } else { Look::Mono })
        });
        table.row(row.differs(), first.into_iter().chain(cells));
    }
    table
}

/// What a line does in a column.
fn text(row: &Row, cell: &Compared) -> String {
    let part = |part: &Part| match part {
        Part::Hook(hook) => hook.short.to_owned(),
        Part::Effect(text) => text.clone(),
        Part::Warning(text) => format!("WARNING: {text}"),
        Part::Again(text) => format!("(again: {text})"),
        Part::Bug(text) => format!("BUG: {text}"),
        Part::Unmet(text) => format!("claim: {text}"),
    };
    let mut lines: Vec<String> = cell.parts.iter().map(part).collect();
    if lines.is_empty() && row.reaches {
        lines.push("ø".to_owned());
    }
    if row.active_differs() {
        lines.push(emu_lab::render::text::mode(cell.active).to_owned());
    }
    lines.join("\n")
}

fn ends(comparison: &Comparison, labels: &[String]) -> Table {
    let mut table = Table::new("At the end", ["column", "state", "pending", "preempt_count"]);
    for ((end, label), column) in comparison.ends.iter().zip(labels).zip(&comparison.columns) {
        let pending: Vec<String> =
            end.pending.iter().map(|(n, what)| format!("{n} in {what}")).collect();
        let pending = if pending.is_empty() { "nothing".to_owned() } else { pending.join(", ") };
        let state = column.setup.design.show(end.state);
        let cells = [label.clone(), state, pending, end.preempt_count.to_string()];
        table.row(false, cells.map(|text| Cell::new(text, Look::Mono)));
    }
    table
}
