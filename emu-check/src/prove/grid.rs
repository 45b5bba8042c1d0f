//! Matrices as text of at most 80 columns, as JSON, and the words of a cell.

use std::fmt::Write;

use lazy_mmu::design::Design;
use serde_json::json;

use super::matrix::{Cell, DEPTH, Matrix, Outcome};

/// What a verdict is in a cell: `=`, the steps that tell apart, or how far the search came.
pub(super) fn word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Equivalent => "=".to_owned(),
        Outcome::ToldApart(steps) => steps.to_string(),
        Outcome::GaveUp(steps) => format!(">{steps}"),
    }
}

/// The words of a cell: where depth matters, first what holds up to 255 and then what does at any.
pub(super) fn words(cell: Cell) -> String {
    if cell.any_depth == cell.shallow {
        return word(cell.any_depth);
    }
    format!("{}/{}", word(cell.shallow), word(cell.any_depth))
}

/// What the words mean.
pub(super) const LEGEND: &str = "\
=      equivalent, proved: for sequences of any length and any depth
3      told apart by 3 steps, and by no fewer
=/257  equivalent as long as at most 255 brackets are open at a time; without
       that limit told apart by 257 steps
>40    not told apart by 40 steps, where the search gave up";

/// The matrices for people, with the words that they use explained.
#[must_use]
pub fn matrices_text(matrices: &[Matrix]) -> String {
    let mut text = String::new();
    for matrix in matrices {
        let Matrix { language, compare, designs, .. } = matrix;
        let _ = writeln!(text, "language {}: {}", language.name(), language.about());
        let _ = writeln!(text, "compared: {}\n", compare.about());
        let width = designs.iter().map(|design| design.id().len()).max().unwrap_or(0);
        // Columns have the numbers of the rows: eleven names do not fit a line.
        let numbers: String = (1..designs.len()).map(|n| format!(" {n:>5}")).collect();
        let _ = writeln!(text, "   {:<width$}{numbers}", "");
        for (at, design) in designs.iter().enumerate() {
            let cells: String =
                (0..at).map(|to| format!(" {:>5}", words(matrix.cell(at, to)))).collect();
            let row = format!("{:>2} {:<width$}{cells}", at + 1, design.id());
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{LEGEND}");
    text
}

/// A matrix as one JSON object.
#[must_use]
pub fn matrix_json(matrix: &Matrix) -> String {
    let outcome = |outcome| match outcome {
        Outcome::Equivalent => json!({ "verdict": "equivalent" }),
        Outcome::ToldApart(steps) => json!({ "verdict": "told apart", "steps": steps }),
        Outcome::GaveUp(steps) => json!({ "verdict": "gave up", "bounded_by_steps": steps }),
    };
    let places = (0..matrix.designs.len()).flat_map(|x| (0..x).map(move |y| (x, y)));
    let pairs = places.map(|(x, y)| {
        let cell = matrix.cell(x, y);
        let ids = [y, x].map(|place| matrix.designs[place].id());
        json!({
            "designs": ids,
            "any_depth": outcome(cell.any_depth),
            "shallow": outcome(cell.shallow),
        })
    });
    let designs: Vec<_> = matrix.designs.iter().copied().map(Design::id).collect();
    json!({
        "language": matrix.language.name(),
        "compare": matrix.compare.name(),
        "shallow_depth": DEPTH,
        "designs": designs,
        "pairs": pairs.collect::<Vec<_>>(),
    })
    .to_string()
}
