//! Which engine searches which language.

use super::question::Question;
use super::search::{Effort, Found, search};
use super::table::Lockstep;
use super::{any, crossing, summaries, undo};
use crate::explore::Watch;
use crate::language::Language;

/// Searches the language of `question` for the shortest difference.
pub(super) fn find(both: &Lockstep, question: &Question, watch: &mut dyn Watch) -> (Found, Effort) {
    match question.language {
        // The mode of a fresh task is looked at before any call.
        _ if !both.same_mode(both.start(), false) => {
            (Found::Witness(Vec::new()), Effort { states: 1, transitions: 0 })
        }
        Language::Any => {
            search(&mut any::AnyCalls::new(both, question.irq), question.max_states, watch)
        }
        Language::Crossing => crosses(both, question, watch),
        Language::A | Language::B | Language::C | Language::D => nests(both, question, watch),
    }
}

/// Where all sequences agree, those that close what is open do. The converse is searched for.
fn crosses(both: &Lockstep, question: &Question, watch: &mut dyn Watch) -> (Found, Effort) {
    let all = search(&mut any::AnyCalls::new(both, question.irq), question.max_states, watch);
    if all.0 == Found::Nothing {
        return all;
    }
    // It has made calls that this language does not.
    let _ = both.panicked();
    let nesting = question.nesting.map(u32::from);
    crossing::crossing(both, question.irq, nesting, question.max_states, watch)
}

fn nests(both: &Lockstep, question: &Question, watch: &mut dyn Watch) -> (Found, Effort) {
    let Question { language, irq, max_states, .. } = *question;
    let nesting = question.nesting.map(u32::from);
    let most = nesting.unwrap_or(u32::MAX);
    let mut model = undo::OpenBrackets::new(both, language, irq, most);
    match search(&mut model, max_states, watch) {
        (Found::Unfit, _) => summaries::search(both, language, irq, nesting, max_states),
        found => found,
    }
}
