//! sparc64 against numbers derived by hand: the worked example, interrupts and the batch, by era.
//!
//! A step is written as what the architecture does in it, preempt counts included; `tlb_nr=` stands
//! for a page that joins the batch.

use emu_arch::{Arch, Kernel};
use emu_lab::scenario::{self, Scenario, Setup};
use lazy_mmu::trace::{Event, effect_text};

use crate::support::{parse, read, root};

/// One page flushed at once.
const NOW: &str = "flush_tsb_user_page() global_flush_tlb_page()";
/// One page that waited flushed.
const ONE: &str = "flush_tsb_user(1) global_flush_tlb_page()";
/// From v6.6 to v6.14 `set_ptes()` is a section of its own: a page joins, and its end flushes.
const OWN: &str = "arch_enter() tlb_nr=1 arch_leave() flush_tsb_user(1) global_flush_tlb_page()";

/// What happens in each step: call, primitive or change of context.
fn steps(scenario: &Scenario, kernel: &str) -> Vec<String> {
    let kernel: Kernel = kernel.parse().expect("an era of the list");
    let design = kernel.design();
    let setup = Setup { arch: Arch::SPARC64, kernel, design, panic_on_warn: false, mended: false };
    let record = scenario::run(scenario, setup).record;
    let mut steps: Vec<Vec<String>> = Vec::new();
    let mut in_call = false;
    for seen in record.events() {
        match seen.event {
            Event::Call(_) | Event::Pte(_) => steps.push(Vec::new()),
            Event::Context { .. } if !in_call => steps.push(Vec::new()),
            _ => {}
        }
        in_call = match seen.event {
            Event::Call(_) => true,
            Event::Return { .. } => false,
            _ => in_call,
        };
        let text = match seen.event {
            Event::Context { preempt_count, .. } => format!("preempt_count={preempt_count}"),
            Event::Effect { name, n } => effect_text(name.trim_start_matches("tlb_batch."), n),
            Event::Warn { check, cond, .. } => format!("{check}({cond})"),
            Event::Pending { n, what } => format!("pending: {n} in {what}"),
            _ => continue,
        };
        steps.last_mut().expect("effects follow a step").push(text);
    }
    steps.into_iter().map(|step| step.join(" ")).collect()
}

#[track_caller]
fn check(scenario: &Scenario, kernel: &str, expected: &[&str]) {
    assert_eq!(steps(scenario, kernel), expected, "{kernel}");
}

/// Checks the worked example; `expected` holds S1, A, B, C, S3, D, S5, G, S6, E, S8, F, S10, and
/// the example without G must be the same without that step.
#[track_caller]
fn check_worked(kernel: &str, expected: [&str; 13], pause_without_g: &str) {
    let file = |name: &str| parse(&read(&root().join(format!("scenarios/worked/{name}.scn"))));
    check(&file("hashed-ptes-g"), kernel, &expected);
    let mut without = expected.to_vec();
    without.remove(7);
    without[7] = pause_without_g;
    check(&file("hashed-ptes"), kernel, &without);
    let silent = steps(&file("kernel-ptes-g"), kernel);
    let effects = silent.iter().flat_map(|step| step.split(' ')).filter(|word| !word.is_empty());
    let hooks = ["preempt_count=", "arch_"];
    let mut effects = effects.filter(|word| !hooks.iter().any(|hook| word.starts_with(hook)));
    assert_eq!(effects.next(), None, "kernel pages are not the batch's business");
}

#[test]
fn worked_example_v7_0() {
    for kernel in ["v7.0", "v7.1", "v7.2", "v7.3"] {
        check_worked(
            kernel,
            [
                "preempt_count=1",
                "tlb_nr=1",
                "tlb_nr=2",
                "tlb_nr=3",
                "",
                "tlb_nr=4",
                "flush_tsb_user(4) smp_flush_tlb_pending(4)",
                "tlb_nr=1",
                "flush_tsb_user(1) global_flush_tlb_page() preempt_count=0",
                NOW,
                "preempt_count=1",
                "tlb_nr=1",
                "flush_tsb_user(1) global_flush_tlb_page() preempt_count=0",
            ],
            "preempt_count=0",
        );
    }
}

