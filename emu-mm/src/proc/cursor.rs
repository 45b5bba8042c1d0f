//! A place in a line of text, and errors that name it.

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
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    line: usize,
    text: &'t str,
    /// Byte of the text that comes next.
    at: usize,
}

impl<'t> Cursor<'t> {
    /// The beginning of line `line`.
    pub(super) const fn new(line: usize, text: &'t str) -> Self {
        Self { line, text, at: 0 }
    }

    /// The number of the line, from 1.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    /// What comes next.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// An error about the next `len` bytes.
    pub(super) fn error(&self, len: usize, message: impl Into<String>) -> InputError {
        let len = self.rest().get(..len).map_or(0, |text| text.chars().count());
        let column = self.text[..self.at].chars().count() + 1;
        InputError { line: self.line, column, len, message: message.into(), help: None }
    }

    /// Skips spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    /// The next word, up to a blank or one of `stops`; does not go there.
    fn peek(&self, stops: &[char]) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| c == ' ' || c == '\t' || stops.contains(&c));
        &rest[..end.unwrap_or(rest.len())]
    }

    /// An error about the next word: `expected`, and what is there.
    pub(super) fn expected(&self, expected: &str) -> InputError {
        let word = self.peek(&[]);
        let found = match self.rest().chars().next() {
            None => "the end of the line".to_owned(),
            Some(' ' | '\t') => "a blank".to_owned(),
            Some(_) => quoted(word),
        };
        self.error(word.len(), format!("expected {expected}, found {found}"))
    }

    /// The next word, which ends before a blank or one of `stops` and is not empty.
    pub(super) fn word(&mut self, what: &str, stops: &[char]) -> Result<&'t str, InputError> {
        let word = self.peek(stops);
        if word.is_empty() {
            return Err(self.expected(what));
        }
        self.at += word.len();
        Ok(word)
    }

    /// The next word as a number in base `radix`, below 2^64.
    pub(super) fn number(
        &mut self,
        what: &str,
        radix: u32,
        stops: &[char],
    ) -> Result<u64, InputError> {
        let start = self.clone();
        let word = self.word(what, stops)?;
        // `from_str_radix()` takes a sign; the kernel prints none.
        if word.starts_with(['+', '-']) {
            return Err(start.expected(what));
        }
        u64::from_str_radix(word, radix).map_err(|_| {
            start.error(word.len(), format!("expected {what}, found {}", quoted(word)))
        })
    }

    /// The character `c`.
    pub(super) fn char(&mut self, c: char, what: &str) -> Result<(), InputError> {
        match self.rest().strip_prefix(c) {
            Some(rest) => {
                self.at = self.text.len() - rest.len();
                Ok(())
            }
            None => Err(self.expected(what)),
        }
    }
}
