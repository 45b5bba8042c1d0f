//! What the TCG plugin writes beside a trace: a line for each time that a CPU came by an
//! instruction, `CPU WORD`; joined with the trace, which knows the tasks.
//!
//! A word is `enable[FUNCTION]`, `store[FUNCTION]`, `dsb(ishst)[FUNCTION]` and so on, or
//! `>FUNCTION` at the function's entry. The n-th `>tracing_mark_write` is the n-th marker of the
//! trace, and inside of an operation the n-th `>__switch_to` on a CPU is its n-th `sched_switch`.

use std::collections::BTreeMap;

use emu_input::InputError;

use super::operations::{Operation, begins, ends, mark, operations};
use super::value::{Event, MISMATCH, Trace};

/// The entry of the function that writes a marker.
const MARK: &str = ">tracing_mark_write";
/// The entry of the function that switches.
const SWITCH: &str = ">__switch_to";

/// What the plugin wrote.
#[derive(Clone, Debug)]
pub struct Hits<'t> {
    lines: Vec<Hit<'t>>,
}

#[derive(Clone, Copy, Debug)]
struct Hit<'t> {
    text: &'t str,
    cpu: u16,
    word: &'t str,
}

/// Whether `line` is what the plugin writes.
pub(super) fn is_hit(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(cpu, word)| {
        let place = word.ends_with(']') && word.contains('[');
        cpu.parse::<u16>().is_ok() && (place || word.starts_with('>')) && !word.contains(' ')
    })
}

impl<'t> Hits<'t> {
    /// Reads what the plugin wrote.
    ///
    /// # Errors
    /// A line is not the number of a CPU and a word.
    pub fn parse(text: &'t str) -> Result<Self, InputError> {
        let hit = |(index, text): (usize, &'t str)| {
            let split = text.split_once(' ');
            let hit = split.and_then(|(cpu, word)| {
                Some(Hit { text, cpu: cpu.parse().ok()?, word: word.trim() })
            });
            hit.ok_or_else(|| {
                InputError::at(index + 1, text, text, "expected a hit of the plugin, `CPU WORD`")
            })
        };
        let lines = text.lines().enumerate().map(hit).collect::<Result<_, _>>()?;
        Ok(Self { lines })
    }
}

/// The hits as a trace: each with the task that ran, as `trace` knows it; lines are those of the
/// hits.
///
/// # Errors
/// The hits have other markers than the trace.
pub fn with_hits<'t>(trace: &Trace<'t>, hits: &Hits<'t>) -> Result<Trace<'t>, InputError> {
    let marks: Vec<&Event<'t>> =
        trace.events.iter().filter(|event| mark(event).is_some()).collect();
    let hit = hits.lines.iter().filter(|hit| hit.word == MARK).count();
    if hit != marks.len() {
        let what = format!(
            "expected {} hits of {MARK}, as the trace has markers, found {hit}",
            marks.len()
        );
        return Err(InputError::at(1, hits.lines.first().map_or("", |hit| hit.text), "", what));
    }
    let all = operations(trace);
    let mut marks = marks.into_iter();
    let mut all = all.iter();
    let (lines, says) = (hits.lines.len(), trace.says);
    let mut joined = Trace { events: Vec::new(), lost: Vec::new(), lines, says, cut: false };
    let mut inside: Option<Inside<'t>> = None;
    for (index, hit) in hits.lines.iter().enumerate() {
        let line = index as u32 + 1;
        if hit.word == MARK {
            let Some(marker) = marks.next() else { break };
            if let Some(done) = inside.take_if(|_| ends(marker)) {
                joined.events.extend(done.mismatch(line, hit.text));
            }
            joined.events.push(Event { line, text: hit.text, cpu: hit.cpu, time: 0.0, ..*marker });
            if begins(marker).is_some() {
                inside = all.next().map(|op| Inside::new(op, marker));
            }
        } else if let Some(inside) = &mut inside {
            joined.events.extend(inside.event(line, hit));
        }
    }
    Ok(joined)
}

/// The tasks inside of an operation.
struct Inside<'t> {
    /// The switches of each CPU, in order, that are still to come.
    switches: BTreeMap<u16, Vec<Event<'t>>>,
    /// The task that runs on each CPU.
    running: BTreeMap<u16, Event<'t>>,
    /// The task that comes, until its first hit.
    comes: BTreeMap<u16, Event<'t>>,
    /// Switches among the hits that the trace does not have.
    unknown: usize,
    shown: bool,
}

impl<'t> Inside<'t> {
    fn new(op: &Operation<'_, 't>, mark: &Event<'t>) -> Self {
        let mut switches: BTreeMap<u16, Vec<Event<'t>>> = BTreeMap::new();
        let mut running = BTreeMap::from([(mark.cpu, *mark)]);
        let all = op.events.iter().filter(|event| event.name == "sched_switch");
        for event in all {
            running.entry(event.cpu).or_insert(*event);
            switches.entry(event.cpu).or_default().insert(0, *event);
        }
        let shown = !switches.is_empty();
        Self { switches, running, comes: BTreeMap::new(), unknown: 0, shown }
    }

    fn event(&mut self, line: u32, hit: &Hit<'t>) -> Option<Event<'t>> {
        let cpu = hit.cpu;
        let (name, args) = match hit.word.split_once('[') {
            Some((name, rest)) => (name, rest.trim_end_matches(']')),
            None => (hit.word, ""),
        };
        let named = |event: Event<'t>| {
            let (text, time) = (hit.text, 0.0);
            Event { line, text, cpu, name, args, time, ..event }
        };
        if hit.word == SWITCH {
            let Some(switch) = self.switches.get_mut(&cpu).and_then(Vec::pop) else {
                self.unknown += 1;
                return Some(named(self.running(cpu)));
            };
            self.comes.insert(cpu, next(&switch));
            return Some(Event { line, text: hit.text, time: 0.0, ..switch });
        }
        if name == "dsb(ish)" {
            // The barrier of the switch: behind it the next task runs.
            let event = named(self.running(cpu));
            if let Some(next) = self.comes.remove(&cpu) {
                self.running.insert(cpu, next);
            }
            return Some(event);
        }
        if let Some(next) = self.comes.remove(&cpu) {
            self.running.insert(cpu, next);
        }
        Some(named(self.running(cpu)))
    }

    /// An event of the task that runs on `cpu`; of one without a name where the trace has none.
    fn running(&self, cpu: u16) -> Event<'t> {
        let nobody = Event {
            line: 0,
            text: "",
            comm: "?",
            pid: u32::MAX - u32::from(cpu),
            cpu,
            flags: "",
            time: 0.0,
            name: "",
            args: "",
        };
        self.running.get(&cpu).copied().unwrap_or(nobody)
    }

    /// An event that says that the switches do not match, if so.
    fn mismatch(&self, line: u32, text: &'t str) -> Option<Event<'t>> {
        let missing: usize = self.switches.values().map(Vec::len).sum();
        let wrong = missing > 0 || self.unknown > 0 && self.shown;
        wrong.then(|| Event { line, text, name: MISMATCH, args: "", ..self.running(0) })
    }
}

/// An event of the task that comes with a switch.
fn next<'t>(switch: &Event<'t>) -> Event<'t> {
    let pid = switch.text_of("next_pid").and_then(|pid| pid.parse().ok()).unwrap_or(0);
    let comm = switch.text_of("next_comm").unwrap_or("");
    Event { pid, comm, ..*switch }
}
