//! A report as JSON, for programs. Fields are only ever added.

use serde::{Serialize, Serializer};
use serde_json::json;

use super::options::Options;
use super::report::{Counterexample, Report};
use crate::explore::End;

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Options { arch, kernel, design, tasks, cpus, language, nesting, .. } = &self.options;
        let end = match self.end {
            End::Complete => "complete",
            End::First => "first",
            End::States => "max-states",
            End::Memory => "max-memory",
            End::Interrupted => "interrupted",
        };
        json!({
            "arch": arch.id(),
            "kernel": kernel.id(),
            "design": design.id(),
            "tasks": tasks,
            "cpus": cpus,
            "language": language.name(),
            "nesting": nesting,
            "end": end,
            "programs": self.programs,
            "proof": self.is_exhaustive(),
            "states": self.states,
            "transitions": self.transitions,
            "depth": self.depth,
            "bytes": self.bytes,
            "broken": self.broken,
            "never": self.never.iter().map(|never| never.about()).collect::<Vec<_>>(),
        })
        .serialize(serializer)
    }
}

impl Serialize for Counterexample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "property": self.property.id(),
            "detail": self.detail,
            "moves": self.moves,
            "switches_and_interrupts": self.cost,
            "record": self.record.to_string(),
            "scenario": self.scenario,
        })
        .serialize(serializer)
    }
}

/// The report as one JSON object.
#[must_use]
pub fn json(report: &Report) -> String {
    json!(report).to_string()
}
