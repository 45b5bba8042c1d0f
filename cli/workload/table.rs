//! A report as tables of at most 80 columns.

use std::cmp::Reverse;
use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};
use emu_arch::{Arch, Kernel};
use emu_lab::render::text::grouped;
use emu_mm::proc::Mapping;
use emu_mm::workload::{Report, Row};

use super::notes;

/// The widest line, in characters.
pub(crate) const WIDTH: usize = 80;
/// The shortest that a path is cut to, in characters.
const PATH_MIN: usize = 12;

/// The reports over `mappings`, a table per architecture with a row for each mapping, or for the
/// `top` with the most page table writes; `notes` at the end.
pub(super) fn render(
    mappings: &[Mapping],
    reports: &[Report],
    top: Option<usize>,
    (kernel, generation): (Kernel, u32),
    notes: &[String],
) -> String {
    let mut text = String::new();
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "{} on {} {}, design {}",
            report.workload.id(),
            report.arch.id(),
            kernel.id(),
            report.design.id()
        );
        rows(&mut text, mappings, report, top);
        effects(&mut text, &report.total);
        for note in notes::of_report(report, generation) {
            text.push_str(&notes::wrapped(&note, WIDTH));
        }
        let sentence = saved(report.arch, report.workload.id(), &report.total);
        let _ = writeln!(text, "{sentence}");
    }
    if !notes.is_empty() {
        text.push('\n');
    }
    text.extend(notes.iter().map(|note| notes::wrapped(note, WIDTH)));
    text
}

/// The reports as one table, with a row for each architecture; `notes` at the end.
pub(super) fn summarized(reports: &[Report], notes: &[String]) -> String {
    let mut text = String::new();
    if let Some(report) = reports.first() {
        let _ = writeln!(text, "{}, design {}", report.workload.id(), report.design.id());
    }
    summary(&mut text, reports.iter().map(|report| (report.arch, &report.total)));
    text.push('\n');
    text.extend(notes.iter().map(|note| notes::wrapped(note, WIDTH)));
    text
}

/// The table of mappings, a row for each that had work.
fn rows(text: &mut String, mappings: &[Mapping], report: &Report, top: Option<usize>) {
    let rows = mappings.iter().zip(&report.mappings);
    let mut busy: Vec<_> = rows.filter(|(_, row)| !row.is_idle()).collect();
    let idle = mappings.len() - busy.len();
    let more = top.map_or(0, |top| busy.len().saturating_sub(top));
    if more > 0 {
        busy.sort_by_key(|(_, row)| Reverse(row.ptes));
        busy.truncate(busy.len() - more);
    }
    let mut lines: Vec<(String, [String; 5])> =
        busy.iter().map(|(mapping, row)| (path(mapping).to_owned(), numbers(row))).collect();
    if report.rest.ptes > 0 || report.rest.delayable_paused() > 0 {
        lines.push(("(at the end)".to_owned(), numbers(&report.rest)));
    }
    lines.push(("total".to_owned(), numbers(&report.total)));
    let header = ["pages", "PTE writes", "sections", report.arch.facts().noun, "without the mode"];

    let mut width = WIDTH;
    for (column, title) in header.iter().enumerate() {
        let cells = lines.iter().map(|(_, numbers)| numbers[column].len());
        width -= cells.chain([title.len()]).max().unwrap_or_default() + 2;
    }
    let mut table = new_table();
    table.set_header(["mapping"].into_iter().chain(header));
    for (path, numbers) in &lines {
        let path = shorten(path, width.saturating_sub(2).max(PATH_MIN));
        table.add_row([path].into_iter().chain(numbers.iter().cloned()));
    }
    push(text, table);
    let left_out = [(more, "not shown"), (idle, "without work")];
    let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
    let left_out: Vec<_> = left_out.map(|(count, what)| format!("{count} {what}")).collect();
    if !left_out.is_empty() {
        let _ = writeln!(text, "mappings: {}", left_out.join(", "));
    }
}

/// The table of hooks and effects by kind.
pub(crate) fn effects(text: &mut String, total: &Row) {
    let (lazy, paused) = (&total.lazy, &total.paused);
    let mut names: Vec<_> = lazy.plus(paused).effects().map(|total| total.name).collect();
    names.sort_unstable();
    let hooks = lazy.hooks().map(|(info, times)| (info.name, times, paused.hook(info.hook)));
    let effects = names.into_iter().map(|name| (name, lazy.times(name), paused.times(name)));
    let mut table = new_table();
    table.set_header(["hook or effect", "with the mode", "without"]);
    for (name, with, without) in hooks.chain(effects) {
        table.add_row([name.to_owned(), grouped(with), grouped(without)]);
    }
    text.push('\n');
    push(text, table);
}

