//! A report as one JSON object.

use emu_arch::machine::Totals;
use emu_mm::proc::{Mapping, Maps};
use emu_mm::workload::{Report, Row};
use lazy_mmu::design::{self, HookInfo};
use serde_json::{Map, Value, json};

use super::args::WorkloadArgs;
use super::notes;

/// The reports of one run, with what they are of.
pub(super) struct Reports<'r> {
    /// The file that the mappings come from.
    pub(super) name: &'r str,
    pub(super) args: &'r WorkloadArgs,
    pub(super) maps: &'r Maps,
    /// What the input could not tell.
    pub(super) notes: &'r [String],
    pub(super) reports: Vec<Report>,
}

/// The reports: addresses are strings in hex, all else are numbers.
pub(super) fn render(reports: &Reports<'_>) -> String {
    let archs: Vec<Value> = reports.reports.iter().map(|report| arch(reports, report)).collect();
    let args = reports.args;
    let object = json!({
        "workload": args.workload.id(),
        "maps": reports.name,
        "populate": args.populate.id(),
        "resched": args.resched,
        "folio_order": args.folio_order,
        "kernel": args.kernel().id(),
        "generation": args.generation,
        "design": reports.reports.first().map(|report| report.design.id()),
        "too_high": reports.maps.too_high,
        "notes": reports.notes,
        "archs": archs,
    });
    format!("{object:#}\n")
}

fn arch(reports: &Reports<'_>, report: &Report) -> Value {
    let (mappings, args): (&[Mapping], _) = (&reports.maps.mappings, reports.args);
    let rows: Vec<Value> = mappings
        .iter()
        .zip(&report.mappings)
        .filter(|(_, row)| !row.is_idle())
        .map(|(mapping, row)| {
            let mut object = numbers(row);
            object.insert("start".into(), format!("{:#x}", mapping.va).into());
            object.insert("end".into(), format!("{:#x}", mapping.va_end()).into());
            object.insert("path".into(), mapping.path.clone().into());
            Value::Object(object)
        })
        .collect();
    json!({
        "arch": report.arch.id(),
        "left_out": report.left_out,
        "mode_is_off": report.mode_is_off,
        "notes": notes::of_report(report, args.generation),
        "mappings": rows,
        "rest": numbers(&report.rest),
        "total": numbers(&report.total),
    })
}

/// The numbers of a row, by name.
pub(crate) fn numbers(row: &Row) -> Map<String, Value> {
    let times = |info: &HookInfo| (info.name.to_owned(), row.lazy.hook(info.hook).into());
    let hooks: Map<String, Value> = design::hooks().map(times).collect();
    let object = json!({
        "pages": row.pages,
        "pte_writes": row.ptes,
        "sections": row.sections(),
        "hooks": hooks,
        "effects": effects(&row.lazy),
        "effects_at_once": effects(&row.paused),
        "delayable": row.delayable(),
        "delayable_at_once": row.delayable_paused(),
    });
    if let Value::Object(object) = object { object } else { Map::new() }
}

fn effects(totals: &Totals) -> Map<String, Value> {
    totals.effects().map(|total| (total.name.to_owned(), total.times.into())).collect()
}
