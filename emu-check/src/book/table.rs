//! Markdown tables and the words that go into their cells.

use std::fmt::Write;

use lazy_mmu::design::Hook;

/// Writes a table: its header, then its rows.
pub(super) fn table<H: AsRef<str>>(text: &mut String, header: &[H], rows: &[Vec<String>]) {
    let mut row = |cells: &mut dyn Iterator<Item = &str>| {
        text.push('|');
        for cell in cells {
            let _ = write!(text, " {} |", cell.replace('|', "\\|"));
        }
        text.push('\n');
    };
    row(&mut header.iter().map(AsRef::as_ref));
    row(&mut header.iter().map(|_| "---"));
    for cells in rows {
        row(&mut cells.iter().map(String::as_str));
    }
}

/// The word for a hook.
pub(super) fn hook_word(hook: Hook) -> &'static str {
    match hook {
        Hook::ENTER => "enter",
        Hook::LEAVE => "leave",
        Hook::FLUSH => "flush",
        own => own.info().map_or("a hook", |info| info.short),
    }
}

/// `text` as code.
pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// `active` or `inactive`.
pub(super) const fn active_word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}
