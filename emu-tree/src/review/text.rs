//! A review as text of 78 columns, fit for a reply on a list, and as Markdown.

use std::fmt::Write;

use emu_check::prove::{self, Verdict};
use emu_lab::render::text::wrap;

use super::value::Review;
use crate::design::TreeDesign;

/// The widest line.
const WIDTH: usize = 78;

/// The most scenarios whose tables are shown.
const TABLES: usize = 1;

/// The review as plain text.
#[must_use]
pub fn text(review: &Review) -> String {
    let mut text = String::new();
    for (title, body) in sections(review) {
        let _ = writeln!(text, "{title}\n");
        // Tables are as wide as a mail already.
        let fits = body.lines().all(|line| line.chars().count() + 2 <= WIDTH);
        for line in body.lines() {
            let margin = if fits && !line.is_empty() { "  " } else { "" };
            let _ = writeln!(text, "{margin}{line}");
        }
        text.push('\n');
    }
    text + &wrapped(&verdict(review))
}

/// The review as Markdown.
#[must_use]
pub fn markdown(review: &Review) -> String {
    let mut text = String::from("# Review\n\n");
    let _ = writeln!(text, "{}", wrapped(&verdict(review)));
    for (title, body) in sections(review) {
        let _ = writeln!(text, "## {title}\n\n```text\n{}\n```\n", body.trim_end());
    }
    text
}

fn wrapped(line: &str) -> String {
    wrap(line, WIDTH).into_iter().fold(String::new(), |text, line| text + &line + "\n")
}

/// The parts, each with its title.
fn sections(review: &Review) -> Vec<(String, String)> {
    let archs: Vec<_> = review.archs.iter().map(|arch| arch.id()).collect();
    let archs = archs.join(", ");
    vec![
        (format!("{}, {}", review.old, review.change), files(review)),
        ("All call sequences, interrupts after any call".to_owned(), proof(review)),
        (format!("Built-in scenarios on {archs}"), scenarios(review)),
        ("Properties of lazymmu check".to_owned(), properties(review)),
        ("Hooks and effects of the workloads".to_owned(), counts(review)),
    ]
}

fn files(review: &Review) -> String {
    let mut text = String::new();
    for (side, design) in ["old", "new"].into_iter().zip(review.designs) {
        if let TreeDesign::HooksAlone(design) = design {
            let _ = writeln!(text, "{side}: hooks alone, as before v7.0: the design is {design}");
        }
    }
    for file in &review.files {
        let run = if file.is_run { "" } else { " (not run: the lab's own backends are)" };
        let _ = writeln!(text, "{}{run}", file.path);
        match (file.definitions.len(), file.others) {
            (0, 0) => text += "    comments, layout, or what is no definition\n",
            (_, 0) => {}
            (_, others) => {
                let _ = writeln!(text, "    {others} definitions that the mode does not use");
            }
        }
        for changed in &file.definitions {
            let (line, word) = (changed.line, changed.change.word());
            let _ = writeln!(text, "    {line}: {} {word}", changed.name);
        }
    }
    for path in &review.elsewhere {
        let _ = writeln!(text, "{} (not looked at)", path.display());
    }
    if text.is_empty() { "no file that matters to the mode differs\n".to_owned() } else { text }
}

fn proof(review: &Review) -> String {
    match &review.proof.verdict {
        Verdict::Equivalent => {
            let states = review.proof.effort.states;
            format!("no difference: a proof, for sequences of any length ({states} states)\n")
        }
        Verdict::Distinguished(_) | Verdict::GaveUp { .. } | Verdict::Panics(_) => {
            prove::text(&review.proof)
        }
    }
}

fn scenarios(review: &Review) -> String {
    let (changes, runs) = &review.scenarios;
    if changes.is_empty() {
        return format!("{runs} runs: no difference\n");
    }
    let list: Vec<_> =
        changes.iter().map(|change| format!("@{} on {}", change.name, change.arch)).collect();
    let mut text = format!("{runs} runs, {} differ: {}\n", changes.len(), list.join(", "));
    text = wrap(text.trim_end(), WIDTH - 2).join("\n") + "\n";
    for change in changes.iter().take(TABLES) {
        let _ = write!(text, "\n{}", change.table);
    }
    text
}

fn properties(review: &Review) -> String {
    let (changes, looked_at) = &review.properties;
    if changes.is_empty() {
        return format!("{looked_at} properties: none breaks now, none no longer\n");
    }
    changes.iter().fold(String::new(), |mut text, change| {
        let word = if change.breaks_now { "breaks now" } else { "breaks no longer" };
        let detail = if change.detail.is_empty() { "" } else { ": " };
        let _ =
            writeln!(text, "{} {word}: {}{detail}{}", change.arch, change.property, change.detail);
        text
    })
}

fn counts(review: &Review) -> String {
    let (changes, numbers) = &review.counts;
    if changes.is_empty() {
        return format!("{numbers} numbers: no difference\n");
    }
    changes.iter().fold(String::new(), |mut text, change| {
        let [old, new] = change.times;
        let (workload, arch, what) = (change.workload, change.arch, &change.what);
        let _ = writeln!(text, "{workload} on {arch}: {what} {old} -> {new}");
        text
    })
}

/// The review in a sentence.
fn verdict(review: &Review) -> String {
    let mut parts = Vec::new();
    let mut part = |changes: usize, what: &str| {
        if changes > 0 {
            parts.push(format!("{changes} {what}"));
        }
    };
    part(usize::from(review.proof.verdict != Verdict::Equivalent), "shortest call sequence");
    part(review.scenarios.0.len(), "runs of scenarios");
    part(review.properties.0.len(), "properties");
    part(review.counts.0.len(), "numbers of workloads");
    let not_run: Vec<_> = review.not_run().map(|file| file.path).collect();
    let but = if not_run.is_empty() {
        String::new()
    } else {
        format!(" Not run: {}.", not_run.join(", "))
    };
    if parts.is_empty() {
        format!("The change changes nothing that the emulated kernel does.{but}")
    } else {
        format!("The change shows in {}.{but}", parts.join(", "))
    }
}
