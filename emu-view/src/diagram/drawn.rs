//! Which steps a diagram has: all, or both ends of very many.

/// The most steps of a diagram; nobody reads a longer one.
const STEPS_MAX: usize = 200;

/// The indices of the steps to draw, each with the number of those left out before it.
pub(super) fn drawn(steps: usize) -> impl Iterator<Item = (usize, usize)> {
    let cut = steps.saturating_sub(STEPS_MAX);
    let head = if cut == 0 { steps } else { STEPS_MAX / 2 };
    (0..head).map(|at| (at, 0)).chain((head + cut..steps).map(move |at| {
        let before = if at == head + cut { cut } else { 0 };
        (at, before)
    }))
}
