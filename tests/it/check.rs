//! The checker: exact counts, the Xen PV crash of v7.0, and counterexamples that scenarios replay.

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use emu_check::check::{
    Claims, End, Options, Pages, Property, Report, Watch, check, check_programs, json, nobody, text,
};
use emu_lab::scenario::{self, Setup, Where};

use crate::support::{files, parse, read};

fn run(options: &Options) -> Report {
    check(options, &mut nobody())
}

#[track_caller]
fn check_counts(options: &Options, states: usize, transitions: u64, depth: u32) {
    let report = run(options);
    assert_eq!((report.states, report.transitions, report.depth), (states, transitions, depth));
    assert!(report.is_exhaustive());
}

/// One task, calls alone, nothing falls in.
fn calls(arch: Arch, kernel: Kernel) -> Options {
    Options {
        tasks: 1,
        pages: Pages::None,
        interrupts: false,
        preemption: false,
        ..Options::new(arch, kernel)
    }
}

#[test]
fn counts_are_exact() {
    // Brackets are a word of at most two letters, section or pause: 1 + 2 + 4. Each of the three
    // that have room opens two ways, each of the six that are not empty closes one way.
    check_counts(&calls(Arch::NAIVE, Kernel::V7_1), 7, 12, 2);
    // Words of at most eight letters.
    let deep = Options { nesting: 8, ..calls(Arch::NAIVE, Kernel::V7_1) };
    check_counts(&deep, 511, 2 * 255 + 510, 8);
}

#[test]
fn the_same_search_twice_is_the_same() {
    for (arch, kernel) in [(Arch::XEN_PV, Kernel::V7_0), (Arch::SPARC64, Kernel::V6_14)] {
        let usual = Options { nesting: 1, ..Options::new(arch, kernel) };
        let options = Options { max_states: 50_000, ..usual };
        let shown = |report: Report| (text(&report), json(&report), format!("{report:?}"));
        let [one, two] = [run(&options), run(&options)].map(shown);
        assert!(one.0.contains("is broken"), "{}", one.0);
        assert_eq!(one, two);
    }
}

