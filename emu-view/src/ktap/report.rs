//! Reports as tests: a property, or an operation of a trace, is a test each.

use emu_check::check::{Counterexample, Property, Verdict};
use emu_conform::{self, Report};

use super::{Case, Outcome};

/// The properties of a search called `name` as tests, each that is broken with the shortest record
/// of it among `found`.
#[must_use]
pub fn check(
    name: &str,
    verdicts: impl IntoIterator<Item = (Property, Verdict)>,
    found: &[&Counterexample],
) -> Case {
    let case = |(property, verdict): (Property, Verdict)| {
        let outcome = match verdict {
            Verdict::Holds { .. } => Outcome::Passed,
            Verdict::Broken if property.is_performance() => {
                Outcome::Skipped("broken, a matter of speed alone".to_owned())
            }
            Verdict::Broken => Outcome::Failed,
            Verdict::NotExercised(trigger) => {
                Outcome::Skipped(format!("not exercised, never: {}", trigger.about()))
            }
            Verdict::NotApplicable(why) => Outcome::Skipped(format!("not applicable: {why}")),
            Verdict::Open => Outcome::GaveUp("not searched to the end".to_owned()),
        };
        let case = Case::new(property.id(), outcome);
        match found.iter().find(|found| found.property == property) {
            Some(found) => {
                case.say(property.about()).say(found.detail).say(found.record.to_string())
            }
            None => case,
        }
    };
    Case::of(name, verdicts.into_iter().map(case).collect())
}

/// The operations of the trace called `name` as tests.
#[must_use]
pub fn conform(name: &str, report: &Report) -> Case {
    let case = |one: &emu_conform::Checked| match &one.verdict {
        emu_conform::Verdict::Same => Case::new(&one.name, Outcome::Passed),
        emu_conform::Verdict::LeftOut(why) => {
            Case::new(&one.name, Outcome::Skipped((*why).to_string()))
        }
        emu_conform::Verdict::Different(found) => {
            let place = format!("{name}:{}: {}", found.line, found.call);
            let (kernel, emulated) = (&found.kernel, &found.emulated);
            let said = format!("{place}\nkernel:   {kernel}\nemulated: {emulated}");
            Case::new(&one.name, Outcome::Failed).say(said)
        }
    };
    let on = format!("{} {}", report.arch, report.kernel);
    Case::of(name, report.checked.iter().map(case).collect()).say(on)
}