#[test]
fn worked_example_v6_19() {
    for kernel in ["v6.16", "v6.19"] {
        check_worked(
            kernel,
            [
                "preempt_count=1",
                "tlb_nr=1",
                "tlb_nr=2",
                "tlb_nr=3",
                "preempt_count=2",
                "tlb_nr=4",
                // The inner leave ends the batching: G comes at once.
                "flush_tsb_user(4) smp_flush_tlb_pending(4) preempt_count=1",
                NOW,
                "preempt_count=0",
                NOW,
                "preempt_count=1",
                "tlb_nr=1",
                "flush_tsb_user(1) global_flush_tlb_page() preempt_count=0",
            ],
            "preempt_count=0",
        );
    }
}

#[test]
fn worked_example_v6_14() {
    // Each primitive is a set_ptes(), which ends the section around it: nothing is ever batched.
    let expected = ["", OWN, OWN, OWN, "", OWN, "", OWN, "", OWN, "", OWN, ""];
    check_worked("v6.14", expected, "");
}

#[test]
fn worked_example_v6_0() {
    let four = "flush_tsb_user(4) smp_flush_tlb_pending(4)";
    let (s2, s4) = (["tlb_nr=1", "tlb_nr=2", "tlb_nr=3"], "tlb_nr=4");
    let expected = ["", s2[0], s2[1], s2[2], "", s4, four, NOW, "", NOW, "", "tlb_nr=1", ONE];
    check_worked("v6.0", expected, "");
}

/// A task with one page in the batch; a handler with a section clears a page of the same address
/// space and one of another; then the task clears one more.
fn interrupted() -> Scenario {
    parse(
        "map 0x7f0000000000 3\nmap 0x7f0000000000 1 mm=2\n\
         enable\nptep_get_and_clear 0x7f0000000000\n\
         hardirq_enter\nenable\n\
         ptep_get_and_clear 0x7f0000001000\nptep_get_and_clear 0x7f0000000000 mm=2\n\
         disable\nhardirq_exit\n\
         ptep_get_and_clear 0x7f0000002000\ndisable\n",
    )
}

#[test]
fn interrupts_v7_0() {
    let expected = [
        "preempt_count=1",
        "tlb_nr=1",
        "preempt_count=0x10001",
        "",
        // The calls did nothing and the mode is off here, yet another mm flushes the batch.
        NOW,
        "flush_tsb_user(1) global_flush_tlb_page() flush_tsb_user_page() global_flush_tlb_page()",
        "",
        "preempt_count=1",
        "tlb_nr=1",
        "flush_tsb_user(1) global_flush_tlb_page() preempt_count=0",
    ];
    check(&interrupted(), "v7.0", &expected);
}

#[test]
fn interrupts_v6_19() {
    let expected = [
        "preempt_count=1",
        "tlb_nr=1",
        "preempt_count=0x10001",
        "preempt_count=0x10002",
        // The handler's page joins the batch of the task.
        "tlb_nr=2",
        "flush_tsb_user(2) smp_flush_tlb_pending(2) tlb_nr=1",
        "flush_tsb_user(1) global_flush_tlb_page() preempt_count=0x10001",
        "preempt_count=1",
        // Its section has ended the task's.
        NOW,
        "preempt_count=0",
    ];
    check(&interrupted(), "v6.19", &expected);
}

#[test]
fn interrupts_v6_0() {
    let expected = [
        "",
        "tlb_nr=1",
        "preempt_count=0x10000",
        "",
        "tlb_nr=2",
        "flush_tsb_user(2) smp_flush_tlb_pending(2) tlb_nr=1",
        ONE,
        "preempt_count=0",
        NOW,
        "",
    ];
    check(&interrupted(), "v6.0", &expected);
}

#[test]
fn a_full_batch_is_flushed_at_192() {
    let scenario =
        parse("map 0x7f0000000000 400\nenable\nwrprotect_ptes 0x7f0000000000 400\ndisable");
    for kernel in ["v6.0", "v6.19", "v7.0"] {
        let all = steps(&scenario, kernel).join(" ");
        let flushes: Vec<_> = all.split(' ').filter(|word| word.starts_with("smp_")).collect();
        let full = "smp_flush_tlb_pending(192)";
        assert_eq!(flushes, [full, full, "smp_flush_tlb_pending(16)"], "{kernel}");
    }
}

#[test]
fn what_waits_is_seen_at_the_end() {
    let scenario = parse("map 0x7f0000000000 2\nenable\nwrprotect_ptes 0x7f0000000000 2");
    let expected = ["preempt_count=1", "tlb_nr=1 tlb_nr=2 pending: 2 in tlb_batch"];
    check(&scenario, "v7.0", &expected);
}
