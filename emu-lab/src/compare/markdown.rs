//! A comparison as one Markdown table; cells that differ are bold.

use std::fmt::Write;

use super::cells::texts;
use super::text::{legend, same};
use super::{Column, Comparison};
use crate::render::markdown::Table;

/// The comparison as Markdown.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut text = String::new();
    for line in [Some(comparison.what.clone()), same(comparison)].into_iter().flatten() {
        if !line.is_empty() {
            let _ = writeln!(text, "{}\n", escape(&line));
        }
    }
    let first = |name: String| std::iter::once(name);
    let header = comparison.columns.iter().map(header);
    let mut table = Table::new(first("call".to_owned()).chain(header));
    for line in &comparison.rows {
        let cells = line.cells.iter().map(|cell| {
            let parts = texts(line, cell).into_iter().map(|(text, _)| escape(&text));
            let parts = parts.collect::<Vec<_>>().join("<br>");
            if cell.differs && !parts.is_empty() { format!("**{parts}**") } else { parts }
        });
        let indent = "&nbsp;&nbsp;".repeat(line.depth);
        table.row(first(format!("{indent}{}", escape(&line.call))).chain(cells));
    }
    for total in &comparison.totals {
        let times = total.times.iter().map(u64::to_string);
        table.row(first(escape(&total.name)).chain(times));
    }
    let ends = comparison.ends.iter().zip(&comparison.columns).map(|(end, column)| {
        let state = column.setup.design.show(end.state);
        let parts = [state].into_iter().chain(end.left()).map(|part| escape(&part));
        parts.collect::<Vec<_>>().join("<br>")
    });
    table.row(first("at the end".to_owned()).chain(ends));
    let _ = write!(text, "{table}");
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

/// Text that Markdown leaves as it is.
fn escape(text: &str) -> String {
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
