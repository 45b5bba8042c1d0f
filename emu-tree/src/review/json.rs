//! A review as one JSON object, for programs. Fields are only ever added.

use emu_check::prove;
use serde_json::{Value, json};

use super::value::Review;

/// The review as JSON.
#[must_use]
pub fn json(review: &Review) -> Value {
    let files = review.files.iter().map(|file| {
        let definitions = file.definitions.iter().map(|changed| {
            json!({ "name": changed.name, "line": changed.line, "change": changed.change.word() })
        });
        json!({ "path": file.path, "run": file.is_run, "definitions": definitions.collect::<Vec<_>>(), "others": file.others })
    });
    let scenarios = review.scenarios.0.iter();
    let scenarios =
        scenarios.map(|change| json!({ "name": change.name, "arch": change.arch.id() }));
    let properties = review.properties.0.iter().map(|change| {
        json!({
            "property": change.property,
            "detail": change.detail,
            "arch": change.arch.id(),
            "breaks": if change.breaks_now { "now" } else { "no longer" },
        })
    });
    let counts = review.counts.0.iter().map(|change| {
        json!({
            "workload": change.workload,
            "arch": change.arch.id(),
            "what": change.what,
            "old": change.times[0],
            "new": change.times[1],
        })
    });
    let proof: Value = serde_json::from_str(&prove::json(&review.proof)).unwrap_or_default();
    json!({
        "old": review.old,
        "change": review.change,
        "archs": review.archs.iter().map(|arch| arch.id()).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "elsewhere": review.elsewhere,
        "proof": proof,
        "scenarios": scenarios.collect::<Vec<_>>(),
        "properties": properties.collect::<Vec<_>>(),
        "workloads": counts.collect::<Vec<_>>(),
        "changes": review.changes_something(),
    })
}