#[test]
fn the_crash_of_v7_0_is_found_on_both_sides_of_the_section() {
    let options = Options { nesting: 1, ..Options::new(Arch::XEN_PV, Kernel::V7_0) };
    let report = run(&options);
    assert!(report.is_exhaustive());
    let found: Vec<_> = report.of(Property::No(Hazard::ArchBug)).collect();
    let shape: Vec<_> = found.iter().map(|found| (found.detail, found.moves, found.cost)).collect();
    assert_eq!(
        shape,
        [
            ("this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE", 5, 2),
            ("this_cpu_read(xen_lazy_mode) != mode", 8, 2)
        ]
    );
    insta::assert_snapshot!(found[0].record, @"
    0 A  lazy_mmu_mode_enable()         -> ...
    0 A      switch to B                -> ø
    0 B  switch to A                    -> xen_lazy_mode=XEN_LAZY_MMU
    0 A  ... lazy_mmu_mode_enable()     -> arch_enter()  enable=1 pause=0
                                           BUG: BUG_ON(this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE)
    ");
    insta::assert_snapshot!(found[1].scenario.as_deref().unwrap(), @"
    what: no-arch-bug does not hold: this_cpu_read(xen_lazy_mode) != mode
    from: lazymmu check --arch xen-pv --kernel v7.0 --nesting 1
    bad: xen-pv v7.0
    ---
    A: enable
    A: disable before arch_leave {
        B: run
    }
    expect hazard arch-bug
    ");
    for kernel in [Kernel::V7_1, Kernel::V7_2] {
        let report = run(&Options { kernel, design: kernel.design(), ..options.clone() });
        assert!(report.is_exhaustive(), "{kernel:?}");
        assert_eq!(report.of(Property::No(Hazard::ArchBug)).count(), 0, "{kernel:?}");
    }
}

/// Every counterexample with a scenario shows its hazard when the scenario runs on the machine.
#[test]
fn scenarios_replay_what_was_found() {
    let mut replayed = 0;
    let pairs = [
        (Arch::ARM64, Kernel::V6_16),
        (Arch::POWERPC_HASH, Kernel::V6_0),
        (Arch::SPARC64, Kernel::V6_14),
        (Arch::SPARC64, Kernel::V6_19),
        (Arch::XEN_PV, Kernel::V6_14),
        (Arch::XEN_PV, Kernel::V7_0),
        (Arch::XEN_PV, Kernel::V7_2),
    ];
    for (arch, kernel) in pairs {
        let options =
            Options { interrupt_steps: 2, max_states: 100_000, ..Options::new(arch, kernel) };
        for found in run(&options).broken {
            let Some(text) = &found.scenario else { continue };
            let scenario = parse(text);
            let outcome = scenario::run(
                &scenario,
                Setup::from(Where { arch, kernel, design: None, mended: false }),
            );
            assert_eq!((outcome.unmet, outcome.unexpected), (vec![], vec![]), "{text}");
            if let Some(hazard) = found.property.hazard() {
                assert!(outcome.hazards.iter().any(|found| found.hazard == hazard), "{text}");
                replayed += 1;
            }
        }
    }
    assert!(replayed > 5, "only {replayed}");
}

#[test]
fn programs_meet_in_every_way() {
    let scenario = parse(
        "A: enable\nA: set_pte_at 0xffff800008000000 pfn=0x10\nA: disable\n\
         B: enable\nB: disable\nhardirq {\n    set_pte_at 0xffff800008001000 pfn=0x11\n}\n",
    );
    let crash = |kernel| {
        let report = check_programs(&scenario, &Options::new(Arch::XEN_PV, kernel), &mut nobody())
            .expect("programs");
        assert!(report.is_exhaustive());
        (report.states, report.of(Property::No(Hazard::ArchBug)).map(|found| found.moves).min())
    };
    assert_eq!(crash(Kernel::V7_0).1, Some(5));
    assert_eq!(crash(Kernel::V7_1).1, None);
}

#[test]
fn limits_end_a_search_and_say_so() {
    struct Once;
    impl Watch for Once {
        fn go_on(&mut self, _: usize, _: u32) -> bool {
            false
        }
    }
    let options = Options { max_states: 100, ..Options::new(Arch::XEN_PV, Kernel::V7_1) };
    let report = run(&options);
    assert_eq!(report.end, End::States);
    assert!(!report.is_exhaustive() && report.scope().contains("gave up"));
    let report = check(&Options::new(Arch::XEN_PV, Kernel::V7_1), &mut Once);
    assert_eq!(report.end, End::Interrupted);
    let options = Options { max_memory: 1000, ..Options::new(Arch::XEN_PV, Kernel::V7_1) };
    assert_eq!(run(&options).end, End::Memory);
}

#[test]
fn migration_and_fork_break_nothing_since_v7_1_but_on_xen_pv_since_v7_2() {
    for arch in Arch::all() {
        for kernel in [Kernel::V7_1, Kernel::V7_2, Kernel::V7_3, Kernel::S390V6] {
            if arch.is_in(kernel).is_err() {
                continue;
            }
            let usual = Options { nesting: 1, interrupts: false, ..Options::new(arch, kernel) };
            for (cpus, fork) in [(1, true), (2, false), (2, true)] {
                let report = run(&Options { cpus, fork, ..usual.clone() });
                let mut broken: Vec<_> = report.broken.iter().map(|found| found.property).collect();
                broken.dedup();
                // A fork is resumed without having been paused: review F1, fidelity 1.
                let allowed: &[Property] = match (arch == Arch::XEN_PV, kernel, fork) {
                    (true, Kernel::V7_2 | Kernel::V7_3, false) => &[Property::HooksAlternate],
                    (true, Kernel::V7_2 | Kernel::V7_3, true) => &[
                        Property::HooksAlternate,
                        Property::No(Hazard::ApiWarning),
                        Property::No(Hazard::SectionAtExit),
                    ],
                    _ => &[],
                };
                assert!(report.is_exhaustive(), "{arch:?} {kernel:?}");
                assert_eq!(broken, allowed, "{arch:?} {kernel:?} {cpus} {fork}");
            }
        }
    }
}

#[test]
fn programs_that_no_search_can_make_are_refused() {
    let refused = |text| {
        let options = Options::new(Arch::ARM64, Kernel::V7_1);
        check_programs(&parse(text), &options, &mut nobody()).err().map(|refused| refused.line)
    };
    assert_eq!(refused("A: enable\nD: disable"), Some(2));
    assert_eq!(refused("A: fork B"), Some(1));
    assert_eq!(refused("A: enable\nA: schedule"), Some(2));
    assert_eq!(refused("A: mutex_lock\nB: mutex_lock"), Some(1));
    assert_eq!(refused("A: hardirq_enter\nB: enable\nA: hardirq_exit"), Some(2));
    assert_eq!(refused("A: enable\nA: disable"), None);
}

/// The programs of the corpus, in every interleaving, show what their scenarios expect and no more.
#[test]
fn the_corpus_is_as_its_scenarios_claim_in_every_interleaving() {
    // Lines for which the search has no move: `run` alone looks at these scenarios.
    let refused = [
        "dirty-after-unlock",
        "flush-after-unlock",
        "fork-gup-fast",
        "hash-batch-overflow",
        "mremap-unlock",
        "protect-after-unlock",
        "reclaim-flush",
        "replaced-in-race",
        "schedule-in-section",
        "sparc64-batch-overflow",
        "unlock-in-section",
        "xen-fork-resumes-unpaused",
    ];
    for path in files("scenarios/bugs", ".scn") {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let scenario = parse(&read(&path));
        for run in scenario.bad.iter().chain(&scenario.good) {
            let setup = Setup::from(*run);
            let code = scenario.code(setup.mended);
            let design = setup.design;
            let options = Options { design, ..Options::new(setup.arch, setup.kernel) };
            let at = format!("{name} on {} {}", setup.arch, setup.kernel);
            let report = check_programs(code, &options, &mut nobody());
            assert_eq!(report.is_err(), refused.contains(&name.as_str()), "{at}");
            let Ok(report) = report else { continue };
            let claims = Claims::of(&scenario, setup);
            assert!(report.is_exhaustive(), "{at}");
            assert_eq!(claims.missing(&report), [], "{at}");
            let mut unexpected = claims.unexpected(&report).into_iter();
            let unexpected =
                unexpected.find(|found| !is_of_another_moment(&name, &setup, found.property));
            assert_eq!(unexpected.map(|found| found.property), None, "{at}");
        }
    }
}

/// Whether a property breaks for reasons that the scenario, which has one order of lines, does not
/// speak of.
fn is_of_another_moment(name: &str, setup: &Setup, property: Property) -> bool {
    let Property::No(hazard) = property else { return false };
    match hazard {
        // Xen PV of v7.0 crashes where another task runs inside of a call.
        Hazard::ArchBug => (setup.arch, setup.kernel) == (Arch::XEN_PV, Kernel::V7_0),
        // What an interrupt adds to a batch is lost where it arrives in a join or in a flush.
        Hazard::LostInvalidation => setup.kernel < Kernel::V7_0,
        // B reads while the store of `set_pmd()` is on its way to the hypervisor.
        Hazard::AccessPendingStore => name == "freed-table",
        _ => false,
    }
}

/// A claim that no interleaving meets, and a hazard that no line expects.
#[test]
fn claims_that_do_not_hold_are_told() {
    let setup = Setup { arch: Arch::ARM64, kernel: Kernel::V7_1, ..Setup::default() };
    let claims = |text: &str| {
        let scenario = parse(text);
        let options = Options::new(setup.arch, setup.kernel);
        let report = check_programs(&scenario, &options, &mut nobody()).expect("programs");
        let claims = Claims::of(&scenario, setup);
        (claims.missing(&report), claims.unexpected(&report).len())
    };
    let exit = "A: enable\nA: exit\n";
    let missing = [(Hazard::StaleRead, 3)];
    assert_eq!(claims(&format!("{exit}expect hazard section-at-exit\n")), (vec![], 0));
    assert_eq!(claims(&format!("{exit}expect none\n")), (vec![], 1));
    assert_eq!(claims(&format!("{exit}expect hazard stale-read\n")), (missing.to_vec(), 1));
}
