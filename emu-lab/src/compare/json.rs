//! A comparison as one JSON object. Fields are only ever added.

use serde_json::{Value, json};

use super::{Cell, Column, Comparison, End, Part, Row};
use crate::render::json::state;

/// The comparison as JSON.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let columns = &comparison.columns;
    let rows: Vec<_> = comparison.rows.iter().map(|line| row(columns, line)).collect();
    let totals = comparison.totals.iter();
    let totals: Vec<_> =
        totals.map(|total| json!({ "name": total.name, "times": total.times })).collect();
    let ends: Vec<_> = comparison.ends.iter().zip(columns).map(end).collect();
    let object = json!({
        "what": comparison.what,
        "columns": columns.iter().map(column).collect::<Vec<_>>(),
        "rows": rows,
        "totals": totals,
        "ends": ends,
    });
    object.to_string()
}

fn column(column: &Column) -> Value {
    json!({
        "design": column.setup.design.id(),
        "kernel": column.setup.kernel.id(),
        "arch": column.setup.arch.id(),
        "existed": column.existed(),
        "compared_with": column.measure,
    })
}

fn row(columns: &[Column], row: &Row) -> Value {
    let cells = row.cells.iter().zip(columns).map(cell);
    json!({
        "line": row.line,
        "call": row.call,
        "depth": row.depth,
        "differs": row.differs(),
        "cells": cells.collect::<Vec<_>>(),
    })
}

fn cell((cell, column): (&Cell, &Column)) -> Value {
    json!({
        "parts": cell.parts.iter().map(part).collect::<Vec<_>>(),
        "active": cell.active,
        "state": state(column.setup.design, cell.state),
        "differs": cell.differs,
    })
}

fn part(part: &Part) -> Value {
    match part {
        Part::Hook(hook) => json!({ "hook": hook.name }),
        Part::Effect(text) => json!({ "effect": text }),
        Part::Warning(text) => json!({ "warning": text }),
        Part::Again(text) => json!({ "again": text }),
        Part::Bug(text) => json!({ "bug": text }),
        Part::Unmet(text) => json!({ "unmet": text }),
    }
}

fn end((end, column): (&End, &Column)) -> Value {
    let pending = end.pending.iter().map(|(n, what)| json!({ "n": n, "what": what }));
    json!({
        "state": state(column.setup.design, end.state),
        "pending": pending.collect::<Vec<_>>(),
        "preempt_count": end.preempt_count,
    })
}
