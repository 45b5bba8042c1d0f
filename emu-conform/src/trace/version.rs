//! The version of the kernel that a text says it is of.

use super::value::Said;

/// What stands before a version: on a console, in the header of a trace of latencies, and in what a
/// person adds.
const BEFORE: [&str; 4] =
    ["Linux version ", " latency trace v1.1.5 on ", "# kernel: ", "# kernel "];

/// The version that line `number` says, if it is no event.
pub(super) fn said(number: usize, text: &str) -> Option<Said<'_>> {
    let version = BEFORE.iter().find_map(|before| word(text.split_once(before)?.1))?;
    Some(Said { line: number as u32, text, version })
}

/// The version in the text of a marker, `KERNEL 7.1.13`.
pub(super) fn marked(text: &str) -> Option<&str> {
    word(text.strip_prefix("KERNEL ")?)
}

/// The first word of `text`, if it begins as a version does.
fn word(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let first = word.trim_start_matches('v').chars().next()?;
    first.is_ascii_digit().then_some(word)
}
