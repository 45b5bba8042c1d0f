//! Several results of one scenario as one text: the first in full, equal ones folded, each other
//! one as what differs from a result that a reader knows.

use super::diff::{apply, diff};
use super::fold::{fold, unfold};

/// One result.
pub(crate) struct Entry {
    /// The architecture or design.
    pub(crate) of: &'static str,
    /// The kernel; empty where there is one only.
    pub(crate) when: &'static str,
    /// The record.
    pub(crate) text: String,
    /// Which entry it is shown against; of no meaning for the first.
    pub(crate) against: usize,
    /// Whether it stands in another snapshot, and here only for others to be shown against.
    pub(crate) known: bool,
}

impl Entry {
    /// A result that is shown against the first.
    pub(crate) fn new(of: &'static str, text: String) -> Self {
        Self { of, when: "", text, against: 0, known: false }
    }
}

/// The entries as one text, in order of their first appearance.
pub(crate) fn sheet(entries: &[Entry]) -> String {
    let mut sections = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let equal: Vec<usize> =
            (0..entries.len()).filter(|other| entries[*other].text == entry.text).collect();
        let first = equal.iter().copied().find(|other| !entries[*other].known);
        if first == Some(index) {
            let known = equal.iter().copied().find(|other| entries[*other].known);
            sections.push(section(entries, index, &equal, known));
        }
    }
    sections.join("\n")
}

/// The entries `equal`, all of which have the text of entry `index`, and of entry `known`.
fn section(entries: &[Entry], index: usize, equal: &[usize], known: Option<usize>) -> String {
    let here = equal.iter().map(|other| &entries[*other]).filter(|entry| !entry.known);
    let names = names(here);
    if let Some(known) = known {
        return format!("{names} as {}\n", label(&entries[known]));
    }
    let entry = &entries[index];
    let text = fold(&entry.text);
    assert_eq!(unfold(&text), entry.text, "nothing is lost");
    if index > 0 {
        let base = &entries[entry.against];
        let old = fold(&base.text);
        let changed = diff(&old, &text);
        assert_eq!(apply(&old, &changed), text, "nothing is lost");
        return format!("{names} against {}:\n{changed}", label(base));
    }
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("{names}:\n{lines}")
}

/// `arm64 v7.0`
fn label(entry: &Entry) -> String {
    format!("{} {}", entry.of, entry.when).trim_end().to_owned()
}

/// `arm64, x86`, or with kernels a line for each architecture.
fn names<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let mut names = String::new();
    let mut last = "";
    for entry in entries {
        if entry.of != last {
            let comma = if entry.when.is_empty() { ", " } else { ",\n" };
            names += if last.is_empty() { "" } else { comma };
            names += entry.of;
            last = entry.of;
        }
        if !entry.when.is_empty() {
            names += &format!(" {}", entry.when);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAIVE: &str = "enable() -> enter\nset() -> ø\nset() -> ø\ndisable() -> leave\n";

    fn arm64() -> String {
        NAIVE.replacen('ø', "nr=1", 1)
    }

    #[test]
    fn equal_ones_are_folded_and_others_shown_as_what_differs() {
        let entries = [
            Entry::new("naive", NAIVE.to_owned()),
            Entry::new("arm64", arm64()),
            Entry::new("x86", NAIVE.to_owned()),
            Entry::new("s390", arm64()),
        ];
        let expected = "naive, x86:\n  enable() -> enter\n  set() -> ø\n  set() -> ø\n  \
                        disable() -> leave\n\narm64, s390 against naive:\n  enable() -> enter\n\
                        ~ set() -> nr=1\n= 2 lines\n";
        assert_eq!(sheet(&entries), expected);
    }

    #[test]
    fn eras_against_the_one_before() {
        let entry = |of, when, text: &str, against| Entry {
            when,
            against,
            ..Entry::new(of, text.to_owned())
        };
        let entries = [
            entry("naive", "v1", NAIVE, 0),
            entry("naive", "v2", NAIVE, 0),
            entry("arm64", "v1", &arm64(), 0),
            entry("arm64", "v2", &format!("{}end\n", arm64()), 2),
            entry("x86", "v2", NAIVE, 0),
        ];
        let text = sheet(&entries);
        assert!(text.starts_with("naive v1 v2,\nx86 v2:\n"), "{text}");
        assert!(
            text.ends_with(
                "\narm64 v2 against arm64 v1:\n= 3 lines\n  disable() -> leave\n+ end\n"
            )
        );
    }

    #[test]
    fn a_known_result_is_named_only() {
        let naive = Entry { known: true, ..Entry::new("naive", NAIVE.to_owned()) };
        let entries = [naive, Entry::new("riscv", NAIVE.to_owned()), Entry::new("arm64", arm64())];
        let text = sheet(&entries);
        assert!(text.starts_with("riscv as naive\n\narm64 against naive:\n"), "{text}");
    }
}
