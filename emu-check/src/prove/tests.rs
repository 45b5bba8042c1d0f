//! The two engines for nested programs beside each other, and the model of the documentation.

use std::rc::Rc;

use lazy_mmu::design::{Context, Design, Effects, LazyMmuDesign, store};

use super::search::{Found, search};
use super::table::{Lockstep, tables};
use super::{Compare, Effort, Language, Question, Verdict, any, prove, summaries, undo};
use crate::explore::tests::assert_replays;
use crate::explore::{Limits, explore, nobody};

/// The length of what each engine found; nothing where it found nothing.
fn lengths(both: &Lockstep, language: Language, irq: bool, nesting: u32) -> [Option<usize>; 2] {
    let length = |found: Found| match found {
        Found::Nothing => None,
        Found::Witness(steps) => Some(steps.len()),
        found => panic!("{found:?}"),
    };
    let mut model = undo::OpenBrackets::new(both, language, irq, nesting);
    let summaries = summaries::search(both, language, irq, Some(nesting), u64::MAX);
    let summaries = length(summaries.0);
    match search(&mut model, u64::MAX, &mut nobody()).0 {
        Found::Unfit => [summaries; 2],
        found => [length(found), summaries],
    }
}

#[test]
fn engines_agree() {
    let mut both_fit = 0;
    for (compare, irq) in [(Compare::Active, false), (Compare::Effects, true)] {
        let question = Question::new(Design::default(), Design::default());
        let question = Question { compare, irq, max_states: 2000, ..question };
        let tables = tables(Design::ALL, &question);
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
    let question = Question { irq: true, ..Question::new(Design::ALL[0], Design::ALL[0]) };
    let tables = tables(Design::ALL, &question);
    let place = |id| Design::ALL.iter().position(|design| design.id() == id);
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

#[test]
fn every_sequence_distinguishes() {
    let mut sequences = 0;
    for compare in Compare::ALL {
        let question = Question::new(Design::default(), Design::default());
        let question = Question { compare, irq: true, max_states: 2000, ..question };
        let tables = tables(Design::ALL, &question);
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
