//! The report for people, at most 80 columns wide.

use std::fmt::Write;

use super::value::Report;
use crate::compare::{Checked, Verdict};

/// The columns of a terminal.
const WIDTH: usize = 80;

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    let kernel = report.kernel.id();
    let why = report.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    wrap(&mut text, "", &format!("against {} {kernel}{why}", report.arch));
    text.push('\n');
    for one in &report.checked {
        row(&mut text, one);
    }
    text.push('\n');
    totals(&mut text, report);
    text
}

/// So many things, in words.
fn plural(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn row(text: &mut String, one: &Checked) {
    let (tasks, cpus) = (plural(one.tasks as u64, "task"), plural(one.cpus as u64, "CPU"));
    let (calls, effects) = (plural(one.calls, "call"), plural(one.effects, "effect"));
    let size = format!("{tasks}, {cpus}, {calls}, {effects}");
    match &one.verdict {
        Verdict::Same => wrap(text, "", &format!("same       {}: {size}", one.name)),
        Verdict::LeftOut(why) => wrap(text, "", &format!("left out   {}: {why}", one.name)),
        Verdict::Different(difference) => {
            wrap(text, "", &format!("different  {}: {size}", one.name));
            let at = difference.at;
            let at = at.map_or(String::new(), |(task, cpu)| format!(", task {task} on CPU {cpu}"));
            let line = difference.line;
            wrap(text, "    ", &format!("line {line}{at}: {}", difference.call));
            wrap(text, "    ", &format!("kernel:   {}", difference.kernel));
            wrap(text, "    ", &format!("emulated: {}", difference.emulated));
        }
    }
    if let Some((line, bug)) = one.bug {
        let said = if one.said { "as the kernel did" } else { "where the trace ends" };
        wrap(text, "    ", &format!("ends in BUG_ON({bug}) at line {line}, {said}"));
    }
}

fn totals(text: &mut String, report: &Report) {
    let [same, different, left] = report.verdicts();
    let sum = |of: fn(&Checked) -> u64| report.checked.iter().map(of).sum::<u64>();
    let (calls, effects) = (sum(|one| one.calls), sum(|one| one.effects));
    let all = report.checked.len();
    wrap(
        text,
        "",
        &format!(
            "{}: {same} same, {different} different, {left} left out",
            plural(all as u64, "operation")
        ),
    );
    wrap(text, "", &format!("{calls} calls and switches, {effects} effects compared"));
    let cut = sum(|one| one.cut);
    let parts = [
        ("of which", report.sum(|one| &one.counted)),
        ("left out", report.sum(|one| &one.left)),
        ("assumed", report.sum(|one| &one.assumed)),
    ];
    for (what, tally) in parts {
        for (name, n) in &tally {
            wrap(text, "    ", &format!("{what} {n} {name}"));
        }
    }
    if cut > 0 {
        wrap(text, "    ", &format!("left out {cut} calls that the trace cuts off"));
    }
    if report.cut {
        wrap(text, "    ", "left out the last line, which has no end");
    }
    if report.outside > 0 {
        wrap(text, "    ", &format!("left out {} events outside of operations", report.outside));
    }
    text.push_str("assumptions\n");
    for what in report.assumes {
        wrap(text, "    ", what);
    }
}

/// Appends a paragraph, broken at blanks; its further lines are indented by four more.
fn wrap(to: &mut String, indent: &str, paragraph: &str) {
    let mut line = indent.to_owned();
    let mut is_empty = true;
    for word in paragraph.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(to, "{}", line.trim_end());
            line = format!("{indent}    ");
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(to, "{}", line.trim_end());
}
