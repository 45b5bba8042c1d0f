//! Tables in Markdown, whose cells are Markdown.

use std::fmt::{Display, Formatter, Result};

/// A table: a header, and rows of as many cells.
///
/// ```
/// let mut table = emu_lab::render::markdown::Table::new(["name", "times"]).numbers(1);
/// table.row(["`enter`", "2"]);
/// assert_eq!(table.to_string(), "| name | times |\n| --- | --: |\n| `enter` | 2 |\n");
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    /// The columns of numbers.
    numbers: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let header = header.into_iter().map(Into::into).collect();
        Self { header, numbers: Vec::new(), rows: Vec::new() }
    }

    /// Column `column`, from 0, is aligned to the right.
    #[must_use]
    pub fn numbers(mut self, column: usize) -> Self {
        self.numbers.push(column);
        self
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let row = |f: &mut Formatter<'_>, cells: &[String]| {
            f.write_str("|")?;
            cells.iter().try_for_each(|cell| write!(f, " {cell} |"))?;
            f.write_str("\n")
        };
        row(f, &self.header)?;
        let rule = |column| if self.numbers.contains(&column) { "--:" } else { "---" };
        row(f, &(0..self.header.len()).map(|column| rule(column).to_owned()).collect::<Vec<_>>())?;
        self.rows.iter().try_for_each(|cells| row(f, cells))
    }
}
