//! The states that were found: exact, each once, in the order of their discovery.
//!
//! One vector is store and queue in one; a table of numbers finds what is in it. No state carries
//! its history: each has the number of the one that it was reached from.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// States of `W` words each.
pub(super) struct Arena<const W: usize> {
    states: Vec<[u32; W]>,
    parents: Vec<u32>,
    /// Switches and interrupts on the way to each.
    costs: Vec<u16>,
    numbers: HashTable<u32>,
}

/// What became of a state that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is new.
    New,
    /// It was known.
    Known,
}

fn hash<const W: usize>(state: &[u32; W]) -> u64 {
    let mut hasher = FxHasher::default();
    for word in state {
        hasher.write_u32(*word);
    }
    hasher.finish()
}

impl<const W: usize> Arena<W> {
    /// The state `start` alone.
    pub(super) fn new(start: [u32; W]) -> Self {
        let mut arena = Self {
            states: Vec::new(),
            parents: Vec::new(),
            costs: Vec::new(),
            numbers: HashTable::new(),
        };
        arena.insert(start, 0, 0, 0);
        arena
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn state(&self, number: u32) -> [u32; W] {
        self.states[number as usize]
    }

    pub(super) fn parent(&self, number: u32) -> u32 {
        self.parents[number as usize]
    }

    pub(super) fn cost(&self, number: u32) -> u16 {
        self.costs[number as usize]
    }

    /// Adds a state that was reached from `parent`. One that is known and of the newest layer, which
    /// begins at `layer`, is reached from whichever parent costs less.
    #[inline]
    pub(super) fn insert(
        &mut self,
        state: [u32; W],
        parent: u32,
        cost: u16,
        layer: u32,
    ) -> Inserted {
        let Self { states, parents, costs, numbers } = self;
        let entry = numbers.entry(
            hash(&state),
            |number| states[*number as usize] == state,
            |number| hash(&states[*number as usize]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(known) => {
                let number = *known.get();
                if number >= layer && cost < costs[number as usize] {
                    (costs[number as usize], parents[number as usize]) = (cost, parent);
                }
                Inserted::Known
            }
            hashbrown::hash_table::Entry::Vacant(free) => {
                free.insert(states.len() as u32);
                states.push(state);
                parents.push(parent);
                costs.push(cost);
                Inserted::New
            }
        }
    }

    /// The memory that it holds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<[u32; W]>()
            + self.parents.capacity() * size_of::<u32>()
            + self.costs.capacity() * size_of::<u16>()
            + self.numbers.allocation_size()
    }
}
