//! Mutants of the merged design: each changes one line, and each is distinguished or known to be
//! the same.
//!
//! A transition is five lines: when the call is ignored, when a check fires, how the state moves,
//! which hook is called, and the order of the last two. They are data, so that a mutant is one of
//! them.

use emu_check::prove::{Compare, Language, Question, STATES_MAX, Verdict, prove};
use lazy_mmu::design::counts::State;
use lazy_mmu::design::*;

use super::sequence;

/// The order of effects.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    WarnStoreHook,
    WarnHookStore,
    StoreWarnHook,
}

/// One transition, line by line.
#[derive(Clone, Copy)]
struct Lines {
    ignored: fn(State, Context) -> bool,
    warns: fn(State) -> Option<Warn>,
    moves: fn(State) -> State,
    /// The hook by the state before and after.
    hook: fn(State, State) -> Option<Hook>,
    order: Order,
}

#[derive(Clone, Copy)]
struct Rules {
    enable: Lines,
    disable: Lines,
    pause: Lines,
    resume: Lines,
    active: fn(State, Context) -> bool,
}

const fn cond(fires: bool, cond: &'static str) -> Option<Warn> {
    if fires { Some(Warn::once(cond)) } else { None }
}

const fn hook(calls: bool, hook: Hook) -> Option<Hook> {
    if calls { Some(hook) } else { None }
}

fn enabled(state: State, by: i8) -> State {
    State { enable_count: state.enable_count.wrapping_add_signed(by), ..state }
}

fn paused(state: State, by: i8) -> State {
    State { pause_count: state.pause_count.wrapping_add_signed(by), ..state }
}

/// The merged design in lines.
const COUNTS: Rules = Rules {
    enable: Lines {
        ignored: |s, cx| cx.in_interrupt || s.pause_count > 0,
        warns: |s| cond(s.enable_count == u8::MAX, "state->enable_count == U8_MAX"),
        moves: |s| enabled(s, 1),
        hook: |old, _| hook(old.enable_count == 0, Hook::ENTER),
        order: Order::WarnStoreHook,
    },
    disable: Lines {
        ignored: |s, cx| cx.in_interrupt || s.pause_count > 0,
        warns: |s| cond(s.enable_count == 0, "state->enable_count == 0"),
        moves: |s| enabled(s, -1),
        hook: |_, new| Some(if new.enable_count == 0 { Hook::LEAVE } else { Hook::FLUSH }),
        order: Order::WarnStoreHook,
    },
    pause: Lines {
        ignored: |_, cx| cx.in_interrupt,
        warns: |s| cond(s.pause_count == u8::MAX, "state->pause_count == U8_MAX"),
        moves: |s| paused(s, 1),
        hook: |old, _| hook(old.pause_count == 0 && old.enable_count > 0, Hook::LEAVE),
        order: Order::WarnStoreHook,
    },
    resume: Lines {
        ignored: |_, cx| cx.in_interrupt,
        warns: |s| cond(s.pause_count == 0, "state->pause_count == 0"),
        moves: |s| paused(s, -1),
        hook: |_, new| hook(new.pause_count == 0 && new.enable_count > 0, Hook::ENTER),
        order: Order::WarnStoreHook,
    },
    active: |s, cx| !cx.in_interrupt && s.enable_count > 0 && s.pause_count == 0,
};

