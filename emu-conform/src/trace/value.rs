//! A trace as a value: its events with the lines they stand on.

use emu_input::InputError;

/// The name of the event that stands for the message of a kernel that has died.
pub const BUG_EVENT: &str = "kernel_BUG";

/// The name of the event that says that the switches among hits are not those of the trace.
pub(crate) const MISMATCH: &str = "switches_do_not_match";

/// A task of a trace: its number, or the idle task of a CPU, as each CPU has one of number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task {
    pid: u32,
    /// The CPU of an idle task; 0 for others.
    cpu: u16,
}

impl Task {
    /// The task with number `pid` on `cpu`.
    #[must_use]
    pub const fn new(pid: u32, cpu: u16) -> Self {
        Self { pid, cpu: if pid == 0 { cpu } else { 0 } }
    }

    /// The number, 0 for idle tasks.
    #[must_use]
    pub const fn pid(self) -> u32 {
        self.pid
    }
}

/// One event of a trace.
#[derive(Clone, Copy, Debug)]
pub struct Event<'t> {
    /// The number of its line, from 1.
    pub line: u32,
    /// The whole line.
    pub text: &'t str,
    /// The name of the task that ran.
    pub comm: &'t str,
    /// Its number.
    pub pid: u32,
    /// The CPU.
    pub cpu: u16,
    /// The columns about interrupts and preemption; empty where the trace has none.
    pub flags: &'t str,
    /// When, by the clock of the trace.
    pub time: f64,
    /// The name of the event.
    pub name: &'t str,
    /// What stands behind the name.
    pub args: &'t str,
}

impl<'t> Event<'t> {
    /// The task that ran.
    #[must_use]
    pub const fn task(&self) -> Task {
        Task::new(self.pid, self.cpu)
    }

    /// The text of `KEY=VALUE`.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&'t str> {
        let args = self.args.split([' ', ',']);
        args.filter_map(|part| part.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// The number of `KEY=VALUE`, decimal or with `0x`; none where the key is not there.
    ///
    /// # Errors
    /// The value is no number.
    pub fn number_of(&self, key: &str) -> Result<Option<u64>, InputError> {
        self.text_of(key).map(|text| self.number(text, key)).transpose()
    }

    /// The number of `KEY=VALUE`, which must be there.
    ///
    /// # Errors
    /// It is not there, or no number.
    pub fn needs(&self, key: &str) -> Result<u64, InputError> {
        self.number_of(key)?.ok_or_else(|| self.wrong(self.end(), format!("expected {key}=")))
    }

    /// The word behind `before` in the arguments.
    ///
    /// # Errors
    /// It is not there.
    pub fn word_after(&self, before: &str) -> Result<&'t str, InputError> {
        let rest = self.args.split_once(before).map(|(_, rest)| rest);
        let word = rest.and_then(|rest| rest.split([' ', ',', ')']).find(|word| !word.is_empty()));
        word.ok_or_else(|| self.wrong(self.end(), format!("expected {before:?} and a word")))
    }

    /// The decimal number behind `before` in the arguments.
    ///
    /// # Errors
    /// It is not there, or no number.
    pub fn number_after(&self, before: &str) -> Result<u64, InputError> {
        let word = self.word_after(before)?;
        self.number(word, before.trim())
    }

    /// The hexadecimal number without `0x` behind `before` in the arguments.
    ///
    /// # Errors
    /// It is not there, or no number.
    pub fn hex_after(&self, before: &str) -> Result<u64, InputError> {
        let word = self.word_after(before)?;
        let message = || format!("expected a hexadecimal number after {before:?}, found {word:?}");
        u64::from_str_radix(word, 16).map_err(|_| self.wrong(word, message()))
    }

    fn number(&self, text: &str, what: &str) -> Result<u64, InputError> {
        let number = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => text.parse(),
        };
        let message = || format!("expected a number for {what}, found {text:?}");
        number.map_err(|_| self.wrong(text, message()))
    }

    /// The end of the line, where something is missing.
    fn end(&self) -> &'t str {
        &self.text[self.text.len()..]
    }

    /// An error about `part` of the line.
    #[must_use]
    pub fn wrong(&self, part: &str, message: impl Into<String>) -> InputError {
        InputError::at(self.line as usize, self.text, part, message)
    }

    /// Whether the event happened in an interrupt, by its flags.
    #[must_use]
    pub fn in_interrupt(&self) -> bool {
        self.flags.chars().nth(2).is_some_and(|c| matches!(c, 'h' | 'H' | 's' | 'z' | 'Z'))
    }
}

/// A trace.
#[derive(Clone, Debug)]
pub struct Trace<'t> {
    /// Its events, in order.
    pub events: Vec<Event<'t>>,
    /// For each gap, the index of the event behind it and how many events were lost.
    pub(super) lost: Vec<(usize, u64)>,
    /// How many lines there are.
    pub lines: usize,
    /// The version of the kernel, where the text says it, and the line and its number.
    pub says: Option<Said<'t>>,
    /// The last line has no end and was left out.
    pub cut: bool,
}

/// A version that a text says that its kernel has.
#[derive(Clone, Copy, Debug)]
pub struct Said<'t> {
    /// The number of the line.
    pub line: u32,
    /// The line.
    pub text: &'t str,
    /// The version, as `uname -r` prints it.
    pub version: &'t str,
}

impl Trace<'_> {
    /// Whether any event has that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.events.iter().any(|event| event.name == name)
    }
}
