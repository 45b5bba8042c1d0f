//! The part of a nested program's state that is not its stack: design states, phase, interrupt.

use super::language::{Language, Phase};
use super::lockstep::Lockstep;
use super::pairs::Pairs;

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

/// Controls, each with a number; numbers are given in order.
pub(super) struct Controls {
    language: Language,
    pairs: Pairs,
    /// For each pair, the number of its control in each phase and context.
    numbers: Vec<u32>,
    per_pair: u32,
    /// The place in `numbers` of each control.
    known: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Controls {
    /// No controls but the start, number 0.
    pub(super) fn new(both: &Lockstep, language: Language, irq: bool) -> Self {
        let pairs = Pairs::new(both.tables.each_ref().map(|table| table.states));
        let per_pair = language.phases() * if irq { 2 } else { 1 };
        let mut controls =
            Self { language, pairs, numbers: Vec::new(), per_pair, known: Vec::new() };
        controls.number(Control { pair: both.start(), phase: Phase::default(), irq: false });
        controls
    }

    /// The number of a control, a new one if it has none yet.
    #[inline]
    pub(super) fn number(&mut self, control: Control) -> u32 {
        let pair = self.pairs.number(control.pair);
        if self.pairs.len() * self.per_pair > self.numbers.len() as u32 {
            self.numbers.resize((self.pairs.len() * self.per_pair) as usize, NONE);
        }
        let phase = self.language.number(control.phase);
        let place = pair * self.per_pair + phase + self.language.phases() * u32::from(control.irq);
        let number = &mut self.numbers[place as usize];
        if *number == NONE {
            *number = self.known.len() as u32;
            self.known.push(place);
        }
        *number
    }

    /// The control with this number.
    #[inline]
    pub(super) fn control(&self, number: u32) -> Control {
        let place = self.known[number as usize];
        let (pair, rest) = (place / self.per_pair, place % self.per_pair);
        let phases = self.language.phases();
        Control {
            pair: self.pairs.pair(pair),
            phase: self.language.phase(rest % phases),
            irq: rest >= phases,
        }
    }
}
