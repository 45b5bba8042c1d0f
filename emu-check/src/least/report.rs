//! An answer as text of at most 80 columns.

use std::fmt::Write;

use lazy_mmu::design::{Hook, HookInfo};

use super::answer::Answer;
use super::rule::Rule;
use super::search::{Row, bits};

/// The answer for people.
#[must_use]
pub fn text(answer: &Answer) -> String {
    let question = &answer.question;
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", headline(answer));
    let _ = writeln!(text, "language {}: {}", question.language.name(), question.language.about());
    let _ = writeln!(
        text,
        "at most {} brackets open: {} stacks of brackets",
        question.nesting, answer.situations
    );
    let _ = writeln!(text, "{} of these can share no state with one another", answer.apart);
    for rule in Rule::ALL {
        let says = if question.rules.contains(&rule) { "required" } else { "free" };
        let _ = writeln!(text, "{says:<9} {:<24} {}", rule.id(), rule.about());
    }
    if let Some(machine) = &answer.machine {
        let _ = writeln!(
            text,
            "\nEach call: the hook that it reaches, and the next state.\n\n\
             {:<12}{:<17}{:<17}{:<17}resume",
            "state", "enable", "disable", "pause"
        );
        for (state, row) in machine.rows().iter().enumerate() {
            let _ = writeln!(text, "{}", line(state, row));
        }
    }
    let _ = writeln!(text, "\n{:<18} {:>6} {:>5}  as required", "design", "states", "bits");
    for kept in &answer.designs {
        let does = match kept.does {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not asked: callers keep tokens",
        };
        let _ =
            writeln!(text, "{:<18} {:>6} {:>5}  {does}", kept.design.id(), kept.states, kept.bits);
    }
    text
}

/// The answer in one sentence.
fn headline(answer: &Answer) -> String {
    let least = answer.at_least;
    match &answer.machine {
        Some(machine) => format!(
            "{} states do, in {} bits, and no machine has fewer: proof",
            machine.states(),
            bits(machine.states())
        ),
        None => format!("every machine has at least {least} states; the search gave up there"),
    }
}

/// A state and what each call does there.
fn line(state: usize, row: &Row) -> String {
    let active = match row.active {
        Some(true) => "active",
        Some(false) => "inactive",
        None => "",
    };
    let calls = row.calls.map(|call| match call {
        Some((hook, to)) => format!("{} {to}", hook.map_or("ø", short)),
        None => "-".to_owned(),
    });
    let [enable, disable, pause, resume] = calls;
    format!("{state:<3}{active:<9}{enable:<17}{disable:<17}{pause:<17}{resume}")
}

/// The short name of one of the kernel's hooks.
fn short(hook: Hook) -> &'static str {
    HookInfo::KERNEL.iter().find(|info| info.hook == hook).map_or("", |info| info.short)
}
