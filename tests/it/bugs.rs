//! The bug corpus: each bug appears where its scenario says that it does, and not where it was
//! mended.

use std::collections::BTreeSet;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use emu_lab::render::hazards;
use emu_lab::scenario::{self, Expect, Scenario, Setup, Step, Where};
use lazy_mmu::design::{Context, Design, Effects, Hook, LazyMmuDesign, hook_if, store};

use crate::support::{files, parse, read, relative, root};

/// The numbers of the list of real bugs.
const BUGS: [u8; 25] =
    [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 28, 29];

/// The scenarios of the corpus with their names.
fn corpus() -> Vec<(String, Scenario)> {
    let paths = files("scenarios/bugs", ".scn");
    paths.iter().map(|path| (relative(path), parse(&read(path)))).collect()
}

/// The hazards that lines of the scenario expect.
fn expected(scenario: &Scenario) -> BTreeSet<Hazard> {
    let expects = |step: &Step| match step {
        Step::Expect(Expect::Hazard(hazard)) => Some(*hazard),
        _ => None,
    };
    scenario.lines().filter_map(|line| expects(&line.step)).collect()
}

fn check(name: &str, scenario: &Scenario, run: &Where, bad: bool) {
    let setup = Setup::from(*run);
    let outcome = scenario::run(scenario, setup);
    let code = if setup.mended { "mended" } else { "" };
    let (arch, kernel, design) = (setup.arch.id(), setup.kernel.id(), setup.design.id());
    let at = format!("{name} on {arch} {kernel} {design} {code}");
    assert_eq!(outcome.unmet, [], "{at}");
    assert_eq!(outcome.unexpected, [], "{at}");
    let found: BTreeSet<_> = outcome.hazards.iter().map(|found| found.hazard).collect();
    let expected = if bad { expected(scenario) } else { BTreeSet::new() };
    assert_eq!(found, expected, "{at}");
    // The machine as a value runs both codes too.
    assert_eq!(scenario::run_replayed(scenario, setup), outcome.record, "{at}");
}

#[test]
fn every_bug_appears_where_it_was_and_not_where_it_was_mended() {
    let mut broken_on = BTreeSet::new();
    for (name, scenario) in corpus() {
        // What must never be reported has no bad run.
        let harmless = scenario.lines().any(|line| matches!(line.step, Step::Expect(Expect::None)));
        assert_eq!(scenario.bad.is_empty(), harmless, "{name} needs a bad run or `expect none`");
        assert!(!scenario.good.is_empty(), "{name} says of no run that it is good");
        assert!(!scenario.from.is_empty(), "{name} does not say where it comes from");
        assert!(scenario.claims(), "{name} claims nothing");
        for run in &scenario.bad {
            check(&name, &scenario, run, true);
        }
        for run in &scenario.good {
            check(&name, &scenario, run, false);
        }
        broken_on.extend(scenario.bad.iter().map(|run| run.arch));
    }
    let defers = Arch::BUILT_IN.iter().filter(|arch| arch.facts().defers.is_some());
    let spared: Vec<_> = defers.filter(|arch| !broken_on.contains(arch)).collect();
    assert!(spared.is_empty(), "no scenario has a bug on {spared:?}");
}

#[test]
fn every_hazard_is_expected_by_a_scenario_that_passes() {
    // The test above sees to it that they pass.
    let bad = corpus().into_iter().filter(|(_, scenario)| !scenario.bad.is_empty());
    let expected: BTreeSet<_> = bad.flat_map(|(_, scenario)| expected(&scenario)).collect();
    let missing: Vec<_> =
        Hazard::ALL.iter().filter(|hazard| !expected.contains(hazard)).map(|h| h.id()).collect();
    assert!(missing.is_empty(), "no scenario in scenarios/bugs expects {}", missing.join(", "));
}

