//! The conformance test: what it says of the project's backends, and of wrong ones.

/// The mistakes of a backend, by the number that it is generic over.
macro_rules! mistakes {
    ($($name:ident = $n:literal;)*) => {
        $(pub(crate) const $name: u8 = $n;)*
    };
}

mod fence;
mod queue;

use std::collections::BTreeSet;

use emu_arch::conformance::{Duty, Report, Verdict, check};
use emu_arch::{Arch, Kernel, arm64, naive, powerpc, s390, sparc64, x86, x86_xen};

use crate::support::parse;
use fence::Fence;
use queue::Queue;

/// What the code of the project's backends breaks, and why it is so in the kernel.
const KNOWN: &[(&str, Duty, Kernel, &str)] = &[
    ("powerpc-hash", Duty::NoHazard, Kernel::V6_0, "a section could be preempted up to v6.0"),
    ("sparc64", Duty::NoHazard, Kernel::V6_0, "a section could be preempted up to v6.14"),
    ("sparc64", Duty::NoHazard, Kernel::V6_14, "a section could be preempted up to v6.14"),
    ("xen-pv", Duty::InstallsAlike, Kernel::V6_14, "set_ptes() was a section of its own"),
];

/// The backends of the project.
const BUILT_IN: [fn() -> Report; 8] = [
    check::<naive::Naive>,
    check::<arm64::Arm64>,
    check::<powerpc::Hash>,
    check::<powerpc::Radix>,
    check::<sparc64::Sparc64>,
    check::<x86::X86>,
    check::<x86_xen::XenPv>,
    check::<s390::S390>,
];

#[test]
fn the_backends_of_the_project_conform_but_for_what_is_known() {
    let threads = BUILT_IN.map(std::thread::spawn);
    let reports = threads.map(|thread| thread.join().expect("a report"));
    assert_eq!(reports.each_ref().map(Report::arch), Arch::BUILT_IN, "each one is tested");
    for report in reports {
        let known = KNOWN.iter().filter(|(arch, ..)| *arch == report.arch().id());
        let known: Vec<_> = known.map(|(_, duty, kernel, _)| (*duty, *kernel)).collect();
        assert_eq!(report.broken().collect::<Vec<_>>(), known, "{report}");
    }
}

/// A duty that nothing exercises is not said to hold.
#[test]
fn naive_defers_nothing() {
    let report = check::<naive::Naive>();
    for duty in [Duty::Completes, Duty::EffectPerCompletion, Duty::WritesFirst] {
        assert_eq!(report.verdict(duty), Verdict::NotExercised);
    }
    assert!(matches!(report.verdict(Duty::SameMemory), Verdict::Holds(_)));
}

/// A wrong backend breaks what is said, and each scenario in the report is one.
#[track_caller]
fn check_wrong(name: &str, report: &Report, expected: &[Duty]) -> BTreeSet<Duty> {
    let broken: BTreeSet<Duty> = report.broken().map(|(duty, _)| duty).collect();
    assert_eq!(broken, expected.iter().copied().collect(), "{name}: {report}");
    for scenario in broken.iter().filter_map(|duty| report.scenario(*duty)) {
        assert!(!parse(&scenario).steps.is_empty());
    }
    broken
}

/// Tests a backend with each mistake; returns every duty that was broken.
macro_rules! check_mistakes {
    ($backend:ident in $module:ident: $($mistake:ident => [$($duty:ident),*];)*) => {{
        let right = check::<$backend<{ $module::NONE }>>();
        assert!(right.holds(), "{right}");
        let mut broken = BTreeSet::new();
        $(broken.append(&mut check_wrong(
            stringify!($mistake),
            &check::<$backend<{ $module::$mistake }>>(),
            &[$(Duty::$duty),*],
        ));)*
        broken
    }};
}

#[test]
fn every_mistake_is_found_and_every_duty_can_be_broken() {
    let mut broken = check_mistakes! { Fence in fence:
        FORGETS_DEFER => [PendingAgrees];
        NEVER_COMPLETES => [Completes];
        COMPLETES_EARLY => [EffectPerCompletion];
        COMPLETES_WITHOUT_EFFECT => [EffectPerCompletion];
        DEFERS_IN_INTERRUPT => [DefersInSections];
        DEFERS_IN_PAUSE => [DefersInSections];
        OVERRIDES_SET_PTE_ONLY => [InstallsAlike, DefersAsDeclared];
        FORGETS_TLB_INVALIDATE => [Invalidates];
        FORGETS_PREEMPT_DISABLE => [NoHazard];
        LOSES_THE_BATCH => [PendingAgrees];
        WRITES_LATE => [WritesFirst];
        SAYS_NOTHING => [PendingAgrees];
        LISTS_NO_EFFECT => [EffectsListed];
        WRITES_ONE => [SameMemory];
        RETURNS_THE_NEW_ENTRY => [SameResults];
        LEAVES_PREEMPTION_OFF => [PreemptBalanced];
        COUNTS_FLUSHES => [FlushTwice];
        BUG_WHEN_NESTED => [NoBug];
        DECLARES_NOTHING => [DefersAsDeclared];
        NEVER_DEFERS => [DefersAsDeclared];
        NO_FENCE_IN_SECTIONS => [ActsOrDefers, DefersAsDeclared];
        REMEMBERS_A_MODE => [ModeAsDeclared];
    };
    broken.append(&mut check_mistakes! { Queue in queue:
        FORGETS_DEFER => [PendingAgrees];
        COMPLETES_BEFORE_IT_WRITES => [WritesFirst];
        DROPS_THE_LAST => [SameMemory];
        KEEPS_THE_QUEUE => [Completes];
        FORGETS_THE_QUEUE => [SameMemory];
        READS_THE_QUEUE => [GetIsRead];
    });
    assert_eq!(broken, Duty::ALL.into(), "a duty that nothing breaks is none");
}

#[test]
fn a_report_shows_the_shortest_sequence() {
    let report = check::<Fence<{ fence::LOSES_THE_BATCH }>>();
    let text: Vec<_> = report.to_string().lines().take(11).map(str::to_owned).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    fence: 1 of 18 duties broken; 7611 sequences on v7.1

    pending-agrees is broken: pending() says that work is outstanding exactly where defer() was called and complete() was not
    on v7.1, at the end of

        A@cpu0: enable
        A@cpu0:     set_pte_at 0xffff800008000000
        A@cpu1:     run

    found:    0xffff800008000000 is pending, pending() says nothing
    expected: pending() says how much
    ");
}
