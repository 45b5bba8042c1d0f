//! What is right stays silent: no hazard in any balanced, nested sequence of calls since v7.1.

use std::collections::BTreeSet;
use std::fmt::Write;

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Setup};

use crate::support::{parse, preemption_off};

/// The most calls in a sequence.
const CALLS_MAX: usize = 6;

const USER: u64 = 0x7f00_0000_0000;
const KERNEL: u64 = 0xffff_8000_0800_0000;
/// Pages that are mapped before; those from [`FRESH`] on are not.
const PAGES: u64 = CALLS_MAX as u64 + 1;
const FRESH: u64 = 0x10;

/// Every sequence of `pairs` nested pairs of calls.
fn sequences(pairs: usize) -> Vec<Vec<&'static str>> {
    if pairs == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    // The first call is closed by the call behind `inner` pairs.
    for inner in 0..pairs {
        for body in sequences(inner) {
            for rest in sequences(pairs - 1 - inner) {
                for [opens, closes] in [["enable", "disable"], ["pause", "resume"]] {
                    let calls = [&[opens][..], &body, &[closes], &rest].concat();
                    all.push(calls);
                }
            }
        }
    }
    all
}

/// The setups since v7.1, under the kernel's own design.
fn setups() -> impl Iterator<Item = Setup> {
    let kernels = Kernel::ALL.into_iter().filter(|kernel| *kernel >= Kernel::V7_1);
    let pairs = kernels.flat_map(|kernel| Arch::all().map(move |arch| (arch, kernel)));
    let pairs = pairs.filter(|(arch, kernel)| arch.is_in(*kernel).is_ok());
    pairs.map(|(arch, kernel)| Setup { arch, kernel, ..Setup::from(kernel.design()) })
}

/// Runs the scenario on every setup that `wanted` names.
fn check_silent(text: &str, wanted: impl Fn(Arch) -> bool) {
    let scenario = parse(text);
    for setup in setups().filter(|setup| wanted(setup.arch)) {
        let outcome = scenario::run(&scenario, setup);
        let (arch, kernel) = (setup.arch.id(), setup.kernel.id());
        assert!(outcome.hazards.is_empty(), "{arch} {kernel}:\n{text}\n{}", outcome.record);
    }
}

#[test]
fn sequences_are_all_that_nest_and_setups_have_all_architectures() {
    for (pairs, shapes) in [1, 1, 2, 5, 14].into_iter().enumerate() {
        let all: BTreeSet<_> = sequences(pairs).into_iter().collect();
        // As many as there are ways to nest brackets of one kind, each bracket of either kind.
        assert_eq!(all.len(), shapes << pairs);
        for calls in all {
            let closes = |open: &str| if open == "enable" { "disable" } else { "resume" };
            let mut open: Vec<&str> = Vec::new();
            for call in calls {
                match call {
                    "enable" | "pause" => open.push(call),
                    _ => assert_eq!(open.pop().map(closes), Some(call)),
                }
            }
            assert!(open.is_empty());
        }
    }
    let archs: BTreeSet<Arch> = setups().map(|setup| setup.arch).collect();
    assert_eq!(archs, Arch::BUILT_IN.iter().copied().collect());
    let preemptible =
        |setup: Setup| !preemption_off(setup.arch) && setup.arch.facts().defers.is_some();
    assert!(setups().any(preemptible), "a section that may be preempted and defers something");
}

/// Updates of pages that only gap `gap` has: one of each is taken away, one mapped.
fn updates(text: &mut String, gap: u64) {
    for base in [USER, KERNEL] {
        let _ = writeln!(text, "A: ptep_get_and_clear {:#x}", base + gap * 0x1000);
        let _ = writeln!(text, "A: set_pte_at {:#x}", base + (FRESH + gap) * 0x1000);
    }
}

/// `A` makes the calls under the lock of its table, with updates in the gaps whose bits are set in
/// `gaps`; `B`, which has used the pages before, uses them after.
fn under_the_lock(calls: &[&str], gaps: u64) -> String {
    let mut text = format!("map {USER:#x} {PAGES}\nmap {KERNEL:#x} {PAGES}\n");
    let pages = |text: &mut String| {
        for base in [USER, KERNEL] {
            for page in (0..PAGES).chain(FRESH..FRESH + PAGES) {
                let _ = writeln!(text, "B@cpu1: read {:#x}", base + page * 0x1000);
            }
        }
    };
    pages(&mut text);
    let _ = writeln!(text, "A: spin_lock {USER:#x}");
    for (gap, call) in calls.iter().chain([&""]).enumerate() {
        if gaps >> gap & 1 != 0 {
            updates(&mut text, gap as u64);
        }
        if !call.is_empty() {
            let _ = writeln!(text, "A: {call}");
        }
    }
    let _ = writeln!(text, "A: flush_tlb_range {USER:#x} {PAGES}\nA: spin_unlock {USER:#x}");
    let _ = writeln!(text, "A: flush_tlb_range {KERNEL:#x} {PAGES}");
    pages(&mut text);
    text + "A: schedule\nA: exit\n"
}

#[test]
fn every_nested_sequence_is_silent() {
    for calls in (0..=CALLS_MAX / 2).flat_map(sequences) {
        // None, all, and each alone.
        let alone = (0..=calls.len()).map(|gap| 1 << gap);
        for gaps in alone.chain([0, u64::MAX]) {
            let text = under_the_lock(&calls, gaps);
            check_silent(&text, |_| true);
            if calls.first() == Some(&"enable") {
                let hinted = format!("A: enable_with_ptes {USER:#x} {PAGES}\n");
                check_silent(&text.replacen("A: enable\n", &hinted, 1), |_| true);
            }
        }
    }
}

#[test]
fn every_nested_sequence_is_silent_when_it_is_preempted_between_any_two_steps() {
    for calls in (1..=CALLS_MAX / 2).flat_map(sequences) {
        let mut text = String::new();
        for (gap, call) in calls.iter().enumerate() {
            let fresh = |base: u64| base + (FRESH + gap as u64) * 0x1000;
            let _ = writeln!(text, "A: {call}");
            let _ = writeln!(text, "B: read {USER:#x}");
            let _ = writeln!(text, "A@cpu1: set_pte_at {:#x}", fresh(KERNEL));
            let _ = writeln!(text, "B@cpu1: read {USER:#x}");
            let _ = writeln!(text, "A@cpu0: set_pte_at {:#x}", fresh(USER));
        }
        check_silent(&(text + "A: exit\nB: exit\n"), |arch| !preemption_off(arch));
    }
}
