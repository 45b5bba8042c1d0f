//! The tree: a record in the notation of the kernel's commit messages, one event per line.
//!
//! ```text
//! lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
//!     set_pte_at(0xffff800008000000)  -> ø
//! lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
//!                                        dsb(ishst)
//! enable=0 pause=0, nothing pending
//! ```
//!
//! Left of the arrow stands what was called, indented by the nesting of the calls; right of it what
//! the architecture was told and did, then the state after the call. A call that reached nobody
//! shows `ø`. Further effects of the same call or primitive follow in the right-hand column.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};

use super::{Event, PteEvent, PteOp, Record, Recorded, effect_text};
use crate::design::{Call, Design, Hook};

/// Where the arrow stands unless a call is too long or too deep for it.
const ARROW: usize = 36;
const INDENT: usize = 4;
/// What stands before a call that goes on.
const GOES_ON: &str = "... ";
/// The deepest nesting that the indent follows; a counter may well be run to its end.
const INDENTS_MAX: usize = 10;

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Two passes: the longest left-hand side decides where the arrow stands.
        let several = self.events().any(|seen| seen.cpu > 0 || seen.task > 0);
        let mut arrow = ARROW;
        let design = self.design();
        let mut depth = Depth::new(design);
        // The name of the last call of each task, which is written again where it goes on.
        let mut names: BTreeMap<u8, usize> = BTreeMap::new();
        for seen in self.events() {
            let before = prefix(several, &seen).len();
            if let Some(indent) = depth.line(&seen) {
                let name = left_len(design, &seen.event);
                names.insert(seen.task, name);
                arrow = arrow.max(before + indent + name + 1);
            }
            if seen.event == Event::Back {
                let name = names.get(&seen.task).copied().unwrap_or(0);
                arrow = arrow.max(before + GOES_ON.len() + name + 1);
            }
        }
        let mut rows = Rows {
            record: self,
            to: f,
            arrow,
            several,
            depth: Depth::new(design),
            row: None,
            away: Vec::new(),
            pending: String::new(),
            made: Vec::new(),
        };
        for seen in self.events() {
            rows.event(&seen)?;
        }
        rows.close()
    }
}

/// How long a prefix is, where there is one.
const PREFIX: usize = 5;

/// The CPU and the task of a line, where a record has several.
fn prefix(several: bool, seen: &Recorded<'_>) -> String {
    if several { format!("{} {}  ", seen.cpu, task_name(seen.task)) } else { String::new() }
}

/// The name of a task: a letter from 1 on, `-` for the task that a record of one task has, `.` for
/// the idle tasks, which have the highest numbers.
#[must_use]
pub fn task_name(task: u8) -> char {
    match task {
        0 => '-',
        1..=26 => char::from(b'A' + task - 1),
        _ => '.',
    }
}

/// The nesting of the calls of each task, as brackets: it follows what was called, not what the
/// design counted.
struct Depth {
    design: Design,
    depths: BTreeMap<u8, usize>,
}

impl Depth {
    const fn new(design: Design) -> Self {
        Self { design, depths: BTreeMap::new() }
    }

    fn indent(&self, task: u8) -> usize {
        self.depths.get(&task).copied().unwrap_or(0).min(INDENTS_MAX) * INDENT
    }

    /// The indent of the line that the event begins, if it begins one.
    fn line(&mut self, seen: &Recorded<'_>) -> Option<usize> {
        let (opens, closes) = match seen.event {
            Event::Call(call) => {
                let role = self.design.role(call);
                (role.opens(), role.closes())
            }
            Event::Context { name, by_arch: false, .. } => (
                name.ends_with("_enter") || name.ends_with("_disable"),
                name.ends_with("_exit") || name.ends_with("_enable"),
            ),
            Event::Pte(_) | Event::Switch { .. } => (false, false),
            Event::Context { by_arch: true, .. }
            | Event::Section(_)
            | Event::Store(_)
            | Event::Hook(_)
            | Event::Effect { .. }
            | Event::Warn { .. }
            | Event::Return { .. }
            | Event::Away
            | Event::Back
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => return None,
        };
        let depth = self.depths.entry(seen.task).or_default();
        *depth = depth.saturating_sub(usize::from(closes));
        let indent = (*depth).min(INDENTS_MAX) * INDENT;
        *depth += usize::from(opens);
        Some(indent)
    }
}

fn left_len(design: Design, event: &Event<'_>) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            self.0 += s.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    left(&mut count, design, event).map_or(0, |()| count.0)
}

