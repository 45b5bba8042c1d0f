//! A view as a graph for Graphviz: what happened in order, and what caused what.

use std::fmt::Write;

use super::drawn::drawn;
use crate::view::{Tone, View};

/// The graph: a cluster for each task on its CPU, an arrow from step to step, and a red one from
/// each cause to its victim.
#[must_use]
pub fn dot(view: &View<'_>) -> String {
    let mut text =
        "digraph record {\n    rankdir=TB;\n    node [shape=box, fontname=\"monospace\"];\n"
            .to_owned();
    let shown: Vec<usize> = drawn(view.steps.len()).map(|(at, _)| at).collect();
    for (index, lane) in view.lanes.iter().enumerate() {
        let _ = writeln!(text, "    subgraph cluster_{index} {{");
        let _ = writeln!(text, "        label={:?};", lane.name());
        for at in shown.iter().filter(|at| view.steps[**at].lane == index) {
            let step = &view.steps[*at];
            let details = step.details.iter().filter(|detail| detail.tone != Tone::Hazard);
            let mut label = step.text.clone();
            details.for_each(|detail| label += &format!("\n{}", detail.text));
            let wrong = view.flows.iter().any(|flow| flow.victim == *at);
            let colour = if wrong { ", color=red" } else { "" };
            let _ = writeln!(text, "        s{at} [label={label:?}{colour}];");
        }
        text.push_str("    }\n");
    }
    for pair in shown.windows(2) {
        let _ = writeln!(text, "    s{} -> s{};", pair[0], pair[1]);
    }
    for flow in &view.flows {
        let Some(cause) = flow.cause.filter(|cause| shown.contains(cause)) else { continue };
        let (victim, what) = (flow.victim, &flow.what);
        let _ = writeln!(
            text,
            "    s{cause} -> s{victim} [label={what:?}, color=red, constraint=false];"
        );
    }
    text.push_str("}\n");
    text
}
