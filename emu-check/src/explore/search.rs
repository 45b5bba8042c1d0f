//! Breadth-first search over a [`Model`].
//!
//! The states at one distance are a layer. A layer is complete before the next one begins, so the
//! first path to a state is a shortest one. While a layer is new, a cheaper path to one of its
//! states replaces the first.

use std::collections::BTreeMap;

use super::{End, Explored, Limits, Model, Next, Path, StateStore, Transition, Violation, Watch};

/// How many states are visited between two questions whether to go on.
const STRIDE: u32 = 4096;

/// Searches all that `model` reaches.
pub fn explore<M: Model>(model: &mut M, limits: Limits, watch: &mut dyn Watch) -> Explored<M> {
    let store = StateStore::new(model.init());
    let (broken, pending) = (BTreeMap::new(), BTreeMap::new());
    let (transitions, depth, marks, out) = (0, 0, 0, false);
    let mut search =
        Search { model, limits, watch, store, transitions, depth, marks, out, broken, pending };
    let end = search.layers();
    let broken = std::mem::take(&mut search.broken);
    let paths = broken.into_iter().map(|(what, found)| (what, search.path(found))).collect();
    let Search { store, transitions, depth, marks, .. } = search;
    Explored { end, store, transitions, depth, marks, paths }
}

struct Search<'m, M: Model> {
    model: &'m mut M,
    limits: Limits,
    watch: &'m mut dyn Watch,
    store: StateStore<M::State>,
    transitions: u64,
    depth: u32,
    marks: u32,
    /// A transition led out of bounds.
    out: bool,
    /// Violations on paths of which there is no shorter and no cheaper one.
    broken: BTreeMap<M::Property, Break<M::Move>>,
    /// Violations for which the search may find a better path.
    pending: BTreeMap<M::Property, Break<M::Move>>,
}

/// A violation: the state before it, and the moves from there.
#[derive(Clone, Copy)]
struct Break<V> {
    from: u32,
    mv: V,
    then: Option<V>,
    /// The length of the path to it.
    moves: u32,
    cost: u16,
}

impl<M: Model> Search<'_, M> {
    fn layers(&mut self) -> End {
        let mut layer = 0;
        loop {
            let next = self.store.len() as u32;
            if layer == next {
                self.keep(u32::MAX);
                self.depth = self.depth.saturating_sub(1);
                return End::Complete;
            }
            if let Some(end) = self.layer(layer, next) {
                // A layer that was left in its middle may have a cheaper path still.
                self.keep(u32::MAX);
                return end;
            }
            self.keep(self.depth + 1);
            if self.broken.keys().any(|property| self.model.ends_search(*property)) {
                return End::First;
            }
            self.depth += 1;
            let full = self.limits.whole_layers && self.store.len() > self.limits.states;
            if full || self.out {
                self.keep(u32::MAX);
                return End::States;
            }
            layer = next;
        }
    }

    /// Keeps the violations on paths of at most `moves` moves: no other path is better.
    fn keep(&mut self, moves: u32) {
        let (kept, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|(_, b)| b.moves <= moves);
        self.pending = pending;
        let kept: BTreeMap<_, _> = kept;
        for (what, found) in kept {
            self.broken.entry(what).or_insert(found);
        }
    }

    /// Visits the states from number `layer` up to `next`.
    fn layer(&mut self, layer: u32, next: u32) -> Option<End> {
        for number in layer..next {
            if number.is_multiple_of(STRIDE)
                && let Some(end) = self.gives_up()
            {
                return Some(end);
            }
            self.visit(number, next);
        }
        self.store.finish(next);
        None
    }

    fn gives_up(&mut self) -> Option<End> {
        let Limits { states, memory, whole_layers } = self.limits;
        if !whole_layers && self.store.len() > states {
            return Some(End::States);
        }
        if self.store.bytes() + self.model.bytes() > memory {
            return Some(End::Memory);
        }
        (!self.watch.go_on(self.store.len(), self.depth)).then_some(End::Interrupted)
    }

    fn visit(&mut self, number: u32, next: u32) {
        let (state, from_cost) = (self.store.state(number), self.store.cost(number));
        let Self { model, store, transitions, marks, out, depth, .. } = self;
        let mut violating = Vec::new();
        model.expand(&state, *depth, &mut |transition| {
            *transitions += 1;
            *marks |= transition.marks;
            let cost = from_cost.saturating_add(transition.cost);
            if transition.verdict == M::Verdict::default() {
                match transition.next {
                    Next::State(after) => store.reach(after, number, cost, next),
                    Next::Nothing => {}
                    Next::OutOfBounds => *out = true,
                }
            } else {
                violating.push(transition);
            }
        });
        for transition in violating {
            self.violates(number, next, transition);
        }
    }

    /// Looks at a transition that violates properties.
    fn violates(&mut self, number: u32, next: u32, transition: Transition<M>) {
        let Transition { mv, verdict, cost, .. } = transition;
        let cost = self.store.cost(number).saturating_add(cost);
        for Violation { property, then } in self.model.violations(verdict) {
            if !self.broken.contains_key(&property) {
                let moves = self.depth + 1 + u32::from(then.is_some());
                let this = Break { from: number, mv, then, moves, cost };
                let best = self.pending.entry(property).or_insert(this);
                if (moves, cost) < (best.moves, best.cost) {
                    *best = this;
                }
            }
        }
        match transition.next {
            Next::State(after) => self.store.reach(after, number, cost, next),
            Next::Nothing => {}
            Next::OutOfBounds => self.out = true,
        }
    }

    /// The path to `found`.
    fn path(&mut self, found: Break<M::Move>) -> Path<M::State, M::Move> {
        let mut numbers = vec![found.from];
        while let Some(&number) = numbers.last()
            && number != 0
        {
            numbers.push(self.store.parent(number));
        }
        numbers.reverse();
        let states: Vec<M::State> = numbers.iter().map(|n| self.store.state(*n)).collect();
        let mut moves = Vec::new();
        for (depth, pair) in (0..).zip(states.windows(2)) {
            moves.extend(self.cheapest(depth, &pair[0], &pair[1]));
        }
        moves.push(found.mv);
        moves.extend(found.then);
        Path { states, moves, cost: found.cost }
    }

    /// The cheapest move from one state to the other.
    fn cheapest(&mut self, depth: u32, from: &M::State, to: &M::State) -> Option<M::Move> {
        let mut best: Option<(u16, M::Move)> = None;
        self.model.expand(from, depth, &mut |transition| {
            let Transition { mv, next, cost, .. } = transition;
            if next == Next::State(*to) && best.is_none_or(|(known, _)| cost < known) {
                best = Some((cost, mv));
            }
        });
        best.map(|(_, mv)| mv)
    }
}
