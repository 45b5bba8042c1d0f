//! Lines of strace(1), one by one: who called what, and what it returned.
//!
//! Reads what strace of 4.26 to 6.x prints with `-f`, `-o`, `-t`, `-tt`, `-ttt`, `-r`, `-T`, `-i`,
//! `-n`, `-k`, `-y`, `-yy`, `--decode-pids=comm` and `-X raw|abbrev|verbose`, in any combination: a
//! line says by itself what stands in it. A call that was cut in two, by `<unfinished ...>` and
//! `<... resumed>`, is put together again.
//!
//! ```
//! use emu_replay::strace::{Call, Reader, Returned, What};
//! let mut reader = Reader::default();
//! let event = reader.line(b"12 brk(NULL) = 0x55d0c8a4e000")?;
//! assert_eq!(event.pid, Some(12));
//! assert_eq!(event.what, What::Returned(Call::Brk(0), Returned::Value(0x55d0c8a4e000)));
//! # Ok::<(), emu_input::InputError>(())
//! ```

mod args;
mod call;
mod cursor;
pub mod flags;
mod prefix;

use std::collections::BTreeMap;

use emu_input::InputError;

pub use args::Returned;
pub use call::{Advice, Call, Mmap, Mremap, Names, Prot, Range};

use args::Args;
use cursor::{Cursor, Wrong};
use prefix::Prefix;
pub use prefix::micros;

/// The longest line, in bytes.
pub const LINE_MAX: usize = 1 << 16;

/// How many calls may be unfinished at once, one for each process, and how long each may be.
pub const UNFINISHED_MAX: usize = 1 << 14;
const BEGUN_MAX: usize = 1 << 12;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The process or thread, where the line names it.
    pub pid: Option<u32>,
    /// When, in microseconds since 1970, where the line says so (`-ttt`).
    pub time: Option<u64>,
    /// What it did.
    pub what: What,
}

/// What a process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A call that has not returned yet; its arguments as far as they are known.
    Began(Call),
    /// A call that returned.
    Returned(Call, Returned),
    /// `+++ exited`, `+++ killed`: it is gone.
    Gone,
    /// `+++ superseded by execve in pid N +++`: that thread goes on under the number of this one.
    Superseded(u32),
    /// `--- stopped by SIGSTOP ---` and the like.
    Stopped,
    /// `strace: Process N attached`.
    Attached(u32),
    /// A call, a signal or a message that changes no address space.
    Other,
    /// A line of a stack (`-k`) or of the table at the end (`-C`), or an empty one.
    Nothing,
}

/// Reads lines, and keeps what one tells of another.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The number of the last line.
    number: usize,
    /// The unfinished call of each process: its line, and the text from its name on.
    unfinished: BTreeMap<u32, (usize, String)>,
    /// The unfinished call that strace itself has cut by a message, and that goes on in the next
    /// line: whose it is.
    cut: Option<u32>,
    /// What follows is the table of `-C`.
    counts: bool,
    names: Names,
    joined: String,
}

