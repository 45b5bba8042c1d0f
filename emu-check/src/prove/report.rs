//! An answer as text of at most 80 columns.

use std::fmt::Write;

use emu_lab::render::text::{mode, wrap};
use lazy_mmu::design::{Design, Role, Token};

use super::answer::{Answer, Verdict};
use super::observe::Compare;
use super::question::Question;
use super::search::Step;
use super::witness::{Did, Row, Side, Witness};
use crate::language::Language;

/// Columns of a table: the calls, then a column for each design.
const CALL_WIDTH: usize = 32;
const SIDE_WIDTH: usize = 22;
/// The deepest nesting that the indent follows.
const INDENTS_MAX: usize = 4;
/// A longer run of one call is cut short, to so many rows at each end.
const RUN_MAX: usize = 6;
const RUN_ENDS: usize = 2;

/// The answer for people.
#[must_use]
pub fn text(answer: &Answer) -> String {
    let Answer { question, verdict, effort, product } = answer;
    let [x, y] = question.designs.map(Design::id);
    let mut text = String::new();
    let verb = match verdict {
        Verdict::Equivalent => "are equivalent",
        Verdict::Distinguished(_) => "are distinguished",
        Verdict::GaveUp { .. } => "were not distinguished",
        Verdict::Panics(_) => "cannot be compared",
    };
    let _ = writeln!(text, "{x} and {y} {verb}");
    let _ = writeln!(text, "language {}: {}", question.language.name(), question.language.about());
    let _ = writeln!(text, "compared: {}{}", question.compare.about(), setting(question));
    let looked = format!("{} states, {} transitions", effort.states, effort.transitions);
    match verdict {
        Verdict::Equivalent => {
            let _ = writeln!(text, "proof: {looked}; holds for sequences of any length");
        }
        Verdict::GaveUp { steps } => {
            let _ = writeln!(text, "bounded: no difference in at most {steps} steps; {looked}");
        }
        Verdict::Panics(panic) => {
            let _ = writeln!(text, "{panic}");
            let _ = writeln!(text, "a transition must answer every call that the language makes");
        }
        Verdict::Distinguished(witness) => {
            let _ = writeln!(text, "shortest sequence: {}; {looked}", length(witness));
            text.push('\n');
            table(&mut text, question, witness);
        }
    }
    if let Some(product) = product {
        let (tasks, states, transitions) = (question.tasks, product.states, product.transitions);
        let _ = writeln!(text, "{tasks} tasks: {states} states, {transitions} transitions");
    } else if question.tasks > 1 && *verdict == Verdict::Equivalent {
        let _ = writeln!(
            text,
            "{} tasks: too many states to count; tasks share nothing, so the proof stands",
            question.tasks
        );
    }
    text
}

/// What else was asked.
fn setting(question: &Question) -> String {
    let mut text = String::new();
    if !question.own_calls {
        text += "\ncalls of the kernel alone";
    }
    if question.irq {
        text += "\nan interrupt may come after any call";
    }
    if let (Some(nesting), true) = (question.nesting, question.language != Language::Any) {
        let _ = write!(text, "\nat most {nesting} brackets open at a time");
    }
    text
}

fn length(witness: &Witness) -> String {
    let irqs = witness.rows.iter().filter(|row| row.step.is_irq()).count();
    let calls = witness.len() - irqs;
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match irqs {
        0 => plural(calls, "call"),
        _ => format!("{} and {}", plural(calls, "call"), plural(irqs, "interrupt step")),
    }
}

/// Writes both records side by side, and how the last step differs.
fn table(text: &mut String, question: &Question, witness: &Witness) {
    let ids = question.designs.map(Design::id);
    line(text, "call", ids);
    let mut at = 0;
    while at < witness.rows.len() {
        let step = witness.rows[at].step;
        let run = witness.rows[at..].iter().take_while(|row| row.step == step).count();
        let cut = if run > RUN_MAX { run - 2 * RUN_ENDS } else { 0 };
        for (place, of_run) in witness.rows[at..at + run].iter().enumerate() {
            if cut == 0 || place < RUN_ENDS || place >= run - RUN_ENDS {
                row(text, question, of_run);
            } else if place == RUN_ENDS {
                let more = format!("{}... {cut} more of these", indent(of_run));
                line(text, &more, ["...", "..."]);
            }
        }
        at += run;
    }
    let _ = writeln!(text, "different: {}", differences(question, witness.rows.last()));
}

