//! Tables and words of all documents.

use std::fmt::Write;

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
