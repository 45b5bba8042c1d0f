//! A place in a line of a log, and errors that name it.

use emu_input::InputError;

/// The longest text from the input that a message quotes, in characters.
const QUOTED_MAX: usize = 40;

/// `text` in quotes, cut to a length that a message can hold.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{:?}", format!("{}...", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// A place in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    /// Byte of the text that comes next.
    at: usize,
}

impl<'t> Cursor<'t> {
    /// The beginning of a line.
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// What comes next.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes on by `len` bytes, which end a character.
    pub(super) const fn advance(&mut self, len: usize) {
        self.at += len;
    }

    /// Skips spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }
}

/// What is wrong with a line, and where: not yet which line.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    /// Byte of the text.
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    /// About `part`, which is a part of `text`: what was expected there.
    pub(super) fn new(text: &str, part: &str, expected: &str) -> Self {
        let found = if part.trim().is_empty() { "nothing".to_owned() } else { quoted(part) };
        let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        let message = format!("expected {expected}, found {found}");
        Self { at, len: part.len(), message, help: None }
    }

    /// With the nearest of `valid`.
    pub(super) fn nearest(mut self, found: &str, valid: &[(&'static str, u64)]) -> Self {
        let near = emu_input::nearest(found, valid.iter().map(|(name, _)| *name));
        self.help = near.map(|name| format!("did you mean \"{name}\"?"));
        self
    }

    /// The error about line `number`, in which `text` begins behind `before` bytes of `line`.
    pub(super) fn in_line(self, number: usize, line: &str, before: usize) -> InputError {
        let at = (before + self.at).min(line.len());
        let column = line.get(..at).map_or(at, |text| text.chars().count()) + 1;
        let len = line.get(at..at + self.len).map_or(0, |text| text.chars().count());
        InputError { line: number, column, len, message: self.message, help: self.help }
    }
}