fn indent(row: &Row) -> String {
    "  ".repeat(row.depth.min(INDENTS_MAX))
}

fn row(text: &mut String, question: &Question, row: &Row) {
    let call = indent(row) + &step_name(row.step);
    let sides: Vec<_> = (0..2).map(|which| side(question, row, which)).collect();
    for at in 0..sides[0].len().max(sides[1].len()) {
        let call = if at == 0 { call.as_str() } else { "" };
        let cell = |which: usize| sides[which].get(at).map_or("", String::as_str);
        line(text, call, [cell(0), cell(1)]);
    }
}

fn line(text: &mut String, call: &str, cells: [&str; 2]) {
    let [x, y] = cells;
    let line = format!("{call:<CALL_WIDTH$} {x:<SIDE_WIDTH$} {y}");
    let _ = writeln!(text, "{}", line.trim_end());
}

/// A step by the kernel's name of it.
pub(super) fn step_name(step: Step) -> String {
    match step {
        Step::Call(info, _) => format!("{}()", info.name),
        Step::IrqEnter => "irq_enter()".to_owned(),
        Step::IrqExit => "irq_exit()".to_owned(),
    }
}

fn token_name(token: Token) -> String {
    match token {
        Token::DEFAULT => "LAZY_MMU_DEFAULT".to_owned(),
        Token::NESTED => "LAZY_MMU_NESTED".to_owned(),
        Token(other) => format!("token {other}"),
    }
}

/// One design's part of a row, in lines.
fn side(question: &Question, row: &Row, which: usize) -> Vec<String> {
    let design = question.designs[which];
    let Side { did, state, active } = &row.sides[which];
    let mut lines = Vec::new();
    if let Step::Call(info, tokens) = row.step
        && info.role == Role::ClosesSection
        && design.has_tokens()
    {
        lines.push(format!("({})", token_name(tokens[which])));
    }
    for done in did {
        match done {
            Did::Hook(hook, _) if question.compare != Compare::Effects => {
                lines.push(format!("-> {}", hook.short));
            }
            Did::Hook(hook, active) => {
                lines.push(format!("-> {}", hook.short));
                lines.push(format!("   while {}", mode(*active)));
            }
            Did::Warn(warn) => {
                let word = if warn.check.name().ends_with("BUG_ON") { "BUG" } else { "WARNING" };
                lines.extend(wrap(&format!("{word}: {warn}"), SIDE_WIDTH));
            }
        }
    }
    if lines.is_empty() && !row.step.is_irq() {
        lines.push("-> ø".to_owned());
    }
    lines.extend(wrap(&design.show(*state), SIDE_WIDTH));
    if question.compare != Compare::Hooks {
        lines.push(mode(*active).to_owned());
    }
    lines
}

/// What differs in the last step.
pub(super) fn differences(question: &Question, last: Option<&Row>) -> String {
    let Some(Row { sides: [x, y], .. }) = last else {
        return "whether the mode is active in a fresh task".to_owned();
    };
    let hooks = |side: &Side| {
        let hook = |did: &Did| {
            if let Did::Hook(hook, _) = did {
                Some(hook.kernel().unwrap_or(hook.hook))
            } else {
                None
            }
        };
        side.did.iter().filter_map(hook).collect::<Vec<_>>()
    };
    let warns = |side: &Side| side.did.iter().filter(|did| matches!(did, Did::Warn(_))).count();
    let while_active = |side: &Side| {
        let hook = |did: &Did| if let Did::Hook(_, active) = did { Some(*active) } else { None };
        side.did.iter().filter_map(hook).collect::<Vec<bool>>()
    };
    let mut found = Vec::new();
    if hooks(x) != hooks(y) {
        found.push("the hooks");
    }
    if question.compare != Compare::Hooks && x.active != y.active {
        found.push("the active bit");
    }
    if question.compare == Compare::Effects && found.is_empty() {
        if while_active(x) != while_active(y) {
            found.push("the mode while the hook runs");
        } else if warns(x) + warns(y) > 0 {
            found.push("the warnings");
        } else {
            found.push("the changes of the mode");
        }
    }
    found.join(", ")
}
