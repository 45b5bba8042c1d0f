//! A report as text for people.

use std::fmt::Write;

use emu_lab::render::text::{grouped, wrap};
use lazy_mmu::Record;

use super::options::{Options, Pages};
use super::property::Property;
use super::report::{Counterexample, Report};

/// The widest line.
const WIDTH: usize = 80;

/// The report: what was searched, each counterexample with its record, how far the result goes.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = report.head();
    for found in &report.broken {
        text += &report.show(found, "");
    }
    text + &report.summary() + "\n"
}

impl Report {
    /// What was searched, in a line or two.
    #[must_use]
    pub fn head(&self) -> String {
        let options = &self.options;
        let Options { arch, kernel, design, tasks, cpus, language, nesting, pages, .. } = options;
        let s = |n: u8| if n == 1 { "" } else { "s" };
        let pages = match pages {
            Pages::Kernel => "kernel pages",
            Pages::User => "user pages",
            Pages::None => "no pages",
        };
        let fall = match (options.interrupts, options.preemption) {
            (true, true) => "interrupts and preemption",
            (true, false) => "interrupts",
            (false, true) => "preemption",
            (false, false) => "no interrupts, no preemption",
        };
        let fault = options.changed();
        let fork = if options.fork { ", fork and exit" } else { "" };
        let machine = format!("{} {}, design {}", arch.id(), kernel.id(), design.id());
        let cpus = format!("{cpus} CPU{}", s(*cpus));
        if let Some(programs) = self.programs {
            let s = s(programs);
            return format!("{machine}: {programs} program{s} on {cpus}, {fall}\n{fault}");
        }
        format!(
            "{machine}: {tasks} task{} on {cpus}, {pages},\n\
         language {} at most {nesting} deep, {fall}{fork}\n{fault}",
            s(*tasks),
            language.name(),
        )
    }

    /// A counterexample of the report: the property, what is `said` of it, the length of the path,
    /// the record.
    #[must_use]
    pub fn show(&self, found: &Counterexample, said: &str) -> String {
        let indented = |line: &str| format!("    {line}\n");
        self.show_with(found, said, &|record| record.to_string().lines().map(indented).collect())
    }

    /// As [`show`](Self::show), with the record as `tree` has it.
    #[must_use]
    pub fn show_with(
        &self,
        found: &Counterexample,
        said: &str,
        tree: &dyn Fn(&Record) -> String,
    ) -> String {
        let mut text = String::from("\n");
        // A hazard says what happens, any other property what must hold.
        let what = if matches!(found.property, Property::No(_)) { "" } else { "; what must hold" };
        let (id, about) = (found.property.id(), found.property.about());
        let head = format!("{id} is broken{said}{what}: {about}");
        wrap(&head, WIDTH).iter().for_each(|line| text += &format!("{line}\n"));
        if !found.detail.is_empty() {
            let _ = writeln!(text, "{}", found.detail);
        }
        let _ = writeln!(text, "{}:\n", length(found));
        text += &tree(&found.record);
        let changed = self.options.fault.is_some() || self.options.fix.is_some();
        if found.scenario.is_none() && !changed {
            text += "\nno scenario can go this way\n";
        }
        text
    }

    /// How many properties are broken, how far that goes, and the size of the search; the last line
    /// has no end.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::from("\n");
        let claims = self.broken.iter().filter(|one| matches!(one.property, Property::Claim(_)));
        let claims = claims.count();
        let broken = self.broken.chunk_by(|a, b| a.property == b.property).count() - claims;
        let all = self.looked_at();
        if self.is_exhaustive() {
            for never in &self.never {
                let _ = writeln!(text, "never: {}", never.about());
            }
            let _ = writeln!(text, "{} of {all} properties are not broken", all - broken);
        } else if broken == 0 {
            let _ = writeln!(text, "nothing found so far; nothing is proved");
        }
        let _ = writeln!(text, "{}", self.scope());
        let [states, moves] = [self.states as u64, self.transitions].map(grouped);
        let _ = write!(text, "{states} states, {moves} moves between them, {} deep", self.depth);
        text
    }
}

/// How long a path is.
fn length(found: &Counterexample) -> String {
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let moves = format!("{} move{}", found.moves, s(found.moves));
    match found.cost {
        0 => moves,
        1 => format!("{moves}, one of them a switch or an interrupt"),
        n => format!("{moves}, {n} of them switches or interrupts"),
    }
}
