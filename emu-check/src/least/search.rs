//! The exact search for a machine with so many states, and what no machine can do without.

use super::required::{Answers, CALLS, Situation, Step};

/// How many calls of half-built machines are tried before the search gives up.
pub const TRIES_MAX: u64 = 5_000_000;

/// A machine: what it does, by state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    rows: Vec<Row>,
}

/// A state of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether the mode is active in the state; nothing where that is not asked.
    pub active: Option<bool>,
    /// What each call does and to which state it leads, in the order enable, disable, pause,
    /// resume; none where no sequence makes it. The hook is none where nothing is required either.
    pub calls: [Option<(Answers, usize)>; 4],
}

impl Machine {
    /// The number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.rows.len()
    }

    /// The states, the first of which the machine begins in.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// The bits that tell so many states apart.
#[must_use]
pub(super) const fn bits(states: usize) -> u32 {
    usize::BITS - states.saturating_sub(1).leading_zeros()
}

/// A smallest machine: at least so many states, so many situations that can share none, and the
/// machine.
pub(super) fn smallest(all: &[Situation]) -> (usize, usize, Option<Machine>) {
    let apart = apart(all);
    let clique = clique(&apart);
    let mut tries = TRIES_MAX;
    for states in clique.. {
        let mut build = Build { all, apart: &apart, states, tries: &mut tries };
        match build.from(Partial::new(all.len(), states)) {
            Built::Machine(machine) => return (states, clique, Some(machine)),
            Built::None => {}
            // A machine with a state for each situation does what is required.
            Built::GaveUp => return (states, clique, None),
        }
    }
    unreachable!("a machine with a state for each situation exists")
}

/// Whether a machine with at most so many states exists, by the search alone; nothing where it gave
/// up.
#[cfg(test)]
pub(super) fn exists(all: &[Situation], states: usize) -> Option<bool> {
    if states == 0 {
        return Some(false);
    }
    let (apart, mut tries) = (apart(all), TRIES_MAX);
    let mut build = Build { all, apart: &apart, states, tries: &mut tries };
    match build.from(Partial::new(all.len(), states)) {
        Built::Machine(_) => Some(true),
        Built::None => Some(false),
        Built::GaveUp => None,
    }
}

/// What each call that is legal in both situations must do there.
fn both<'s>(a: &'s Situation, b: &'s Situation) -> impl Iterator<Item = (Step, Step)> + 's {
    a.steps.iter().zip(&b.steps).filter_map(|(a, b)| (*a).zip(*b))
}

/// Whether two requirements cannot be met at once.
fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a != b)
}

/// Which situations can share no state: a call that is legal in both shows it, or leads to two that
/// can share none.
fn apart(all: &[Situation]) -> Vec<Vec<bool>> {
    let at_once = |a: &Situation, b: &Situation| {
        differ(a.active, b.active) || both(a, b).any(|(a, b)| differ(a.answer, b.answer))
    };
    let row = |a: &Situation| all.iter().map(|b| at_once(a, b)).collect();
    let mut apart: Vec<Vec<bool>> = all.iter().map(row).collect();
    loop {
        let mut more = false;
        for a in 0..all.len() {
            for b in 0..all.len() {
                if !apart[a][b] && both(&all[a], &all[b]).any(|(a, b)| apart[a.to][b.to]) {
                    apart[a][b] = true;
                    more = true;
                }
            }
        }
        if !more {
            return apart;
        }
    }
}

/// The largest number of situations that are apart from one another.
fn clique(apart: &[Vec<bool>]) -> usize {
    fn grow(apart: &[Vec<bool>], size: usize, from: &[usize], best: &mut usize) {
        *best = (*best).max(size);
        for (at, one) in from.iter().enumerate() {
            if size + from.len() - at <= *best {
                return;
            }
            let rest: Vec<usize> =
                from[at + 1..].iter().copied().filter(|other| apart[*one][*other]).collect();
            grow(apart, size + 1, &rest, best);
        }
    }
    let mut best = 0;
    grow(apart, 0, &(0..apart.len()).collect::<Vec<_>>(), &mut best);
    best
}

