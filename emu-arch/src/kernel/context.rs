//! The changes that a task makes to its own context: preemption, bottom halves, interrupts.

use std::fmt::{self, Display, Formatter};

use lazy_mmu::machine_api::CONTEXT_CHANGES;
use lazy_mmu::preempt::Counted;

/// A change of the preempt count, by its kernel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextOp {
    /// The kernel's name.
    pub name: &'static str,
    /// What is counted.
    pub what: Counted,
    /// Whether it is one more.
    pub add: bool,
}

impl ContextOp {
    /// Every change that a task can make.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        CONTEXT_CHANGES.iter().map(|(name, what, add)| Self { name, what: *what, add: *add })
    }

    /// The change called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|op| op.name == name)
    }
}

impl Display for ContextOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
