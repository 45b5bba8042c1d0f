//! What an architecture does to the hardware or to its batch, as values.
//!
//! An effect is a name, a number where the operation takes one, and a cost class. Each architecture
//! names its own; the machine counts and records them without knowing any.

use lazy_mmu::design::HookInfo;

/// The cost class of an effect, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Work was deferred: an entry joined a batch, a flag was set. Costs nothing on real hardware;
    /// whatever arrives just before could as well arrive after it.
    Deferral,
    /// The code goes on to its next part: also free, but what arrives just before matters.
    Step,
    /// Work that the lazy MMU mode can defer is done: a barrier, a flush, a hypercall.
    Delayable,
    /// Work that the mode does not affect: a fault, a flush that has a batching of its own.
    Other,
}

/// One effect of a hook, a page table primitive or a context switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArchEffect {
    /// The kernel's name; one that ends in `=` is an assignment of `n`.
    pub name: &'static str,
    /// The number of entries, where the operation takes one.
    pub n: Option<u32>,
    /// The cost class.
    pub kind: Kind,
}

impl ArchEffect {
    /// A page fault: the access found no translation that permits it.
    pub const PAGE_FAULT: Self = Self::other("page fault");

    /// Arch code opens a section in a primitive, as `set_ptes()` did for a while.
    pub(crate) const ARCH_ENTER: Self = Self::step(HookInfo::ENTER.short);
    /// Arch code closes it.
    pub(crate) const ARCH_LEAVE: Self = Self::step(HookInfo::LEAVE.short);

    /// Work is deferred.
    #[must_use]
    pub const fn deferral(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Deferral }
    }

    /// The code goes on to its next part, before which something that arrives matters.
    #[must_use]
    pub const fn step(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Step }
    }

    /// Work that the mode can defer is done.
    #[must_use]
    pub const fn delayable(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Delayable }
    }

    /// Work that the mode does not affect.
    #[must_use]
    pub const fn other(name: &'static str) -> Self {
        Self { name, n: None, kind: Kind::Other }
    }

    /// Whether it costs time on real hardware.
    #[inline]
    #[must_use]
    pub const fn costs(self) -> bool {
        matches!(self.kind, Kind::Delayable | Kind::Other)
    }

    /// The same effect on `n` entries at once.
    #[inline]
    #[must_use]
    pub const fn of(self, n: u32) -> Self {
        Self { n: Some(n), ..self }
    }
}
