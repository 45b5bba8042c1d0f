//! The text of a cell, line by line, with what stands out about each line.

use super::{Cell, Part, Row};
use crate::render::text::wrap;

/// What stands out about a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// It is not what the column has that it is compared with.
    Differs,
    /// A sanity check, or a claim that does not hold.
    Warning,
    /// A check after which the call does not go on.
    Bug,
}

/// How a piece of text is shown: for a terminal with colours, say.
pub type Paint<'p> = &'p dyn Fn(Tone, &str) -> String;

/// One line of a cell, with a sign before it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    text: String,
    tone: Tone,
    pub(super) sign: char,
}

impl Default for Line {
    fn default() -> Self {
        Self::new(String::new(), Tone::Plain)
    }
}

impl Line {
    pub(super) const fn new(text: String, tone: Tone) -> Self {
        Self { text, tone, sign: ' ' }
    }

    /// The width in characters, the sign included.
    pub(super) fn width(&self) -> usize {
        self.text.chars().count() + 2
    }

    /// The line, filled up to `width`; only what is visible is painted.
    pub(super) fn padded(&self, width: usize, paint: Paint<'_>) -> String {
        let gap = " ".repeat(width.saturating_sub(self.width()));
        let text = format!("{} {}", self.sign, self.text);
        let painted = if self.tone == Tone::Plain { text } else { paint(self.tone, &text) };
        painted + &gap
    }
}

/// The texts of a cell with their tones: `ø` where the line could have reached the architecture and
/// did not, and the active bit where the columns disagree on it.
pub(super) fn texts(row: &Row, cell: &Cell) -> Vec<(String, Tone)> {
    let tone = |part: &Part| match part {
        Part::Hook(_) | Part::Effect(_) if cell.differs => Tone::Differs,
        Part::Hook(_) | Part::Effect(_) => Tone::Plain,
        Part::Warning(_) | Part::Again(_) | Part::Unmet(_) => Tone::Warning,
        Part::Bug(_) => Tone::Bug,
    };
    let own = if cell.differs { Tone::Differs } else { Tone::Plain };
    let mut texts: Vec<_> = cell.parts.iter().map(|part| (part.text(), tone(part))).collect();
    if texts.is_empty() && row.reaches {
        texts.push(("ø".to_owned(), own));
    }
    if row.active_differs() {
        let active = if cell.active { "(active)" } else { "(inactive)" };
        texts.push((active.to_owned(), own));
    }
    texts
}

/// The lines of a cell, at most `max` characters each.
pub(super) fn cell_lines(row: &Row, cell: &Cell, max: usize) -> Vec<Line> {
    let line = |(text, tone): (String, Tone)| {
        let lines = wrap(&text, max).into_iter();
        lines.map(move |text| Line::new(text, tone))
    };
    let mut lines: Vec<_> = texts(row, cell).into_iter().flat_map(line).collect();
    if cell.differs {
        if lines.is_empty() {
            lines.push(Line::new(String::new(), Tone::Differs));
        }
        lines[0].sign = '*';
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_does_not_change_the_width() {
        let line = Line::new("ab".to_owned(), Tone::Bug);
        assert_eq!(line.padded(6, &|_, text| format!("<{text}>")), "<  ab>  ");
    }
}
