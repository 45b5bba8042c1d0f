//! The search against models whose results are known by other means.

use std::collections::BTreeMap;

use super::{
    End, Explored, Limits, Model, Next, Path, Transition, Violation, Watch, explore, nobody,
};

/// Follows `path` from the first state of `model`: each move is one of the model, leads to the next
/// state, and the last one violates `property`.
#[track_caller]
pub(crate) fn assert_replays<M>(
    model: &mut M,
    property: M::Property,
    path: &Path<M::State, M::Move>,
) where
    M: Model,
    M::Move: PartialEq + std::fmt::Debug,
{
    assert!(path.states[0] == model.init(), "a path begins in the first state");
    let last = path.states.len() - 1;
    let mut cost = 0;
    for (depth, (state, mv)) in (0..).zip(path.states.iter().zip(&path.moves)) {
        let after = path.states.get(depth as usize + 1);
        let mut taken = Vec::new();
        model.expand(state, depth, &mut |transition| {
            if transition.mv == *mv {
                taken.push((transition.next, transition.verdict, transition.cost));
            }
        });
        let leads = |(next, verdict, _): &&(Next<M::State>, M::Verdict, u16)| match after {
            Some(after) => *next == Next::State(*after),
            None => {
                let then = path.moves.get(last + 1);
                let is =
                    |found: Violation<M>| found.property == property && found.then.as_ref() == then;
                model.violations(*verdict).any(is)
            }
        };
        let step = taken.iter().filter(leads).map(|(.., cost)| *cost).min();
        cost += step.unwrap_or_else(|| panic!("no transition {mv:?} after {depth} moves"));
    }
    assert_eq!(path.cost, cost, "the cost of {:?}", path.moves);
}

/// A graph: from each state the states after it, the cost, and what the edge violates.
struct Graph(Vec<Vec<Edge>>);

#[derive(Clone, Copy, Debug)]
struct Edge {
    to: usize,
    cost: u16,
    violates: Option<(u8, bool)>,
}

impl Graph {
    /// A graph of `states` states, another one for each `seed`.
    fn random(states: usize, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move |below: usize| {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % below
        };
        let mut edge = || {
            let violates = (next(12) == 0).then(|| (next(3) as u8, next(4) == 0));
            Edge { to: next(states), cost: next(2) as u16, violates }
        };
        Self((0..states).map(|_| (0..3).map(|_| edge()).collect()).collect())
    }

    /// The length and the cost of the best path to each state, by relaxing edges until nothing
    /// changes.
    fn best(&self) -> BTreeMap<usize, (usize, u16)> {
        let mut best = BTreeMap::from([(0, (0, 0))]);
        loop {
            let before = best.clone();
            for (from, (moves, cost)) in &before {
                for edge in &self.0[*from] {
                    let this = (moves + 1, cost + edge.cost);
                    let known = best.entry(edge.to).or_insert(this);
                    *known = this.min(*known);
                }
            }
            if best == before {
                return best;
            }
        }
    }
}

impl Model for Graph {
    type State = usize;
    /// Which edge, or the move right after one.
    type Move = (usize, bool);
    type Verdict = Option<(u8, bool)>;
    type Property = u8;

    fn init(&self) -> usize {
        0
    }
    fn expand(&mut self, state: &usize, _: u32, see: &mut impl FnMut(Transition<Self>)) {
        for (n, Edge { to, cost, violates }) in self.0[*state].iter().enumerate() {
            let verdict = *violates;
            see(Transition { verdict, cost: *cost, ..Transition::to((n, false), *to) });
        }
    }
    fn violations(&self, verdict: Self::Verdict) -> impl Iterator<Item = Violation<Self>> {
        let violation =
            |(property, then): (u8, bool)| Violation { property, then: then.then_some((0, true)) };
        verdict.map(violation).into_iter()
    }
    fn ends_search(&self, _: u8) -> bool {
        false
    }
}

#[test]
fn paths_are_shortest_and_of_these_cheapest() {
    let (mut reached, mut violated) = (0, 0);
    for seed in 1..=300 {
        let mut graph = Graph::random(40, seed);
        let best = graph.best();
        let mut expected: BTreeMap<u8, (usize, u16)> = BTreeMap::new();
        for (from, (moves, cost)) in &best {
            for edge in &graph.0[*from] {
                let Some((property, then)) = edge.violates else { continue };
                let this = (moves + 1 + usize::from(then), cost + edge.cost);
                let known = expected.entry(property).or_insert(this);
                *known = this.min(*known);
            }
        }
        let Explored { end, store, transitions, depth, paths, .. } =
            explore(&mut graph, Limits::NONE, &mut nobody());
        assert_eq!(end, End::Complete);
        assert_eq!((store.len(), transitions as usize), (best.len(), best.len() * 3));
        assert_eq!(Some(depth as usize), best.values().map(|(moves, _)| *moves).max());
        let found = paths.iter().map(|(property, path)| (*property, (path.moves.len(), path.cost)));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected, "seed {seed}");
        for (property, path) in &paths {
            assert_replays(&mut graph, *property, path);
        }
        reached += best.len();
        violated += paths.len();
    }
    assert!(reached > 5000 && violated > 500, "{reached} states, {violated} violations");
}

/// All numbers below 2^bits, each reached by setting a bit.
struct Bits(u32);

impl Model for Bits {
    type State = u32;
    type Move = u32;
    type Verdict = ();
    type Property = ();

    fn init(&self) -> u32 {
        0
    }
    fn expand(&mut self, state: &u32, depth: u32, see: &mut impl FnMut(Transition<Self>)) {
        assert_eq!(state.count_ones(), depth);
        let clear = (0..self.0).filter(|bit| state & 1 << bit == 0);
        clear.for_each(|bit| {
            see(Transition { marks: 1 << bit, ..Transition::to(bit, state | 1 << bit) })
        });
    }
    fn violations(&self, (): ()) -> impl Iterator<Item = Violation<Self>> {
        std::iter::empty()
    }
}

#[test]
fn counts_are_exact() {
    let explored = explore(&mut Bits(16), Limits::NONE, &mut nobody());
    assert_eq!((explored.end, explored.store.len()), (End::Complete, 1 << 16));
    // Each of the 16 bits is clear in half of the states.
    assert_eq!((explored.transitions, explored.depth), (16 << 15, 16));
    assert_eq!(explored.marks, (1 << 16) - 1);
}

#[test]
fn limits_end_a_search() {
    struct Until(usize);
    impl Watch for Until {
        fn go_on(&mut self, states: usize, _: u32) -> bool {
            states < self.0
        }
    }
    let run = |limits, watch: &mut dyn Watch| {
        let explored = explore(&mut Bits(16), limits, watch);
        (explored.end, explored.store.len(), explored.depth)
    };
    // 1 + 16 + 120 + 560 states have at most three bits set.
    let layers = Limits { states: 600, ..Limits::NONE };
    assert_eq!(run(layers, &mut nobody()), (End::States, 697, 3));
    let memory = Limits { memory: 1 << 18, ..Limits::NONE };
    assert_eq!(run(memory, &mut nobody()).0, End::Memory);
    assert_eq!(run(Limits::NONE, &mut Until(30_000)).0, End::Interrupted);
    let (end, states, _) = run(Limits { whole_layers: false, ..layers }, &mut nobody());
    assert!(end == End::States && states > 600, "{states}");
}
