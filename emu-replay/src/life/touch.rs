//! Which pages a process touches: a log of calls does not tell, so that a model must.
//!
//! A list of faults is what ftrace and perf print of the events `exceptions:page_fault_user`
//! and `exceptions:page_fault_kernel`.

use std::collections::BTreeMap;

use emu_input::InputError;

use crate::strace::micros;

/// How many pages of one call the models touch at most: 1 GiB.
pub const TOUCHED_MAX: u64 = 1 << 18;

/// Which pages are touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Touch {
    /// None, but those that the kernel makes by itself.
    None,
    /// The first page of what a call maps.
    First,
    /// All pages of what a call maps, as soon as they may be; at most [`TOUCHED_MAX`].
    #[default]
    All,
    /// Those that a list of faults names: when they were touched, where both the list and the log
    /// have times since 1970, else as soon as they are mapped.
    Faults(Faults),
}

/// The pages that each process touched, and whether it wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pages: BTreeMap<u32, BTreeMap<u64, bool>>,
    /// By time, where all have one since 1970.
    timed: BTreeMap<u64, Vec<Fault>>,
    untimed: bool,
}

/// A page that a task touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) pid: u32,
    pub(super) page: u64,
    pub(super) write: bool,
}

/// The events: a page may be touched by the kernel for the process, in a call.
const EVENTS: [&str; 2] = ["page_fault_user: ", "page_fault_kernel: "];

/// The bit of x86's error code that says that a fault is a write.
const WRITE: u64 = 1 << 1;

impl Faults {
    /// Reads a line of `trace`, `trace_pipe` or `perf script`; returns whether it was a fault. One
    /// without an error code counts as a write.
    ///
    /// # Errors
    /// A fault without a process or an address.
    pub fn line(&mut self, number: usize, line: &str) -> Result<bool, InputError> {
        let Some((before, after)) = EVENTS.iter().find_map(|event| line.split_once(event)) else {
            return Ok(false);
        };
        let wrong = |part: &str, what: &str| {
            let found = if part.is_empty() { "nothing" } else { part };
            InputError::at(number, line, part, format!("expected {what}, found \"{found}\""))
        };
        let (word, addr) = hex(after, "address=");
        let addr = addr.ok_or_else(|| wrong(word, "`address=` and the address in hex"))?;
        let pid = pid(before).ok_or_else(|| wrong(&before[before.len()..], "a process before"))?;
        let (_, code) = hex(after, "error_code=");
        let write = code.is_none_or(|code| code & WRITE != 0);
        match time(before) {
            Some(time) => {
                let fault = Fault { pid, page: addr >> 12, write };
                self.timed.entry(time).or_default().push(fault);
            }
            None => self.untimed = true,
        }
        *self.pages.entry(pid).or_default().entry(addr >> 12).or_default() |= write;
        Ok(true)
    }

    /// Whether the time of each fault is known.
    pub(super) fn is_timed(&self) -> bool {
        !self.untimed
    }

    /// Takes out the next fault before `time`.
    pub(super) fn next_before(&mut self, time: u64) -> Option<Fault> {
        let mut first = self.timed.first_entry().filter(|first| *first.key() < time)?;
        let fault = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        fault
    }

    /// How many pages are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.values().map(BTreeMap::len).sum()
    }

    /// Whether no page is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The pages of `start..end` that `pid` touched, and whether it wrote them.
    pub fn of(&self, pid: u32, start: u64, end: u64) -> impl Iterator<Item = (u64, bool)> + '_ {
        let pages = self.pages.get(&pid).into_iter();
        let pages = pages.flat_map(move |pages| pages.range(start >> 12..end >> 12));
        pages.map(|(page, write)| (*page, *write))
    }
}

/// The word behind `name`, and the number in hex that it is.
fn hex<'t>(text: &'t str, name: &str) -> (&'t str, Option<u64>) {
    let Some((_, value)) = text.split_once(name) else { return (&text[..0], None) };
    let word = &value[..value.find([' ', ',']).unwrap_or(value.len())].trim_end();
    (word, u64::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok())
}

/// The time that stands last before the event, in microseconds since 1970; perf names the events'
/// system between them.
fn time(before: &str) -> Option<u64> {
    let before = before.trim_end().trim_end_matches("exceptions:").trim_end();
    micros(before.strip_suffix(':')?.rsplit(' ').next()?)
}

/// The process of `COMM-PID [CPU] ...` as ftrace prints it, or of `COMM PID [CPU] ...` as perf
/// does; a name may have blanks and dashes.
fn pid(before: &str) -> Option<u32> {
    let mut head = before.split(" [").next()?.trim_end();
    // Without a CPU the time comes next.
    while let Some((rest, _)) = head.rsplit_once(' ').filter(|(_, word)| word.ends_with(':')) {
        head = rest.trim_end();
    }
    // ftrace may print the thread group in parentheses, perf `PID/TID`.
    let head = head.split_once(" (").map_or(head, |(head, _)| head.trim_end());
    let number = head.rsplit([' ', '-', '/']).next()?;
    number.parse().ok()
}
