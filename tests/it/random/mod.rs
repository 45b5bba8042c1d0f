//! Random programs that are correct: each architecture ends them where one that batches nothing
//! does.
//!
//! Every architecture and kernel of the lab runs programs made for its contract ([`rules`]), as
//! scenarios. What software reads, which accesses fault and what memory and translations hold in
//! the end must be as on `naive`, and no hazard may appear but those that are known.

mod pages;
mod primitives;
mod program;
mod rules;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel, Pte};
use emu_lab::scenario::{self, Outcome, Setup};
use lazy_mmu::trace::{Event, PteOp};
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::hosts::Twice;
use crate::support::parse;
use program::{Op, program};
use rules::Rules;

/// How many programs each architecture runs, on all kernels together.
const CASES: u32 = 210;

/// The longest program whose steps are each done twice.
const TWICE_MAX: usize = 60;

/// Pairs on which correct programs meet hazards: which ones, and why. All others are clean, and so
/// are the later kernels that have the code and the design of one that is not listed.
const KNOWN: &[(Arch, Kernel, &[Hazard], &str)] = &[
    (Arch::POWERPC_HASH, Kernel::V6_0, &[Hazard::IrqDeferred], NOTHING_ASKS),
    (Arch::POWERPC_HASH, Kernel::V6_0, &[Hazard::BatchPreemptible], NOT_HELD),
    (Arch::POWERPC_HASH, Kernel::V6_14, &[Hazard::IrqDeferred], NOTHING_ASKS),
    (Arch::SPARC64, Kernel::V6_0, &[Hazard::IrqDeferred], NOTHING_ASKS),
    (Arch::SPARC64, Kernel::V6_0, LEFT_BEHIND, "a preempted section leaves its batch on the CPU"),
    (Arch::SPARC64, Kernel::V6_0, &[Hazard::BatchPreemptible], NOT_HELD),
    (Arch::SPARC64, Kernel::V6_14, &[Hazard::IrqDeferred], NOTHING_ASKS),
    (Arch::SPARC64, Kernel::V6_14, &[Hazard::BatchPreemptible], NOT_HELD),
    (Arch::SPARC64, Kernel::V6_12Y, &[Hazard::IrqDeferred], NOTHING_ASKS),
    (Arch::XEN_PV, Kernel::V6_14, &[Hazard::ArchBug], ONE_LEVEL),
    (Arch::XEN_PV, Kernel::V6_12Y, &[Hazard::ArchBug], ONE_LEVEL),
    (Arch::XEN_PV, Kernel::V7_0, &[Hazard::ArchBug], "preempted between the counter and the hook"),
];

const NOTHING_ASKS: &str = "a handler's update joins the batch of the task that it interrupts";

const ONE_LEVEL: &str = "a switch leaves one level of a nested section";

const NOT_HELD: &str = "a task that is in a section may be moved away from the batch of its CPU";

const LEFT_BEHIND: &[Hazard] = &[
    Hazard::AccessPendingInvalidation,
    Hazard::BatchAtSwitch,
    Hazard::PendingAtUnlock,
    Hazard::PendingAtSchedule,
    Hazard::PendingAtExit,
    Hazard::PendingAtDisable,
    Hazard::PendingAtPause,
    Hazard::ForeignBatch,
    Hazard::StaleTranslation,
];

/// The hazards that correct programs meet on a pair.
fn known(rules: Rules) -> impl Iterator<Item = Hazard> {
    let here = move |(arch, kernel): (Arch, Kernel)| (arch, kernel) == (rules.arch, rules.kernel);
    let known = KNOWN.iter().filter(move |(arch, kernel, ..)| here((*arch, *kernel)));
    known.flat_map(|(_, _, hazards, _)| hazards.iter().copied())
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    vec((0..3u8, 0..8u8, 0..46u8, 0..15u8, 0..300u16, 0..6u8), 1..160)
}

/// What software and hardware saw of the entries, one line each.
fn seen(outcome: &Outcome) -> Vec<String> {
    let mut seen = Vec::new();
    for event in outcome.record.events() {
        match event.event {
            Event::Pte(pte) if matches!(pte.op, PteOp::ptep_get | PteOp::raw_read) => {
                let entry = Pte(pte.pte).without(Pte::HASHPTE).0;
                seen.push(format!("{} {:#x} mm={} {entry:#x}", pte.op.name(), pte.addr, pte.mm));
            }
            Event::Pte(pte) if matches!(pte.op, PteOp::read | PteOp::write) => {
                seen.push(format!("{} {:#x} mm={}", pte.op.name(), pte.addr, pte.mm));
            }
            Event::Effect { name: "page fault", .. } => seen.push("    faults".to_owned()),
            _ => {}
        }
    }
    seen
}

