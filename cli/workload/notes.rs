//! What a report cannot say, and why: sentences behind its tables.

use emu_mm::proc::Maps;
use emu_mm::workload::Report;

/// The sentences about one architecture.
pub(super) fn of_report(report: &Report, generation: u32) -> Vec<String> {
    let mut notes = Vec::new();
    if report.left_out > 0 {
        notes.push(format!(
            "{} left out: above a hole in the user addresses, which {} does not have",
            count(report.left_out, "mapping"),
            report.arch.id()
        ));
    }
    if report.mode_is_off {
        notes.push(format!(
            "the mode is off in this task, which {generation} forks made (--generation): a switch \
             has resumed it, or one it was copied from, though nobody had paused it, so that \
             enable does nothing until the pause count is 0 again; see docs/findings.md"
        ));
    }
    notes
}

/// The sentences about the input.
pub(super) fn of_input(maps: &Maps) -> Vec<String> {
    let mut notes = Vec::new();
    if maps.too_high > 0 {
        notes.push(format!(
            "{} left out: above 48 bits, which is all that a record has room for",
            count(maps.too_high, "mapping")
        ));
    }
    notes
}

/// `n` things, in words.
fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `note: ` and the sentence, in lines of at most `width` characters.
pub(super) fn wrapped(note: &str, width: usize) -> String {
    let mut text = String::from("note:");
    let mut column = text.len();
    for word in note.split(' ') {
        let len = word.chars().count() + 1;
        if column + len > width {
            text.push_str("\n     ");
            column = 5;
        }
        text.push(' ');
        text.push_str(word);
        column += len;
    }
    text.push('\n');
    text
}