impl Reader {
    /// The number of the last line, from 1.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The texts that calls name.
    pub const fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The text behind a number in a call.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.names.text(number)
    }

    /// Reads the next line, without its end.
    ///
    /// # Errors
    /// What is not as strace prints it: its line, its column and what was expected.
    pub fn line(&mut self, line: &[u8]) -> Result<Event, InputError> {
        self.number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_MAX {
            let message = format!("expected at most {LINE_MAX} bytes in a line, found more");
            let (line, column) = (self.number, 1);
            return Err(InputError { line, column, len: 0, message, help: None });
        }
        let text = emu_input::text_lossy(line).or_else(|error| {
            let line = self.number;
            if error.len == 0 { Ok("".into()) } else { Err(InputError { line, ..error }) }
        })?;
        self.text_line(&text)
    }

    fn text_line(&mut self, line: &str) -> Result<Event, InputError> {
        let mut cursor = Cursor::new(line);
        self.counts |= line.starts_with("% time ");
        if line.trim().is_empty() || line.starts_with(" > ") || self.counts {
            return Ok(Event { pid: None, time: None, what: What::Nothing });
        }
        let Prefix { pid, time } = prefix::skip(&mut cursor);
        let text = cursor.rest();
        let what = if let Some(resumed) = text.strip_prefix("<... ") {
            self.resumed(line, pid, resumed)?
        } else if self.cut.take_if(|_| text.trim_end() == "<unfinished ...>").is_some() {
            What::Other
        } else if let Some(key) = self.cut.take_if(|_| text.starts_with([',', ')'])) {
            self.goes_on(line, key, text)?
        } else {
            let before = line.len() - text.len();
            let number = self.number;
            self.whole(pid, text).map_err(|wrong| wrong.in_line(number, line, before))?
        };
        if let (What::Superseded(by), Some(pid)) = (what, pid)
            && let Some(begun) = self.unfinished.remove(&by)
        {
            self.unfinished.insert(pid, begun);
        }
        Ok(Event { pid, time, what })
    }

    /// A line that begins what it tells.
    fn whole(&mut self, pid: Option<u32>, text: &str) -> Result<What, Wrong> {
        if let Some(message) = message(text) {
            return Ok(message);
        }
        let name = call_name(text)?;
        let known = call::is_known(name);
        let Some(begun) = self.begun(pid, text) else {
            if !known {
                return Ok(What::Other);
            }
            let args = Args::split(text, name.len() + 1);
            let returned = args.returned()?;
            return self.call(text, name, &args, Some(returned));
        };
        let key = pid.unwrap_or_default();
        if !known {
            self.unfinished.remove(&key);
            return Ok(What::Other);
        }
        // What a program is given does not matter, and may be long.
        let kept = if name.starts_with("exec") { &begun[..=name.len()] } else { begun };
        if self.unfinished.len() < UNFINISHED_MAX && kept.len() <= BEGUN_MAX {
            let kept = kept.trim_end_matches(' ').to_owned();
            self.unfinished.insert(key, (self.number, kept));
        }
        let args = Args::split(begun, name.len() + 1);
        // What has not been printed yet is no error.
        Ok(self.call(begun, name, &args, None).unwrap_or(What::Other))
    }

    /// The beginning of a call whose end comes later; none of a call that is whole. On standard
    /// error a message of strace may be in the middle of it.
    fn begun<'t>(&mut self, pid: Option<u32>, text: &'t str) -> Option<&'t str> {
        let text = text.trim_end();
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            return Some(begun);
        }
        let begun = text.strip_suffix(" attached")?;
        let (begun, number) = begun.split_once("strace: Process ")?;
        number.parse::<u32>().ok()?;
        self.cut = Some(pid.unwrap_or_default());
        Some(begun)
    }

    /// The next line of a call that a message of strace has cut.
    fn goes_on(&mut self, line: &str, key: u32, rest: &str) -> Result<What, InputError> {
        let Some((begun_in, begun)) = self.unfinished.remove(&key) else { return Ok(What::Other) };
        self.join(line, begun_in, &begun, rest)
    }

    /// A line that ends what an earlier one began: `resumed` is what stands behind `<... `.
    fn resumed(&mut self, line: &str, pid: Option<u32>, resumed: &str) -> Result<What, InputError> {
        let number = self.number;
        let wrong =
            |part: &str, expected: &str| Wrong::new(line, part, expected).in_line(number, line, 0);
        let (name, rest) = match resumed.split_once(" resumed>") {
            Some(split) => split,
            None => return Err(wrong(resumed, "the name of a call and ` resumed>`")),
        };
        if !call::is_known(name) {
            return Ok(What::Other);
        }
        let begun = self.key(pid, name).and_then(|key| self.unfinished.remove(&key));
        let Some((begun_in, begun)) = begun else {
            return Err(wrong(name, "a call that an earlier line began"));
        };
        if call_name(&begun).ok() != Some(name) {
            let expected = format!("the end of the call that line {begun_in} began");
            return Err(wrong(name, &expected));
        }
        self.join(line, begun_in, &begun, rest)
    }

    /// The call that line `begun_in` began with `begun`, and that `rest`, the end of `line`, ends.
    fn join(
        &mut self,
        line: &str,
        begun_in: usize,
        begun: &str,
        rest: &str,
    ) -> Result<What, InputError> {
        let number = self.number;
        let name = call_name(begun).unwrap_or_default();
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        joined.push_str(begun);
        joined.push_str(rest);
        let args = Args::split(&joined, name.len() + 1);
        let what = args
            .returned()
            .and_then(|returned| self.call(&joined, name, &args, Some(returned)))
            .map_err(|mut error| match error.at.checked_sub(begun.len()) {
                Some(at) => {
                    error.at = at;
                    error.in_line(number, line, line.len() - rest.len())
                }
                None => error.in_line(begun_in, begun, 0),
            });
        self.joined = joined;
        what
    }

    /// Under which number the call `name` began that `pid` ends. On standard error a line has no
    /// number while there is one process only, so that one of the two lines may have one.
    fn key(&self, pid: Option<u32>, name: &str) -> Option<u32> {
        let own = pid.unwrap_or_default();
        if self.unfinished.contains_key(&own) {
            return Some(own);
        }
        if pid.is_some() {
            return self.unfinished.contains_key(&0).then_some(0);
        }
        let same = |(_, (_, begun)): &(_, &(_, String))| call_name(begun).ok() == Some(name);
        let mut keys = self.unfinished.iter().filter(same).map(|(key, _)| *key);
        keys.next().filter(|_| keys.next().is_none())
    }

    fn call(
        &mut self,
        text: &str,
        name: &str,
        args: &Args<'_>,
        returned: Option<Returned>,
    ) -> Result<What, Wrong> {
        // The arguments of a call that failed may be anything.
        if returned == Some(Returned::Error) {
            return Ok(match call::read(text, name, args, &mut self.names) {
                Ok(Some(call)) => What::Returned(call, Returned::Error),
                Ok(None) | Err(_) => What::Other,
            });
        }
        if name == "shmget" {
            if let (Some(Returned::Value(id)), Ok(size)) = (returned, args.number(1, "")) {
                self.names.add_segment(id, size);
            }
            return Ok(What::Other);
        }
        let call = call::read(text, name, args, &mut self.names)?;
        Ok(match (call, returned) {
            (None, _) => What::Other,
            (Some(call), None) => What::Began(call),
            (Some(call), Some(returned)) => What::Returned(call, returned),
        })
    }
}

