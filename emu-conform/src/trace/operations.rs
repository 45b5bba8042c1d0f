//! Operations of a trace: what lies between two markers.

use super::value::{Event, Trace};

/// What the kernel did between two markers.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a, 't> {
    /// The name behind `BEGIN`, or `trace` where there are no markers.
    pub name: &'t str,
    /// Its events; the first and the last are its markers, where it has them.
    pub events: &'a [Event<'t>],
    /// It begins with a marker: nothing was under way.
    pub bounded: bool,
    /// How many events were lost inside of it.
    pub lost: u64,
}

/// The text of a marker, where `event` is one.
pub(super) fn mark<'t>(event: &Event<'t>) -> Option<&'t str> {
    (event.name == "tracing_mark_write" || event.name == "print")
        .then(|| event.args.split_once(": ").map_or(event.args, |(_, text)| text))
}

/// Whether `event` is a marker: its task is in `write()`, and in no section.
pub(crate) fn is_mark(event: &Event<'_>) -> bool {
    mark(event).is_some()
}

/// The text behind `BEGIN`, where `event` begins an operation.
pub(super) fn begins<'t>(event: &Event<'t>) -> Option<&'t str> {
    mark(event)?.strip_prefix("BEGIN ")
}

/// Whether `event` ends an operation.
pub(super) fn ends(event: &Event<'_>) -> bool {
    mark(event).is_some_and(|text| text.starts_with("END"))
}

/// How many events of `trace` lie outside of all operations.
#[must_use]
pub fn outside(trace: &Trace<'_>) -> usize {
    let inside: usize = operations(trace).iter().map(|op| op.events.len()).sum();
    trace.events.len() - inside
}

/// The operations of `trace`: what lies between the markers `BEGIN name` and `END`; without any,
/// all is one.
#[must_use]
pub fn operations<'a, 't>(trace: &'a Trace<'t>) -> Vec<Operation<'a, 't>> {
    let events = &trace.events;
    let part = |name, from: usize, to: usize| Operation {
        name,
        events: &events[from..to],
        bounded: true,
        lost: lost(trace, from, to),
    };
    let mut found = Vec::new();
    let mut open = None;
    for (at, event) in events.iter().enumerate() {
        if let Some(text) = begins(event) {
            let name = text.split(' ').next().unwrap_or(text);
            if let Some((name, from)) = open.replace((name, at)) {
                found.push(part(name, from, at));
            }
        } else if ends(event)
            && let Some((name, from)) = open.take()
        {
            found.push(part(name, from, at + 1));
        }
    }
    if let Some((name, from)) = open {
        found.push(part(name, from, events.len()));
    } else if found.is_empty() {
        found.push(Operation { bounded: false, ..part("trace", 0, events.len()) });
    }
    found
}

/// How many events were lost between the events `from` and `to`.
fn lost(trace: &Trace<'_>, from: usize, to: usize) -> u64 {
    let inside = trace.lost.iter().filter(|(at, _)| from < *at && *at < to);
    inside.map(|(_, lost)| lost).sum()
}
