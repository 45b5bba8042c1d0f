//! A replayed log as JSON Lines.

use emu_arch::Arch;
use emu_mm::workload::Row;
use emu_replay::run::{CallRow, Report};
use serde_json::{Map, Value, json};

use super::notes;
use super::replayed::Replayed;
use crate::workload::json::numbers;

/// A call, as one line.
pub(super) fn call(arch: Arch, call: &CallRow) -> Value {
    let mut object = of_call(call);
    object.insert("arch".into(), arch.id().into());
    Value::Object(object)
}

fn of_call(call: &CallRow) -> Map<String, Value> {
    let mut object = numbers(&call.row);
    object.insert("line".into(), call.line.into());
    object.insert("pid".into(), call.pid.into());
    object.insert("call".into(), call.call.into());
    object.insert("start".into(), format!("{:#x}", call.range.0).into());
    object.insert("end".into(), format!("{:#x}", call.range.1).into());
    object
}

/// All of it, as one line.
pub(super) fn render(replayed: &Replayed<'_>) -> String {
    let told = replayed.told;
    let calls: Map<String, Value> = told
        .calls
        .iter()
        .map(|(name, tally)| {
            let tally = json!({
                "done": tally.done,
                "failed": tally.failed,
                "no_result": tally.unknown,
            });
            ((*name).to_owned(), tally)
        })
        .collect();
    let checkpoints: Vec<Value> = told
        .checkpoints
        .iter()
        .map(|checkpoint| {
            json!({
                "line": checkpoint.line,
                "pid": checkpoint.pid,
                "mappings": checkpoint.mappings,
                "differs": checkpoint.differs,
            })
        })
        .collect();
    let object = json!({
        "log": replayed.name,
        "kernel": replayed.args.kernel().id(),
        "lines": replayed.lines,
        "bad_lines": replayed.bad,
        "tasks": told.tasks,
        "address_spaces": told.mms,
        "calls": calls,
        "differing": told.differing.0,
        "checkpoints": checkpoints,
        "notes": notes::of(replayed),
        "archs": replayed.reports.iter().map(arch).collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

fn arch(report: &Report) -> Value {
    let row = |calls: u64, row: &Row| {
        let mut object = numbers(row);
        object.insert("calls".into(), calls.into());
        Value::Object(object)
    };
    let calls = report.calls.iter();
    let calls: Map<String, Value> =
        calls.map(|(name, (calls, sum))| ((*name).to_owned(), row(*calls, sum))).collect();
    json!({
        "arch": report.arch.id(),
        "design": report.design.id(),
        "mode_is_off": report.mode_is_off,
        "calls": calls,
        "top": report.top().map(of_call).collect::<Vec<_>>(),
        "total": numbers(&report.total),
    })
}