/// A machine that is built call by call.
#[derive(Clone)]
struct Partial {
    /// By state, then call: what it does, where a rule says so, and where it leads.
    rows: Vec<Vec<(Option<Answers>, Option<usize>)>>,
    active: Vec<Option<bool>>,
    /// The states that anything leads to: the first so many.
    used: usize,
    /// By situation, then state: whether the machine is in that state in that situation.
    seen: Vec<Vec<bool>>,
    /// Pairs of these whose calls are still to be made.
    todo: Vec<(usize, usize)>,
}

impl Partial {
    fn new(situations: usize, states: usize) -> Self {
        let mut seen = vec![vec![false; states]; situations];
        seen[0][0] = true;
        Self {
            rows: vec![vec![(None, None); CALLS.len()]; states],
            active: vec![None; states],
            used: 1,
            seen,
            todo: vec![(0, 0)],
        }
    }

    fn machine(&self) -> Machine {
        let row = |state: usize| Row {
            active: self.active[state],
            calls: std::array::from_fn(|call| {
                let (answer, to) = self.rows[state][call];
                to.map(|to| (answer.flatten(), to))
            }),
        };
        Machine { rows: (0..self.used).map(row).collect() }
    }
}

/// Whether a machine was found.
enum Built {
    Machine(Machine),
    None,
    GaveUp,
}

struct Build<'a> {
    all: &'a [Situation],
    apart: &'a [Vec<bool>],
    states: usize,
    tries: &'a mut u64,
}

impl Build<'_> {
    /// Makes the calls that are still to be made. Where one leads nowhere yet, each state is tried,
    /// and of those that nothing leads to the first.
    fn from(&mut self, mut machine: Partial) -> Built {
        while let Some((situation, state)) = machine.todo.last().copied() {
            if !self.agrees(&mut machine, situation, state) {
                return Built::None;
            }
            let open = (0..CALLS.len()).find(|call| {
                self.all[situation].steps[*call].is_some() && machine.rows[state][*call].1.is_none()
            });
            let Some(call) = open else {
                machine.todo.pop();
                if !self.follow(&mut machine, situation, state) {
                    return Built::None;
                }
                continue;
            };
            for to in 0..self.states.min(machine.used + 1) {
                if *self.tries == 0 {
                    return Built::GaveUp;
                }
                *self.tries -= 1;
                let mut next = machine.clone();
                next.rows[state][call].1 = Some(to);
                next.used = next.used.max(to + 1);
                match self.from(next) {
                    Built::None => {}
                    found @ (Built::Machine(_) | Built::GaveUp) => return found,
                }
            }
            return Built::None;
        }
        Built::Machine(machine.machine())
    }

    /// Whether the machine is in the state in a situation that can share none with this one.
    fn excludes(&self, machine: &Partial, situation: usize, state: usize) -> bool {
        (0..self.all.len()).any(|other| machine.seen[other][state] && self.apart[situation][other])
    }

    /// Has the state do what is required in the situation, if that is still possible.
    fn agrees(&self, machine: &mut Partial, situation: usize, state: usize) -> bool {
        if self.excludes(machine, situation, state) {
            return false;
        }
        let here = &self.all[situation];
        machine.active[state] = machine.active[state].or(here.active);
        for (row, step) in machine.rows[state].iter_mut().zip(here.steps) {
            row.0 = row.0.or(step.and_then(|step| step.answer));
        }
        true
    }

    /// The calls of the situation lead on; returns whether that is possible.
    fn follow(&self, machine: &mut Partial, situation: usize, state: usize) -> bool {
        for (call, step) in self.all[situation].steps.iter().enumerate() {
            let (Some(step), Some(to)) = (step, machine.rows[state][call].1) else { continue };
            if self.excludes(machine, step.to, to) {
                return false;
            }
            if !std::mem::replace(&mut machine.seen[step.to][to], true) {
                machine.todo.push((step.to, to));
            }
        }
        true
    }
}
