//! A place in a line of text, and errors that name it.

use std::fmt::{self, Display, Formatter};

/// What is wrong with a text, and where.
///
/// Displays as `LINE:COLUMN: MESSAGE`; the caller puts the name of the file in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapsError {
    /// Number of the line, from 1.
    pub line: usize,
    /// Number of the character in the line, from 1.
    pub column: usize,
    /// How many characters are wrong, 0 where something is missing.
    pub len: usize,
    /// What was expected and what was found.
    pub message: String,
}

impl Display for MapsError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for MapsError {}

/// The longest text from the input that a message quotes, in characters.
const QUOTED_MAX: usize = 40;

/// `text` in quotes, cut to a length that a message can hold.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{:?}", format!("{}...", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// The text as UTF-8.
pub(super) fn utf8(text: &[u8]) -> Result<&str, MapsError> {
    std::str::from_utf8(text).map_err(|error| {
        let (good, bad) = text.split_at(error.valid_up_to());
        let good = String::from_utf8_lossy(good);
        let last = good.rsplit('\n').next().unwrap_or_default();
        MapsError {
            line: good.matches('\n').count() + 1,
            column: last.chars().count() + 1,
            len: 1,
            message: format!(
                "expected text in UTF-8, found the byte {:#04x}",
                bad.first().copied().unwrap_or_default()
            ),
        }
    })
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
    pub(super) fn error(&self, len: usize, message: impl Into<String>) -> MapsError {
        let len = self.rest().get(..len).map_or(0, |text| text.chars().count());
        let column = self.text[..self.at].chars().count() + 1;
        MapsError { line: self.line, column, len, message: message.into() }
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
    pub(super) fn expected(&self, expected: &str) -> MapsError {
        let word = self.peek(&[]);
        let found = match self.rest().chars().next() {
            None => "the end of the line".to_owned(),
            Some(' ' | '\t') => "a blank".to_owned(),
            Some(_) => quoted(word),
        };
        self.error(word.len(), format!("expected {expected}, found {found}"))
    }

    /// The next word, which ends before a blank or one of `stops` and is not empty.
    pub(super) fn word(&mut self, what: &str, stops: &[char]) -> Result<&'t str, MapsError> {
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
    ) -> Result<u64, MapsError> {
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
    pub(super) fn char(&mut self, c: char, what: &str) -> Result<(), MapsError> {
        match self.rest().strip_prefix(c) {
            Some(rest) => {
                self.at = self.text.len() - rest.len();
                Ok(())
            }
            None => Err(self.expected(what)),
        }
    }
}
