//! The numbers that the worked example must give, and scenarios that are large.

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Setup};
use lazy_mmu::Record;
use lazy_mmu::trace::{Event, effect_text};

use crate::support::{files, parse, read, root, run};

#[test]
fn eras_with_the_same_code_run_the_worked_example_alike() {
    for path in files("scenarios/worked", ".scn") {
        let scenario = parse(&read(&path));
        for arch in Arch::all() {
            let mut known: Vec<((&str, &str), Record)> = Vec::new();
            for kernel in Kernel::ALL {
                let Some(code) = arch.version(kernel) else { continue };
                let era = (code, kernel.design().id());
                let setup = Setup { arch, kernel, ..Setup::from(kernel.design()) };
                let record = scenario::run(&scenario, setup).record;
                match known.iter().find(|(known, _)| *known == era) {
                    Some((_, same)) => assert_eq!(record, *same, "{arch:?} {kernel:?}"),
                    None => known.push((era, record)),
                }
            }
        }
    }
}

#[test]
fn every_scenario_comes_with_the_command() {
    let folders = std::fs::read_dir(root().join("scenarios")).expect("the folder");
    let folders = folders.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut names = Vec::new();
    for folder in folders {
        let folder = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        for path in files(&format!("scenarios/{folder}"), ".scn") {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
            names.push(format!("{folder}/{name}"));
        }
    }
    names.sort_unstable();
    let builtin = scenario::builtin().expect("they are scenarios");
    let known: Vec<&str> = builtin.iter().map(|(name, _)| *name).collect();
    assert_eq!(known, names, "the rows of emu-lab/src/scenario/builtin.rs");
}

/// Steps of the worked example: how often each effect happens, in order of first appearance.
fn effects(name: &str, arch: Arch) -> Vec<(String, usize)> {
    let scenario = parse(&read(&root().join(format!("scenarios/worked/{name}.scn"))));
    let record = run(&scenario, arch).record;
    let mut counts: Vec<(String, usize)> = Vec::new();
    for effect in costs(&record) {
        match counts.iter_mut().find(|(known, _)| *known == effect) {
            Some((_, n)) => *n += 1,
            None => counts.push((effect, 1)),
        }
    }
    counts
}

/// The effects that cost time: all but the moves into a batch.
fn costs(record: &Record) -> impl Iterator<Item = String> + '_ {
    record.events().filter_map(|seen| match seen.event {
        Event::Effect { name, n } if !name.ends_with('=') => Some(effect_text(name, n)),
        _ => None,
    })
}

#[track_caller]
fn check_effects(name: &str, arch: Arch, expected: &[(&str, usize)]) {
    let found = effects(name, arch);
    let found: Vec<_> = found.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(found, expected, "{name} on {}", arch.id());
}

#[test]
fn worked_example_on_arm64() {
    check_effects("kernel-ptes", Arch::ARM64, &[("dsb(ishst)", 3), ("isb()", 3)]);
    check_effects("kernel-ptes-g", Arch::ARM64, &[("dsb(ishst)", 4), ("isb()", 4)]);
    check_effects("hashed-ptes-g", Arch::ARM64, &[]);
}

#[test]
fn worked_example_on_powerpc() {
    // Fresh entries are hashed on first use, so nothing is to be invalidated.
    check_effects("kernel-ptes", Arch::POWERPC_HASH, &[]);
    let hashed = &[("flush_hash_range(4)", 1), ("flush_hash_page()", 2)];
    check_effects("hashed-ptes", Arch::POWERPC_HASH, hashed);
    let hashed = &[("flush_hash_range(4)", 1), ("flush_hash_page()", 3)];
    check_effects("hashed-ptes-g", Arch::POWERPC_HASH, hashed);
    for name in ["kernel-ptes", "kernel-ptes-g", "hashed-ptes", "hashed-ptes-g"] {
        check_effects(name, Arch::POWERPC_RADIX, &[]);
        check_effects(name, Arch::NAIVE, &[]);
    }
}

#[test]
fn a_full_batch_is_flushed_at_192() {
    let clear = |n: u64| format!("ptep_get_and_clear {:#x}\n", 0x7f00_0000_0000 + n * 0x1000);
    let lines: String = (0..400).map(clear).collect();
    let scenario = parse(&format!("map 0x7f0000000000 400\nenable\n{lines}disable\n"));
    let record = run(&scenario, Arch::POWERPC_HASH).record;
    let expected = ["flush_hash_range(192)", "flush_hash_range(192)", "flush_hash_range(16)"];
    assert_eq!(costs(&record).collect::<Vec<_>>(), expected);
}

#[test]
fn a_million_lines_run() {
    let scenario = parse(&"enable\ndisable\n".repeat(500_000));
    let record = run(&scenario, Arch::ARM64).record;
    assert_eq!(record.hooks().count(), 1_000_000);
}
