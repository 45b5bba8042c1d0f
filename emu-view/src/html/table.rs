//! Tables of a page, which a reader sorts and filters.

use serde::Serialize;

/// A table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Table {
    name: String,
    head: Vec<String>,
    /// The columns of numbers.
    numbers: Vec<usize>,
    /// What a reader may restrict it to, the rows that are marked.
    only: Option<&'static str>,
    filter: bool,
    sorts: bool,
    /// The second column stays where it is while the others are moved.
    pinned: bool,
    rows: Vec<Row>,
}

#[derive(Debug, Default, Serialize)]
struct Row {
    marked: bool,
    cells: Vec<Cell>,
}

/// What a cell looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Look {
    #[default]
    Plain,
    Mono,
    Differs,
    Good,
    Bad,
    Dim,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Cell {
    text: String,
    tone: Look,
    href: Option<String>,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Look) -> Self {
        Self { text: text.into(), tone, href: None }
    }

    /// A link to a place of the page.
    pub(super) fn link(self, id: &str) -> Self {
        Self { href: Some(format!("#{id}")), ..self }
    }
}

impl Table {
    pub(super) fn new<S: Into<String>>(name: &str, head: impl IntoIterator<Item = S>) -> Self {
        let head = head.into_iter().map(Into::into).collect();
        Self { name: name.to_owned(), head, ..Self::default() }
    }

    /// These columns hold numbers.
    pub(super) fn numbers(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.numbers.extend(columns);
        self
    }

    /// A reader may sort and filter it, and have the marked rows alone: `only` says what these are.
    pub(super) fn sorted(mut self, only: Option<&'static str>) -> Self {
        (self.sorts, self.filter, self.only) = (true, true, only);
        self
    }

    /// The second column stays in sight.
    pub(super) fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }

    /// A reader may have the marked rows alone, in their order.
    pub(super) fn filtered(mut self, only: &'static str) -> Self {
        (self.filter, self.only) = (true, Some(only));
        self
    }

    pub(super) fn row(&mut self, marked: bool, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row { marked, cells: cells.into_iter().collect() });
    }
}
