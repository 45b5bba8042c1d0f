//! Breadth first search for the shortest sequence that tells two designs apart.
//!
//! A model numbers its states and lists the steps from each. Layer by layer all steps are looked at;
//! the first layer with a difference has the shortest witnesses. A cost of two parts orders them:
//! first the length, then the number of interrupts. The order of the steps decides among the rest, so
//! the result is always the same.

use lazy_mmu::design::{CallInfo, Token};

use super::table::Letter;

/// One step of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A call; one that closes a section with the token that it is given.
    Call(&'static CallInfo, [Token; 2]),
    /// An interrupt begins.
    IrqEnter,
    /// The interrupt ends.
    IrqExit,
}

impl Step {
    /// A call that takes no token.
    pub(super) const fn call(letter: Letter) -> Self {
        Self::Call(letter.info, [Token::DEFAULT; 2])
    }

    /// Tells whether the step begins or ends an interrupt.
    #[must_use]
    pub const fn is_irq(self) -> bool {
        matches!(self, Self::IrqEnter | Self::IrqExit)
    }
}

/// How many steps and how many of them are interrupts; smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    pub(super) steps: u32,
    pub(super) irqs: u32,
}

impl Cost {
    pub(super) const fn and(self, step: Step) -> Self {
        Self { steps: self.steps + 1, irqs: self.irqs + step.is_irq() as u32 }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self { steps: self.steps + other.steps, irqs: self.irqs + other.irqs }
    }
}

/// What is seen of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Both designs look alike.
    Same,
    /// They do not.
    Differs,
    /// They do in this step, and do not in the one given, made right after it.
    ThenDiffers(Step),
    /// The step leads to where the model has no states: the search is bounded.
    Out,
    /// The model does not fit the designs: the search is of no use.
    Unfit,
}

/// A step from a state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) step: Step,
    /// The state after it.
    pub(super) to: u32,
    pub(super) look: Look,
}

/// Two designs under a client, as numbered states; state 0 is the start.
pub(super) trait Model {
    /// Calls `see` with each step from `state`. States get their numbers in the order in which they
    /// are seen first.
    fn steps(&mut self, state: u32, see: &mut impl FnMut(Edge));
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Different states.
    pub states: u64,
    /// Steps from them, each compared.
    pub transitions: u64,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There are no other states, and no step differs.
    Nothing,
    /// The shortest sequence whose last step differs.
    Witness(Vec<Step>),
    /// No sequence of at most so many steps differs; longer ones were not all looked at.
    NothingWithin(u32),
    /// See [`Look::Unfit`].
    Unfit,
}

/// How a state was reached.
#[derive(Clone, Copy, Debug)]
struct Reached {
    from: u32,
    step: Step,
    irqs: u32,
}

/// A sequence whose last step differs.
struct Candidate {
    cost: Cost,
    at: u32,
    last: [Option<Step>; 2],
}

/// What was reached, and the best that was found.
struct Search {
    reached: Vec<Reached>,
    best: Option<Candidate>,
    transitions: u64,
}

/// The states that a layer leads to, and whether it led to where the model ends.
#[derive(Default)]
struct Layer {
    next: Vec<u32>,
    out: bool,
    unfit: bool,
}

/// Searches `model` to its end, or until it has more than `limit` states.
pub(super) fn search(model: &mut impl Model, limit: u64) -> (Found, Effort) {
    let start = Reached { from: 0, step: Step::IrqExit, irqs: 0 };
    let mut search = Search { reached: vec![start], best: None, transitions: 0 };
    let mut layer = vec![0];
    for length in 0.. {
        let Layer { next, out, unfit } = search.layer(model, &layer, length);
        let ends = out || search.reached.len() as u64 > limit;
        let done = |best: &Candidate| best.cost.steps <= length + 1;
        let found = match &search.best {
            _ if unfit => Found::Unfit,
            // What ends two steps on is the shortest too, as nothing ends one step on.
            Some(best) if done(best) || ends || next.is_empty() => {
                Found::Witness(path(&search.reached, best))
            }
            None if ends => Found::NothingWithin(length + 1),
            None if next.is_empty() => Found::Nothing,
            _ => {
                layer = next;
                continue;
            }
        };
        let states = search.reached.len() as u64;
        return (found, Effort { states, transitions: search.transitions });
    }
    unreachable!("a layer without a next one ends the search")
}

impl Search {
    /// Looks at the steps from the states of a layer, which sequences of `length` steps reach.
    fn layer(&mut self, model: &mut impl Model, layer: &[u32], length: u32) -> Layer {
        let Self { reached, best, transitions } = self;
        let mut end = Layer::default();
        // States of the next layer have the numbers from here on.
        let fresh = reached.len() as u32;
        for &at in layer {
            let irqs = reached[at as usize].irqs;
            model.steps(at, &mut |edge| {
                if end.unfit {
                    return;
                }
                *transitions += 1;
                let cost = Cost { steps: length, irqs }.and(edge.step);
                match edge.look {
                    Look::Same => {}
                    Look::Differs => {
                        keep(best, Candidate { cost, at, last: [Some(edge.step), None] });
                    }
                    Look::ThenDiffers(then) => {
                        let last = [Some(edge.step), Some(then)];
                        keep(best, Candidate { cost: cost.and(then), at, last });
                    }
                    Look::Out => end.out = true,
                    Look::Unfit => return end.unfit = true,
                }
                let how = Reached { from: at, step: edge.step, irqs: cost.irqs };
                if edge.to as usize == reached.len() {
                    reached.push(how);
                    end.next.push(edge.to);
                } else if edge.to >= fresh && reached[edge.to as usize].irqs > cost.irqs {
                    reached[edge.to as usize] = how;
                }
            });
        }
        // The fewest interrupts first, else in the order in which they were found.
        end.next.sort_by_key(|state| reached[*state as usize].irqs);
        end
    }
}

/// Keeps the cheaper candidate, the first of equals.
fn keep(best: &mut Option<Candidate>, found: Candidate) {
    if best.as_ref().is_none_or(|best| found.cost < best.cost) {
        *best = Some(found);
    }
}

/// The steps that lead to a difference.
fn path(reached: &[Reached], end: &Candidate) -> Vec<Step> {
    let mut steps: Vec<Step> = end.last.iter().rev().filter_map(|step| *step).collect();
    let mut at = end.at;
    while at != 0 {
        let Reached { from, step, .. } = reached[at as usize];
        steps.push(step);
        at = from;
    }
    steps.reverse();
    steps
}
