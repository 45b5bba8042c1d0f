//! The report for programs: one JSON object per line.

use serde_json::{Value, json};

use super::value::Report;
use crate::compare::{Checked, Verdict};

/// One line per operation and one with the totals.
#[must_use]
pub fn lines(report: &Report) -> Vec<String> {
    let [same, different, left_out] = report.verdicts();
    let total = json!({
        "event": "total",
        "arch": report.arch.id(),
        "kernel": report.kernel.id(),
        "same": same,
        "different": different,
        "left_out": left_out,
        "outside": report.outside,
        "assumptions": report.assumes,
    });
    let operations = report.checked.iter().map(operation);
    operations.chain([total]).map(|value| value.to_string()).collect()
}

fn operation(one: &Checked) -> Value {
    let (verdict, why) = match &one.verdict {
        Verdict::Same => ("same", Value::Null),
        Verdict::LeftOut(why) => ("left_out", json!({ "reason": why })),
        Verdict::Different(difference) => (
            "different",
            json!({
                "line": difference.line,
                "task": difference.at.map(|(task, _)| task),
                "cpu": difference.at.map(|(_, cpu)| cpu),
                "call": difference.call,
                "kernel": difference.kernel,
                "emulated": difference.emulated,
            }),
        ),
    };
    json!({
        "event": "operation",
        "name": one.name,
        "line": one.line,
        "verdict": verdict,
        "why": why,
        "tasks": one.tasks,
        "cpus": one.cpus,
        "calls": one.calls,
        "effects": one.effects,
        "cut": one.cut,
        "bug": one.bug.map(|(line, bug)| json!({ "line": line, "condition": bug })),
        "counted": one.counted,
        "left": one.left,
        "assumed": one.assumed,
    })
}
