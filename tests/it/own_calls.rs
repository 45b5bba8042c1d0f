//! Calls and hooks of a design's own: in scenarios, records, checks and proofs, and where they are
//! declared wrongly.

use emu_arch::hazard::Hazard;
use emu_arch::{Arch, Kernel};
use emu_check::check::{Options, Property, check, nobody};
use emu_check::prove::{Compare, Language, Question, Verdict, prove, text};
use emu_lab::compare::{compare, text as table};
use emu_lab::scenario::{self, Setup, Where};
use lazy_mmu::design::*;
use lazy_mmu::{pgtable, record_hooks, sched};

use crate::support::parse;

/// Declares a design with the counters of the merged one, and what else it has.
macro_rules! design {
    ($State:ident, $id:literal, $($item:item)*) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        struct $State(counts::State);

        impl LazyMmuState for $State {
            fn pack(self) -> StateBits {
                self.0.pack()
            }
            fn unpack(bits: StateBits) -> Self {
                Self(LazyMmuState::unpack(bits))
            }
            fn fields(self) -> Fields {
                self.0.fields()
            }
        }

        impl LazyMmuDesign for $State {
            const ID: &'static str = $id;
            const ABOUT: &'static str = "a design of this test";
            fn enable(self, cx: Context) -> Effects<Self> {
                self.0.enable(cx).map(Self)
            }
            fn disable(self, cx: Context) -> Effects<Self> {
                self.0.disable(cx).map(Self)
            }
            fn pause(self, cx: Context) -> Effects<Self> {
                self.0.pause(cx).map(Self)
            }
            fn resume(self, cx: Context) -> Effects<Self> {
                self.0.resume(cx).map(Self)
            }
            fn is_active(self, cx: Context) -> bool {
                self.0.is_active(cx)
            }
            $($item)*
        }
    };
}

const ENABLE: CallInfo = CallInfo::ENABLE;
const DISABLE: CallInfo = CallInfo::DISABLE;
const PAUSE: CallInfo = CallInfo::PAUSE;
const RESUME: CallInfo = CallInfo::RESUME;
const ENTER: HookInfo = HookInfo::ENTER;
const LEAVE: HookInfo = HookInfo::LEAVE;
const FLUSH: HookInfo = HookInfo::FLUSH;

const TRY: CallInfo = ENABLE.variant("lazy_mmu_mode_enable_once", "enable_once");
const PEEK: CallInfo = CallInfo::new("lazy_mmu_mode_peek_at", "peek_at").taking(Takes::Page);
const HINT: HookInfo = HookInfo::new("arch_peek_lazy_mmu_mode", "arch_peek()");

design! { Peeking, "peeking",
    const CALLS: &'static [CallInfo] = &[ENABLE, DISABLE, PAUSE, RESUME, TRY, PEEK];
    const HOOKS: &'static [HookInfo] = &[ENTER, LEAVE, FLUSH, HINT];

    fn own_call(self, cx: Context, call: Call) -> Effects<Self> {
        if call == PEEK.call { Effects::of([hook_if(true, HINT.hook)]) } else { self.enable(cx) }
    }
}

const DROP: CallInfo = CallInfo::new("lazy_mmu_mode_drop_batch", "drop_batch");

design! { Dropping, "dropping",
    const CALLS: &'static [CallInfo] = &[ENABLE, DISABLE, PAUSE, RESUME, DROP];

    /// Leaves and keeps the section open: nothing flushes what comes after.
    fn own_call(self, _: Context, _: Call) -> Effects<Self> {
        Effects::of([hook_if(self.0.is_active(Context::default()), Hook::LEAVE)])
    }
}

fn peeking() -> Design {
    let design = Design::of::<Peeking>();
    register(design).expect("names of its own");
    design
}

fn record(design: Design, text: &str) -> String {
    scenario::run(&parse(text), Setup::from(design)).record.to_string()
}

