//! Rows of a page: a step each, runs of like steps as one, and of very many only both ends.

use std::mem::discriminant;

use lazy_mmu::trace::{Event, PteEvent};

use crate::view::{Step, Tone, View};

/// A longer run of like steps is one row.
const RUN_MIN: usize = 4;
/// The most rows of a page.
const ROWS_MAX: usize = 1200;

/// The steps of a row, by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Fold {
    pub(super) fn has(&self, step: usize) -> bool {
        (self.first..=self.last).contains(&step)
    }
}

/// The rows of `view`. A step that goes wrong, or that causes it, is a row of its own.
pub(super) fn fold(view: &View<'_>) -> Vec<Fold> {
    let mut alone: Vec<usize> =
        view.flows.iter().flat_map(|flow| flow.cause.into_iter().chain([flow.victim])).collect();
    alone.sort_unstable();
    let is_alone = |at: usize| alone.binary_search(&at).is_ok();
    let mut folds: Vec<Fold> = Vec::new();
    let mut at = 0;
    while at < view.steps.len() {
        let like = |next: &usize| !is_alone(*next) && alike(&view.steps[at], &view.steps[*next]);
        let run = if is_alone(at) { 1 } else { (at..view.steps.len()).take_while(like).count() };
        if run >= RUN_MIN {
            folds.push(Fold { first: at, last: at + run - 1 });
        } else {
            folds.extend((at..at + run.max(1)).map(|one| Fold { first: one, last: one }));
        }
        at += run.max(1);
    }
    let cut = folds.len().saturating_sub(ROWS_MAX);
    if cut > 0 {
        let half = ROWS_MAX / 2;
        let middle = Fold { first: folds[half].first, last: folds[half + cut].last };
        folds.splice(half..=half + cut, [middle]);
    }
    folds
}

/// Tells whether two steps differ in the page or the count alone.
fn alike(a: &Step<'_>, b: &Step<'_>) -> bool {
    let same_event = match (a.event, b.event) {
        (Some(Event::Pte(a)), Some(Event::Pte(b))) => {
            let PteEvent { op, mm, nr, .. } = a;
            (op, mm, nr) == (b.op, b.mm, b.nr)
        }
        (Some(a), Some(b)) => a == b && discriminant(&a) == discriminant(&b),
        (None, _) | (_, None) => false,
    };
    let bare = |step: &Step<'_>| -> Vec<(Tone, String)> {
        let name = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        step.details.iter().map(|detail| (detail.tone, name(&detail.text))).collect()
    };
    same_event && a.lane == b.lane && a.depth == b.depth && !b.left && bare(a) == bare(b)
}