/// The left-hand side of the line that `event`, seen under `design`, begins in the tree, if it
/// begins one: what was called.
///
/// ```
/// use lazy_mmu::design::{Call, Design};
/// use lazy_mmu::trace::{Event, call_text};
/// let text = |event| call_text(Design::default(), &event);
/// assert_eq!(text(Event::Call(Call::PAUSE)).as_deref(), Some("lazy_mmu_mode_pause()"));
/// assert_eq!(text(Event::Away), None);
/// ```
#[must_use]
pub fn call_text(design: Design, event: &Event<'_>) -> Option<String> {
    let mut text = String::new();
    left(&mut text, design, event).ok().filter(|()| !text.is_empty()).map(|()| text)
}

/// Writes the left-hand side of the line that `event` begins.
fn left(to: &mut dyn Write, design: Design, event: &Event<'_>) -> fmt::Result {
    match event {
        Event::Call(call) => write!(to, "{}()", call_name(design, *call)),
        Event::Context { name, .. } => write!(to, "{name}()"),
        Event::Pte(PteEvent { op, mm, addr, pte, nr }) => {
            write!(to, "{}(", op.name())?;
            if *mm > 1 {
                write!(to, "mm={mm}, ")?;
            }
            write!(to, "{addr:#x}")?;
            if op.takes_nr() {
                write!(to, ", nr={nr}")?;
            }
            to.write_str(if op.sets() && *pte == 0 { ", none)" } else { ")" })
        }
        Event::Switch { next } => write!(to, "switch to {}", task_name(*next)),
        Event::Section(_)
        | Event::Store(_)
        | Event::Hook(_)
        | Event::Effect { .. }
        | Event::Warn { .. }
        | Event::Return { .. }
        | Event::Away
        | Event::Back
        | Event::Hazard { .. }
        | Event::Note(_)
        | Event::Pending { .. }
        | Event::End { .. } => Ok(()),
    }
}

/// The kernel's name of a call that was made under `design`.
fn call_name(design: Design, call: Call) -> String {
    design.call_info(call).map_or_else(|| call.to_string(), |info| info.name.to_owned())
}

/// The short form of a hook that was called under `design`.
fn hook_short(design: Design, hook: Hook) -> String {
    design.hook_info(hook).map_or_else(|| hook.to_string(), |info| info.short.to_owned())
}

/// Writes rows; a row is complete only when the next one begins, since effects follow their cause.
struct Rows<'r, 'f, 'g> {
    record: &'r Record,
    to: &'f mut Formatter<'g>,
    arrow: usize,
    /// Several tasks or CPUs were seen, so that each line says whose it is.
    several: bool,
    depth: Depth,
    row: Option<Row>,
    /// Left-hand sides of calls inside of which something else happens, each with its task.
    away: Vec<(u8, String)>,
    pending: String,
    /// Every call so far: the number of its event, and its task.
    made: Vec<(u32, u8, Made)>,
}

/// A call that may cause a hazard.
#[derive(Clone, Copy)]
enum Made {
    Call(Call),
    Pte(PteOp),
}

/// One line of the tree and what follows it in the right-hand column.
#[derive(Default)]
struct Row {
    left: String,
    /// A call of the API: its effects are those of its hook, and its state is shown.
    is_call: bool,
    /// Without an arrow: nothing of the architecture is involved.
    bare: bool,
    right: Option<String>,
    state: String,
    below: Vec<String>,
}

impl Row {
    /// Adds something that the architecture was told or did, or that a check reported.
    fn add(&mut self, text: String) {
        if self.right.is_none() && !self.is_call && !self.bare && !is_report(&text) {
            self.right = Some(text);
        } else {
            self.below.push(text);
        }
    }
}

/// Reports stand below the line that they are about.
fn is_report(text: &str) -> bool {
    ["WARNING", "BUG", "HAZARD"].iter().any(|word| text.starts_with(word))
}

