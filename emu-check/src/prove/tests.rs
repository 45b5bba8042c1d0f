//! The two engines for nested programs beside each other, and the model of the documentation.

use std::rc::Rc;

use lazy_mmu::design::{
    Call, CallInfo, Context, Design, Effect, Effects, Hook, LazyMmuDesign, Role, StateBits,
    hook_if, store,
};

use super::search::{Found, search};
use super::table::{Lockstep, tables};
use super::{Compare, Effort, Language, Question, Verdict, any, prove, summaries, undo};
use crate::explore::tests::assert_replays;
use crate::explore::{Limits, explore, nobody};
use crate::language::Phase;

/// The length of what each engine found; nothing where it found nothing.
fn lengths(both: &Lockstep, language: Language, irq: bool, nesting: u32) -> [Option<usize>; 2] {
    let length = |found: Found| match found {
        Found::Nothing => None,
        Found::Witness(steps) => Some(steps.len()),
        Found::NothingWithin(_) | Found::Unfit => panic!("{found:?}"),
    };
    let mut model = undo::OpenBrackets::new(both, language, irq, nesting);
    let summaries = summaries::search(both, language, irq, Some(nesting), u64::MAX);
    let summaries = length(summaries.0);
    let found = search(&mut model, u64::MAX, &mut nobody()).0;
    let undone = if found == Found::Unfit { summaries } else { length(found) };
    [undone, summaries]
}

#[test]
fn engines_agree() {
    let mut both_fit = 0;
    for (compare, irq) in [(Compare::Active, false), (Compare::Effects, true)] {
        let question = Question::new(Design::default(), Design::default());
        let question = Question { compare, irq, max_states: 2000, ..question };
        let tables = tables(Design::LAB, &question);
        for (x, y) in (0..tables.len()).flat_map(|x| (0..=x).map(move |y| (x, y))) {
            let both = Lockstep::new(&tables[x], &tables[y], compare);
            for language in [Language::A, Language::B, Language::C, Language::D] {
                let [undo, summaries] = lengths(&both, language, irq, 5);
                assert_eq!(undo, summaries, "{x} {y} {language:?} {compare:?}");
                both_fit += usize::from(undo.is_none());
            }
        }
    }
    assert!(both_fit > 100, "{both_fit} proofs");
}

#[test]
fn same_tables_are_the_same_design_under_another_name() {
    let question = Question { irq: true, ..Question::new(Design::LAB[0], Design::LAB[0]) };
    let tables = tables(Design::LAB, &question);
    let place = |id| Design::LAB.iter().position(|design| design.id() == id);
    let table = |id| place(id).map(|at| Rc::clone(&tables[at]));
    assert_eq!(table("counts"), table("counts-task"));
    assert_ne!(table("counts"), table("independent"));
}

lazy_mmu::lazy_mmu_state! {
    /// The flag of the documentation of `summaries`.
    struct Flag { on: bool = "on" }
}

impl LazyMmuDesign for Flag {
    const ID: &'static str = "flag";
    const ABOUT: &'static str = "a flag that every pause clears and every resume sets";

    fn enable(self, _: Context) -> Effects<Self> {
        Effects::NONE
    }
    fn disable(self, _: Context) -> Effects<Self> {
        Effects::NONE
    }
    fn pause(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { on: false })])
    }
    fn resume(self, _: Context) -> Effects<Self> {
        Effects::of([store(Self { on: true })])
    }
    fn is_active(self, _: Context) -> bool {
        self.on
    }
}

#[test]
fn the_model_by_hand() {
    let question = Question { language: Language::B, ..Question::of::<Flag, Flag>() };
    let answer = prove(&question);
    assert_eq!(answer.verdict, Verdict::Equivalent);
    assert_eq!(answer.effort, Effort { states: 6, transitions: 14 });
}

/// Two designs with calls of their own: `arm` changes the state and is no bracket, `finish` closes
/// a section as a disable does. `KEEP` is what tells them apart: a second `arm` disarms, or does
/// not.
macro_rules! arming {
    ($State:ident, $id:literal, $keeps:literal, $finishes:expr) => {
        lazy_mmu::lazy_mmu_state! {
            /// A depth and whether an `arm` came.
            struct $State { depth: u8 = "depth", armed: bool = "armed" }
        }

        impl LazyMmuDesign for $State {
            const ID: &'static str = $id;
            const ABOUT: &'static str = "a design with calls of its own";
            const CALLS: &'static [CallInfo] = &[
                CallInfo::ENABLE,
                CallInfo::DISABLE,
                CallInfo::PAUSE,
                CallInfo::RESUME,
                ARM,
                FINISH,
            ];

            fn enable(self, _: Context) -> Effects<Self> {
                let more = Self { depth: self.depth.wrapping_add(1), ..self };
                Effects::of([store(more), hook_if(self.depth == 0, Hook::ENTER)])
            }
            fn disable(self, _: Context) -> Effects<Self> {
                let less = Self { depth: self.depth.wrapping_sub(1), ..self };
                Effects::of([store(less), hook_if(self.armed, Hook::LEAVE)])
            }
            fn pause(self, _: Context) -> Effects<Self> {
                Effects::NONE
            }
            fn resume(self, _: Context) -> Effects<Self> {
                Effects::NONE
            }
            fn own_call(self, cx: Context, call: Call) -> Effects<Self> {
                if call == ARM.call {
                    return Effects::of([store(Self { armed: $keeps || !self.armed, ..self })]);
                }
                let finishes: fn(Self) -> bool = $finishes;
                if finishes(self) { self.disable(cx) } else { Effects::NONE }
            }
            fn is_active(self, _: Context) -> bool {
                self.depth > 0
            }
        }
    };
}

