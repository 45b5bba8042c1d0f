//! A comparison: one scenario under several designs, kernels and architectures, call by call.
//!
//! ```
//! use emu_lab::compare::{compare, text};
//! use emu_lab::scenario::{Setup, parse};
//! use lazy_mmu::design::Design;
//!
//! let scenario = parse("enable\nenable\ndisable\ndisable").unwrap();
//! let setups = ["direct", "counts"].map(|id| Setup {
//!     design: Design::by_id(id).unwrap(),
//!     ..Setup::default()
//! });
//! let comparison = compare(&scenario, &setups);
//! assert_eq!(comparison.rows.iter().filter(|row| row.differs()).count(), 2);
//! assert!(text::plain(&comparison).contains("* arch_leave()"));
//! ```

mod cells;
mod columns;
mod run;

pub mod json;
pub mod markdown;
pub mod text;

use lazy_mmu::design::{HookInfo, StateBits};

pub use cells::Tone;
pub use columns::Column;
pub use run::{CELLS_MAX, check_size, compare};

/// What each of several setups makes of one scenario.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What the scenario shows.
    pub what: String,
    /// The setups, one column each.
    pub columns: Vec<Column>,
    /// One row for each line of the scenario that does something.
    pub rows: Vec<Row>,
    /// How often what happened, in the order of first appearance.
    pub totals: Vec<Total>,
    /// What is left at the end, one for each column.
    pub ends: Vec<End>,
}

/// One line of the scenario and what each column makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the line.
    pub line: u32,
    /// The line in its shortest form.
    pub call: String,
    /// How many brackets are open around it.
    pub depth: usize,
    /// The line is a call or a primitive, which may reach the architecture.
    pub reaches: bool,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

impl Row {
    /// Tells whether a cell differs from the one that it is compared with.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.cells.iter().any(|cell| cell.differs)
    }

    /// Tells whether the columns disagree on whether the mode is active after the line.
    #[must_use]
    pub fn active_differs(&self) -> bool {
        self.cells.iter().any(|cell| cell.active != self.cells[0].active)
    }
}

/// What one line does in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What happens, in order.
    pub parts: Vec<Part>,
    /// What arch code is told after the line when it asks whether to batch.
    pub active: bool,
    /// The task's state after the line.
    pub state: StateBits,
    /// The cell is not what the column that it is compared with has: its parts, or the active bit.
    pub differs: bool,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The architecture is called.
    Hook(&'static HookInfo),
    /// The architecture does something.
    Effect(String),
    /// A sanity check finds something: the text of the check.
    Warning(String),
    /// A check that reports once finds something again: a kernel is silent.
    Again(String),
    /// A check after which the call, or the kernel, does not go on.
    Bug(String),
    /// A claim of the scenario does not hold.
    Unmet(String),
}

/// How often one thing happened in each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// The name of it.
    pub name: String,
    /// How often, one number for each column.
    pub times: Vec<u64>,
    /// The number is one of failures: warnings, BUGs, claims that did not hold.
    pub bad: bool,
}

/// What is left at the end of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The task's state.
    pub state: StateBits,
    /// What is pending, where something is: how many, and where.
    pub pending: Vec<(u32, String)>,
    /// The preempt count.
    pub preempt_count: u32,
}
