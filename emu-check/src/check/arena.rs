//! The states that were found: exact, each once, in the order of their discovery.
//!
//! One vector is store and queue in one; a table of numbers, probed in a row, finds what is in it. No
//! state carries its history: each has the number of the one that it was reached from. States come in
//! batches: whoever looks first at all the places that a batch will need has them read from memory side
//! by side, and not one after the other.
//!
//! ```
//! use emu_check::check::arena::Arena;
//!
//! // Two counters that stop at 9: a hundred states, each looked at once, in order.
//! let mut arena = Arena::new([0, 0]);
//! let (mut layer, mut next) = (0, 1);
//! while layer < next {
//!     for number in layer..next {
//!         let [a, b] = arena.state(number);
//!         arena.reach([9.min(a + 1), b], number, 0, next);
//!         arena.reach([a, 9.min(b + 1)], number, 0, next);
//!     }
//!     arena.finish(next);
//!     (layer, next) = (next, arena.len() as u32);
//! }
//! assert_eq!(arena.len(), 100);
//! ```

use std::hash::Hasher;
use std::hint::black_box;

use rustc_hash::FxHasher;

/// States of `W` words each.
#[derive(Debug)]
pub struct Arena<const W: usize> {
    states: Vec<[u32; W]>,
    parents: Vec<u32>,
    /// Switches and interrupts on the way to each.
    costs: Vec<u16>,
    /// Numbers plus one, 0 where there is none; a power of two long, and at most five eighths full.
    numbers: Vec<u32>,
    batch: Vec<Arrival<W>>,
}

/// A state that was reached, and how.
#[derive(Clone, Copy, Debug)]
struct Arrival<const W: usize> {
    state: [u32; W],
    parent: u32,
    cost: u16,
    hash: u64,
}

/// How many states make a batch.
const BATCH: usize = 128;

fn hash<const W: usize>(state: &[u32; W]) -> u64 {
    let mut hasher = FxHasher::default();
    for pair in state.chunks(2) {
        let high = pair.get(1).map_or(0, |word| u64::from(*word) << 32);
        hasher.write_u64(u64::from(pair[0]) | high);
    }
    hasher.finish()
}

impl<const W: usize> Arena<W> {
    /// The state `start` alone.
    #[must_use]
    pub fn new(start: [u32; W]) -> Self {
        let mut arena = Self {
            states: Vec::new(),
            parents: Vec::new(),
            costs: Vec::new(),
            numbers: vec![0; 1024],
            batch: Vec::with_capacity(BATCH),
        };
        arena.reach(start, 0, 0, 0);
        arena.finish(0);
        arena
    }

    /// The number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Tells whether there is no state, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The state of that number, below [`len`](Self::len).
    #[must_use]
    pub fn state(&self, number: u32) -> [u32; W] {
        self.states[number as usize]
    }

    /// The number of the state that it was reached from.
    #[must_use]
    pub fn parent(&self, number: u32) -> u32 {
        self.parents[number as usize]
    }

    /// What the way to it costs.
    #[must_use]
    pub fn cost(&self, number: u32) -> u16 {
        self.costs[number as usize]
    }

    /// A state was reached from `parent`. One that is known and of the newest layer, which begins at
    /// `layer`, is reached from whichever parent costs less. It is there after [`Self::finish`] only.
    #[inline]
    pub fn reach(&mut self, state: [u32; W], parent: u32, cost: u16, layer: u32) {
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
        let first = |arrival: &Arrival<W>| self.numbers[arrival.hash as usize & mask];
        let known = |number: u32| self.states.get(number as usize).map_or(0, |state| state[0]);
        black_box(batch.iter().fold(0, |seen, arrival| seen ^ first(arrival)));
        let look = |arrival: &Arrival<W>| known(first(arrival).wrapping_sub(1));
        black_box(batch.iter().fold(0, |seen, arrival| seen ^ look(arrival)));
        for arrival in &batch {
            self.insert(arrival, layer);
        }
        self.batch = batch;
        self.batch.clear();
    }

    fn insert(&mut self, arrival: &Arrival<W>, layer: u32) {
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
        self.states.capacity() * size_of::<[u32; W]>()
            + self.parents.capacity() * size_of::<u32>()
            + self.costs.capacity() * size_of::<u16>()
            + self.numbers.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn states_are_kept_once_and_in_order() {
        let mut arena = Arena::<2>::new([0, 0]);
        for round in 0..2 {
            for n in 0..5000u32 {
                arena.reach([n % 70, n / 70], n, 1, 0);
            }
            arena.finish(0);
            assert_eq!(arena.len(), 5000, "round {round}");
        }
        assert_eq!((arena.state(71), arena.parent(71)), ([1, 1], 71));
    }

    #[test]
    fn the_cheaper_parent_of_the_newest_layer_counts() {
        let mut arena = Arena::<2>::new([9, 9]);
        for (parent, cost) in [(5, 3), (6, 2), (7, 2)] {
            arena.reach([1, 1], parent, cost, 1);
        }
        arena.finish(1);
        assert_eq!((arena.parent(1), arena.cost(1)), (6, 2));
        // A layer on, it is too late.
        arena.reach([1, 1], 8, 0, 2);
        arena.finish(2);
        assert_eq!((arena.parent(1), arena.cost(1)), (6, 2));
    }
}
