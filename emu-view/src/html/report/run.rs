//! The page of a scenario that was run.

use emu_lab::render::hazards;
use emu_lab::scenario::{Outcome, Setup};

use super::super::{Block, Page, render, trace::trace};
use crate::view::{Tone, View};

/// The page of `outcome`, that of the scenario called `name` that shows `what`.
#[must_use]
pub fn run(name: &str, what: &str, setup: Setup, outcome: &Outcome) -> String {
    let view = View::of(&outcome.record, setup.arch, &|seq| outcome.line_of(seq));
    let main = view.main_flow();
    let lead = match main {
        None => "No hazard, no warning.".to_owned(),
        Some(flow) => match view.flows.len() {
            1 => view.headline(flow),
            n => format!("{} And {} more.", view.headline(flow), n - 1),
        },
    };
    let mut blocks: Vec<Block> =
        main.into_iter().flat_map(|flow| view.why(flow)).map(Block::Paragraph).collect();
    blocks.push(Block::Trace(trace("run", &view, setup.kernel)));
    let summary = hazards::summary(&outcome.record, &outcome.hazards, |seq| outcome.line_of(seq));
    if !summary.is_empty() {
        blocks.push(Block::Text { name: "All hazards as text".to_owned(), text: summary });
    }
    if outcome.record.len() <= super::super::TEXT_MAX {
        let text = outcome.record.to_string();
        blocks.push(Block::Text { name: "The record as a tree".to_owned(), text });
    }
    let page = Page {
        title: if what.is_empty() { name.to_owned() } else { what.to_owned() },
        lead,
        bad: main.is_some_and(|flow| flow.tone != Tone::Warning),
        facts: vec![
            ("scenario", name.to_owned()),
            ("architecture", setup.arch.id().to_owned()),
            ("kernel", setup.kernel.id().to_owned()),
            ("design", setup.design.id().to_owned()),
            ("events", outcome.record.len().to_string()),
        ],
        blocks,
    };
    render(&page)
}
