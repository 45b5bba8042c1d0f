//! The part of a program's state that is not its stack: design states, phase, interrupt.

use crate::explore::Words;
use crate::language::{Language, Phase};

/// What a program may do next depends on this and on the innermost open bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control {
    /// The states of the two designs.
    pub(super) pair: [u32; 2],
    /// What the language remembers of the open brackets.
    pub(super) phase: Phase,
    /// An interrupt runs.
    pub(super) irq: bool,
}

/// A control in two words: above the number of a design's state, which has 18 bits at most, the
/// first has the interrupt and the second the phase.
pub(super) type Packed = Words<2>;

const SHIFT: u32 = 24;
const _: () = assert!(super::DESIGN_STATES_MAX <= 1 << SHIFT);

impl Control {
    pub(super) const fn start(pair: [u32; 2]) -> Self {
        Self { pair, phase: Phase::NONE, irq: false }
    }

    #[inline]
    pub(super) const fn pack(self, language: Language) -> Packed {
        let [x, y] = self.pair;
        Words([x | (self.irq as u32) << SHIFT, y | language.number(self.phase) << SHIFT])
    }

    #[inline]
    pub(super) const fn unpack(Words([x, y]): Packed, language: Language) -> Self {
        let mask = (1 << SHIFT) - 1;
        let phase = language.phase(y >> SHIFT);
        Self { pair: [x & mask, y & mask], phase, irq: x >> SHIFT != 0 }
    }
}
