//! A view as a sequence diagram of Mermaid, which GitHub and GitLab draw.

use std::fmt::Write;

use super::drawn::drawn;
use crate::view::{Detail, Step, Tone, View};
use lazy_mmu::trace::Event;

/// The diagram: a participant for each task on its CPU, and one for the architecture.
#[must_use]
pub fn mermaid(view: &View<'_>) -> String {
    let mut text = "sequenceDiagram\n".to_owned();
    for (at, lane) in view.lanes.iter().enumerate() {
        let _ = writeln!(text, "    participant L{at} as {}", escape(&lane.name()));
    }
    let _ = writeln!(text, "    participant arch as {}", view.arch.id());
    for (at, left_out) in drawn(view.steps.len()) {
        let step = &view.steps[at];
        if left_out > 0 {
            let _ = writeln!(text, "    Note over arch: {left_out} more steps");
        }
        draw(&mut text, view, step);
        for flow in view.flows.iter().filter(|flow| flow.victim == at) {
            let by = flow.cause.map(|cause| &view.steps[cause].text);
            let by = by.map_or(String::new(), |by| format!(", caused by {by}"));
            let (lane, word) = (step.lane, word(flow.tone));
            let what = escape(&(flow.what.clone() + &by));
            let _ = writeln!(text, "    Note over L{lane}: {word}{what}");
        }
    }
    for (n, what) in &view.left {
        let _ = writeln!(text, "    Note over arch: pending at the end: {n} in {}", escape(what));
    }
    text
}

fn draw(text: &mut String, view: &View<'_>, step: &Step<'_>) {
    let lane = step.lane;
    let goes_on = if step.goes_on { "... " } else { "" };
    let call = format!("{goes_on}{}", escape(&step.text));
    if let Some(Event::Switch { next }) = step.event {
        let to = view.lanes.iter().position(|to| to.cpu == view.lanes[lane].cpu && to.task == next);
        let _ = writeln!(text, "    L{lane}-->>L{}: {call}", to.unwrap_or(lane));
    } else if step.event.is_none() {
        let _ = writeln!(text, "    Note over L{lane}: {call}");
    } else {
        let hook = step.details.iter().find(|detail| detail.tone == Tone::Hook);
        match hook {
            Some(Detail { text: hook, .. }) => {
                let _ = writeln!(text, "    L{lane}->>arch: {call}: {}", escape(hook));
            }
            None => {
                let _ = writeln!(text, "    L{lane}->>L{lane}: {call}");
            }
        }
    }
    let effects = step.details.iter().filter(|detail| detail.tone == Tone::Effect);
    let effects: Vec<_> = effects.map(|detail| escape(&detail.text)).collect();
    if !effects.is_empty() {
        let _ = writeln!(text, "    Note over arch: {}", effects.join("<br/>"));
    }
}

/// What stands before what goes wrong.
const fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Hazard => "HAZARD ",
        Tone::Bug | Tone::Warning | Tone::Hook | Tone::Effect | Tone::Note => "",
    }
}

/// Text without what Mermaid reads as its own.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '#' => escaped.push_str("#35;"),
            ';' => escaped.push_str("#59;"),
            c => escaped.push(c),
        }
    }
    escaped
}
