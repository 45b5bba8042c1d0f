//! The page of a search: each counterexample as a trace, and what each property came to.

use emu_check::check::{Counterexample, Options, Property, Report, Verdict};
use emu_lab::render::text::grouped;

use super::super::table::{Cell, Look, Table};
use super::super::{Block, Page, render, trace::trace};
use crate::view::View;

/// A counterexample, with the options of its search.
pub type Found<'r> = (&'r Options, &'r Counterexample);

/// The page of `reports`, searches of one architecture, kernel and design, with what they found
/// together.
#[must_use]
pub fn check(reports: &[&Report], found: &[Found<'_>], verdicts: &[(Property, Verdict)]) -> String {
    let Some(options) = reports.first().map(|report| &report.options) else { return String::new() };
    let Options { arch, kernel, design, .. } = options;
    let mut blocks = Vec::new();
    if found.len() > 1 {
        let entry = |(n, (_, found)): (usize, &Found<'_>)| (id(n), headline(found));
        blocks.push(Block::Contents(found.iter().enumerate().map(entry).collect()));
    }
    for (n, (options, found)) in found.iter().enumerate() {
        counterexample(&mut blocks, &id(n), options, found);
    }
    blocks.push(Block::Table(properties(found, verdicts)));
    blocks.push(Block::Table(searches(reports)));
    let count = |id: &str| verdicts.iter().filter(|(_, verdict)| verdict.id() == id).count();
    let lead = match found.first() {
        Some((_, first)) => match count("broken") {
            1 => format!("{} is broken: {}.", first.property.id(), first.property.about()),
            n => format!(
                "{n} properties are broken; the shortest way is to {}.",
                first.property.id()
            ),
        },
        None => format!(
            "{} properties hold (exercised, every state searched), none is broken.",
            count("holds")
        ),
    };
    let mut facts = vec![
        ("architecture", arch.id().to_owned()),
        ("kernel", kernel.id().to_owned()),
        ("design", design.id().to_owned()),
    ];
    facts.extend(options.fault.map(|fault| ("fault", fault.about().to_owned())));
    facts.extend(options.fix.map(|fix| ("fix", fix.about().to_owned())));
    let title = format!(
        "{arch} {kernel}: {}",
        if found.is_empty() { "nothing found" } else { "what goes wrong" }
    );
    render(&Page { title, lead, bad: !found.is_empty(), facts, blocks })
}

fn id(n: usize) -> String {
    format!("c{}", n + 1)
}

/// A counterexample in a line.
fn headline(found: &Counterexample) -> String {
    let s = if found.moves == 1 { "" } else { "s" };
    format!("{}, in {} move{s}", found.property.id(), found.moves)
}

fn counterexample(blocks: &mut Vec<Block>, id: &str, options: &Options, found: &Counterexample) {
    let view = View::of(&found.record, options.arch, &|_| None);
    blocks.push(Block::Heading { id: id.to_owned(), text: headline(found), bad: true });
    let detail =
        if found.detail.is_empty() { String::new() } else { format!(" {}.", found.detail) };
    blocks.push(Block::Paragraph(format!("Broken: {}.{detail}", found.property.about())));
    blocks.extend(view.story(found.property.about()).map(Block::Paragraph));
    blocks.push(Block::Trace(trace(id, &view, options.kernel)));
    let text = found.record.to_string();
    blocks.push(Block::Text { name: "The record as a tree".to_owned(), text });
    if let Some(scenario) = &found.scenario {
        let name = "A scenario that goes this way, for lazymmu run".to_owned();
        blocks.push(Block::Text { name, text: scenario.clone() });
    }
}

fn properties(found: &[Found<'_>], verdicts: &[(Property, Verdict)]) -> Table {
    let head = ["property", "verdict", "what must hold, or why it says nothing"];
    let mut table = Table::new("Properties", head).sorted(Some("broken only"));
    for (property, verdict) in verdicts {
        let (look, why) = match verdict {
            Verdict::Holds { exercised } => {
                (Look::Good, format!("{}; exercised {exercised} times", property.about()))
            }
            Verdict::Broken => (Look::Bad, property.about().to_owned()),
            Verdict::NotExercised(trigger) => (Look::Dim, format!("never: {}", trigger.about())),
            Verdict::NotApplicable(why) => (Look::Dim, (*why).to_owned()),
            Verdict::Open => (Look::Plain, "the search gave up".to_owned()),
        };
        let place = found.iter().position(|(_, found)| found.property == *property);
        let name = Cell::new(property.id(), Look::Mono);
        let name = match place {
            Some(n) => name.link(&id(n)),
            None => name,
        };
        let broken = *verdict == Verdict::Broken;
        table.row(broken, [name, Cell::new(verdict.id(), look), Cell::new(why, Look::Plain)]);
    }
    table
}

fn searches(reports: &[&Report]) -> Table {
    let head = ["client", "what its tasks do", "states", "moves", "deep", "how far"];
    let mut table = Table::new("Searches", head).numbers([2, 3, 4]);
    for report in reports {
        let client = report.options.client;
        let cells = [
            client.name().to_owned(),
            client.about().to_owned(),
            grouped(report.states as u64),
            grouped(report.transitions),
            report.depth.to_string(),
            report.scope(),
        ];
        table.row(false, cells.map(|text| Cell::new(text, Look::Plain)));
    }
    table
}

/// The page of `reports`, a search of each architecture and kernel: what breaks where.
#[must_use]
pub fn check_all(reports: &[Report]) -> String {
    let head = ["architecture", "kernel", "design", "states", "broken", "how far"];
    let mut table = Table::new("What holds where", head).numbers([3]);
    table = table.sorted(Some("broken only"));
    for report in reports {
        let Options { arch, kernel, design, .. } = &report.options;
        let broken = report.breaks();
        let look = if broken.is_empty() { Look::Good } else { Look::Bad };
        let text = if broken.is_empty() { "nothing".to_owned() } else { broken.join("\n") };
        let plain = |text: &str| Cell::new(text, Look::Plain);
        let cells = [
            plain(arch.id()),
            plain(kernel.id()),
            plain(design.id()),
            plain(&grouped(report.states as u64)),
            Cell::new(text, look),
            plain(&report.scope()),
        ];
        table.row(!broken.is_empty(), cells);
    }
    let bad = reports.iter().filter(|report| report.is_violated()).count();
    let lead = format!("A property breaks in {bad} of {} searches.", reports.len());
    let title = "Every architecture and kernel".to_owned();
    let blocks = vec![Block::Table(table)];
    render(&Page { title, lead, bad: bad > 0, blocks, ..Page::default() })
}
