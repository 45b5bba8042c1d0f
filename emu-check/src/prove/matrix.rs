//! All pairs of designs in one language.

use std::rc::Rc;

use lazy_mmu::design::Design;

use super::engine::find;
use super::observe::Compare;
use super::question::Question;
use super::search::Found;
use super::table::{Lockstep, Table, tables};
use crate::explore::nobody;
use crate::language::Language;

/// The depth that counters of eight bits can count: programs that nest no deeper are a language of
/// their own.
pub const DEPTH: u16 = 255;

/// The most states of a search of crossing sequences. Those that interrupts cross in a task and in
/// its handlers are too many to be worth a matrix's time.
const CROSSING_STATES_MAX: u64 = 1 << 20;

/// The verdicts on all pairs in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Which call sequences are compared.
    pub language: Language,
    /// What is compared.
    pub compare: Compare,
    /// The designs, in the order of rows and columns.
    pub designs: Vec<Design>,
    /// A row for each design but the first: the verdict on it and each design before it.
    pub rows: Vec<Vec<Cell>>,
}

/// The verdict on one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Programs of any depth.
    pub any_depth: Outcome,
    /// Programs that nest at most [`DEPTH`] deep. The same under [`Language::Any`], which knows no
    /// depth.
    pub shallow: Outcome,
}

/// A verdict without its witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Proved to be equivalent.
    Equivalent,
    /// Told apart by so many steps.
    Distinguished(u32),
    /// No difference in at most so many steps; not searched further.
    GaveUp(u32),
}

impl Cell {
    const EQUIVALENT: Self = Self { any_depth: Outcome::Equivalent, shallow: Outcome::Equivalent };
}

impl Matrix {
    /// The verdict on two of the designs, by their places.
    #[must_use]
    pub fn cell(&self, x: usize, y: usize) -> Cell {
        if x == y { Cell::EQUIVALENT } else { self.rows[x.max(y) - 1][x.min(y)] }
    }

    /// Whether a search gave up, so that designs in different classes may be equivalent.
    #[must_use]
    pub fn gave_up(&self) -> bool {
        let unsure = |outcome| matches!(outcome, Outcome::GaveUp(_));
        self.rows.iter().flatten().any(|cell| unsure(cell.any_depth) || unsure(cell.shallow))
    }

    /// The designs in classes of which any two are equivalent: to [`DEPTH`], or at any depth.
    #[must_use]
    pub fn classes(&self, shallow: bool) -> Vec<Vec<Design>> {
        let mut classes: Vec<Vec<usize>> = Vec::new();
        for place in 0..self.designs.len() {
            let joins = |class: &&mut Vec<usize>| {
                let cell = self.cell(class[0], place);
                let outcome = if shallow { cell.shallow } else { cell.any_depth };
                outcome == Outcome::Equivalent
            };
            match classes.iter_mut().find(joins) {
                Some(class) => class.push(place),
                None => classes.push(vec![place]),
            }
        }
        let named = |class: &Vec<usize>| class.iter().map(|place| self.designs[*place]).collect();
        classes.iter().map(named).collect()
    }
}

/// The matrices of `designs` for each of `languages`, which must be in their order. `question` says
/// what is compared, whether there are interrupts, and when a search gives up.
#[must_use]
pub fn matrices(designs: &[Design], languages: &[Language], question: &Question) -> Vec<Matrix> {
    finer_known(designs, languages, question, &[])
}

/// The matrices of each [`Compare`], the coarsest first.
#[must_use]
pub fn all_matrices(designs: &[Design], question: &Question) -> Vec<Matrix> {
    let mut all: Vec<Matrix> = Vec::new();
    // From the finest on: what looks alike closely looks alike from afar.
    for compare in Compare::ALL.into_iter().rev() {
        let question = Question { compare, ..*question };
        let mut coarser = finer_known(designs, &Language::ALL, &question, &all);
        coarser.append(&mut all);
        all = coarser;
    }
    all
}

/// The matrices of `languages`, where those of a finer comparison are known.
fn finer_known(
    designs: &[Design],
    languages: &[Language],
    question: &Question,
    finer: &[Matrix],
) -> Vec<Matrix> {
    let tables = tables(designs, question);
    let mut matrices: Vec<Matrix> = Vec::new();
    // From the largest on: what no sequence distinguishes, no sequence of a smaller language does.
    for &language in languages.iter().rev() {
        let most = if language == Language::Crossing { CROSSING_STATES_MAX } else { u64::MAX };
        let max_states = question.max_states.min(most);
        let question = Question { language, max_states, ..*question };
        let same = finer.iter().filter(|matrix| matrix.language == language);
        let known: Vec<_> = same.chain(matrices.last()).collect();
        let rows = rows(&tables, &question, &known);
        let (compare, designs) = (question.compare, designs.to_vec());
        matrices.push(Matrix { language, compare, designs, rows });
    }
    matrices.reverse();
    matrices
}

fn rows(tables: &[Rc<Table>], question: &Question, known: &[&Matrix]) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    // A design that is another one under a new name has its verdicts.
    let first = |x: usize| tables[..x].iter().position(|table| *table == tables[x]).unwrap_or(x);
    for x in 1..tables.len() {
        let mut row: Vec<Cell> = Vec::new();
        for y in 0..x {
            let (a, b) = (first(x).max(first(y)), first(x).min(first(y)));
            row.push(if a == b {
                Cell::EQUIVALENT
            } else if (a, b) != (x, y) {
                if a == x { row[b] } else { rows[a - 1][b] }
            } else {
                let both = Lockstep::new(&tables[x], &tables[y], question.compare);
                cell(&both, question, known.iter().map(|matrix| matrix.cell(x, y)))
            });
        }
        rows.push(row);
    }
    rows
}

/// The verdict on a pair; wherever one of `known` is equivalent, this one is.
fn cell(both: &Lockstep, question: &Question, known: impl Iterator<Item = Cell>) -> Cell {
    let (mut any_depth_known, mut shallow_known) = (false, false);
    for cell in known {
        any_depth_known |= cell.any_depth == Outcome::Equivalent;
        shallow_known |= cell.shallow == Outcome::Equivalent;
    }
    if any_depth_known {
        return Cell::EQUIVALENT;
    }
    let run = |nesting| outcome(&find(both, &Question { nesting, ..*question }, &mut nobody()).0);
    let any_depth = run(None);
    let shallow = match any_depth {
        _ if question.language == Language::Any => any_depth,
        // A shorter sequence never has more brackets open than it has calls.
        Outcome::Distinguished(steps) if steps <= DEPTH.into() => any_depth,
        Outcome::Equivalent => any_depth,
        Outcome::Distinguished(_) | Outcome::GaveUp(_) if shallow_known => Outcome::Equivalent,
        Outcome::Distinguished(_) | Outcome::GaveUp(_) => run(Some(DEPTH)),
    };
    Cell { any_depth, shallow }
}

fn outcome(found: &Found) -> Outcome {
    match found {
        Found::Nothing => Outcome::Equivalent,
        Found::Witness(steps) => Outcome::Distinguished(steps.len() as u32),
        Found::NothingWithin(steps) => Outcome::GaveUp(*steps),
        Found::Unfit => unreachable!("summaries fit every design"),
    }
}
