//! The states that a search has found: exact, each once, in the order of their discovery.
//!
//! One vector is store and queue in one; a table of numbers, probed in a row, finds what is in it.
//! No state carries its history: each has the number of the state before it on a path. States
//! arrive in batches, so that the places which a batch needs are read from memory side by side, not
//! one after the other.
//!
//! The table is written by hand since `hashbrown::HashTable` was measured to be slower (0.17.1,
//! user time against this table, medians of paired runs; *batch* looks up a whole batch before it
//! inserts):
//!
//! | command | this | hashbrown, batch | hashbrown, one by one |
//! |---|--:|--:|--:|
//! | `check --arch powerpc-hash --cpus 2 --nesting 1`, 19 million states | 1 | 1.18 | 2.29 |
//! | `check --arch arm64`, 277 thousand states | 1 | 1.05 | |
//! | `prove --all`, up to 65 thousand states at a time | 1 | 1.46 | |
//!
//! ```
//! use emu_check::explore::{StateStore, Words};
//!
//! // Two counters that stop at 9: a hundred states, each visited once, in order.
//! let mut store = StateStore::new(Words([0, 0]));
//! let (mut layer, mut next) = (0, 1);
//! while layer < next {
//!     for number in layer..next {
//!         let Words([a, b]) = store.state(number);
//!         store.reach(Words([9.min(a + 1), b]), number, 0, next);
//!         store.reach(Words([a, 9.min(b + 1)]), number, 0, next);
//!     }
//!     store.finish(next);
//!     (layer, next) = (next, store.len() as u32);
//! }
//! assert_eq!(store.len(), 100);
//! ```

use std::hash::{Hash, Hasher};
use std::hint::black_box;

use rustc_hash::FxHasher;

/// States with their parents and costs.
#[derive(Debug)]
pub struct StateStore<S> {
    states: Vec<S>,
    parents: Vec<u32>,
    /// The cost of the path to each.
    costs: Vec<u16>,
    /// Numbers plus one, 0 where there is none; a power of two long, and at most five eighths full.
    numbers: Vec<u32>,
    batch: Vec<Arrival<S>>,
}

/// A state that was reached, and how.
#[derive(Clone, Copy, Debug)]
struct Arrival<S> {
    state: S,
    parent: u32,
    cost: u16,
    hash: u64,
}

/// How many states make a batch.
const BATCH: usize = 128;

fn hash<S: Hash>(state: &S) -> u64 {
    let mut hasher = FxHasher::default();
    state.hash(&mut hasher);
    hasher.finish()
}

impl<S: Copy + Eq + Hash> StateStore<S> {
    /// The state `start` alone.
    #[must_use]
    pub fn new(start: S) -> Self {
        let mut store = Self {
            states: Vec::new(),
            parents: Vec::new(),
            costs: Vec::new(),
            numbers: vec![0; 1024],
            batch: Vec::with_capacity(BATCH),
        };
        store.reach(start, 0, 0, 0);
        store.finish(0);
        store
    }

    /// The number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there is no state, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The state of that number, below [`len`](Self::len).
    #[must_use]
    pub fn state(&self, number: u32) -> S {
        self.states[number as usize]
    }

    /// The states in the order of their numbers.
    #[must_use]
    pub fn into_states(self) -> Vec<S> {
        self.states
    }

    /// The number of the state before it on its path.
    #[must_use]
    pub fn parent(&self, number: u32) -> u32 {
        self.parents[number as usize]
    }

    /// The cost of its path.
    #[must_use]
    pub fn cost(&self, number: u32) -> u16 {
        self.costs[number as usize]
    }

    /// A state was reached from `parent`. One that is known and of the newest layer, which begins
    /// at `layer`, is reached from whichever parent costs less. It is there after [`Self::finish`]
    /// only.
    #[inline]
    pub fn reach(&mut self, state: S, parent: u32, cost: u16, layer: u32) {
        self.batch.push(Arrival { state, parent, cost, hash: hash(&state) });
        if self.batch.len() == BATCH {
            self.finish(layer);
        }
    }

    /// All that was reached is there.
    pub fn finish(&mut self, layer: u32) {
        if (self.states.len() + self.batch.len()) * 8 > self.numbers.len() * 5 {
            self.grow();
        }
        let batch = std::mem::take(&mut self.batch);
        let mask = self.numbers.len() - 1;
        let first = |arrival: &Arrival<S>| self.numbers[arrival.hash as usize & mask];
        black_box(batch.iter().fold(0, |seen, arrival| seen ^ first(arrival)));
        let known = |number: u32, state: &S| self.states.get(number as usize) == Some(state);
        let look = |arrival: &Arrival<S>| known(first(arrival).wrapping_sub(1), &arrival.state);
        black_box(batch.iter().fold(false, |seen, arrival| seen ^ look(arrival)));
        for arrival in &batch {
            self.insert(arrival, layer);
        }
        self.batch = batch;
        self.batch.clear();
    }

    fn insert(&mut self, arrival: &Arrival<S>, layer: u32) {
        let mask = self.numbers.len() - 1;
        let mut at = arrival.hash as usize & mask;
        while let Some(number) = self.numbers[at].checked_sub(1) {
            if self.states[number as usize] == arrival.state {
                let number = number as usize;
                if number >= layer as usize && arrival.cost < self.costs[number] {
                    (self.costs[number], self.parents[number]) = (arrival.cost, arrival.parent);
                }
                return;
            }
            at = (at + 1) & mask;
        }
        self.states.push(arrival.state);
        self.parents.push(arrival.parent);
        self.costs.push(arrival.cost);
        self.numbers[at] = self.states.len() as u32;
    }

    /// Makes the table of numbers twice as long.
    fn grow(&mut self) {
        let mask = self.numbers.len() * 2 - 1;
        let mut numbers = vec![0; mask + 1];
        for (state, number) in self.states.iter().zip(1..) {
            let mut at = hash(state) as usize & mask;
            while numbers[at] != 0 {
                at = (at + 1) & mask;
            }
            numbers[at] = number;
        }
        self.numbers = numbers;
    }

    /// The memory that it holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<S>()
            + self.parents.capacity() * size_of::<u32>()
            + self.costs.capacity() * size_of::<u16>()
            + self.numbers.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Words;
    use super::StateStore;

    #[test]
    fn states_are_kept_once_and_in_order() {
        let mut store = StateStore::new(Words([0, 0]));
        for round in 0..2 {
            for n in 0..5000u32 {
                store.reach(Words([n % 70, n / 70]), n, 1, 0);
            }
            store.finish(0);
            assert_eq!(store.len(), 5000, "round {round}");
        }
        assert_eq!((store.state(71), store.parent(71)), (Words([1, 1]), 71));
    }

    #[test]
    fn the_cheaper_parent_of_the_newest_layer_counts() {
        let mut store = StateStore::new(Words([9, 9]));
        for (parent, cost) in [(5, 3), (6, 2), (7, 2)] {
            store.reach(Words([1, 1]), parent, cost, 1);
        }
        store.finish(1);
        assert_eq!((store.parent(1), store.cost(1)), (6, 2));
        // A layer on, it is too late.
        store.reach(Words([1, 1]), 8, 0, 2);
        store.finish(2);
        assert_eq!((store.parent(1), store.cost(1)), (6, 2));
    }
}