#[test]
fn every_number_is_in_a_scenario_or_in_the_table_of_those_that_have_none() {
    let table = read(&root().join("scenarios/bugs/README.md"));
    let corpus = corpus();
    let known = |n: u8| BUGS.contains(&n);
    for number in (1..=29).filter(|n| known(*n)) {
        let name = format!("BC-{number:02}");
        let shown = corpus.iter().any(|(_, scenario)| scenario.from.starts_with(&name));
        let row = table.lines().any(|line| line.starts_with(&format!("| {name} |")));
        assert!(shown != row, "{name}: in a scenario {shown}, in the table {row}");
    }
    for (name, scenario) in &corpus {
        let number = scenario.from.strip_prefix("BC-").and_then(|rest| rest.get(..2));
        let number = number.map(|number| number.parse().expect("a number"));
        assert!(number.is_none_or(known), "{name}: there is no such bug: {}", scenario.from);
    }
    let tests = read(&root().join("tests/it/bugs.rs")) + &read(&root().join("tests/it/api.rs"));
    for named in table.split('`').filter(|word| word.matches('_').count() > 2) {
        assert!(tests.contains(&format!("fn {named}()")), "the table names no test: {named}");
    }
}

#[test]
fn a_summary_says_of_each_hazard_who_and_since_when_in_80_columns() {
    for (name, scenario) in corpus() {
        for run in &scenario.bad {
            let outcome = scenario::run(&scenario, Setup::from(*run));
            let text =
                hazards::summary(&outcome.record, &outcome.hazards, |seq| outcome.line_of(seq));
            let count = |what: &str| text.lines().filter(|line| line.starts_with(what)).count();
            assert_eq!(count("  at:    "), outcome.hazards.len(), "{name}:\n{text}");
            let caused = outcome.hazards.iter().filter(|found| found.cause.is_some()).count();
            assert_eq!(count("  since: "), caused, "{name}:\n{text}");
            for found in &outcome.hazards {
                let line = outcome.line_of(found.seq);
                assert!(line.is_some_and(|line| scenario.lines().any(|l| l.number == line)));
            }
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(longest <= 80, "{name}: {longest} columns:\n{text}");
        }
    }
}

lazy_mmu::lazy_mmu_state! {
    /// Sections and pauses, and an accessor that asks for the depth of sections alone: BC-29.
    struct DepthOnly { depth: u8 = "depth", pauses: u8 = "pauses" }
}

impl LazyMmuDesign for DepthOnly {
    const ID: &'static str = "depth-only";
    const ABOUT: &'static str = "an accessor that forgets the pause";

    fn enable(self, _: Context) -> Effects<Self> {
        let first = self.depth == 0;
        Effects::of([store(Self { depth: self.depth + 1, ..self }), hook_if(first, Hook::ENTER)])
    }
    fn disable(self, _: Context) -> Effects<Self> {
        let last = self.depth == 1;
        let hook = if last { Hook::LEAVE } else { Hook::FLUSH };
        Effects::of([store(Self { depth: self.depth - 1, ..self }), hook_if(true, hook)])
    }
    fn pause(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { pauses: 1, ..self }), hook_if(true, Hook::LEAVE)])
    }
    fn resume(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { pauses: 0, ..self }), hook_if(true, Hook::ENTER)])
    }
    fn is_active(self, cx: Context) -> bool {
        !cx.in_interrupt && self.depth > 0
    }
}

#[test]
fn an_accessor_that_forgets_the_pause_is_found_out() {
    let scenario = parse(
        "enable\npause\nset_pte_at 0xffff800008000000\nwrite 0xffff800008000000\nresume\ndisable",
    );
    let hazards = |design| {
        let setup = Setup { arch: Arch::ARM64, ..Setup::from(design) };
        let found = scenario::run(&scenario, setup).hazards;
        found.iter().map(|found| found.hazard).collect::<Vec<_>>()
    };
    assert_eq!(hazards(Design::of::<DepthOnly>()), [Hazard::AccessPendingBarriers]);
    assert_eq!(hazards(Kernel::V7_0.design()), []);
}
