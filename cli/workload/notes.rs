//! What a report cannot say, and why: sentences behind its tables.

use emu_mm::proc::{Mapping, Maps};
use emu_mm::workload::{Report, Workload};

use super::args::{PopulateArg, WorkloadArgs};

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
    if report.arch.facts().hash_table && report.workload != Workload::Vmalloc {
        notes.push("every present entry counts as hashed; the input does not tell".to_owned());
    }
    if report.mode_is_off {
        notes.push(mode_is_off(generation));
    }
    notes
}

/// Why no section of a task of that generation counts.
pub(crate) fn mode_is_off(generation: u32) -> String {
    let forks = if generation == 1 { "fork" } else { "forks" };
    let count = 256 - generation % 256;
    format!(
        "the mode is off: the first switch to a forked task takes 1 from its pause_count, and \
         nobody has added it, so that after {generation} {forks} (--generation) the count is \
         {count}; see docs/findings.md"
    )
}

/// The sentences about the input.
pub(super) fn of_input(args: &WorkloadArgs, maps: &Maps, pagemap: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let smaps = maps.mappings.iter().any(|mapping| mapping.memory.is_some());
    if args.populate == PopulateArg::Rss {
        notes.extend(unknown(args.workload, smaps, pagemap).map(str::to_owned));
    }
    let unclear: u64 = maps
        .mappings
        .iter()
        .map(Mapping::shared_and_zero)
        .filter(|(shared, zero)| *shared > 0 && *zero > 0)
        .map(|(_, zero)| zero)
        .sum();
    if pagemap && unclear > 0 {
        notes.push(format!(
            "{} of the zero page, which pagemap shows as one that a fork shared: smaps tells how \
             many, and the last ones of each mapping are taken",
            if unclear == 1 { "1 entry is".to_owned() } else { format!("{unclear} entries are") }
        ));
    }
    if maps.too_high > 0 {
        notes.push(format!(
            "{} left out: above 48 bits, which is all that a record has room for",
            count(maps.too_high, "mapping")
        ));
    }
    notes
}

/// What the input does not say, and what the lab takes instead.
fn unknown(workload: Workload, smaps: bool, pagemap: bool) -> impl Iterator<Item = &'static str> {
    let pages = match (smaps, pagemap) {
        (_, true) => None,
        (true, false) => Some(
            "smaps says how many pages are in memory, not which: the first ones of each mapping are \
             taken; page tables without a page are not known",
        ),
        (false, false) => Some("maps does not say what is in memory: all pages are taken"),
    };
    let written = (workload == Workload::Fork).then_some(if pagemap {
        "which entries an earlier fork left read-only is known where another process still maps \
             the page; all others count as written since"
    } else {
        "which entries an earlier fork left read-only is not known; all count as written since"
    });
    pages.into_iter().chain(written)
}

/// `n` things, in words.
pub(crate) fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `note: ` and the sentence, in lines of at most `width` characters.
pub(crate) fn wrapped(note: &str, width: usize) -> String {
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