/// Runs a program and says what is wrong with the outcome, if anything; `met` gathers known
/// hazards.
fn check(rules: Rules, text: &str, met: &mut BTreeSet<Hazard>) -> Result<(), String> {
    let Rules { arch, kernel, .. } = rules;
    let scenario = parse(text);
    let setup = |arch| Setup { arch, kernel, ..Setup::from(kernel.design()) };
    let outcome = scenario::run(&scenario, setup(arch));
    // What follows the end of a task in a BUG is its consequence.
    let bug = outcome.hazards.iter().position(|found| found.hazard == Hazard::ArchBug);
    for found in &outcome.hazards[..bug.map_or(outcome.hazards.len(), |at| at + 1)] {
        if !known(rules).any(|known| known == found.hazard) {
            return Err(format!("the hazard {} appears", found.hazard.id()));
        }
        met.insert(found.hazard);
    }
    // A claim that does not hold is a remark, which the other shell does not make.
    let replayed = || {
        let setup = setup(arch);
        // To do each part of a step twice costs the square of a program's length.
        match scenario.steps.len() {
            0..=TWICE_MAX => scenario::run_on_code(&scenario, setup, Twice::of(setup)),
            _ => scenario::run_replayed(&scenario, setup),
        }
    };
    if outcome.unmet.is_empty() && replayed() != outcome.record {
        return Err("the replaying host does otherwise".to_owned());
    }
    if bug.is_some() {
        return Ok(());
    }
    let no_hazard = "expected no hazard";
    if let Some(unmet) = outcome.unmet.iter().find(|unmet| !unmet.message.starts_with(no_hazard)) {
        return Err(format!("line {}: {}", unmet.line, unmet.message));
    }
    let naive = scenario::run(&scenario, setup(Arch::NAIVE));
    let (here, there) = (seen(&outcome), seen(&naive));
    match here.iter().zip(&there).find(|(here, there)| here != there) {
        Some((here, there)) => Err(format!("found {here}, but on naive {there}")),
        None if here.len() != there.len() => Err("more or fewer faults than on naive".to_owned()),
        None => Ok(()),
    }
}

/// Random programs for `rules`, the same ones in each run: `cases`, or more where `PROPTEST_CASES`
/// says so.
fn runner(rules: Rules, cases: u32) -> TestRunner {
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").map_or(0, |_| default.cases);
    let cases = cases.max(asked);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 10_000, ..default };
    let mut seed = [0; 32];
    let number = Arch::all().position(|arch| arch == rules.arch).unwrap_or_default();
    (seed[0], seed[1]) = (number as u8, rules.kernel as u8);
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Runs random programs on a pair; an error has the shortest one found that is not as it should be.
fn check_pair(arch: Arch, kernel: Kernel, cases: u32) -> Result<(), String> {
    let rules = Rules::of(arch, kernel);
    let met = RefCell::new(BTreeSet::new());
    let result = runner(rules, cases).run(&ops(), |ops| {
        let text = program(rules, &ops);
        check(rules, &text, &mut met.borrow_mut()).map_err(TestCaseError::fail)
    });
    let (arch, kernel) = (arch.id(), kernel.id());
    match result {
        Err(TestError::Abort(why)) => Err(why.to_string()),
        Err(TestError::Fail(why, ops)) => {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{arch}-{kernel}.scn"));
            let text = program(rules, &ops);
            std::fs::write(&path, &text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            let path = path.display();
            Err(format!("{why}\n\n{text}\nlazymmu run {path} --arch {arch} --kernel {kernel}"))
        }
        // Programs that meet nothing any more make an entry of the table wrong.
        Ok(()) if met.borrow().is_empty() && known(rules).next().is_some() => {
            Err(format!("{arch} {kernel} meets none of its known hazards"))
        }
        Ok(()) => Ok(()),
    }
}

/// Every kernel that `arch` is in, but for those that share both code and design with an earlier
/// one.
fn check_arch(arch: Arch) {
    let mut ran = BTreeSet::new();
    let mut new = |kernel: Kernel| {
        arch.version(kernel).is_some_and(|code| ran.insert((code, kernel.design().id())))
    };
    let kernels: Vec<Kernel> = Kernel::ALL.into_iter().filter(|kernel| new(*kernel)).collect();
    let cases = CASES / kernels.len() as u32;
    let wrong = kernels.into_iter().filter_map(|kernel| check_pair(arch, kernel, cases).err());
    let wrong = wrong.collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn correct_programs_on_arm64() {
    check_arch(Arch::ARM64);
}

#[test]
fn correct_programs_on_powerpc_hash() {
    check_arch(Arch::POWERPC_HASH);
}

#[test]
fn correct_programs_on_powerpc_radix() {
    check_arch(Arch::POWERPC_RADIX);
}

#[test]
fn correct_programs_on_sparc64() {
    check_arch(Arch::SPARC64);
}

#[test]
fn correct_programs_on_x86() {
    check_arch(Arch::X86);
}

#[test]
fn correct_programs_on_xen_pv() {
    check_arch(Arch::XEN_PV);
}

#[test]
fn correct_programs_on_s390() {
    check_arch(Arch::S390);
}

#[test]
fn kernels_from_v7_1_on_are_clean() {
    assert!(KNOWN.iter().all(|(_, kernel, ..)| *kernel < Kernel::V7_1));
}

#[test]
fn programs_use_every_word() {
    let all = RefCell::new(String::new());
    let rules = Rules::of(Arch::X86, Kernel::V7_0);
    let result = runner(rules, CASES).run(&ops(), |ops| {
        all.borrow_mut().push_str(&program(rules, &ops));
        Ok(())
    });
    assert_eq!(result, Ok(()));
    let all = all.take();
    let calls = ["enable", "enable_with_ptes", "disable", "pause", "resume"];
    let tasks = ["schedule", "might_sleep", "fork C", "exit", "spin_lock", "spin_unlock"];
    let blocks = ["hardirq {", "softirq {", "nmi {", "local_bh_disable"];
    let points = ["before store", "before arch_enter", "before arch_leave", "before arch_flush"];
    let words = [&calls[..], &tasks, &blocks, &points].concat();
    // What a gather or reclaim defers is its own business, and page tables stay.
    let left_out = [
        PteOp::tlb_remove_tlb_entries,
        PteOp::set_tlb_ubc_flush_pending,
        PteOp::flush_tlb_batched_pending,
        PteOp::pte_free,
        PteOp::destroy_context,
    ];
    let primitives = PteOp::ALL.into_iter().filter(|op| !left_out.contains(op)).map(PteOp::name);
    for word in words.into_iter().chain(primitives) {
        assert!(all.contains(&format!(" {word}")), "no program has {word}");
    }
}
