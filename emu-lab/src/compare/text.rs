//! A comparison as plain text that fits a mail: at most 78 columns, in as many tables as it takes.

use std::fmt::Write;

pub use super::cells::Paint;
use super::cells::{Line, Tone, cell_lines};
use super::columns::Varies;
use super::{Cell, Column, Comparison, End, Part, Row};
use crate::render::text::wrap;

/// The widest line, in characters.
pub const WIDTH: usize = 78;
/// The widest text of a cell; longer ones wrap.
const CELL_MAX: usize = 22;
/// The widest text of the first column.
const CALL_MAX: usize = 24;
/// What stands between two columns.
const GAP: &str = " | ";
/// The deepest nesting that the indent follows.
const INDENTS_MAX: usize = 5;

/// The comparison without colours.
#[must_use]
pub fn plain(comparison: &Comparison) -> String {
    render(comparison, &|_, text| text.to_owned())
}

/// A remark in as many lines as it takes.
#[must_use]
pub fn remark(text: &str) -> Vec<String> {
    wrap(text, WIDTH)
}

/// The comparison, with `paint` for what stands out.
#[must_use]
pub fn render(comparison: &Comparison, paint: Paint<'_>) -> String {
    let grid = Grid::new(comparison);
    let mut text = String::new();
    for line in wrap(&comparison.what, WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    if let Some(same) = same(comparison) {
        let _ = writeln!(text, "{same}");
    }
    let mut from = 0;
    while from < grid.widths.len() {
        let to = grid.fit(from);
        text.push('\n');
        grid.table(&mut text, from..to, paint);
        from = to;
    }
    let legend = legend(comparison);
    if !legend.is_empty() {
        text.push('\n');
    }
    for line in legend.iter().flat_map(|line| wrap(line, WIDTH)) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What all columns have in common, in words.
pub(super) fn same(comparison: &Comparison) -> Option<String> {
    let first = comparison.columns.first()?.setup;
    let varies = Varies::of(comparison.columns.iter().map(|column| column.setup));
    let parts = [
        (varies.design || comparison.columns.len() == 1, "design", first.design.id()),
        (varies.kernel, "kernel", first.kernel.id()),
        (varies.arch, "arch", first.arch.id()),
    ];
    let same = parts.iter().filter(|(differs, ..)| !differs);
    let same: Vec<_> = same.map(|(_, kind, id)| format!("{kind} {id}")).collect();
    (!same.is_empty()).then(|| same.join(", "))
}

/// What the signs mean, where they appear.
pub(super) fn legend(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    if comparison.rows.iter().any(Row::differs) {
        let columns = comparison.columns.iter().enumerate();
        let measures: Vec<_> = columns.filter(|(at, column)| column.measure == *at).collect();
        let names = measures.iter().map(|(_, column)| column.label.join(" "));
        let names = names.collect::<Vec<_>>().join(", ");
        let which = if measures.len() == 1 { "" } else { "the one of its architecture among " };
        lines.push(format!("* differs from {which}{names}"));
    }
    if comparison.columns.iter().any(|column| !column.existed()) {
        lines.push("+ this kernel never had this design".to_owned());
    }
    lines
}

/// All cells as lines of text, before they are laid out.
struct Grid {
    /// The first column: what each row is.
    firsts: Vec<Vec<String>>,
    /// For each row the lines of each column.
    rows: Vec<Vec<Vec<Line>>>,
    /// The rows before which a rule stands.
    rules: Vec<usize>,
    first_width: usize,
    widths: Vec<usize>,
}

impl Grid {
    fn new(comparison: &Comparison) -> Self {
        let mut grid = Self {
            firsts: Vec::new(),
            rows: Vec::new(),
            rules: Vec::new(),
            first_width: 0,
            widths: Vec::new(),
        };
        grid.push(&["call".to_owned()], comparison.columns.iter().map(header).collect());
        grid.rules.push(grid.rows.len());
        for row in &comparison.rows {
            let cell = |cell: &Cell| cell_lines(row, cell, CELL_MAX);
            grid.push(&call(row), row.cells.iter().map(cell).collect());
        }
        grid.rules.push(grid.rows.len());
        for total in &comparison.totals {
            let tone =
                |times: u64| if total.bad && times > 0 { Tone::Warning } else { Tone::Plain };
            let cell = |times: &u64| vec![Line::new(times.to_string(), tone(*times))];
            let name = wrap(&total.name, CALL_MAX);
            grid.push(&name, total.times.iter().map(cell).collect());
        }
        grid.push(&["at the end".to_owned()], end_cells(comparison));
        grid
    }

    fn push(&mut self, first: &[String], cells: Vec<Vec<Line>>) {
        let longest = |lines: &mut dyn Iterator<Item = usize>| lines.max().unwrap_or(0);
        let first_width = longest(&mut first.iter().map(|line| line.chars().count()));
        self.first_width = self.first_width.max(first_width);
        self.widths.resize(cells.len(), 0);
        for (width, lines) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(longest(&mut lines.iter().map(Line::width)));
        }
        self.firsts.push(first.to_vec());
        self.rows.push(cells);
    }

    /// The column behind the last that fits in a table that begins with column `from`.
    fn fit(&self, from: usize) -> usize {
        let mut width = self.first_width;
        let fits = |column: &&usize| {
            width += GAP.len() + **column;
            width <= WIDTH
        };
        from + self.widths[from..].iter().take_while(fits).count().max(1)
    }

    fn table(&self, text: &mut String, columns: std::ops::Range<usize>, paint: Paint<'_>) {
        for (index, (first, cells)) in self.firsts.iter().zip(&self.rows).enumerate() {
            if self.rules.contains(&index) {
                let mut rule = "-".repeat(self.first_width);
                for width in &self.widths[columns.clone()] {
                    rule += "-+-";
                    rule += &"-".repeat(*width);
                }
                let _ = writeln!(text, "{rule}");
            }
            let cells = &cells[columns.clone()];
            let height = cells.iter().map(Vec::len).chain([first.len()]).max().unwrap_or(0);
            for at in 0..height {
                let mut line =
                    format!("{:<1$}", first.get(at).map_or("", String::as_str), self.first_width);
                for (cell, width) in cells.iter().zip(&self.widths[columns.clone()]) {
                    line += GAP;
                    let empty = Line::default();
                    line += &cell.get(at).unwrap_or(&empty).padded(*width, paint);
                }
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
    }
}

fn header(column: &Column) -> Vec<Line> {
    let mut lines: Vec<_> =
        column.label.iter().map(|part| Line::new((*part).to_owned(), Tone::Plain)).collect();
    if let Some(line) = lines.first_mut()
        && !column.existed()
    {
        line.sign = '+';
    }
    lines
}

/// The first column of a row: the call, indented by its nesting.
fn call(row: &Row) -> Vec<String> {
    let indent = "  ".repeat(row.depth.min(INDENTS_MAX));
    let lines = wrap(&row.call, CALL_MAX - indent.len());
    lines.into_iter().map(|line| format!("{indent}{line}")).collect()
}

/// The last row: what is left in each column.
fn end_cells(comparison: &Comparison) -> Vec<Vec<Line>> {
    let cell = |(end, column): (&End, &Column)| {
        let mut lines = wrap(&column.setup.design.show(end.state), CELL_MAX);
        lines.extend(end.left().iter().flat_map(|left| wrap(left, CELL_MAX)));
        lines.into_iter().map(|line| Line::new(line, Tone::Plain)).collect()
    };
    comparison.ends.iter().zip(&comparison.columns).map(cell).collect()
}

impl End {
    /// What else is left: what is pending, and the preempt count where it is not 0.
    pub(super) fn left(&self) -> Vec<String> {
        let pending = self.pending.iter().map(|(n, what)| format!("pending: {n} in {what}"));
        let count =
            (self.preempt_count != 0).then(|| format!("preempt_count={:#x}", self.preempt_count));
        pending.chain(count).collect()
    }
}

impl Part {
    /// The part as text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Hook(hook) => hook.short.to_owned(),
            Self::Effect(text) => text.clone(),
            Self::Warning(text) => format!("WARNING: {text}"),
            Self::Again(text) => format!("WARNING (again): {text}"),
            Self::Bug(text) => format!("BUG: {text}"),
            Self::Unmet(text) => format!("FAILED: {text}"),
        }
    }
}
