//! The hooks of an architecture: which a design calls, and what each is.

use super::id::digest;

/// A hook of the architecture, identified by its kernel name.
///
/// The value is a digest of the name, so that an architecture can answer a hook whichever design
/// calls it. What the hook is stands in its [`HookInfo`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hook(u32);

impl Hook {
    /// `arch_enter_lazy_mmu_mode()`
    pub const ENTER: Self = Self::named("arch_enter_lazy_mmu_mode");
    /// `arch_leave_lazy_mmu_mode()`
    pub const LEAVE: Self = Self::named("arch_leave_lazy_mmu_mode");
    /// `arch_flush_lazy_mmu_mode()`
    pub const FLUSH: Self = Self::named("arch_flush_lazy_mmu_mode");

    /// The hooks that every architecture has.
    pub const KERNEL: [Self; 3] = [Self::ENTER, Self::LEAVE, Self::FLUSH];

    /// The hook with the kernel name `name`.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        Self(digest(name))
    }

    /// The value that a packed event holds.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The inverse of [`bits`](Self::bits).
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

/// What a hook is: a row in the table of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HookInfo {
    /// The hook.
    pub hook: Hook,
    /// The name of the function in the kernel.
    pub name: &'static str,
    /// The short form that commit messages use, with its parentheses.
    pub short: &'static str,
    /// What an architecture that lacks the hook does instead; nothing where there is none.
    pub or: Option<Hook>,
}

impl HookInfo {
    /// `arch_enter_lazy_mmu_mode()`
    pub const ENTER: Self = Self::new("arch_enter_lazy_mmu_mode", "arch_enter()");
    /// `arch_leave_lazy_mmu_mode()`
    pub const LEAVE: Self = Self::new("arch_leave_lazy_mmu_mode", "arch_leave()");
    /// `arch_flush_lazy_mmu_mode()`
    pub const FLUSH: Self = Self::new("arch_flush_lazy_mmu_mode", "arch_flush()");

    /// The hooks that every design may call, in the order of the kernel header.
    pub const KERNEL: [Self; 3] = [Self::ENTER, Self::LEAVE, Self::FLUSH];

    /// A hook that an architecture without it ignores.
    #[must_use]
    pub const fn new(name: &'static str, short: &'static str) -> Self {
        Self { hook: Hook::named(name), name, short, or: None }
    }

    /// A variant of this hook, one of the kernel's: an architecture without the variant runs this
    /// one.
    #[must_use]
    pub const fn variant(self, name: &'static str, short: &'static str) -> Self {
        Self { or: Some(self.hook), ..Self::new(name, short) }
    }

    /// The hook of the kernel that an architecture without this one runs: itself for one of those.
    #[inline]
    #[must_use]
    pub const fn kernel(&self) -> Option<Hook> {
        match self.hook {
            Hook::ENTER | Hook::LEAVE | Hook::FLUSH => Some(self.hook),
            _ => self.or,
        }
    }
}
