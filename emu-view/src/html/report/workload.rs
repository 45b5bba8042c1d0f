//! The page of a workload: what the mode saves, per mapping and per effect.

use emu_lab::render::text::grouped;
use emu_mm::proc::Mapping;
use emu_mm::workload::{Report, Row};

use super::super::table::{Cell, Look, Table};
use super::super::{Bars, Block, Page, render};

/// The most mappings with bars of their own.
const BARS_MAX: usize = 24;
/// The most rows of a table.
const ROWS_MAX: usize = 2000;

/// The page of `reports` over `mappings`, which come from `name`; `notes` are what is to be known
/// of them.
#[must_use]
pub fn workload(name: &str, mappings: &[Mapping], reports: &[Report], notes: &[String]) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let mut blocks = Vec::new();
    let legend = vec!["with the mode", "without"];
    let totals = reports.iter().map(|report| {
        let total = &report.total;
        let label = format!("{}: {}", report.arch.id(), report.arch.facts().noun);
        (label, vec![total.delayable(), total.delayable_paused()])
    });
    blocks.push(Block::Bars(Bars::new("What the mode saves", legend.clone(), totals)));
    for report in reports {
        let id = report.arch.id().to_owned();
        let text = format!("{id}: {}", report.arch.about());
        blocks.push(Block::Heading { id, text, bad: false });
        blocks.push(Block::Paragraph(saved(report)));
        if report.total.delayable_paused() > 0 {
            one(&mut blocks, mappings, report, &legend);
        }
    }
    blocks.extend(notes.iter().cloned().map(Block::Paragraph));
    let work = first.workload.id();
    let facts = vec![
        ("mappings", format!("{} of {name}", grouped(mappings.len() as u64))),
        ("pages in memory", grouped(first.total.pages)),
        ("design", first.design.id().to_owned()),
    ];
    let lead = match reports {
        [one] => saved(one),
        _ => format!("{work} over {} pages on {} architectures.", facts[1].1, reports.len()),
    };
    let title = format!("{work}: what the lazy MMU mode saves");
    render(&Page { title, lead, facts, blocks, ..Page::default() })
}

/// The bars and tables of one architecture.
fn one(blocks: &mut Vec<Block>, mappings: &[Mapping], report: &Report, legend: &[&'static str]) {
    let noun = report.arch.facts().noun;
    let rows = mappings.iter().zip(&report.mappings).filter(|(_, row)| !row.is_idle());
    let busy: Vec<(&Mapping, &Row)> = rows.collect();
    let mut top = busy.clone();
    top.sort_by_key(|(mapping, row)| (std::cmp::Reverse(row.delayable_paused()), mapping.va));
    top.retain(|(_, row)| row.delayable_paused() > 0);
    let more = top.len().saturating_sub(BARS_MAX);
    top.truncate(BARS_MAX);
    if !top.is_empty() {
        let more = if more > 0 { format!(", {more} smaller not drawn") } else { String::new() };
        let bars = top.iter().map(|(mapping, row)| {
            (path(mapping).to_owned(), vec![row.delayable(), row.delayable_paused()])
        });
        let name = format!("{noun} per mapping{more}");
        blocks.push(Block::Bars(Bars::new(&name, legend.to_vec(), bars)));
    }
    let names = report.total.lazy.plus(&report.total.paused);
    let effects = names.effects().map(|total| {
        let both = [&report.total.lazy, &report.total.paused].map(|of| of.times(total.name));
        (total.name.to_owned(), both.to_vec())
    });
    let bars = Bars::new("Effects, by name", legend.to_vec(), effects);
    if !bars.rows.is_empty() {
        blocks.push(Block::Bars(bars));
    }
    blocks.push(Block::Table(table(&busy, report, noun)));
}

fn table(busy: &[(&Mapping, &Row)], report: &Report, noun: &str) -> Table {
    let head = ["mapping", "from", "pages", "PTE writes", "sections", noun, "without the mode"];
    let more = busy.len().saturating_sub(ROWS_MAX);
    let name = match more {
        0 => "Mappings".to_owned(),
        more => format!("Mappings, the first {ROWS_MAX}; {} more", grouped(more as u64)),
    };
    let mut table = Table::new(&name, head).numbers(2..7).sorted(None);
    let mut push = |name: &str, from: String, row: &Row, bold: bool| {
        let numbers =
            [row.pages, row.ptes, row.sections(), row.delayable(), row.delayable_paused()];
        let numbers = numbers.map(|n| Cell::new(grouped(n), Look::Plain));
        let first = [Cell::new(name, Look::Mono), Cell::new(from, Look::Mono)];
        table.row(bold, first.into_iter().chain(numbers));
    };
    for (mapping, row) in busy.iter().take(ROWS_MAX) {
        push(path(mapping), format!("{:#x}", mapping.va), row, false);
    }
    push("(of no mapping)", String::new(), &report.rest, false);
    push("total", String::new(), &report.total, true);
    table
}

fn path(mapping: &Mapping) -> &str {
    if mapping.path.is_empty() { "[anon]" } else { &mapping.path }
}

/// What the mode saved, in a sentence.
fn saved(report: &Report) -> String {
    let (with, without) = (report.total.delayable(), report.total.delayable_paused());
    let (work, arch, noun) = (report.workload.id(), report.arch.id(), report.arch.facts().noun);
    if without == 0 {
        return format!("The mode saves nothing: {work} needs no {noun} on {arch}.");
    }
    let saved = without.saturating_sub(with);
    let permille = saved * 1000 / without;
    let (whole, part) = (permille / 10, permille % 10);
    let (saved, without) = (grouped(saved), grouped(without));
    format!("The mode saves {saved} of {without} {noun} on {arch} ({whole}.{part} %).")
}
