//! Input that a person wrote and got wrong: where, what was expected, and the nearest valid word.
//!
//! ```
//! use emu_input::InputError;
//!
//! let line = "  enabel";
//! let error = InputError::at(3, line, line.trim(), "expected a call, found \"enabel\"");
//! let error = error.nearest("enabel", ["enable", "disable"]);
//! let text = "3:3: expected a call, found \"enabel\"; did you mean \"enable\"?";
//! assert_eq!(error.to_string(), text);
//! ```

#![warn(clippy::wildcard_enum_match_arm)]

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

/// Why an input was refused.
///
/// Displays as `LINE:COLUMN: message`; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// The line.
    pub line: usize,
    /// The column of the first character that is wrong.
    pub column: usize,
    /// How many characters are wrong, 0 where something is missing.
    pub len: usize,
    /// What was expected and what was found; lower case, no full stop.
    pub message: String,
    /// A way out, if there is an obvious one.
    pub help: Option<String>,
}

impl InputError {
    /// An error about `part`, which must be a part of `line`, the text of line number `number`.
    #[must_use]
    pub fn at(number: usize, line: &str, part: &str, message: impl Into<String>) -> Self {
        let before = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        let column = line.get(..before).map_or(0, |text| text.chars().count()) + 1;
        let len = part.chars().count();
        Self { line: number, column, len, message: message.into(), help: None }
    }

    /// The error with the nearest of `valid` to `found`, where one is near.
    #[must_use]
    pub fn nearest(mut self, found: &str, valid: impl IntoIterator<Item = &'static str>) -> Self {
        self.help = nearest(found, valid).map(|name| format!("did you mean \"{name}\"?"));
        self
    }

    /// The error with the nearest of `valid` to `found`, or with all of them where none is near.
    #[must_use]
    pub fn one_of(
        self,
        found: &str,
        valid: impl IntoIterator<Item = &'static str> + Clone,
    ) -> Self {
        let all = valid.clone().into_iter().collect::<Vec<_>>().join(", ");
        let near = self.nearest(found, valid);
        let help = near.help.or_else(|| Some(format!("expected one of {all}")));
        Self { help, ..near }
    }
}

impl Display for InputError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for InputError {}

/// The word of `valid` that `found` most likely meant, if any is near.
///
/// ```
/// use emu_input::nearest;
/// assert_eq!(nearest("enabel", ["enable", "disable"]), Some("enable"));
/// assert_eq!(nearest("zzz", ["enable", "disable"]), None);
/// ```
#[must_use]
pub fn nearest(found: &str, valid: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let found = found.to_ascii_lowercase();
    let limit = found.chars().count() / 3 + 1;
    valid
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&found, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// The text of an input of bytes.
///
/// # Errors
/// The bytes are not UTF-8, or there are none.
pub fn text(bytes: &[u8]) -> Result<&str, InputError> {
    if bytes.is_empty() {
        let message = "the input is empty".to_owned();
        return Err(InputError { line: 1, column: 1, len: 0, message, help: None });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| not_text(&bytes[..e.valid_up_to()]))?;
    text.find('\0').map_or(Ok(text), |at| Err(not_text(&bytes[..at])))
}

/// The text of an input in which names may be any bytes but NUL, as a file's may: those that are
/// not UTF-8 become replacement characters.
///
/// # Errors
/// There are no bytes, or a NUL is among them.
pub fn text_lossy(bytes: &[u8]) -> Result<Cow<'_, str>, InputError> {
    let nul = bytes.iter().position(|byte| *byte == 0);
    match nul {
        Some(at) => Err(not_text(&bytes[..at])),
        None if bytes.is_empty() => text(bytes).map(Cow::Borrowed),
        None => Ok(String::from_utf8_lossy(bytes)),
    }
}

/// The error about the byte behind `good`.
fn not_text(good: &[u8]) -> InputError {
    let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
    let message = "expected text, found a byte that is none".to_owned();
    InputError { line, column, len: 1, message, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text() {
        let error = text(b"enable\ndis\xffable\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 4));
        assert_eq!(text(b"").unwrap_err().to_string(), "1:1: the input is empty");
        assert!(text(b"\x7fELF\0").is_err());
    }

    #[test]
    fn columns_count_characters() {
        let line = "ø enabel";
        let error = InputError::at(3, line, &line[3..], "unknown call");
        assert_eq!((error.column, error.len), (3, 6));
    }
}