/// What becomes of a mutant.
enum Fate {
    /// The shortest sequence that distinguishes it.
    Found(&'static str),
    /// No sequence does, and why.
    Same(&'static str),
}

use Fate::{Found, Same};

struct Mutant {
    line: &'static str,
    rules: Rules,
    fate: Fate,
}

macro_rules! mutants {
    ($($call:ident.$line:ident = $to:expr => $fate:expr,)*) => {
        [$(Mutant {
            line: concat!(stringify!($call), ".", stringify!($line), " = ", stringify!($to)),
            rules: Rules { $call: Lines { $line: $to, ..COUNTS.$call }, ..COUNTS },
            fate: $fate,
        },)*]
    };
}

const CALLS: [Mutant; 42] = mutants! {
    enable.ignored = |s, _| s.pause_count > 0 => Found("(e"),
    enable.ignored = |_, cx| cx.in_interrupt => Found("pe"),
    enable.ignored = |s, cx| cx.in_interrupt || s.pause_count > 1 => Found("pe"),
    enable.ignored = |s, cx| cx.in_interrupt || s.enable_count > 0 => Found("de"),
    enable.warns = |_| None => Found("de"),
    enable.warns = |s| cond(s.enable_count == u8::MAX - 1, "state->enable_count == U8_MAX") => Found("de"),
    enable.warns = |s| cond(s.enable_count == 0, "state->enable_count == 0") => Found("e"),
    enable.warns = |s| cond(s.enable_count == u8::MAX, "state->pause_count == U8_MAX") => Found("de"),
    enable.moves = |s| s => Found("e"),
    enable.moves = |s| enabled(s, 2) => Found("ed"),
    enable.moves = |s| State { enable_count: s.enable_count.saturating_add(1), ..s } => Found("de"),
    enable.hook = |_, new| hook(new.enable_count == 1, Hook::ENTER)
        => Same("one more is 1 if and only if it was 0, also where it wraps"),
    enable.hook = |old, _| hook(old.enable_count == 1, Hook::ENTER) => Found("e"),
    enable.hook = |_, _| Some(Hook::ENTER) => Found("ee"),
    enable.hook = |_, _| None => Found("e"),
    enable.hook = |old, _| hook(old.enable_count == 0, Hook::FLUSH) => Found("e"),
    enable.order = Order::WarnHookStore => Found("e"),
    enable.order = Order::StoreWarnHook => Found("de"),
    disable.ignored = |s, _| s.pause_count > 0 => Found("(d"),
    disable.ignored = |_, cx| cx.in_interrupt => Found("pd"),
    disable.warns = |_| None => Found("d"),
    disable.warns = |s| cond(s.enable_count == 1, "state->enable_count == 0") => Found("d"),
    disable.moves = |s| State { enable_count: s.enable_count.saturating_sub(1), ..s }
        => Found("d"),
    disable.hook = |old, _| Some(if old.enable_count == 0 { Hook::LEAVE } else { Hook::FLUSH })
        => Found("d"),
    disable.hook = |_, new| hook(new.enable_count == 0, Hook::LEAVE) => Found("d"),
    disable.hook = |_, new| hook(new.enable_count > 0, Hook::FLUSH) => Found("ed"),
    disable.hook = |old, _| Some(if old.enable_count == 1 { Hook::LEAVE } else { Hook::FLUSH })
        => Same("one less is 0 if and only if it was 1"),
    disable.order = Order::WarnHookStore => Found("d"),
    disable.order = Order::StoreWarnHook => Found("d"),
    pause.ignored = |_, _| false => Found("e(p"),
    pause.ignored = |s, cx| cx.in_interrupt || s.pause_count > 0 => Found("rp"),
    pause.ignored = |s, cx| cx.in_interrupt || s.enable_count == 0 => Found("pe"),
    pause.warns = |_| None => Found("rp"),
    pause.moves = |s| State { pause_count: s.pause_count.saturating_add(1), ..s } => Found("erp"),
    pause.hook = |old, _| hook(old.pause_count == 0, Hook::LEAVE) => Found("p"),
    pause.hook = |old, _| hook(old.enable_count > 0, Hook::LEAVE) => Found("epp"),
    pause.hook = |_, new| hook(new.pause_count == 1 && new.enable_count > 0, Hook::LEAVE)
        => Same("one more is 1 if and only if it was 0, and the other counter stays"),
    pause.order = Order::WarnHookStore => Found("ep"),
    resume.warns = |s| cond(s.pause_count == 1, "state->pause_count == 0") => Found("r"),
    resume.hook = |_, new| hook(new.pause_count == 0, Hook::ENTER) => Found("pr"),
    resume.hook = |_, new| hook(new.enable_count > 0, Hook::ENTER) => Found("er"),
    resume.order = Order::WarnHookStore => Found("epr"),
};

macro_rules! active {
    ($($to:expr => $fate:expr,)*) => {
        [$(Mutant {
            line: concat!("active = ", stringify!($to)),
            rules: Rules { active: $to, ..COUNTS },
            fate: $fate,
        },)*]
    };
}

const ACTIVE: [Mutant; 6] = active! {
    |s, _| s.enable_count > 0 && s.pause_count == 0 => Found("e("),
    |s, cx| !cx.in_interrupt && s.enable_count > 0 => Found("ep"),
    |s, cx| !cx.in_interrupt && s.pause_count == 0 => Found(""),
    |s, cx| !cx.in_interrupt && s.enable_count > 1 && s.pause_count == 0 => Found("e"),
    |s, cx| !cx.in_interrupt && s.enable_count > 0 && s.pause_count < 2 => Found("ep"),
    |s, cx| !cx.in_interrupt && s.enable_count >= 1 && s.pause_count == 0
        => Same("a whole number above 0 is at least 1"),
};

/// The mutant with a number: those of the calls, those of the active bit, and the design as it is.
static MUTANTS: [&[Mutant]; 2] = [&CALLS, &ACTIVE];

const fn rules(number: usize) -> &'static Rules {
    let [calls, active] = MUTANTS;
    if number < calls.len() {
        &calls[number].rules
    } else if number < calls.len() + active.len() {
        &active[number - calls.len()].rules
    } else {
        &COUNTS
    }
}

/// The design with the rules of mutant `N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Mutated<const N: usize>(State);

impl<const N: usize> LazyMmuState for Mutated<N> {
    fn pack(self) -> StateBits {
        self.0.pack()
    }
    fn unpack(bits: StateBits) -> Self {
        Self(State::unpack(bits))
    }
    fn fields(self) -> Fields {
        self.0.fields()
    }
}

fn effects<const N: usize>(lines: &Lines, state: State, cx: Context) -> Effects<Mutated<N>> {
    if (lines.ignored)(state, cx) {
        return Effects::NONE;
    }
    let new = (lines.moves)(state);
    let warn = (lines.warns)(state).map(Effect::Warn);
    let (store, hook) = (store(Mutated(new)), (lines.hook)(state, new).map(Effect::Hook));
    Effects::of(match lines.order {
        Order::WarnStoreHook => [warn, store, hook],
        Order::WarnHookStore => [warn, hook, store],
        Order::StoreWarnHook => [store, warn, hook],
    })
}

impl<const N: usize> LazyMmuDesign for Mutated<N> {
    const ID: &'static str = "mutant";
    const ABOUT: &'static str = "the merged design with one line changed";

