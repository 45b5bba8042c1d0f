//! The arguments of a call and what it returned, as strace prints them.

use super::cursor::Wrong;

/// The most arguments that a call has.
pub(super) const ARGS_MAX: usize = 8;

/// The arguments of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Args<'t> {
    /// All of the text that the arguments are part of, for errors.
    text: &'t str,
    args: [&'t str; ARGS_MAX],
    len: usize,
    /// What stands behind the closing parenthesis; none where the text ends before.
    pub(super) behind: Option<&'t str>,
}

/// What a call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// A value.
    Value(u64),
    /// An error: -1 and its name.
    Error,
    /// `?`: the process is gone, or the call is to be restarted.
    Unknown,
}

impl<'t> Args<'t> {
    /// Splits the arguments, which begin at `start` of `text`, behind the opening parenthesis.
    pub(super) fn split(text: &'t str, start: usize) -> Self {
        let bytes = text.as_bytes();
        let mut args = Self { text, args: [""; ARGS_MAX], len: 0, behind: None };
        let (mut depth, mut at, mut from) = (0_u32, start, start);
        while at < bytes.len() {
            match bytes[at] {
                b'"' => at = string_end(bytes, at),
                b'/' if bytes[at..].starts_with(b"/*") => at = comment_end(bytes, at),
                b'<' if at > start && bytes[at - 1].is_ascii_digit() => at = path_end(bytes, at),
                b'(' | b'[' | b'{' => depth += 1,
                b')' if depth == 0 => {
                    args.push(&text[from..at]);
                    args.behind = Some(&text[at + 1..]);
                    return args;
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b',' if depth == 0 => {
                    args.push(&text[from..at]);
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        args.push(&text[from.min(text.len())..]);
        args
    }

    fn push(&mut self, arg: &'t str) {
        if self.len < ARGS_MAX {
            self.args[self.len] = arg.trim();
            self.len += 1;
        }
    }

    /// Argument number `n`, empty where there is none.
    pub(super) fn get(&self, n: usize) -> &'t str {
        self.args.get(n).copied().unwrap_or_default()
    }

    /// All arguments.
    pub(super) fn all(&self) -> &[&'t str] {
        &self.args[..self.len]
    }

    /// Argument number `n` as a number, `what` in errors.
    pub(super) fn number(&self, n: usize, what: &str) -> Result<u64, Wrong> {
        let arg = self.get(n);
        number(arg).ok_or_else(|| self.wrong(n, what))
    }

    /// An error about argument number `n`.
    pub(super) fn wrong(&self, n: usize, expected: &str) -> Wrong {
        let at_end = &self.text[self.text.len()..];
        let arg = if self.get(n).is_empty() { self.behind.unwrap_or(at_end) } else { self.get(n) };
        let part = if self.get(n).is_empty() { &arg[..0] } else { arg };
        Wrong::new(self.text, part, expected)
    }

    /// What the call returned.
    pub(super) fn returned(&self) -> Result<Returned, Wrong> {
        let end = &self.text[self.text.len()..];
        let behind =
            self.behind.ok_or_else(|| Wrong::new(self.text, end, "`)` behind the arguments"))?;
        let value = behind.trim_start();
        let Some(value) = value.strip_prefix('=').map(str::trim_start) else {
            return Err(Wrong::new(self.text, value, "`= ` and what the call returned"));
        };
        if value.starts_with('?') {
            return Ok(Returned::Unknown);
        }
        if value.starts_with('-') {
            return Ok(Returned::Error);
        }
        let word = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
        let wrong = || Wrong::new(self.text, &value[..word], "what the call returned");
        number(&value[..word]).map(Returned::Value).ok_or_else(wrong)
    }
}

/// A number as strace prints it: decimal, hex, octal or NULL; a comment may follow.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = match text.split_once("/*") {
        Some((text, _)) => text.trim_end(),
        None => text,
    };
    let digits = |text: &str, radix| {
        text.bytes().next().filter(u8::is_ascii_alphanumeric)?;
        u64::from_str_radix(text, radix).ok()
    };
    match text.strip_prefix("0x") {
        Some(hex) => digits(hex, 16),
        None if text == "NULL" => Some(0),
        None if text == "0" => Some(0),
        None if text.starts_with('0') => digits(&text[1..], 8),
        None => digits(text, 10),
    }
}

/// The last byte of the string that begins at `at`; of the text where it does not end.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// The last byte of the comment that begins at `at`.
fn comment_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at + 2..];
    rest.windows(2).position(|two| two == b"*/").map_or(bytes.len(), |end| at + 2 + end + 1)
}

/// The last byte of the path that `-y` prints behind a descriptor, from `<` at `at` on: a path may
/// have any character, so that it ends where an argument does.
fn path_end(bytes: &[u8], at: usize) -> usize {
    let ends =
        |two: &[u8]| two[0] == b'>' && matches!(two[1], b',' | b')' | b']' | b'}' | b' ' | b'(');
    bytes[at..].windows(2).position(ends).map_or(at, |end| at + end)
}
