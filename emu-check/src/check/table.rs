//! Many searches as a table: what holds where.

use std::fmt::Write;

use super::report::Report;

/// The widest line, so that a table goes into a mail.
const WIDTH: usize = 78;

/// A row for each report, in at most 78 columns: how many states there are, and what breaks, each with
/// the length of its shortest way.
#[must_use]
pub fn text(reports: &[Report]) -> String {
    let mut text =
        format!("{:<14}{:<9}{:>10}  {}\n", "arch", "kernel", "states", "what breaks (moves)");
    for report in reports {
        let options = &report.options;
        let states = if report.is_exhaustive() {
            report.states.to_string()
        } else {
            format!(">{}", report.states)
        };
        let head = format!("{:<14}{:<9}{states:>10}  ", options.arch.id(), options.kernel.id());
        let mut line = head.clone();
        let mut first = true;
        for broken in broken(report) {
            if !first && line.len() + broken.len() + 2 > WIDTH {
                let _ = writeln!(text, "{},", line.trim_end());
                line = " ".repeat(head.len());
            } else if !first {
                line += ", ";
            }
            line += &broken;
            first = false;
        }
        if first {
            line += if report.is_exhaustive() { "-" } else { "? (not searched to the end)" };
        }
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What breaks in a report, in one line: `nothing` where all holds.
pub(super) fn breaks(report: &Report) -> String {
    let list = broken(report).join(", ");
    if list.is_empty() { "nothing".to_owned() } else { list }
}

/// What breaks in a report: `no-arch-bug (5, 8)`.
fn broken(report: &Report) -> Vec<String> {
    let mut all: Vec<(&'static str, Vec<String>)> = Vec::new();
    for found in &report.broken {
        let moves = found.moves.to_string();
        match all.last_mut() {
            Some((id, list)) if *id == found.property.id() => list.push(moves),
            _ => all.push((found.property.id(), vec![moves])),
        }
    }
    all.into_iter().map(|(id, moves)| format!("{id} ({})", moves.join(", "))).collect()
}
