//! What an architecture does to the hardware or to its batch, as values.
//!
//! An effect is a name, a number where the operation takes one, and what kind of thing it is. Each
//! architecture names its own; the machine counts and records them without knowing any.

/// What an effect is to someone who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Work put off: an entry joined a batch, a flag was set. Costs nothing on real hardware.
    PutOff,
    /// Work done that the lazy MMU mode can put off: a barrier, a flush, a hypercall.
    Delayable,
    /// Work that the mode does not touch: a fault, a flush that has a batching of its own.
    Other,
}

/// One effect of a hook, a page table primitive or a context switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Effect {
    /// The kernel's name; one that ends in `=` is an assignment of `n`.
    pub name: &'static str,
    /// The number of entries, where the operation takes one.
    pub n: Option<u32>,
    /// What it is to someone who counts.
    pub kind: Kind,
}

impl Effect {
    /// A page fault: the access found no translation that permits it.
    pub const PAGE_FAULT: Self = Self::other("page fault");

    /// Work put off.
    #[must_use]
    pub const fn put_off(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::PutOff }
    }

    /// Work done that the mode can put off.
    #[must_use]
    pub const fn delayable(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Delayable }
    }

    /// Work that the mode does not touch.
    #[must_use]
    pub const fn other(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Other }
    }

    /// The same effect on `n` entries at once.
    #[inline]
    #[must_use]
    pub const fn of(self, n: u32) -> Self {
        Self { n: Some(n), ..self }
    }
}
