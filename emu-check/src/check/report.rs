//! What a search found, for people and programs.

use std::fmt::Write;

use emu_arch::hazard::Trigger;
use lazy_mmu::Record;

use super::model::MachineModel;
use super::options::Options;
use super::property::{Property, Sometimes};
use super::render;
use super::search::Outcome;
use super::verdict::Verdict;
use crate::explore::End;
use emu_lab::scenario::{self, Setup};

/// The shortest path on which a property breaks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Counterexample {
    /// The property.
    pub property: Property,
    /// The condition of the check that found it, or nothing.
    pub detail: &'static str,
    /// Its length, in moves.
    pub moves: usize,
    /// The number of switches and interrupts in it.
    pub cost: u16,
    /// What happens.
    pub record: Record,
    /// A scenario that takes the path, where scenarios have words for it.
    pub scenario: Option<String>,
}

/// What a search found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What was searched.
    pub options: Options,
    /// The number of programs searched in every interleaving; none for the most general client.
    pub programs: Option<u8>,
    /// Why it ended.
    pub end: End,
    /// The number of states found.
    pub states: usize,
    /// The number of moves between them that were made.
    pub transitions: u64,
    /// The length of the longest of the shortest paths, in moves: how far the search is complete.
    pub depth: u32,
    /// The memory that it took, in bytes.
    pub bytes: usize,
    /// What breaks, in the order of properties.
    pub broken: Vec<Counterexample>,
    /// What must happen on some path and did not: the search was vacuous there.
    pub never: Vec<Sometimes>,
    /// How many different steps had each trigger, in the order of [`Trigger::ALL`].
    exercised: [u64; Trigger::ALL.len()],
}

impl Report {
    /// Tells whether every state was looked at. What that proves of a property is its
    /// [`verdict`](Self::verdict).
    #[must_use]
    pub fn is_exhaustive(&self) -> bool {
        self.end == End::Complete
    }

    /// How many different steps had `trigger`.
    #[must_use]
    pub fn exercised(&self, trigger: Trigger) -> u64 {
        let counts = Trigger::ALL.into_iter().zip(self.exercised);
        counts.filter(|(known, _)| *known == trigger).map(|(_, times)| times).sum()
    }

    /// What this search alone says of `property`.
    #[must_use]
    pub fn verdict(&self, property: Property) -> Verdict {
        verdict(std::slice::from_ref(self), property)
    }

    /// Whether every state was looked at and no property breaks, but for those of speed where none
    /// was asked for by name.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is_exhaustive() && !self.is_violated()
    }

    /// The counterexamples of `property`, the shortest first.
    pub fn of(&self, property: Property) -> impl Iterator<Item = &Counterexample> {
        self.broken.iter().filter(move |found| found.property == property)
    }

    /// Whether a property breaks that is not a matter of speed alone, or was asked for by name.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        let asked = self.options.properties.is_some();
        self.broken.iter().any(|found| asked || !found.property.is_performance())
    }

    /// What breaks, each property with the moves of its counterexamples: `no-arch-bug (5, 8)`.
    #[must_use]
    pub fn breaks(&self) -> Vec<String> {
        let same = |a: &Counterexample, b: &Counterexample| a.property == b.property;
        let broken = self.broken.chunk_by(same).map(|same| {
            let moves: Vec<_> = same.iter().map(|found| found.moves.to_string()).collect();
            format!("{} ({})", same[0].property.id(), moves.join(", "))
        });
        broken.collect()
    }

    /// The number of properties looked at.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        Property::all().filter(|property| self.options.looks_at(*property)).count()
    }

    /// How far the result goes, in a sentence.
    #[must_use]
    pub fn scope(&self) -> String {
        let Options { nesting, language, .. } = &self.options;
        match self.end {
            End::Complete if self.programs.is_some() => {
                "exhaustive: every interleaving of the programs".to_owned()
            }
            End::Complete => format!(
                "exhaustive: every call sequence of language {}, of any length, at most {nesting} deep",
                language.name()
            ),
            End::First => format!("stopped at the first, after {} moves", self.depth),
            End::States => {
                format!("gave up at the limit of states; complete to {} moves", self.depth)
            }
            End::Memory => {
                format!("gave up at the limit of memory; complete to {} moves", self.depth)
            }
            End::Interrupted => format!("interrupted; complete to {} moves", self.depth),
        }
    }
}

/// What `reports`, searches of one architecture, kernel and design, say of `property` together.
#[must_use]
pub(super) fn verdict(reports: &[Report], property: Property) -> Verdict {
    if reports.iter().any(|report| report.of(property).next().is_some()) {
        return Verdict::Broken;
    }
    let facts = reports.first().map(|report| report.options.arch.facts());
    if let Some(Err(why)) = facts.map(|facts| property.applies_to(facts)) {
        return Verdict::NotApplicable(why);
    }
    if reports.iter().any(|report| report.end != End::Complete) {
        return Verdict::Open;
    }
    match reports.iter().map(|report| report.exercised(property.trigger())).sum() {
        0 => Verdict::NotExercised(property.trigger()),
        exercised => Verdict::Holds { exercised },
    }
}

pub(super) fn report(model: &mut MachineModel, outcome: Outcome) -> Report {
    let Outcome { end, states, transitions, depth, sometimes, broken, bytes } = outcome;
    let never = Sometimes::ALL.into_iter().filter(|one| sometimes & one.bit() == 0).collect();
    let broken = broken.into_iter().map(|((property, detail), path)| {
        let rendered = render::render(model, &path);
        let lines = rendered.lines;
        let scenario = lines.and_then(|lines| replayed(&model.options, property, detail, &lines));
        let moves = path.moves.len();
        Counterexample {
            property,
            detail,
            moves,
            cost: path.cost,
            record: rendered.record,
            scenario,
        }
    });
    let mut broken: Vec<Counterexample> = broken.collect();
    broken.sort_by_key(|found| (found.property, found.moves, found.cost));
    let options = model.options.clone();
    let programs = model.programs.then_some(options.tasks);
    let exercised = model.exercised;
    Report { options, programs, end, states, transitions, depth, bytes, broken, never, exercised }
}

/// The scenario of `lines`, if it shows what it is to show when it is run.
fn replayed(options: &Options, property: Property, detail: &str, lines: &str) -> Option<String> {
    let Options { arch, kernel, design, fault, fix, .. } = *options;
    if fault.is_some() || fix.is_some() {
        // The machine that runs scenarios has neither.
        return None;
    }
    let setup = Setup { arch, kernel, design, panic_on_warn: false, mended: false };
    let first = scenario::parse(lines).ok()?;
    let found = scenario::run(&first, setup).hazards;
    let mut hazards: Vec<_> = found.iter().map(|found| found.hazard).collect();
    hazards.sort_unstable();
    hazards.dedup();
    if let Some(hazard) = property.hazard()
        && !hazards.contains(&hazard)
    {
        return None;
    }
    let mut text = String::new();
    let what = property.id();
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let _ = writeln!(text, "what: {what} does not hold{detail}");
    let _ = writeln!(text, "from: {}", options.command());
    let with = if kernel.had(design) { String::new() } else { format!(" {}", design.id()) };
    let _ = writeln!(text, "bad: {} {}{with}", arch.id(), kernel.id());
    let _ = write!(text, "---\n{lines}");
    if property.hazard().is_none() {
        let _ = writeln!(
            text,
            "# what does not hold here is no hazard: lazymmu run shows the way, and no more"
        );
    }
    for hazard in hazards {
        let _ = writeln!(text, "expect hazard {}", hazard.id());
    }
    Some(text)
}
