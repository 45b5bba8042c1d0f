//! The tree as a terminal shows it: causes by their place, at most 80 columns, and in colour.
//!
//! The tree itself is the `Display` of a record, which snapshots hold; this is it with what a
//! reader of a terminal wants besides.

use emu_lab::render::text::wrap;
use lazy_mmu::Record;
use lazy_mmu::trace::call_text;

/// The columns of a terminal.
pub const WIDTH: usize = 80;

/// What a line reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// A `BUG_ON()`.
    Bug,
    /// A hazard.
    Hazard,
    /// A `WARN_ON()`.
    Warning,
}

impl Report {
    /// What the line reports, if anything.
    fn of(line: &str) -> Option<Self> {
        let text = line.trim_start();
        let words = [("BUG", Self::Bug), ("HAZARD", Self::Hazard), ("WARNING", Self::Warning)];
        words.into_iter().find(|(word, _)| text.starts_with(word)).map(|(_, report)| report)
    }
}

/// Gives a line the colour of what it reports.
pub type Paint<'p> = &'p dyn Fn(Report, &str) -> String;

/// The tree of `record`; `place` says where a cause is, by the number of its event.
#[must_use]
pub fn tree(record: &Record, place: &dyn Fn(u32) -> Option<String>, paint: Paint<'_>) -> String {
    lines(record, 0, usize::MAX, place, paint)
}

/// The tree of `record` in [`WIDTH`] columns, of which the first are `indent` blanks; a cause has
/// the name of its call.
#[must_use]
pub fn narrow(record: &Record, indent: usize, paint: Paint<'_>) -> String {
    let call = |seq: u32| {
        let until = record.events().take(seq as usize + 1);
        until.filter_map(|seen| call_text(record.design(), &seen.event)).last()
    };
    // A tree that is a little too wide stands further to the left.
    let tree = record.to_string();
    let widest = tree.lines().filter(|line| Report::of(line).is_none());
    let widest = widest.map(|line| line.chars().count()).max().unwrap_or(0);
    let indent = if widest <= WIDTH { indent.min(WIDTH - widest) } else { indent };
    lines(record, indent, WIDTH - indent, &call, paint)
}

/// A sentence in lines of [`WIDTH`] columns.
#[must_use]
pub fn sentence(text: &str) -> String {
    wrap(text, WIDTH).iter().map(|line| format!("{line}\n")).collect()
}

fn lines(
    record: &Record,
    indent: usize,
    width: usize,
    place: &dyn Fn(u32) -> Option<String>,
    paint: Paint<'_>,
) -> String {
    let mut text = String::new();
    for line in record.to_string().lines() {
        for line in fit(&caused(line, place), width) {
            let line = format!("{:indent$}{line}", "");
            text += &Report::of(&line).map_or_else(|| line.clone(), |report| paint(report, &line));
            text.push('\n');
        }
    }
    text
}

/// The line with the place of the cause that it names.
fn caused(line: &str, place: &dyn Fn(u32) -> Option<String>) -> String {
    const BY: &str = ", caused by ";
    let cause = line.split_once(BY).and_then(|(head, cause)| {
        let seq = cause.strip_prefix("event ")?.parse().ok()?;
        Some(format!("{head}{BY}{}", place(seq)?))
    });
    cause.unwrap_or_else(|| line.to_owned())
}

/// The line in lines of at most `width` columns: further to the left, or broken at blanks.
fn fit(line: &str, width: usize) -> Vec<String> {
    let columns = line.chars().count();
    if columns <= width {
        return vec![line.to_owned()];
    }
    let text = line.trim_start();
    let (len, indent) = (text.chars().count(), columns - text.chars().count());
    if Report::of(line).is_some() && len <= width {
        return vec![format!("{:>width$}", text)];
    }
    // What is called stays where it is; what follows the arrow goes below.
    if let Some((head, tail)) = line.split_once(" -> ").filter(|_| Report::of(line).is_none()) {
        let head = head.trim_end();
        let tail = format!("-> {}", tail.trim_start());
        if head.chars().count() <= width && tail.chars().count() <= width {
            return vec![head.to_owned(), format!("{tail:>width$}")];
        }
    }
    let indent = indent.min(width / 4);
    let parts = wrap(text, width - indent).into_iter();
    parts.map(|part| format!("{:indent$}{part}", "")).collect()
}
