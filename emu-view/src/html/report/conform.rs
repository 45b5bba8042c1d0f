//! The page of traces beside the emulated kernel.

use emu_conform::{Checked, Report, Verdict};

use super::super::table::{Cell, Look, Table};
use super::super::{Block, Page, render};

/// The page of the reports, each with the name of its trace.
#[must_use]
pub fn conform(reports: &[(String, Report)]) -> String {
    let sum = |which: usize| reports.iter().map(|(_, one)| one.verdicts()[which]).sum::<usize>();
    let [same, different, left_out] = [0, 1, 2].map(sum);
    let mut blocks = Vec::new();
    for (name, report) in reports {
        let why = report.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let text = format!("{name}, against {} {}{why}", report.arch, report.kernel);
        blocks.push(Block::Paragraph(text));
        blocks.push(Block::Table(operations(report)));
        let assumes = report.assumes.iter().map(|what| format!("{what}\n")).collect();
        blocks.push(Block::Text { name: "Assumptions".to_owned(), text: assumes });
    }
    let lead =
        format!("{same} operations are the same, {different} different, {left_out} left out.");
    let title = "A booted kernel beside the emulated one".to_owned();
    render(&Page { title, lead, bad: different > 0, blocks, ..Page::default() })
}

fn operations(report: &Report) -> Table {
    let head = ["operation", "line", "verdict", "tasks", "CPUs", "calls", "effects", "why"];
    let mut table = Table::new("Operations", head).numbers([1, 3, 4, 5, 6]);
    table = table.sorted(Some("different only"));
    for one in &report.checked {
        let (verdict, look, why) = match &one.verdict {
            Verdict::Same => ("same", Look::Good, String::new()),
            Verdict::LeftOut(why) => ("left out", Look::Dim, (*why).to_string()),
            Verdict::Different(found) => {
                let why = format!(
                    "line {}: {}\nkernel: {}\nemulated: {}",
                    found.line, found.call, found.kernel, found.emulated
                );
                ("different", Look::Bad, why)
            }
        };
        let plain = |text: String| Cell::new(text, Look::Plain);
        let cells = [
            Cell::new(&one.name, Look::Mono),
            plain(one.line.to_string()),
            Cell::new(verdict, look),
            plain(one.tasks.to_string()),
            plain(one.cpus.to_string()),
            plain(one.calls.to_string()),
            plain(one.effects.to_string()),
            Cell::new(why + &bug(one), Look::Mono),
        ];
        table.row(matches!(one.verdict, Verdict::Different(_)), cells);
    }
    table
}

/// The BUG in which an operation ends.
fn bug(one: &Checked) -> String {
    one.bug.map_or(String::new(), |(line, bug)| format!("ends in BUG_ON({bug}) at line {line}"))
}
