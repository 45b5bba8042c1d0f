//! The bug corpus: each bug appears where its scenario says that it does, and not where it was mended.

use emu_lab::scenario::{self, Scenario, Setup, Where};

use crate::support::{files, parse, read, relative};

fn check(name: &str, scenario: &Scenario, run: &Where, bad: bool) {
    let setup = Setup::from(*run);
    let outcome = scenario::run(scenario, setup);
    let at = format!("{name} on {} {} {}", setup.arch.id(), setup.kernel.id(), setup.design.id());
    assert_eq!(outcome.unmet, [], "{at}");
    assert_eq!(outcome.unexpected, [], "{at}");
    assert_eq!(!outcome.hazards.is_empty(), bad, "{at}: {:?}", outcome.hazards);
}

#[test]
fn every_bug_appears_where_it_was_and_not_where_it_was_mended() {
    let mut runs = 0;
    for path in files("scenarios/bugs", ".scn") {
        let (name, scenario) = (relative(&path), parse(&read(&path)));
        assert!(!scenario.bad.is_empty(), "{name} says of no run that it is bad");
        assert!(!scenario.from.is_empty(), "{name} does not say where it comes from");
        assert!(scenario.claims_hazards(), "{name} expects no hazard");
        for run in &scenario.bad {
            check(&name, &scenario, run, true);
        }
        for run in &scenario.good {
            check(&name, &scenario, run, false);
        }
        runs += scenario.bad.len() + scenario.good.len();
    }
    assert!(runs > 20, "only {runs} runs");
}
