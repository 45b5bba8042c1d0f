//! A comparison as one Markdown table; cells that differ are bold.

use std::fmt::Write;

use super::cells::texts;
use super::text::{legend, same};
use super::{Column, Comparison};

/// The comparison as Markdown.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut text = String::new();
    for line in [Some(comparison.what.clone()), same(comparison)].into_iter().flatten() {
        if !line.is_empty() {
            let _ = writeln!(text, "{}\n", escape(&line));
        }
    }
    row(&mut text, "call", comparison.columns.iter().map(header));
    row(&mut text, "---", comparison.columns.iter().map(|_| "---".to_owned()));
    for line in &comparison.rows {
        let cells = line.cells.iter().map(|cell| {
            let parts = texts(line, cell).into_iter().map(|(text, _)| escape(&text));
            let parts = parts.collect::<Vec<_>>().join("<br>");
            if cell.differs && !parts.is_empty() { format!("**{parts}**") } else { parts }
        });
        let indent = "&nbsp;&nbsp;".repeat(line.depth);
        row(&mut text, &format!("{indent}{}", escape(&line.call)), cells);
    }
    for total in &comparison.totals {
        row(&mut text, &escape(&total.name), total.times.iter().map(u64::to_string));
    }
    let ends = comparison.ends.iter().zip(&comparison.columns).map(|(end, column)| {
        let state = column.setup.design.show(end.state);
        let parts = [state].into_iter().chain(end.left()).map(|part| escape(&part));
        parts.collect::<Vec<_>>().join("<br>")
    });
    row(&mut text, "at the end", ends);
    let legend = legend(comparison);
    if !legend.is_empty() {
        text.push('\n');
    }
    for line in legend {
        let line = line
            .strip_prefix('*')
            .map_or_else(|| escape(&line), |rest| format!("**bold**:{}", escape(rest)));
        let _ = writeln!(text, "{line}  ");
    }
    text
}

fn header(column: &Column) -> String {
    let sign = if column.existed() { "" } else { " +" };
    format!("{}{sign}", column.label.join("<br>"))
}

fn row(text: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(text, "| {first} |");
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
    text.push('\n');
}

/// Text that Markdown leaves as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '<' | '>' | '\\' | '`' | '[' | ']' => escaped.extend(['\\', c]),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
