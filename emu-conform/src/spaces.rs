//! Address spaces: their pointers in a trace to the numbers that the machine has.

use std::collections::BTreeMap;

use crate::moves::{Act, Reduced};
use crate::trace::Event;

/// How many address spaces are known at once; the one that was not used for longest makes room.
const MAX: u8 = 200;

/// The address spaces of an operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spaces {
    /// The number of each, and when it was last used.
    known: BTreeMap<String, (u8, u64)>,
    /// How many numbers were given.
    given: u8,
    now: u64,
}

impl Spaces {
    /// The number of the address space at `pointer`, from 1; `event` is about it.
    pub(crate) fn number(&mut self, event: &Event<'_>, pointer: &str, out: &mut Reduced) -> u8 {
        self.now += 1;
        if let Some((number, used)) = self.known.get_mut(pointer) {
            *used = self.now;
            return *number;
        }
        let number = if self.given < MAX {
            self.given += 1;
            self.given
        } else {
            let number = self.free();
            out.prepare(event.line, event.cpu, event.task(), Act::Forget(number));
            number
        };
        self.known.insert(pointer.to_owned(), (number, self.now));
        number
    }

    /// A number that nobody has, or else that of the address space that was not used for longest.
    fn free(&mut self) -> u8 {
        let has = |number: &u8| self.known.values().any(|(known, _)| known == number);
        if let Some(free) = (1..=MAX).find(|number| !has(number)) {
            return free;
        }
        let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used);
        let oldest = oldest.map(|(pointer, (number, _))| (pointer.clone(), *number));
        let (pointer, number) = oldest.unwrap_or_default();
        self.known.remove(&pointer);
        number
    }

    /// The address space at `pointer` is gone: the pointer is the next one's.
    pub(crate) fn gone(&mut self, pointer: &str) {
        self.known.remove(pointer);
    }
}
