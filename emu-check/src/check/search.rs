//! The search: breadth first, so that what it finds first is shortest.
//!
//! Layer by layer, in a fixed order. Of two ways of one length to the same state, the one with fewer
//! switches and interrupts is kept; of two ways of one length on which the same property breaks, too.

use std::collections::BTreeMap;

use super::arena::Arena;
use super::model::{Model, WORDS_MAX, Words};
use super::moves::{Found, Move};
use super::property::Property;

/// What a search is asked now and then.
pub trait Watch {
    /// So many states are known, so deep; false to end the search here.
    fn go_on(&mut self, states: usize, depth: u32) -> bool;

    /// Of several searches, that of `what` begins.
    fn begins(&mut self, what: &str) {
        let _ = what;
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is no state left to look at: what was found is all there is.
    Complete,
    /// A property does not hold, and no more was asked for.
    First,
    /// There were too many states.
    States,
    /// There was too little memory.
    Memory,
    /// Someone ended it.
    Interrupted,
}

/// A property that does not hold, and the condition of the check that says so where one does.
pub(super) type Broken = (Property, &'static str);

/// What a search found.
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) states: usize,
    pub(super) transitions: u64,
    /// The length of the longest way looked at, in moves.
    pub(super) depth: u32,
    pub(super) sometimes: u16,
    /// The shortest way on which each property breaks.
    pub(super) broken: BTreeMap<Broken, Path>,
    pub(super) bytes: usize,
}

/// A way through the model: states and the moves between them, the last of which breaks a property.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) states: Vec<Words>,
    pub(super) moves: Vec<Move>,
    pub(super) cost: u16,
}

/// A move that breaks a property for the first time.
#[derive(Clone, Copy)]
struct Break {
    from: u32,
    mv: Move,
    cost: u16,
}

/// Searches all that can be reached from `start`.
pub(super) fn search(model: &mut Model, start: Words, watch: &mut dyn Watch) -> Outcome {
    match model.layout().words() {
        ..=4 => Search::<4>::new(model, start, watch).run(),
        5..=6 => Search::<6>::new(model, start, watch).run(),
        _ => Search::<8>::new(model, start, watch).run(),
    }
}

struct Search<'m, const W: usize> {
    model: &'m mut Model,
    watch: &'m mut dyn Watch,
    arena: Arena<W>,
    transitions: u64,
    depth: u32,
    sometimes: u16,
    /// Properties that broke in earlier layers, and those that break in this one.
    broken: BTreeMap<Broken, Break>,
    breaking: BTreeMap<Broken, Break>,
}

fn narrow<const W: usize>(state: &Words) -> [u32; W] {
    std::array::from_fn(|n| state[n])
}

fn widen<const W: usize>(state: &[u32; W]) -> Words {
    let mut words = [0; WORDS_MAX];
    words[..W].copy_from_slice(state);
    words
}

impl<'m, const W: usize> Search<'m, W> {
    fn new(model: &'m mut Model, start: Words, watch: &'m mut dyn Watch) -> Self {
        let arena = Arena::new(narrow(&start));
        let (broken, breaking) = (BTreeMap::new(), BTreeMap::new());
        Self { model, watch, arena, transitions: 0, depth: 0, sometimes: 0, broken, breaking }
    }

    fn run(mut self) -> Outcome {
        let end = self.layers();
        let broken = std::mem::take(&mut self.broken);
        let broken = broken.into_iter().map(|(what, found)| (what, self.path(found))).collect();
        Outcome {
            end,
            states: self.arena.len(),
            transitions: self.transitions,
            depth: self.depth,
            sometimes: self.sometimes,
            broken,
            bytes: self.arena.bytes() + self.model.bytes(),
        }
    }

    fn layers(&mut self) -> End {
        let mut layer = 0;
        loop {
            let next = self.arena.len() as u32;
            if layer == next {
                self.depth = self.depth.saturating_sub(1);
                return End::Complete;
            }
            let stopped = self.layer(layer, next);
            // A layer that was left in its middle may have a cheaper way still.
            for (what, found) in std::mem::take(&mut self.breaking) {
                self.broken.entry(what).or_insert(found);
            }
            if let Some(end) = stopped {
                return end;
            }
            let asked = self.model.options.properties.is_some();
            let counts = |(property, _): &Broken| asked || !property.is_performance();
            if self.model.options.first && self.broken.keys().any(counts) {
                return End::First;
            }
            layer = next;
            self.depth += 1;
        }
    }

    /// Looks at the states from number `layer` up to `next`.
    fn layer(&mut self, layer: u32, next: u32) -> Option<End> {
        /// How many states are looked at between two questions whether to go on.
        const STRIDE: u32 = 4096;
        for number in layer..next {
            if number.is_multiple_of(STRIDE) {
                if self.arena.len() > self.model.options.max_states {
                    return Some(End::States);
                }
                if self.arena.bytes() + self.model.bytes() > self.model.options.max_memory {
                    return Some(End::Memory);
                }
                if !self.watch.go_on(self.arena.len(), self.depth) {
                    return Some(End::Interrupted);
                }
            }
            self.look_at(number, next);
        }
        self.arena.finish(next);
        None
    }

    fn look_at(&mut self, number: u32, next: u32) {
        let (state, cost) = (widen(&self.arena.state(number)), self.arena.cost(number));
        let Self { model, arena, transitions, sometimes, broken, breaking, .. } = self;
        let mut verdicts = Vec::new();
        model.expand(&state, &mut |mv, found: Found, after| {
            *transitions += 1;
            *sometimes |= found.sometimes;
            let cost = cost.saturating_add(found.cost);
            if found.verdicts == [0, 0] {
                arena.reach(narrow(after), number, cost, next);
            } else {
                verdicts.push((mv, found, *after));
            }
        });
        for (mv, found, after) in verdicts {
            let cost = cost.saturating_add(found.cost);
            let mut fatal = false;
            for verdicts in found.verdicts {
                let verdicts = model.verdicts(verdicts);
                fatal |= verdicts.fatal;
                for what in &verdicts.broken {
                    let this = Break { from: number, mv, cost };
                    if !broken.contains_key(what) {
                        let best = breaking.entry(*what).or_insert(this);
                        if cost < best.cost {
                            *best = this;
                        }
                    }
                }
            }
            if !fatal {
                arena.reach(narrow(&after), number, cost, next);
            }
        }
    }

    /// The way to `found`.
    fn path(&mut self, found: Break) -> Path {
        let mut numbers = vec![found.from];
        while let Some(&number) = numbers.last()
            && number != 0
        {
            numbers.push(self.arena.parent(number));
        }
        numbers.reverse();
        let states: Vec<Words> = numbers.iter().map(|n| widen(&self.arena.state(*n))).collect();
        let mut moves = Vec::new();
        for pair in states.windows(2) {
            moves.extend(self.cheapest(&pair[0], &pair[1]));
        }
        moves.push(found.mv);
        Path { states, moves, cost: found.cost }
    }

    /// The cheapest move from one state to the other.
    fn cheapest(&mut self, from: &Words, to: &Words) -> Option<Move> {
        let mut best: Option<(u16, Move)> = None;
        self.model.expand(from, &mut |mv, found, after| {
            if after == to && best.is_none_or(|(cost, _)| found.cost < cost) {
                best = Some((found.cost, mv));
            }
        });
        best.map(|(_, mv)| mv)
    }
}
