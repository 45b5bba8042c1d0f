//! What each scenario does on every architecture and in every kernel, as snapshots.

use std::collections::BTreeSet;
use std::path::PathBuf;

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Scenario, Setup};

use crate::support::sheet::{Entry, sheet};
use crate::support::{check_snapshot, files, parse, read, relative, run, scenario_name};

/// The most files below snapshots/, and the most bytes in them: what a reviewer can read.
const FILES_MAX: usize = 220;
const BYTES_MAX: usize = 700_000;

/// The architectures whose results stand together, in a file for each scenario. Each other one has
/// a file of its own, so that a new one changes no snapshot; see STYLE.md, snapshots-apart.
const TOGETHER: [&str; 8] =
    ["naive", "arm64", "powerpc-hash", "powerpc-radix", "sparc64", "x86", "xen-pv", "s390"];

/// The architectures that stand together.
fn together() -> impl Iterator<Item = Arch> {
    TOGETHER.into_iter().map(|id| id.parse().expect("an architecture of the lab"))
}

/// The one that delays nothing, which the others are shown against.
fn oracle() -> Arch {
    together().next().expect("a first architecture")
}

/// The kernels that have `arch`.
fn kernels(arch: Arch) -> impl Iterator<Item = Kernel> {
    arch.kernels()
}

#[test]
fn every_scenario_on_every_architecture() {
    for path in files("scenarios", ".scn") {
        let scenario = parse(&read(&path));
        assert!(!scenario.what.is_empty(), "{path:?} does not say what it shows");
        let name = scenario_name("scenarios", &path);
        let entry = |arch: Arch| Entry::new(arch.id(), run(&scenario, arch).record.to_string());
        let entries: Vec<_> = together().map(entry).collect();
        check_snapshot!("scenario", &name, &scenario.what, sheet(&entries));
    }
}

/// The scenario in every kernel that has one of `archs`: each against the kernel before, the first
/// against the oracle in the same kernel.
fn eras(scenario: &Scenario, archs: impl Iterator<Item = Arch>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for arch in archs {
        for kernel in kernels(arch) {
            let setup = Setup { arch, kernel, ..Setup::from(kernel.design()) };
            let text = scenario::run(scenario, setup).record.to_string();
            let (of, when) = (arch.id(), kernel.id());
            let before = entries.iter().rposition(|entry| entry.of == of);
            let oracle = || entries.iter().position(|entry| entry.when == when);
            let against = before.or_else(oracle).unwrap_or_default();
            entries.push(Entry { when, against, ..Entry::new(of, text) });
        }
    }
    entries
}

#[test]
fn the_worked_example_in_every_era() {
    for path in files("scenarios/worked", ".scn") {
        let scenario = parse(&read(&path));
        let name = scenario_name("scenarios/worked", &path);
        check_snapshot!("era", &name, &scenario.what, sheet(&eras(&scenario, together())));
    }
}

/// All that `arch` does: each scenario against the oracle, and the worked example in every era.
fn alone(arch: Arch) -> String {
    let mut equal = format!("{} as {}:\n", arch.id(), oracle().id());
    let mut others = String::new();
    for path in files("scenarios", ".scn") {
        let scenario = parse(&read(&path));
        let entry = |arch: Arch| Entry::new(arch.id(), run(&scenario, arch).record.to_string());
        let (oracle, entry) = (Entry { known: true, ..entry(oracle()) }, entry(arch));
        if oracle.text == entry.text {
            equal += &format!("  {}\n", relative(&path));
        } else {
            others += &format!("\n# {}\n\n{}", relative(&path), sheet(&[oracle, entry]));
        }
    }
    for path in files("scenarios/worked", ".scn") {
        let mut entries = eras(&parse(&read(&path)), [oracle(), arch].into_iter());
        entries.iter_mut().for_each(|entry| entry.known = entry.of != arch.id());
        others += &format!("\n# {} in every kernel\n\n{}", relative(&path), sheet(&entries));
    }
    equal + &others
}

#[test]
fn architectures_that_stand_alone() {
    for arch in Arch::all().filter(|arch| !TOGETHER.contains(&arch.id())) {
        check_snapshot!("arch", arch.id(), arch.about(), alone(arch));
    }
}

#[test]
fn every_snapshot_is_of_something_that_there_is() {
    let names = |folder: &str, ending: &str| -> BTreeSet<String> {
        let name = |path: &PathBuf| scenario_name(folder, &path.with_extension("scn"));
        files(folder, ending).iter().map(name).collect()
    };
    let alone = Arch::all().map(|arch| arch.id()).filter(|id| !TOGETHER.contains(id));
    let kinds = [
        ("scenario-", names("scenarios", ".scn")),
        ("era-", names("scenarios/worked", ".scn")),
        ("design-", names("scenarios/nesting", ".scn")),
        ("arch-", alone.map(str::to_owned).collect()),
    ];
    for snapshot in names("snapshots", ".snap") {
        for (kind, known) in &kinds {
            let name = snapshot.strip_prefix(kind);
            assert!(name.is_none_or(|name| known.contains(name)), "dead: {snapshot}");
        }
    }
}

#[test]
fn alone_an_architecture_shows_what_it_shows_beside_the_others() {
    for arch in together().skip(1) {
        let text = alone(arch);
        for path in files("scenarios", ".scn") {
            let scenario = parse(&read(&path));
            let texts = [oracle(), arch].map(|arch| run(&scenario, arch).record.to_string());
            let path = relative(&path);
            let section = format!("\n# {path}\n");
            assert_eq!(text.contains(&section), texts[0] != texts[1], "{} {path}", arch.id());
            assert!(text.contains(&format!("\n  {path}\n")) != text.contains(&section), "{path}");
        }
    }
}

#[test]
fn snapshots_are_few_and_small() {
    let paths = files("snapshots", ".snap");
    let bytes: usize = paths.iter().map(|path| read(path).len()).sum();
    assert!(paths.len() <= FILES_MAX, "{} files, at most {FILES_MAX}", paths.len());
    assert!(bytes <= BYTES_MAX, "{bytes} bytes, at most {BYTES_MAX}");
}
