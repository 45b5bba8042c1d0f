//! What is to be proved.

use lazy_mmu::design::{Design, LazyMmuDesign};

use super::observe::Compare;
use crate::language::Language;

/// The most states of a search, by default.
pub const STATES_MAX: u64 = 1 << 25;

/// The most tasks of a product.
pub const TASKS_MAX: u8 = 4;

/// What is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The two designs.
    pub designs: [Design; 2],
    /// Which call sequences are compared.
    pub language: Language,
    /// What is compared of a step.
    pub compare: Compare,
    /// Sequences have the calls of the designs' own; else those of the kernel alone.
    pub own_calls: bool,
    /// An interrupt may come after any call.
    pub irq: bool,
    /// The most brackets that may be open at a time, or no limit. Not asked under
    /// [`Language::Any`], which knows no brackets.
    pub nesting: Option<u16>,
    /// How many tasks the CPU has, at most [`TASKS_MAX`]; more than one under [`Language::Any`]
    /// only.
    pub tasks: u8,
    /// The search gives up when it has more states.
    pub max_states: u64,
}

impl Question {
    /// Whether nested programs reach the same hooks and the same active bit, at any depth.
    #[must_use]
    pub const fn new(design: Design, against: Design) -> Self {
        Self {
            designs: [design, against],
            language: Language::D,
            compare: Compare::Active,
            own_calls: true,
            irq: false,
            nesting: None,
            tasks: 1,
            max_states: STATES_MAX,
        }
    }

    /// The same of two designs by their states.
    #[must_use]
    pub const fn of<X: LazyMmuDesign, Y: LazyMmuDesign>() -> Self {
        Self::new(Design::of::<X>(), Design::of::<Y>())
    }
}
