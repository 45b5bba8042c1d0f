//! The machines that are found do what is required, and smaller ones cannot.

use super::required::{Situation, situations};
use super::search::{Machine, exists, smallest};
use super::{Question, Rule, least};
use crate::language::Language;

fn questions() -> impl Iterator<Item = Question> {
    let languages = [Language::A, Language::B, Language::C, Language::D];
    languages.into_iter().flat_map(|language| {
        (1..=3).flat_map(move |nesting| {
            let left_out = Rule::ALL.into_iter().map(Some).chain([None]);
            left_out.map(move |without| {
                let mut rules = Rule::ALL.to_vec();
                rules.retain(|rule| Some(*rule) != without);
                Question { language, nesting, rules }
            })
        })
    })
}

/// Whether the machine does what is required in every sequence of at most so many calls.
fn does(machine: &Machine, all: &[Situation], at: (usize, usize), calls: usize) -> bool {
    let (situation, state) = at;
    let (here, row) = (&all[situation], machine.rows()[state]);
    let active = here.active.is_none_or(|active| row.active == Some(active));
    let mut legal = here
        .steps
        .iter()
        .zip(row.calls)
        .filter_map(|(step, call)| Some((*step)?).map(|step| (step, call)));
    active
        && legal.all(|(step, call)| {
            let Some((hook, to)) = call else { return false };
            let right = step.answer.is_none_or(|answer| answer == hook);
            right && (calls == 0 || does(machine, all, (step.to, to), calls - 1))
        })
}

#[test]
fn machines_do_what_is_required() {
    for question in questions() {
        let all = situations(&question);
        let (at_least, apart, machine) = smallest(&all);
        let machine = machine.unwrap_or_else(|| panic!("{question:?}: gave up"));
        assert!(does(&machine, &all, (0, 0), 9), "{question:?}: {machine:?}");
        assert!(machine.states() == at_least && apart <= at_least);
    }
}

#[test]
fn one_state_less_is_too_little() {
    // The search alone, without the situations that are apart as a bound.
    for question in questions().filter(|question| question.nesting < 3) {
        let all = situations(&question);
        let (at_least, ..) = smallest(&all);
        assert_eq!(exists(&all, at_least - 1), Some(false), "{question:?}");
    }
}

#[test]
fn the_counters_of_the_kernel_keep_a_state_more_than_needed() {
    let answer = least(&Question { language: Language::D, nesting: 2, ..Question::default() });
    let counts = answer.designs.iter().find(|kept| kept.design.id() == "counts");
    let counts = counts.expect("it is registered");
    assert_eq!((answer.at_least, counts.states, counts.does), (5, 6, Some(true)));
}
