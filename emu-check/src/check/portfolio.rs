//! A portfolio of searches: what they say together, as text and as JSON.

use std::fmt::Write;

use emu_lab::render::text::{grouped, wrap};
use serde_json::{Value, json};

use super::options::{Client, Options};
use super::property::Property;
use super::report::{Counterexample, Report, verdict};
use super::verdict::Verdict;
use crate::explore::End;

/// The widest line.
const WIDTH: usize = 80;

/// The searches of several clients, and what they say together.
#[derive(Clone, Debug)]
pub struct Portfolio {
    /// The report of each client.
    pub reports: Vec<Report>,
}

impl Portfolio {
    /// The properties that were looked at, each with its verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = (Property, Verdict)> + '_ {
        let looks_at = |property: &Property| {
            self.reports.iter().any(|report| report.options.looks_at(*property))
        };
        Property::all().filter(looks_at).map(|one| (one, verdict(&self.reports, one)))
    }

    /// The shortest counterexample of each property and check, with the options of its search.
    #[must_use]
    pub fn broken(&self) -> Vec<(&Options, &Counterexample)> {
        let all = self
            .reports
            .iter()
            .flat_map(|report| report.broken.iter().map(move |found| (&report.options, found)));
        let mut broken: Vec<(&Options, &Counterexample)> = all.collect();
        broken.sort_by_key(|(_, found)| (found.property, found.detail, found.moves, found.cost));
        broken.dedup_by_key(|(_, found)| (found.property, found.detail));
        broken.sort_by_key(|(_, found)| (found.property, found.moves, found.cost));
        broken
    }

    /// Tells whether a property breaks that is not a matter of speed alone, or was asked for by
    /// name.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.reports.iter().any(Report::is_violated)
    }

    /// Tells whether every client was searched to its end.
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.reports.iter().all(|report| report.end == End::Complete)
    }
}

impl Portfolio {
    /// What was searched: a line for the machine and one for each client.
    #[must_use]
    pub fn head(&self) -> String {
        let Some(Report { options, .. }) = self.reports.first() else { return String::new() };
        let Options { arch, kernel, design, .. } = options;
        let mut text = format!("{arch} {kernel}, design {}\n{}", design.id(), options.changed());
        for report in &self.reports {
            let client = report.options.client;
            let kernel_locks = client == Client::Locks && report.options.pages_are_kernel();
            let of = if kernel_locks { " (init_mm)" } else { "" };
            let states = grouped(report.states as u64);
            let end = if report.is_exhaustive() { "" } else { ", not searched to the end" };
            let _ = writeln!(
                text,
                "  {:<8} {}{of}: {states} states{end}",
                client.name(),
                client.about()
            );
        }
        text
    }

    /// Each verdict: how many properties hold, and why the others say nothing.
    #[must_use]
    pub fn summary(&self) -> String {
        let verdicts: Vec<(Property, Verdict)> = self.verdicts().collect();
        let count = |id: &str| verdicts.iter().filter(|(_, verdict)| verdict.id() == id).count();
        let s = |n: usize| if n == 1 { "y" } else { "ies" };
        let mut text = format!("\n{} propert{}: ", verdicts.len(), s(verdicts.len()));
        let parts: Vec<String> = [
            ("holds", "hold (exercised, every state searched)"),
            ("broken", "broken"),
            ("not-exercised", "not exercised"),
            ("not-applicable", "not applicable"),
            ("open", "open"),
        ]
        .into_iter()
        .filter(|(id, _)| count(id) > 0)
        .map(|(id, what)| format!("{} {what}", count(id)))
        .collect();
        text += &parts.join(", ");
        let (ways, broken) = (self.broken().len(), count("broken"));
        if ways > broken {
            let _ = write!(text, " ({ways} counterexamples)");
        }
        text.push('\n');
        for (title, id) in
            [("not exercised", "not-exercised"), ("not applicable", "not-applicable")]
        {
            for (property, verdict) in verdicts.iter().filter(|one| one.1.id() == id) {
                let why = match verdict {
                    Verdict::NotExercised(trigger) => format!("never: {}", trigger.about()),
                    Verdict::NotApplicable(why) => (*why).to_owned(),
                    Verdict::Holds { .. } | Verdict::Broken | Verdict::Open => continue,
                };
                let line = format!("{title}: {}: {why}", property.id());
                for (n, part) in wrap(&line, WIDTH - 4).into_iter().enumerate() {
                    let _ = writeln!(text, "{}{part}", if n == 0 { "  " } else { "    " });
                }
            }
        }
        if let [(property, verdict)] = verdicts.as_slice() {
            let _ = writeln!(text, "{}: {verdict}", property.id());
        }
        text
    }

    /// The portfolio for programs: the machine, each client, each verdict, each counterexample.
    #[must_use]
    pub fn json(&self) -> Value {
        let options = self.reports.first().map(|report| &report.options);
        let clients = self.reports.iter().map(|report| {
            json!({
                "client": report.options.client.name(),
                "states": report.states,
                "transitions": report.transitions,
                "depth": report.depth,
                "bytes": report.bytes,
                "exhaustive": report.is_exhaustive(),
                "command": report.options.command(),
            })
        });
        let verdicts = self.verdicts().map(|(property, verdict)| {
            let (exercised, why) = match verdict {
                Verdict::Holds { exercised } => (exercised, None),
                Verdict::NotExercised(trigger) => (0, Some(trigger.about())),
                Verdict::NotApplicable(why) => (0, Some(why)),
                Verdict::Broken | Verdict::Open => (0, None),
            };
            json!({
                "property": property.id(),
                "verdict": verdict.id(),
                "exercised": exercised,
                "why": why,
            })
        });
        let broken = self.broken().into_iter().map(|(options, found)| {
            let mut one = json!(found);
            one["client"] = options.client.name().into();
            one
        });
        json!({
            "arch": options.map(|options| options.arch.id()),
            "kernel": options.map(|options| options.kernel.id()),
            "design": options.map(|options| options.design.id()),
            "clients": clients.collect::<Vec<_>>(),
            "verdicts": verdicts.collect::<Vec<_>>(),
            "broken": broken.collect::<Vec<_>>(),
            "exhaustive": self.is_exhaustive(),
        })
    }
}
