//! Traces of real kernels, compared with the emulated machine.
//!
//! A person records with ftrace what a booted kernel does. [`conform`] reads the text, makes the
//! same calls in the same order, on as many tasks and CPUs, with the same switches, on the emulated
//! machine, and compares what followed each of them: what joined the batch, what was flushed, how
//! much at once, and what was stored to the counters of the task.
//!
//! This compares the batching. Where sections begin and end comes from the trace.

#![warn(clippy::wildcard_enum_match_arm)]

mod candidates;
mod compare;
mod machine;
mod moves;
mod pairs;
pub mod probes;
mod report;
mod runs;
mod sites;
mod spaces;
pub mod trace;
mod words;

use std::collections::BTreeMap;

use emu_arch::{Arch, Kernel};
use emu_input::InputError;

use candidates::Candidates;
use moves::Reduced;

pub use compare::{Checked, Difference, Verdict};
pub use report::{Report, json, text};
use trace::{Event, Trace};
use words::Words;

/// What a trace is compared with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// The architecture; by the names of the events where not given.
    pub arch: Option<Arch>,
    /// The kernel; by the text of the events where not given.
    pub kernel: Option<Kernel>,
    /// The operations, all where none is named.
    pub only: &'o [String],
}

/// The architectures whose traces can be read.
pub fn archs() -> impl Iterator<Item = Arch> {
    words::ALL.iter().map(|words| words.arch)
}

/// Replays and compares every operation of `trace`; `watch` is told of each, and how many there
/// are.
///
/// # Errors
/// The architecture cannot be told, or an event lacks what it must have.
pub fn conform(
    trace: &Trace<'_>,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&str, usize, usize),
) -> Result<Report, InputError> {
    let words = find(trace, options.arch)?;
    let candidates = Candidates::of(trace, words, options.kernel)?;
    let operations = trace::operations(trace);
    // What each kernel makes of the operations.
    let mut checked: Vec<Vec<Checked>> = vec![Vec::new(); candidates.compared().len()];
    for (index, op) in operations.iter().enumerate() {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == op.name) {
            continue;
        }
        watch(op.name, index, operations.len());
        let line = op.events.first().map_or(0, |event| event.line);
        let mut one = Checked::new(op.name, line);
        if op.lost > 0 {
            let lost = op.lost;
            one.verdict = Verdict::LeftOut(format!("{lost} events were lost inside of it"));
            checked.iter_mut().for_each(|all| all.push(one.clone()));
            continue;
        }
        let mut reduced = (words.reduce)(trace, op)?;
        sites::agree(op.events, &mut reduced)?;
        in_order(op.events, &mut reduced);
        for (kernel, all) in candidates.compared().iter().zip(&mut checked) {
            let mut one = one.clone();
            compare::compare(words, *kernel, &reduced, &mut one);
            all.push(one);
        }
    }
    let outside = trace::outside(trace) as u64;
    let (kernel, why, checked) = candidates.fittest(checked);
    let (arch, assumes, cut) = (words.arch, words.assumes, trace.cut);
    Ok(Report { arch, kernel, why, assumes, checked, outside, cut })
}

/// The clock of a CPU never goes back.
fn in_order(events: &[Event<'_>], out: &mut Reduced) {
    let mut last: BTreeMap<u16, f64> = BTreeMap::new();
    for event in events {
        if last.insert(event.cpu, event.time).is_some_and(|last| last > event.time) {
            out.breaks(event.line, || format!("the time of CPU {} goes back", event.cpu));
        }
    }
}

/// The words of `arch`, or of the architecture that the names of the events tell.
fn find(trace: &Trace<'_>, arch: Option<Arch>) -> Result<&'static Words, InputError> {
    let first = |words: &&Words| trace.events.iter().find(|event| (words.tells)(event));
    let told = words::ALL.into_iter().find_map(|words| Some((words, first(&words)?)));
    let found = match (arch, told) {
        (None, told) => told.map(|(words, _)| words),
        (Some(arch), Some((words, event))) if words.arch != arch && words.also != Some(arch) => {
            let message = format!("expected a trace of {arch}, found an event of {}", words.arch);
            return Err(InputError::at(event.line as usize, event.text, event.name, message));
        }
        (Some(arch), _) => words::ALL.into_iter().find(|words| words.arch == arch),
    };
    found.ok_or_else(|| {
        let first = trace.events.first();
        let events = words::ALL.map(|words| words.events).join(", ");
        let message = format!("expected events that tell the architecture, such as {events}");
        let (line, text) = first.map_or((1, ""), |event| (event.line, event.text));
        InputError::at(line as usize, text, "", message)
    })
}
