//! Address spaces: their pointers in a trace to the numbers that the machine has.

use std::collections::BTreeMap;

/// How many address spaces are known at once; the one that was not used for longest makes room.
const MAX: u8 = 200;

/// The address spaces of an operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spaces {
    /// The number of each, and when it was last used.
    known: BTreeMap<String, (u8, u64)>,
    now: u64,
}

/// The number of an address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// The number, from 1.
    pub(crate) number: u8,
    /// The number is one that another address space had.
    pub(crate) forgotten: Option<u8>,
}

impl Spaces {
    /// The number of the address space at `pointer`.
    pub(crate) fn number(&mut self, pointer: &str) -> Space {
        self.now += 1;
        if let Some((number, used)) = self.known.get_mut(pointer) {
            *used = self.now;
            return Space { number: *number, forgotten: None };
        }
        let free = (1..=MAX).find(|free| self.known.values().all(|(number, _)| number != free));
        let (number, forgotten) = match free {
            Some(free) => (free, None),
            None => {
                let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used);
                let oldest = oldest.map(|(pointer, (number, _))| (pointer.clone(), *number));
                let (pointer, number) = oldest.unwrap_or((String::new(), MAX));
                self.known.remove(&pointer);
                (number, Some(number))
            }
        };
        self.known.insert(pointer.to_owned(), (number, self.now));
        Space { number, forgotten }
    }

    /// The address space at `pointer` is gone: the pointer is the next one's.
    pub(crate) fn gone(&mut self, pointer: &str) -> Option<u8> {
        self.known.remove(pointer).map(|(number, _)| number)
    }
}