const ARM: CallInfo = CallInfo::new("lazy_mmu_mode_arm", "arm");
const FINISH: CallInfo = CallInfo::DISABLE.variant("lazy_mmu_mode_finish", "finish");

arming! { Keeping, "keeping", true, |_| true }
arming! { Switching, "switching", false, |_| true }
arming! { Deep, "deep", true, |state| !(state.armed && state.depth == 2) }

/// The length of the shortest difference in programs of `language`, found by running every program
/// of at most `most` calls.
fn by_hand(designs: [Design; 2], language: Language, most: usize) -> Option<usize> {
    type Program = ([StateBits; 2], Phase, Vec<(Role, Phase)>);
    let letters = Lockstep::new(
        &tables(&designs, &Question::new(designs[0], designs[1]))[0],
        &tables(&designs, &Question::new(designs[0], designs[1]))[1],
        Compare::Active,
    );
    let letters: Vec<_> = letters.letters_that(|_| true).map(|letter| letter.info).collect();
    let mut programs: Vec<Program> = vec![([StateBits(0); 2], Phase::default(), Vec::new())];
    for length in 1..=most {
        let mut longer = Vec::new();
        for (states, phase, open) in &programs {
            for info in &letters {
                let mut open = open.clone();
                let phase = if info.role.closes() {
                    match open.pop() {
                        Some((role, outer)) if role.is_pause() == info.role.is_pause() => outer,
                        _ => continue,
                    }
                } else {
                    let Some(inner) = language.open(*phase, info.role) else { continue };
                    if info.role.opens() {
                        open.push((info.role, *phase));
                    }
                    inner
                };
                let made = [0, 1].map(|which| made(designs[which], states[which], info.call));
                if made[0].1 != made[1].1 {
                    return Some(length);
                }
                longer.push((made.map(|(state, _)| state), phase, open));
            }
        }
        programs = longer;
    }
    None
}

/// The state after a call, its hooks, and the mode after it.
fn made(design: Design, state: StateBits, call: Call) -> (StateBits, (Vec<Hook>, bool)) {
    let (mut after, mut hooks) = (state, Vec::new());
    for effect in design.step(state, Context::default(), call).iter() {
        match effect {
            Effect::Store(state) => after = state,
            Effect::Hook(hook) => hooks.push(hook),
            Effect::Warn(_) => {}
        }
    }
    (after, (hooks, design.is_active(after)[0]))
}

#[test]
fn calls_that_are_no_brackets_or_close_what_another_opens() {
    let pairs = [
        ([Design::of::<Keeping>(), Design::of::<Switching>()], Some(4)),
        ([Design::of::<Keeping>(), Design::of::<Deep>()], Some(4)),
        ([Design::of::<Switching>(), Design::of::<Switching>()], None),
    ];
    for (designs, expected) in pairs {
        for language in [Language::A, Language::B, Language::C, Language::D] {
            let question = Question { language, ..Question::new(designs[0], designs[1]) };
            let verdict = prove(&question).verdict;
            let found = match &verdict {
                Verdict::Equivalent => None,
                Verdict::Distinguished(witness) => Some(witness.len()),
                Verdict::GaveUp { .. } | Verdict::Panics(_) => panic!("{verdict:?}"),
            };
            assert_eq!(found, expected, "{designs:?} {language:?}");
            assert_eq!(by_hand(designs, language, 5), expected, "{designs:?} {language:?}");
        }
    }
}

#[test]
fn every_sequence_distinguishes() {
    let mut sequences = 0;
    for compare in Compare::ALL {
        let question = Question::new(Design::default(), Design::default());
        let question = Question { compare, irq: true, max_states: 2000, ..question };
        let tables = tables(Design::LAB, &question);
        for (x, y) in (0..tables.len()).flat_map(|x| (0..x).map(move |y| (x, y))) {
            let both = Lockstep::new(&tables[x], &tables[y], compare);
            let limits = Limits { states: 2000, ..Limits::NONE };
            let mut any = any::AnyCalls::new(&both, true);
            let found = explore(&mut any, limits, &mut nobody()).paths;
            sequences += found.len();
            found.iter().for_each(|(what, path)| assert_replays(&mut any, *what, path));
            for language in [Language::A, Language::B, Language::C, Language::D] {
                let mut nested = undo::OpenBrackets::new(&both, language, true, 5);
                let found = explore(&mut nested, limits, &mut nobody()).paths;
                sequences += found.len();
                found.iter().for_each(|(what, path)| assert_replays(&mut nested, *what, path));
            }
        }
    }
    assert!(sequences > 500, "{sequences} sequences");
}