    fn enable(self, cx: Context) -> Effects<Self> {
        effects(&rules(N).enable, self.0, cx)
    }
    fn disable(self, cx: Context) -> Effects<Self> {
        effects(&rules(N).disable, self.0, cx)
    }
    fn pause(self, cx: Context) -> Effects<Self> {
        effects(&rules(N).pause, self.0, cx)
    }
    fn resume(self, cx: Context) -> Effects<Self> {
        effects(&rules(N).resume, self.0, cx)
    }
    fn is_active(self, cx: Context) -> bool {
        (rules(N).active)(self.0, cx)
    }
}

macro_rules! designs {
    ($($number:literal)*) => { [$(Design::of::<Mutated<$number>>()),*] };
}

/// All mutants, and the design as it is.
const DESIGNS: [Design; CALLS.len() + ACTIVE.len() + 1] = designs! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
    35 36 37 38 39 40 41 42 43 44 45 46 47 48
};

fn question(mutant: Design) -> Question {
    let question = Question::new(Design::default(), mutant);
    Question { language: Language::Any, compare: Compare::Effects, irq: true, ..question }
}

#[test]
fn mutants_are_told_apart_or_known_to_be_the_same() {
    let all = MUTANTS.iter().copied().flatten();
    let mut wrong = Vec::new();
    for (mutant, design) in all.zip(DESIGNS) {
        // Most are distinguished within a few calls; no need to number all states for them.
        let few = Question { max_states: 1 << 8, ..question(design) };
        let answer = match prove(&few) {
            answer if matches!(answer.verdict, Verdict::GaveUp { .. }) => prove(&question(design)),
            answer => answer,
        };
        let (found, expected) = match &mutant.fate {
            Found(expected) => match answer.verdict {
                Verdict::Distinguished(_) => (sequence(&answer), (*expected).to_owned()),
                _ => ("nothing".to_owned(), (*expected).to_owned()),
            },
            Same(why) => match answer.verdict {
                Verdict::Equivalent => (why.to_string(), why.to_string()),
                _ => (sequence(&answer), format!("nothing: {why}")),
            },
        };
        if found != expected {
            wrong.push(format!("{}: expected {expected}, found {found}", mutant.line));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_design_in_lines_is_the_design() {
    let unchanged = DESIGNS[DESIGNS.len() - 1];
    let answer = prove(&Question { max_states: STATES_MAX, ..question(unchanged) });
    assert_eq!(answer.verdict, Verdict::Equivalent);
}
