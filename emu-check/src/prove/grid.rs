//! Matrices as text of at most 80 columns, and the words of a cell.

use std::fmt::{self, Write};

use super::matrix::{Cell, Matrix, Outcome};

impl fmt::Display for Outcome {
    /// `=`, the number of steps that distinguish, or how far the search came: `>40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equivalent => f.write_str("="),
            Self::Distinguished(steps) => write!(f, "{steps}"),
            Self::GaveUp(steps) => write!(f, ">{steps}"),
        }
    }
}

impl fmt::Display for Cell {
    /// The outcome; where depth matters, first that up to [`DEPTH`](super::DEPTH) and then that at
    /// any depth.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any_depth == self.shallow {
            return write!(f, "{}", self.any_depth);
        }
        write!(f, "{}/{}", self.shallow, self.any_depth)
    }
}

/// What a [`Cell`] shows.
pub const LEGEND: &str = "\
=      equivalent, proved: for sequences of any length and any depth
3      distinguished by 3 steps, and by no fewer
=/257  equivalent as long as at most 255 brackets are open at a time; without
       that limit distinguished by 257 steps
>40    not distinguished by 40 steps, where the search gave up";

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
                (0..at).map(|to| format!(" {:>5}", matrix.cell(at, to).to_string())).collect();
            let row = format!("{:>2} {:<width$}{cells}", at + 1, design.id());
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{LEGEND}");
    text
}
