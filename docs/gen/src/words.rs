//! Tables and words of all documents.

use std::fmt::Write;

use emu_check::check::{End, Report};
use emu_lab::render::markdown::Table;
use lazy_mmu::design::Hook;

/// Appends a table: its header, then its rows, with `|` as a sign in cells.
pub(crate) fn table<H: AsRef<str>>(text: &mut String, header: &[H], rows: &[Vec<String>]) {
    let mut table = Table::new(header.iter().map(AsRef::as_ref));
    rows.iter().for_each(|row| table.row(row.iter().map(|cell| cell.replace('|', "\\|"))));
    let _ = write!(text, "{table}");
}

/// The word for a hook.
pub(crate) fn hook_word(hook: Hook) -> &'static str {
    match hook {
        Hook::ENTER => "enter",
        Hook::LEAVE => "leave",
        Hook::FLUSH => "flush",
        own => own.info().map_or("a hook", |info| info.short),
    }
}

/// `text` as code.
pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The number of states of a search, or where it stopped.
pub(crate) fn states(report: &Report) -> String {
    match report.end {
        End::Complete => report.states.to_string(),
        End::First => "first".to_owned(),
        End::States | End::Memory | End::Interrupted => {
            format!("more than {}", report.options.max_states)
        }
    }
}

/// What breaks in a report, in one line.
pub(crate) fn breaks(report: &Report) -> String {
    let list = report.breaks().join(", ");
    if list.is_empty() { "nothing".to_owned() } else { list }
}

/// A text in which commits of the kernel and message ids of mails are links.
pub(crate) fn linked(text: &str) -> String {
    let link = |word: &str| {
        let id = word.trim_end_matches([',', ';']);
        let commit = id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit());
        let base = match (commit, id.contains('@')) {
            (true, _) => "https://git.kernel.org/linus/",
            (_, true) => "https://lore.kernel.org/r/",
            _ => return word.to_owned(),
        };
        format!("[{id}]({base}{id}){}", &word[id.len()..])
    };
    text.split(' ').map(link).collect::<Vec<_>>().join(" ")
}