impl Rows<'_, '_, '_> {
    fn event(&mut self, seen: &Recorded<'_>) -> fmt::Result {
        let indent = self.depth.line(seen).unwrap_or(self.depth.indent(seen.task));
        self.keep(seen);
        match &seen.event {
            // The change is the hook's: powerpc's preempt_disable() on entry, say.
            Event::Context { name, preempt_count, by_arch: true } => {
                self.add(format!("{name}()  preempt_count={preempt_count}"));
            }
            Event::Context { preempt_count, .. } => {
                let state = format!("preempt_count={preempt_count}");
                self.open(indent, seen, Row { bare: true, state, ..Row::default() })?;
            }
            Event::Call(_) => self.open(indent, seen, Row { is_call: true, ..Row::default() })?,
            Event::Pte(_) | Event::Switch { .. } => self.open(indent, seen, Row::default())?,
            Event::Hook(hook) => {
                let short = hook_short(self.record.design(), *hook);
                match &mut self.row {
                    Some(row) if row.right.is_none() => row.right = Some(short),
                    _ => self.add(short),
                }
            }
            Event::Effect { name, n } => self.add(effect_text(name, *n)),
            Event::Warn { check, cond, again } => {
                let word = if check.ends_with("BUG_ON") { "BUG" } else { "WARNING" };
                let again = if *again { " (again)" } else { "" };
                self.add(format!("{word}{again}: {check}({cond})"));
            }
            Event::Store(_) => {}
            Event::Return { state, .. } => {
                let state = self.record.design().show(*state);
                if let Some(row) = &mut self.row {
                    row.state = state;
                    row.is_call = false;
                }
            }
            Event::Section(name) => self.plain_line(&format!("{:indent$}{name}:", ""))?,
            Event::Away => self.away(seen.task)?,
            Event::Back => self.back(seen)?,
            Event::Hazard { name, cause } => self.add(match cause {
                Some(cause) => format!("HAZARD: {name}, caused by {}", self.cause(*cause)),
                None => format!("HAZARD: {name}"),
            }),
            Event::Note(text) => self.plain_line(&format!("# {text}"))?,
            Event::Pending { n, what } => {
                let gap = if self.pending.is_empty() { "" } else { ", " };
                self.pending += &format!("{gap}{n} in {what}");
            }
            Event::End { state, preempt_count } => {
                let mut line = self.record.design().show(*state);
                line += ", ";
                line += if self.pending.is_empty() { "nothing pending" } else { "pending: " };
                line += &self.pending;
                if preempt_count.0 != 0 {
                    line += &format!(", preempt_count={preempt_count}");
                }
                self.plain_line(&line)?;
            }
        }
        Ok(())
    }

    /// Keeps a call, as what may cause a hazard.
    fn keep(&mut self, seen: &Recorded<'_>) {
        let (seq, task) = (seen.seq as u32, seen.task);
        if let Event::Call(call) = seen.event {
            self.made.push((seq, task, Made::Call(call)));
        } else if let Event::Pte(PteEvent { op, .. }) = seen.event {
            self.made.push((seq, task, Made::Pte(op)));
        }
    }

    /// The call to which event `seq` belongs.
    fn cause(&self, seq: u32) -> String {
        let behind = self.made.partition_point(|(made, ..)| *made <= seq);
        let task = self.record.events().nth(seq as usize).map(|seen| seen.task);
        let mut before = self.made[..behind].iter().rev();
        match before.find(|(_, of, _)| task == Some(*of)) {
            Some((.., Made::Call(call))) => {
                format!("{}()", call_name(self.record.design(), *call))
            }
            Some((.., Made::Pte(op))) => format!("{}()", op.name()),
            None => format!("event {seq}"),
        }
    }

    fn add(&mut self, text: String) {
        self.row.get_or_insert_with(Row::default).add(text);
    }

    fn plain_line(&mut self, line: &str) -> fmt::Result {
        self.close()?;
        writeln!(self.to, "{line}")
    }

    /// Something else happens inside the call of the current row.
    fn away(&mut self, task: u8) -> fmt::Result {
        let row = self.row.get_or_insert_with(Row::default);
        let skip = if self.several { PREFIX } else { 0 };
        self.away.push((task, row.left.chars().skip(skip).collect()));
        row.right.get_or_insert_with(|| "...".to_owned());
        self.close()
    }

    /// The call goes on: its row is written again, without what it has shown already.
    fn back(&mut self, seen: &Recorded<'_>) -> fmt::Result {
        self.close()?;
        let last = self.away.iter().rposition(|(task, _)| *task == seen.task);
        let left = last.map(|at| self.away.remove(at).1).unwrap_or_default();
        let name = left.trim_start_matches([' ', '.']);
        let left = format!("{}{GOES_ON}{name}", prefix(self.several, seen));
        // What it does from here on is shown from here on, be it a hook or an effect.
        self.row = Some(Row { left, ..Row::default() });
        Ok(())
    }

    fn open(&mut self, indent: usize, seen: &Recorded<'_>, row: Row) -> fmt::Result {
        self.close()?;
        let mut text = prefix(self.several, seen);
        text += &" ".repeat(indent);
        left(&mut text, self.record.design(), &seen.event)?;
        self.row = Some(Row { left: text, ..row });
        Ok(())
    }

    fn close(&mut self) -> fmt::Result {
        let Some(row) = self.row.take() else { return Ok(()) };
        let arrow = self.arrow;
        let line = match (&row.right, row.bare) {
            (None, true) => format!("{:<arrow$}   {}", row.left, row.state),
            (right, _) => {
                let right = right.as_deref().unwrap_or("ø");
                format!("{:<arrow$}-> {right:<12}  {}", row.left, row.state)
            }
        };
        writeln!(self.to, "{}", line.trim_end())?;
        for text in &row.below {
            writeln!(self.to, "{:arrow$}   {text}", "")?;
        }
        Ok(())
    }
}