#[test]
fn scenarios_have_the_words_of_registered_designs() {
    let design = peeking();
    let text = "enable_once\n    peek_at 0xffff800008000000\ndisable\n";
    insta::assert_snapshot!(record(design, text), @"
    lazy_mmu_mode_enable_once()         -> arch_enter()  enable=1 pause=0
        lazy_mmu_mode_peek_at()         -> arch_peek()   enable=1 pause=0
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
    enable=0 pause=0, nothing pending
    ");
    // A variant is what it varies; a call that is none does nothing, which a record remarks on.
    insta::assert_snapshot!(record(Design::default(), text), @"
    lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
    # counts has no lazy_mmu_mode_peek_at()
    lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
    enable=0 pause=0, nothing pending
    ");
    let scenario = parse(&format!("bad: naive v7.0 peeking\n---\n{text}"));
    let run =
        Where { arch: Arch::NAIVE, kernel: Kernel::V7_0, design: Some(design), mended: false };
    assert_eq!(scenario.bad, [run]);
    let shown: Vec<_> = scenario.steps.iter().map(|line| line.step.to_string()).collect();
    assert_eq!(parse(&shown.join("\n")).steps, parse(text).steps);
    let by_name = text.replace("enable_once", "lazy_mmu_mode_enable_once()");
    assert_eq!(parse(&by_name).steps, parse(text).steps);
    let error = scenario::parse("peek_at").expect_err("a page is missing");
    assert!(error.to_string().contains("expected an address after peek_at"), "{error}");
    // What arch code calls is no word.
    assert!(scenario::parse("__task_lazy_mmu_mode_pause").is_err());
}

#[test]
fn every_machine_answers_a_call_of_a_designs_own() {
    let design = peeking();
    let scenario =
        parse("enable_once\nset_pte_at 0xffff800008000000\npeek_at 0xffff800008000000\ndisable");
    for (arch, kernel) in Arch::all().map(|arch| (arch, arch.default_kernel())) {
        for design in [design, Design::default()] {
            let setup = Setup { arch, kernel, ..Setup::from(design) };
            let machine = scenario::run(&scenario, setup).record;
            assert_eq!(
                machine,
                emu_lab::scenario::run_replayed(&scenario, setup),
                "{arch:?} {design:?}"
            );
        }
    }
}

#[test]
fn comparisons_count_hooks_of_a_designs_own() {
    let setups = [peeking(), Design::default()].map(Setup::from);
    let scenario = parse("enable\n  peek_at 0x7f0000000000\ndisable");
    let table = table::plain(&compare(&scenario, &setups));
    let peek = table.lines().find(|line| line.starts_with("arch_peek()")).expect("a row");
    assert_eq!(peek.split('|').map(str::trim).collect::<Vec<_>>(), ["arch_peek()", "1", "0"]);
}

#[test]
fn arch_code_calls_a_design_that_lacks_the_call() {
    let task_forms = |design| {
        let calls = || {
            lazy_mmu::lazy_mmu_mode_enable();
            sched::hardirq_enter();
            pgtable::task_lazy_mmu_mode_pause();
            pgtable::task_lazy_mmu_mode_resume();
            sched::hardirq_exit();
            lazy_mmu::lazy_mmu_mode_disable();
        };
        sched::with_design(design, || record_hooks(calls)).1
    };
    let lacks = task_forms(Design::default());
    let has = task_forms(Design::of::<counts_task::State>());
    let hooks = [Hook::ENTER, Hook::LEAVE, Hook::ENTER, Hook::LEAVE];
    assert_eq!(lacks.hooks().collect::<Vec<_>>(), hooks);
    assert_eq!(lacks.to_string(), has.to_string());
}

#[test]
fn the_checker_makes_calls_of_a_designs_own() {
    register(Design::of::<Dropping>()).expect("names of its own");
    let options = |design| Options {
        design,
        nesting: 1,
        interrupts: false,
        preemption: false,
        tasks: 1,
        ..Options::new(Arch::ARM64, Kernel::V7_0)
    };
    let good = check(&options(peeking()), &mut nobody());
    assert!(!good.is_violated(), "{:?}", good.broken);
    let plain = check(&options(Design::default()), &mut nobody());
    assert!(good.transitions > plain.transitions, "the calls of its own are made");
    let bad = check(&options(Design::of::<Dropping>()), &mut nobody());
    let found = bad.of(Property::HooksAlternate).next().expect("leave and leave");
    let text = found.scenario.as_deref().expect("a scenario has such calls");
    assert!(
        text.contains("bad: arm64 v7.0 dropping\n") && text.contains("A: drop_batch\n"),
        "{text}"
    );
    let again = parse(text);
    let outcome = scenario::run(&again, Setup::from(again.bad[0]));
    assert_eq!(outcome.record.hooks().filter(|hook| *hook == Hook::LEAVE).count(), 2);
    assert!(!outcome.hazards.iter().any(|found| found.hazard == Hazard::ArchBug));
}

#[test]
fn a_proof_takes_the_calls_of_both_designs() {
    let question = Question::of::<counts::State, Peeking>();
    let answer = prove(&Question { language: Language::Any, ..question });
    let Verdict::Distinguished(witness) = &answer.verdict else { panic!("{}", text(&answer)) };
    assert_eq!(witness.len(), 1, "a hook that stands for none of the kernel's");
    let alone = Question { own_calls: false, compare: Compare::Effects, ..question };
    assert_eq!(prove(&alone).verdict, Verdict::Equivalent);
    // A variant of a call and of a hook is what an architecture without it makes of it.
    let variants = Question::of::<counts::State, with_ptes::State>();
    for language in Language::ALL {
        let variants = Question { language, compare: Compare::Effects, irq: true, ..variants };
        let answer = prove(&variants);
        assert_eq!(answer.verdict, Verdict::Equivalent, "{}", text(&answer));
    }
}

lazy_mmu::lazy_mmu_state! { struct Partial { depth: u8 = "depth", pauses: u8 = "pauses" } }

impl LazyMmuDesign for Partial {
    const ID: &'static str = "partial";
    const ABOUT: &'static str = "checks nothing, and panics where a counter would wrap";

    fn enable(self, _: Context) -> Effects<Self> {
        let more = Self { depth: plus_one(self.depth), ..self };
        Effects::of([store(more), hook_if(self.depth == 0 && self.pauses == 0, Hook::ENTER)])
    }
    fn disable(self, _: Context) -> Effects<Self> {
        let depth = self.depth.checked_sub(1).expect("attempt to subtract with overflow");
        let hook = if depth == 0 { Hook::LEAVE } else { Hook::FLUSH };
        Effects::of([store(Self { depth, ..self }), hook_if(self.pauses == 0, hook)])
    }
    fn pause(self, _: Context) -> Effects<Self> {
        let more = Self { pauses: plus_one(self.pauses), ..self };
        Effects::of([store(more), hook_if(self.depth > 0 && self.pauses == 0, Hook::LEAVE)])
    }
    fn resume(self, _: Context) -> Effects<Self> {
        let pauses = self.pauses.checked_sub(1).expect("attempt to subtract with overflow");
        Effects::of([
            store(Self { pauses, ..self }),
            hook_if(self.depth > 0 && pauses == 0, Hook::ENTER),
        ])
    }
    fn is_active(self, _: Context) -> bool {
        self.depth > 0 && self.pauses == 0
    }
}

fn plus_one(count: u8) -> u8 {
    count.checked_add(1).expect("attempt to add with overflow")
}

#[test]
fn a_proof_asks_for_what_the_language_makes_and_names_a_panic() {
    let question = Question::of::<Partial, counts::State>();
    let shallow = Question { language: Language::A, nesting: Some(255), ..question };
    assert_eq!(prove(&shallow).verdict, Verdict::Equivalent);
    let panics = |question: &Question| match prove(question).verdict {
        Verdict::Panics(panic) => panic.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        panics(&Question { language: Language::A, ..question }),
        "design partial panics in lazy_mmu_mode_enable() from depth=255 pauses=0: \
         attempt to add with overflow"
    );
    let given_up = Question { language: Language::Any, ..question };
    let same = Question { designs: [question.designs[0]; 2], ..given_up };
    assert_eq!(
        panics(&same),
        "design partial panics in lazy_mmu_mode_disable() from depth=0 pauses=0: \
         attempt to subtract with overflow"
    );
    let answer = prove(&same);
    assert!(
        text(&answer).starts_with("partial and partial cannot be compared\n"),
        "{}",
        text(&answer)
    );
    let error = Design::of::<Partial>().try_step(StateBits(0), Context::default(), Call::RESUME);
    assert_eq!(error.expect_err("nothing is paused").call, Call::RESUME);
}

design! { Undeclared, "undeclared",
    const CALLS: &'static [CallInfo] = &[ENABLE, DISABLE, PAUSE, RESUME, DROP];

    fn own_call(self, _: Context, _: Call) -> Effects<Self> {
        Effects::of([hook_if(true, Hook::named("arch_nothing"))])
    }
}

#[test]
#[should_panic(expected = "design undeclared does not declare the hook hook-")]
fn a_hook_must_be_declared() {
    sched::with_design(Design::of::<Undeclared>(), || pgtable::call(DROP.call));
}

design! { SecondId, "counts", }

design! { SecondWord, "second-word",
    const CALLS: &'static [CallInfo] = &[ENABLE, DISABLE, PAUSE, RESUME, {
        CallInfo::PAUSE.variant("lazy_mmu_mode_peep", "enable_with_ptes")
    }];
}

design! { SecondHook, "second-hook",
    const HOOKS: &'static [HookInfo] = &[ENTER, LEAVE, FLUSH, {
        HookInfo::LEAVE.variant("arch_enter_lazy_mmu_mode_with_ptes", "arch_other()")
    }];
}

#[test]
fn a_name_means_one_thing() {
    let error = |design| register(design).expect_err("a name that is taken").to_string();
    assert_eq!(error(Design::of::<SecondId>()), "another design has the id counts");
    assert_eq!(
        error(Design::of::<SecondWord>()),
        "the call enable_with_ptes is something else in the design with-ptes"
    );
    assert_eq!(
        error(Design::of::<SecondHook>()),
        "the hook arch_enter_lazy_mmu_mode_with_ptes is something else in the design with-ptes"
    );
    assert!(Design::by_id("second-word").is_none() && Design::by_id("peeping").is_none());
    register(Design::default()).expect("a design of the lab is known");
    assert_eq!((register(peeking()), Design::by_id("peeking")), (Ok(()), Some(peeking())));
    assert_eq!(calls().filter(|info| info.call == PEEK.call).count(), 1, "each call once");
    assert_eq!(hooks().filter(|info| info.hook == Hook::ENTER).count(), 1, "each hook once");
}
