//! What stands before a call: the process, the time, the instruction pointer, its number.
//!
//! strace(1) of 4.26 to 6.x: `-o` with `-f` begins a line with the number of the process, standard
//! error with `[pid N]`; `--decode-pids=comm` adds its name to both.

use super::cursor::Cursor;

/// The highest number of a process: `PID_MAX_LIMIT`. A number above it is a time.
const PID_MAX_LIMIT: u64 = 1 << 22;

/// What stands before a call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prefix {
    /// The process.
    pub(super) pid: Option<u32>,
    /// The microseconds since 1970 (`-ttt`).
    pub(super) time: Option<u64>,
}

/// Skips what stands before the call.
pub(super) fn skip(cursor: &mut Cursor<'_>) -> Prefix {
    let mut prefix = Prefix::default();
    while let Some(len) = next(cursor, &mut prefix) {
        cursor.advance(len);
    }
    prefix
}

/// The length of what comes next, if it is not the call yet.
fn next(cursor: &mut Cursor<'_>, prefix: &mut Prefix) -> Option<usize> {
    cursor.skip_blanks();
    let rest = cursor.rest();
    let len = match rest.as_bytes().first() {
        Some(b'0'..=b'9') => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let word = rest.find([' ', '\t']).unwrap_or(rest.len());
            let named = rest[digits..].starts_with('<');
            let number = rest[..digits].parse::<u64>().unwrap_or(u64::MAX);
            let plain = digits == word || named;
            if plain && prefix.pid.is_none() && number <= PID_MAX_LIMIT {
                prefix.pid = Some(number as u32);
                if named { digits + name(&rest[digits..]) } else { digits }
            } else if plain || is_time(&rest[..word]) {
                prefix.time = micros(&rest[..word]).or(prefix.time);
                word
            } else {
                return None;
            }
        }
        Some(b'[') => match bracket(rest) {
            Some((len, number)) => {
                prefix.pid = number.or(prefix.pid);
                len
            }
            None => return None,
        },
        // The time since the last call, beside the time of day.
        Some(b'(') if rest.starts_with("(+") => rest.find(')')? + 1,
        _ => return None,
    };
    Some(len)
}

/// The microseconds of a number of seconds with a fraction; of one that is a time since 1970 only.
pub fn micros(word: &str) -> Option<u64> {
    /// Seconds before are no time of a log: they count from a boot or a call.
    const FIRST: u64 = 1_000_000_000;
    let (seconds, fraction) = word.split_once('.')?;
    let seconds = seconds.parse::<u64>().ok().filter(|seconds| *seconds >= FIRST)?;
    let fraction: u64 = fraction.get(..6)?.parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction)
}

/// The length of `<name>`; a name may have any characters.
fn name(text: &str) -> usize {
    text.find("> ").or_else(|| text.find('>')).map_or(0, |at| at + 1)
}

/// Whether `word` is a time of day, or of seconds with a fraction.
fn is_time(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
}

/// The length of `[pid N]`, with N, or of `[ADDRESS]` and `[NUMBER]` of a call.
fn bracket(text: &str) -> Option<(usize, Option<u32>)> {
    let end = text.find(']')?;
    if let Some(inside) = text[..end].strip_prefix("[pid") {
        let number = inside.trim_start();
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let pid = number[..digits].parse().ok()?;
        // A name may have a bracket of its own.
        let end = if number[digits..].starts_with('<') { text.find(">]")? + 1 } else { end };
        return Some((end + 1, Some(pid)));
    }
    let inside = text[1..end].trim();
    let digits = !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits || inside == "????????????????").then_some((end + 1, None))
}