/// What a line that is no call says; none where it may be one.
fn message(text: &str) -> Option<What> {
    if let Some(end) = text.strip_prefix("+++ ") {
        let by = end.strip_prefix("superseded by execve in pid ");
        let by = by.and_then(|by| by.split(' ').next()?.parse().ok());
        return Some(by.map_or(What::Gone, What::Superseded));
    }
    if let Some(signal) = text.strip_prefix("--- ") {
        return Some(if signal.starts_with("stopped by ") { What::Stopped } else { What::Other });
    }
    let message = text.strip_prefix("strace: ").unwrap_or(text);
    if let Some(rest) = message.strip_prefix("Process ") {
        let mut words = rest.split(' ');
        let pid = words.next().and_then(|pid| pid.parse().ok());
        let attached = words.next().is_some_and(|word| word.trim() == "attached");
        return Some(pid.filter(|_| attached).map_or(What::Other, What::Attached));
    }
    // `[ Process PID=12 runs in 32 bit mode. ]`, and what strace says of itself.
    let other = text.starts_with("[ Process PID=") || text.starts_with("strace: ");
    other.then_some(What::Other)
}

/// The name of the call that `text` begins with, before its parenthesis.
fn call_name(text: &str) -> Result<&str, Wrong> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let len = text.bytes().take_while(|byte| is_name(byte)).count();
    if len > 0 && text.as_bytes().get(len) == Some(&b'(') {
        return Ok(&text[..len]);
    }
    let word = text.find([' ', '\t', '(']).unwrap_or(text.len());
    Err(Wrong::new(text, &text[..word], "a call such as `mmap(`, a signal or an end"))
}
