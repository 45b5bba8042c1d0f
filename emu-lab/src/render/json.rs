//! JSON Lines: one object per event, with the same content as the tree.
//!
//! Every object has `seq`, `cpu`, `task`, `event` and `name`; the rest depends on the event. Where
//! the record is that of a scenario, `line` comes last: the line that the event belongs to, from 1.
//! Fields are only ever added.
//!
//! ```
//! let ((), record) = lazy_mmu::record_hooks(lazy_mmu::lazy_mmu_mode_enable);
//! let lines = emu_lab::render::json::render(&record);
//! assert!(lines.starts_with(r#"{"seq":0,"cpu":0,"task":0,"event":"call","name":"lazy_mmu_"#));
//! # lazy_mmu::lazy_mmu_mode_disable();
//! ```

use std::fmt::Write;

use emu_arch::Pte;
use lazy_mmu::Record;
use lazy_mmu::design::{Call, Design, StateBits, Value};
use lazy_mmu::trace::{Event, Recorded};
use serde::Serialize;
use serde_json::{Map, json};

use crate::scenario::Outcome;

/// One line.
#[derive(Serialize)]
struct JsonEvent<'r> {
    seq: u64,
    cpu: u8,
    task: u8,
    event: &'static str,
    name: &'r str,
    #[serde(flatten)]
    rest: Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// Renders all events.
#[must_use]
pub fn render(record: &Record) -> String {
    let mut lines = String::new();
    for line in self::lines(record) {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{line}");
    }
    lines
}

/// Renders event by event, for long records.
pub fn lines(record: &Record) -> impl Iterator<Item = String> + '_ {
    record.events().map(|recorded| object(record.design(), &recorded, None))
}

/// Renders the record of a scenario event by event, each with its line.
pub fn scenario_lines(outcome: &Outcome) -> impl Iterator<Item = String> + '_ {
    let design = outcome.record.design();
    outcome.record.events().map(move |recorded| {
        // What is left at the end belongs to no line.
        let left = matches!(recorded.event, Event::Pending { .. } | Event::End { .. });
        let line = outcome.line_of(recorded.seq as u32).filter(|_| !left);
        object(design, &recorded, line)
    })
}

fn object(design: Design, recorded: &Recorded<'_>, line: Option<u32>) -> String {
    let (event, name, rest) = parts(design, &recorded.event);
    let serde_json::Value::Object(rest) = rest else { unreachable!("parts returns objects") };
    let Recorded { seq, cpu, task, .. } = *recorded;
    let object = JsonEvent { seq, cpu, task, event, name, rest, line };
    serde_json::to_string(&object).expect("an event has string keys and no failing values")
}

/// The kind of an event, its name, and what else there is to say.
fn parts<'r>(design: Design, event: &Event<'r>) -> (&'static str, &'r str, serde_json::Value) {
    match *event {
        Event::Section(name) => ("section", name, json!({})),
        Event::Call(call) => ("call", call_name(design, call), json!({})),
        Event::Store(bits) => ("store", "lazy_mmu_state", json!({ "state": state(design, bits) })),
        Event::Hook(hook) => {
            ("hook", design.hook_info(hook).map_or(UNDECLARED, |info| info.name), json!({}))
        }
        Event::Effect { name, n } => {
            let bare = name.strip_suffix('=').unwrap_or(name);
            ("effect", bare, n.map_or_else(|| json!({}), |n| json!({ "n": n })))
        }
        Event::Pte(pte) => {
            let entry = Pte(pte.pte);
            let rest = json!({
                "mm": pte.mm,
                "addr": format!("{:#x}", pte.addr),
                "nr": pte.nr,
                "pfn": entry.pfn().0,
                "flags": entry.flags_text(),
            });
            ("pte", pte.op.name(), rest)
        }
        Event::Warn { check, cond, again } => {
            ("warn", check, json!({ "cond": cond, "again": again }))
        }
        Event::Return { call, active, state: bits } => {
            let rest = json!({ "active": active, "state": state(design, bits) });
            ("return", call_name(design, call), rest)
        }
        Event::Context { name, preempt_count, .. } => {
            ("context", name, json!({ "preempt_count": preempt_count.0 }))
        }
        Event::Switch { next } => ("switch", "__schedule", json!({ "next": next })),
        Event::Hazard { name, cause } => ("hazard", name, json!({ "cause": cause })),
        Event::Away => ("away", "away", json!({})),
        Event::Back => ("back", "back", json!({})),
        Event::Note(text) => ("note", text, json!({})),
        Event::Pending { n, what } => ("pending", what, json!({ "n": n })),
        Event::End { state: bits, preempt_count } => {
            let rest = json!({ "state": state(design, bits), "preempt_count": preempt_count.0 });
            ("end", "end", rest)
        }
    }
}

/// The name of a call or hook that no design has: nothing but a record made by hand holds one.
const UNDECLARED: &str = "undeclared";

fn call_name(design: Design, call: Call) -> &'static str {
    design.call_info(call).map_or(UNDECLARED, |info| info.name)
}

/// The fields of a state as one object.
#[must_use]
pub fn state(design: Design, bits: StateBits) -> serde_json::Value {
    let value = |value| match value {
        Value::Count(n) => n.into(),
        Value::Flag(flag) => flag.into(),
    };
    let fields = design.fields(bits).map(|field| (field.name.to_owned(), value(field.value)));
    fields.collect::<Map<_, _>>().into()
}
