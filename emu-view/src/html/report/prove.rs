//! The page of two designs, and of every pair of them.

use emu_check::prove::{self, Answer, Did, Matrix, Row, Side, Step, Verdict};
use emu_lab::render::text::mode;
use lazy_mmu::design::Design;

use super::super::table::{Cell, Look, Table};
use super::super::{Block, Page, render};

/// The page of an answer.
#[must_use]
pub fn prove(answer: &Answer) -> String {
    let Answer { question, verdict, effort, .. } = answer;
    let [x, y] = question.designs.map(Design::id);
    let mut blocks = Vec::new();
    let lead = match verdict {
        Verdict::Equivalent => {
            format!("{x} and {y} are equivalent, for sequences of any length: a proof.")
        }
        Verdict::Distinguished(witness) => {
            blocks.push(Block::Table(sides(question.designs, &witness.rows)));
            format!("{x} and {y} are distinguished, in {} calls at least.", witness.len())
        }
        Verdict::GaveUp { steps } => {
            format!(
                "{x} and {y} were not distinguished by {steps} steps, where the search gave up."
            )
        }
        Verdict::Panics(panic) => format!("{x} and {y} cannot be compared: {panic}."),
    };
    let text = prove::text(answer);
    blocks.push(Block::Text { name: "The answer as text".to_owned(), text });
    let facts = vec![
        ("language", format!("{}: {}", question.language.name(), question.language.about())),
        ("compared", question.compare.about().to_owned()),
        ("states", effort.states.to_string()),
        ("transitions", effort.transitions.to_string()),
    ];
    let bad = !matches!(verdict, Verdict::Equivalent);
    render(&Page { title: format!("{x} and {y}"), lead, bad, facts, blocks })
}

/// Both designs side by side, call by call.
fn sides(designs: [Design; 2], rows: &[Row]) -> Table {
    let [x, y] = designs.map(Design::id);
    let mut table = Table::new("The shortest sequence", ["step", "call", x, y]).numbers([0]);
    for (n, row) in rows.iter().enumerate() {
        let call = match row.step {
            Step::Call(info, _) => format!("{}()", info.name),
            Step::IrqEnter => "irq_enter()".to_owned(),
            Step::IrqExit => "irq_exit()".to_owned(),
        };
        let call = "\u{a0}\u{a0}".repeat(row.depth.min(12)) + &call;
        let last = n + 1 == rows.len();
        let side = |which: usize| {
            let text = side(designs[which], &row.sides[which]);
            Cell::new(text, if last { Look::Differs } else { Look::Mono })
        };
        let n = Cell::new((n + 1).to_string(), Look::Dim);
        table.row(last, [n, Cell::new(call, Look::Mono), side(0), side(1)]);
    }
    table
}

fn side(design: Design, side: &Side) -> String {
    let did = side.did.iter().map(|did| match did {
        Did::Hook(hook, active) => format!("{} while {}", hook.short, mode(*active)),
        Did::Warn(warn) => warn.to_string(),
    });
    let mut lines: Vec<String> = did.collect();
    if lines.is_empty() {
        lines.push("ø".to_owned());
    }
    lines.push(design.show(side.state));
    lines.push(mode(side.active).to_owned());
    lines.join("\n")
}

/// The page of every pair of designs, a table for each language.
#[must_use]
pub fn prove_all(matrices: &[Matrix]) -> String {
    let mut blocks = Vec::new();
    for matrix in matrices {
        let Matrix { language, compare, designs, .. } = matrix;
        let text = format!("Language {}: {}", language.name(), language.about());
        blocks.push(Block::Heading { id: language.name().to_owned(), text, bad: false });
        let head = ["design"].into_iter().chain(designs.iter().copied().map(Design::id));
        let mut table = Table::new(&format!("compared: {}", compare.about()), head);
        for (at, design) in designs.iter().enumerate() {
            let cells = (0..at).map(|to| {
                let cell = matrix.cell(at, to).to_string();
                let look = if cell.starts_with('=') { Look::Good } else { Look::Mono };
                Cell::new(cell, look)
            });
            table.row(false, [Cell::new(design.id(), Look::Mono)].into_iter().chain(cells));
        }
        blocks.push(Block::Table(table));
    }
    blocks.push(Block::Text { name: "What a cell says".to_owned(), text: prove::LEGEND.into() });
    let title = "Every pair of designs".to_owned();
    let lead = "Equal for every call sequence, or distinguished by so many steps.".to_owned();
    render(&Page { title, lead, blocks, ..Page::default() })
}