/// The last sentence: what the mode saved in `total` of `what` on `arch`.
pub(crate) fn saved(arch: Arch, what: &str, total: &Row) -> String {
    let (with, without) = (total.delayable(), total.delayable_paused());
    let noun = arch.facts().noun;
    if without == 0 {
        return format!("the mode saved nothing: {what} needs no {noun} on {}", arch.id());
    }
    let saved = without.saturating_sub(with);
    let (part, whole) = (grouped(saved), grouped(without));
    format!("the mode saved {part} of {whole} {noun} ({} %)", percent(saved, without))
}

fn percent(part: u64, whole: u64) -> String {
    let permille = part * 1000 / whole.max(1);
    format!("{}.{}", permille / 10, permille % 10)
}

/// One table with a row for each architecture: what the mode saved there.
pub(crate) fn summary<'r>(text: &mut String, rows: impl Iterator<Item = (Arch, &'r Row)>) {
    let mut table = new_table();
    table.set_header(["architecture", "what", "sections", "hooks", "with", "without", "saved"]);
    for (arch, row) in rows {
        let (with, without) = (row.delayable(), row.delayable_paused());
        let saved = match without {
            0 => "-".to_owned(),
            _ => format!("{} %", percent(without.saturating_sub(with), without)),
        };
        let numbers = [row.sections(), row.hooks(), with, without].map(grouped);
        let head = [arch.id().to_owned(), arch.facts().noun.to_owned()];
        table.add_row(head.into_iter().chain(numbers).chain([saved]));
    }
    push(text, table);
}

fn numbers(row: &Row) -> [String; 5] {
    [row.pages, row.ptes, row.sections(), row.delayable(), row.delayable_paused()].map(grouped)
}

fn path(mapping: &Mapping) -> &str {
    if mapping.path.is_empty() { "[anon]" } else { &mapping.path }
}

/// A table without borders; all columns but the first hold numbers.
pub(crate) fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Appends the table, its numbers to the right.
pub(crate) fn push(text: &mut String, mut table: Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for line in table.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// `path` in at most `width` characters, cut in the middle.
fn shorten(path: &str, width: usize) -> String {
    let chars: Vec<char> = path.chars().collect();
    if chars.len() <= width {
        return path.to_owned();
    }
    let kept = width - 3;
    let head: String = chars[..kept / 2].iter().collect();
    let tail: String = chars[chars.len() - (kept - kept / 2)..].iter().collect();
    format!("{head}...{tail}")
}

#[cfg(test)]
mod tests {
    use emu_mm::workload::{Options, Workload, run};

    use super::*;

    const NOW: (Kernel, u32) = (Kernel::V7_3, 0);

    #[test]
    fn paths_are_shortened() {
        assert_eq!(shorten("/usr/lib/libc.so.6", 18), "/usr/lib/libc.so.6");
        assert_eq!(shorten("/usr/lib/libc.so.6", 13), "/usr/....so.6");
    }

    #[test]
    fn lines_fit_and_the_last_says_what_was_saved() {
        let maps = include_bytes!("../../tests/fixtures/maps/rustc.maps");
        let mappings = emu_mm::proc::parse(maps).expect("text as the kernel prints it");
        let report = |workload, arch| {
            let report = run(workload, arch, &mappings, &Options::default(), &mut |_, _| {});
            report.expect("few pages")
        };
        let reports = Arch::all().map(|arch| report(Workload::Exit, arch)).collect::<Vec<_>>();
        for line in render(&mappings, &reports, None, NOW, &[]).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        let text = render(&mappings, &[report(Workload::Vmalloc, Arch::ARM64)], None, NOW, &[]);
        let last = text.lines().last();
        assert_eq!(last, Some("the mode saved 182,760 of 183,282 barriers (99.7 %)"));
    }

    #[test]
    fn the_busiest_mappings_and_the_totals_of_all() {
        let maps = include_bytes!("../../tests/fixtures/maps/sh.maps");
        let mappings = emu_mm::proc::parse(maps).expect("text as the kernel prints it");
        let options = Options::default();
        let report = run(Workload::Vmalloc, Arch::ARM64, &mappings, &options, &mut |_, _| {});
        let reports = [report.expect("few pages")];
        let [all, top] = [None, Some(1)].map(|top| render(&mappings, &reports, top, NOW, &[]));
        let busy = reports[0].mappings.iter().filter(|row| !row.is_idle()).count();
        assert!(top.contains(&format!("\nmappings: {} not shown\n", busy - 1)), "{top}");
        let numbers = |text: &str, row: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.trim_start().starts_with(row));
            line.expect("a row").split_whitespace().skip(1).map(str::to_owned).collect()
        };
        assert_eq!(numbers(&all, "total"), numbers(&top, "total"));
        let most = reports[0].mappings.iter().map(|row| row.ptes).max().unwrap_or_default();
        assert!(top.lines().nth(2).is_some_and(|row| row.contains(&grouped(most))), "{top}");
    }
}
