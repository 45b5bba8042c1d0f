//! A replayed log as tables of at most 80 columns.

use std::fmt::Write;

use emu_arch::Arch;
use emu_lab::render::text::grouped;
use emu_mm::workload::Row;
use emu_replay::run::{CallRow, Report};

use super::notes;
use super::replayed::Replayed;
use crate::workload::notes::wrapped;
use crate::workload::table::{WIDTH, effects, new_table, push, saved, summary};

/// All tables, with what they cannot say below them.
pub(super) fn render(replayed: &Replayed<'_>) -> String {
    let mut text = String::new();
    calls(&mut text, replayed);
    if replayed.args.summary {
        text.push('\n');
        let rows = replayed.reports.iter().map(|report| (report.arch, &report.total));
        summary(&mut text, rows);
    } else {
        replayed.reports.iter().for_each(|report| one(&mut text, report));
    }
    text.push('\n');
    for note in notes::of(replayed) {
        text.push_str(&wrapped(&note, WIDTH));
    }
    text
}

/// What the log says, call by call.
fn calls(text: &mut String, replayed: &Replayed<'_>) {
    let told = replayed.told;
    let numbers =
        [(replayed.lines as u64, "line"), (told.tasks, "task"), (told.mms, "address space")];
    let numbers =
        numbers.map(|(n, what)| format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" }));
    let _ = writeln!(text, "{}: {}", replayed.name, numbers.join(", "));
    let mut table = new_table();
    table.set_header(["call", "done", "failed", "no result"]);
    for (name, tally) in &told.calls {
        let numbers = [tally.done, tally.failed, tally.unknown].map(grouped);
        table.add_row([(*name).to_owned()].into_iter().chain(numbers));
    }
    push(text, table);
}

/// The tables of one architecture.
fn one(text: &mut String, report: &Report) {
    let (arch, design) = (report.arch, report.design.id());
    let _ = writeln!(text, "\nreplay on {arch}, design {design}");
    let noun = arch.facts().noun;
    let mut table = new_table();
    let head = ["work of", "calls", "pages", "PTE writes", "sections", noun, "without the mode"];
    table.set_header(head);
    let total: u64 = report.calls.values().map(|(calls, _)| calls).sum();
    let rows = report.calls.iter().map(|(name, (calls, row))| (*name, *calls, row));
    for (name, calls, row) in rows.chain([("total", total, &report.total)]) {
        table.add_row([name.to_owned(), grouped(calls)].into_iter().chain(numbers(row)));
    }
    push(text, table);
    if report.top().next().is_some() {
        text.push('\n');
        top(text, report);
    }
    effects(text, &report.total);
    let _ = writeln!(text, "{}", saved(arch, "the log", &report.total));
}

/// The calls with the most page table writes.
fn top(text: &mut String, report: &Report) {
    let mut table = new_table();
    let noun = report.arch.facts().noun;
    table.set_header(["line", "task", "call", "from", "PTE writes", "sections", noun, "without"]);
    for call in report.top() {
        let [_, writes, sections, with, without] = numbers(&call.row);
        let [line, pid] = [call.line as u64, u64::from(call.pid)].map(|n| n.to_string());
        let from = format!("{:#x}", call.range.0);
        table.add_row([line, pid, call.call.to_owned(), from, writes, sections, with, without]);
    }
    push(text, table);
}

/// A line for a call, as soon as it is read.
pub(super) fn call(arch: Arch, call: &CallRow) -> String {
    let [pages, writes, sections, with, without] = numbers(&call.row);
    let (line, pid, name, (start, end)) = (call.line, call.pid, call.call, call.range);
    let noun = arch.facts().noun;
    format!(
        "line {line}: {pid} {name} {start:#x}-{end:#x} on {arch}: {pages} pages, {writes} PTE \
         writes, {sections} sections, {} hooks, {with} {noun}, {without} without the mode",
        grouped(call.row.hooks())
    )
}

fn numbers(row: &Row) -> [String; 5] {
    [row.pages, row.ptes, row.sections(), row.delayable(), row.delayable_paused()].map(grouped)
}
