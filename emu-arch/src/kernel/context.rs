//! The changes that a task makes to its own context: preemption, bottom halves, interrupts.

use std::fmt::{self, Display, Formatter};

use lazy_mmu::machine_api::CONTEXT_CHANGES;

/// A change of the preempt count, by its kernel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextOp {
    /// The kernel's name.
    pub name: &'static str,
    /// The offset that is added or subtracted.
    pub offset: u32,
    /// Whether it is added.
    pub add: bool,
}

impl ContextOp {
    /// Every change that a task can make.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        CONTEXT_CHANGES.iter().map(|(name, offset, add)| Self { name, offset: *offset, add: *add })
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
