//! A summary of the hazards of a record, for people.
//!
//! Each with one line on what it means, the call that suffered, the one that caused it, and who
//! made them where. All of it is read from the record: what a call falls into is followed by its
//! marks.
//!
//! ```
//! use emu_lab::render::hazards;
//! use emu_lab::scenario::{Setup, parse, run};
//!
//! let text = "enable\nset_pte_at 0xffff800008000000\nwrite 0xffff800008000000\ndisable";
//! let scenario = parse(text)?;
//! let outcome = run(&scenario, Setup { arch: emu_arch::Arch::ARM64, ..Setup::default() });
//! let text = hazards::summary(&outcome.record, &outcome.hazards, |seq| outcome.line_of(seq));
//! assert_eq!(
//!     text,
//!     "\
//! 1 hazard:
//!
//! access-pending-barriers
//!   the access may fault: barriers are owed for the entry
//!   at:    write(0xffff800008000000)
//!          line 3, event 6; CPU 0, section depth 1
//!   since: set_pte_at(0xffff800008000000), 3 events before
//!          line 2, event 4; CPU 0, section depth 1
//! "
//! );
//! # Ok::<(), emu_input::InputError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;

use emu_arch::hazard::Hazard;
use emu_arch::machine::Found;
use lazy_mmu::Record;
use lazy_mmu::design::{Design, Role};
use lazy_mmu::trace::{Event, Recorded, call_text, task_name};

/// The most hazards that are told of one by one.
const SHOWN_MAX: usize = 20;

/// The summary; `line_of` tells which line of the scenario an event belongs to, where it knows.
/// Empty where nothing was found.
#[must_use]
pub fn summary(record: &Record, found: &[Found], line_of: impl Fn(u32) -> Option<u32>) -> String {
    if found.is_empty() {
        return String::new();
    }
    let calls = Calls::of(record, &found[..found.len().min(SHOWN_MAX)]);
    let line = |seq: u32| line_of(seq).map_or(String::new(), |line| format!("line {line}, "));
    let mut text = match found.len() {
        1 => "1 hazard:\n".to_owned(),
        n => format!("{n} hazards:\n"),
    };
    for Found { hazard, seq, cause } in found.iter().take(SHOWN_MAX) {
        let _ = writeln!(text, "\n{}\n  {}", hazard.id(), hazard.about());
        if let Some(at) = calls.under_way(*seq) {
            let _ = writeln!(text, "  at:    {}\n         {}{}", at.text, line(at.seq), at.who());
        }
        if let Some(since) = cause.and_then(|cause| calls.under_way(cause)) {
            let events = seq.saturating_sub(since.seq);
            let s = if events == 1 { "" } else { "s" };
            let (call, place) = (&since.text, line(since.seq) + &since.who());
            let _ = writeln!(text, "  since: {call}, {events} event{s} before\n         {place}");
        }
    }
    if found.len() > SHOWN_MAX {
        let _ =
            writeln!(text, "\n{} more: {}", found.len() - SHOWN_MAX, kinds(&found[SHOWN_MAX..]));
    }
    text
}

/// How many there are of each kind.
fn kinds(found: &[Found]) -> String {
    let count = |kind| found.iter().filter(|found| found.hazard == kind).count();
    let counts = Hazard::ALL.into_iter().map(|kind| (kind, count(kind)));
    let counts = counts.filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{n} {}", kind.id()));
    counts.collect::<Vec<_>>().join(",\n  ")
}

/// A call of a record, as it began.
#[derive(Clone, Debug)]
struct Began {
    seq: u32,
    text: String,
    cpu: u8,
    task: u8,
    /// Sections that the task was in.
    depth: usize,
    paused: bool,
    in_interrupt: bool,
}

impl Began {
    /// Who made the call, and where.
    fn who(&self) -> String {
        let mut who = format!("event {}; CPU {}", self.seq, self.cpu);
        if self.task > 0 {
            let _ = write!(who, ", task {}", task_name(self.task));
        }
        let _ = write!(who, ", section depth {}", self.depth);
        who += if self.paused { ", paused" } else { "" };
        who += if self.in_interrupt { ", in interrupt" } else { "" };
        who
    }
}

/// How deep a task is in sections and pauses, and in which context.
#[derive(Clone, Copy, Debug, Default)]
struct TaskState {
    sections: usize,
    pauses: usize,
    in_interrupt: bool,
}

/// The calls that were under way at the events that a summary speaks of.
struct Calls(BTreeMap<u32, Began>);

impl Calls {
    fn of(record: &Record, found: &[Found]) -> Self {
        let mut wanted: BTreeMap<u32, Option<Began>> = BTreeMap::new();
        for Found { seq, cause, .. } in found {
            wanted.insert(*seq, None);
            cause.and_then(|cause| wanted.insert(cause, None));
        }
        let mut tasks: BTreeMap<u8, TaskState> = BTreeMap::new();
        let (mut now, mut away): (Option<Began>, Vec<Option<Began>>) = (None, Vec::new());
        for seen in record.events() {
            if seen.event == Event::Away {
                away.push(now.clone());
            } else if seen.event == Event::Back {
                now = away.pop().flatten();
            } else {
                let task = tasks.entry(seen.task).or_default();
                now = began(record.design(), &seen, *task).or(now);
                task.after(record.design(), &seen.event);
            }
            if let Some(slot) = wanted.get_mut(&(seen.seq as u32)) {
                slot.clone_from(&now);
            }
        }
        Self(wanted.into_iter().filter_map(|(seq, began)| Some((seq, began?))).collect())
    }

    /// The call that event `seq` belongs to.
    fn under_way(&self, seq: u32) -> Option<&Began> {
        self.0.get(&seq)
    }
}

/// The call that the event begins, if it begins one, by a task in state `task`.
fn began(design: Design, seen: &Recorded<'_>, task: TaskState) -> Option<Began> {
    let mut in_interrupt = task.in_interrupt;
    if let Event::Context { preempt_count, by_arch, .. } = seen.event {
        if by_arch {
            return None;
        }
        in_interrupt = preempt_count.in_interrupt();
    }
    Some(Began {
        seq: seen.seq as u32,
        text: call_text(design, &seen.event)?,
        cpu: seen.cpu,
        task: seen.task,
        depth: task.sections,
        paused: task.pauses > 0,
        in_interrupt,
    })
}

impl TaskState {
    /// The event has happened to the task.
    fn after(&mut self, design: Design, event: &Event<'_>) {
        if let Event::Context { preempt_count, .. } = event {
            self.in_interrupt = preempt_count.in_interrupt();
        }
        let Event::Call(call) = event else { return };
        // What the design makes of the call, in interrupt say, is not the question here.
        match design.role(*call) {
            Role::OpensSection => self.sections += 1,
            Role::ClosesSection => self.sections = self.sections.saturating_sub(1),
            Role::OpensPause => self.pauses += 1,
            Role::ClosesPause => self.pauses = self.pauses.saturating_sub(1),
            Role::Neither => {}
        }
    }
}
