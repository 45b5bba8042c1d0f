//! The KUnit test of the mode under every design: where it fails, by running it.

use lazy_mmu::design::Design;

use crate::words::table;
use emu_lab::scenario::{Outcome, Scenario, Setup, run};

const HEAD: &str = "
# The KUnit test of the mode

`scenarios/kunit/lazy-mmu-mode-active.scn` is mm/tests/lazy_mmu_mode_kunit.c as a scenario. It asserts
the active bit alone: no hook, no interrupt, no overflow. A failure is given by the line of the
scenario.

";

/// Writes the table of results.
pub(super) fn write(text: &mut String, kunit: &Scenario) {
    text.push_str(HEAD);
    let row = |design: &Design| {
        let outcome = run(kunit, Setup::from(*design));
        let result = if outcome.unmet.is_empty() { "holds" } else { "fails" };
        vec![format!("`{}`", design.id()), result.to_owned(), failures(&outcome), checks(&outcome)]
    };
    let rows: Vec<_> = Design::LAB.iter().map(row).collect();
    table(text, &["design", "the test", "where", "warnings on the way"], &rows);
}

fn failures(outcome: &Outcome) -> String {
    let unmet = outcome.unmet.iter();
    let lines: Vec<_> =
        unmet.map(|unmet| format!("line {}: {}", unmet.line, unmet.message)).collect();
    lines.join("<br>")
}

fn checks(outcome: &Outcome) -> String {
    use lazy_mmu::trace::Event;
    let warn = |event: &Event<'_>| matches!(event, Event::Warn { again: false, .. });
    outcome.record.events().filter(|seen| warn(&seen.event)).count().to_string()
}
