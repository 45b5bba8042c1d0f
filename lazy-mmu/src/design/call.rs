//! The calls of the generic API: which a design has, and what each is.
//!
//! Every design has the four calls of the kernel. One that adds a call declares it in a row of its
//! table ([`LazyMmuDesign::CALLS`](super::LazyMmuDesign::CALLS)); records, scenarios, checks and
//! proofs take it from there.

use super::id::{digest, same_text};

/// A call of the generic API, identified by its kernel name.
///
/// The value is a digest of the name, so that a call is the same call under every design. What the
/// call is stands in its [`CallInfo`].
///
/// ```
/// use lazy_mmu::design::Call;
/// const SYNC: Call = Call::named("lazy_mmu_mode_sync");
/// assert!(matches!(SYNC, SYNC) && SYNC != Call::ENABLE);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Call(u32);

impl Call {
    /// `lazy_mmu_mode_enable()`
    pub const ENABLE: Self = Self::named("lazy_mmu_mode_enable");
    /// `lazy_mmu_mode_disable()`
    pub const DISABLE: Self = Self::named("lazy_mmu_mode_disable");
    /// `lazy_mmu_mode_pause()`
    pub const PAUSE: Self = Self::named("lazy_mmu_mode_pause");
    /// `lazy_mmu_mode_resume()`
    pub const RESUME: Self = Self::named("lazy_mmu_mode_resume");

    /// The calls that every design answers, in the order of the kernel header.
    pub const KERNEL: [Self; 4] = [Self::ENABLE, Self::DISABLE, Self::PAUSE, Self::RESUME];

    /// The call with the kernel name `name`.
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

/// What a call does to the brackets of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// It begins a section.
    OpensSection,
    /// It ends a section.
    ClosesSection,
    /// It begins a pause.
    OpensPause,
    /// It ends a pause.
    ClosesPause,
    /// It neither begins nor ends anything.
    Neither,
}

impl Role {
    /// Tells whether the call opens a bracket that another call closes.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::OpensSection | Self::OpensPause)
    }

    /// Tells whether the call closes a bracket.
    #[must_use]
    pub const fn closes(self) -> bool {
        matches!(self, Self::ClosesSection | Self::ClosesPause)
    }

    /// Tells whether the bracket is a pause.
    #[must_use]
    pub const fn is_pause(self) -> bool {
        matches!(self, Self::OpensPause | Self::ClosesPause)
    }
}

/// What a caller passes to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// What the call that opened the section returned: `lazy_mmu_state_t` of v1 and v2.
    Token,
    /// One page and its entry.
    Page,
    /// Consecutive pages of one table and the entry of the first.
    PteRange,
}

impl Takes {
    /// Tells whether a scenario gives the call an address.
    #[must_use]
    pub const fn takes_pages(self) -> bool {
        matches!(self, Self::Page | Self::PteRange)
    }
}

/// What a call is: a row in the table of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallInfo {
    /// The call.
    pub call: Call,
    /// The name of the function in the kernel.
    pub name: &'static str,
    /// The short name, which scenarios use; of a call by arch code the effect that records show.
    pub short: &'static str,
    /// What the call does to brackets.
    pub role: Role,
    /// What the caller passes.
    pub takes: Takes,
    /// What a kernel whose design lacks the call does instead; nothing at all where there is none.
    pub or: Option<Call>,
    /// Arch code makes the call for a task, in interrupt or not: records show it as an effect of
    /// the architecture, and neither scenarios nor clients make it.
    pub by_arch: bool,
}

impl CallInfo {
    /// `lazy_mmu_mode_enable()`
    pub const ENABLE: Self = Self::kernel("lazy_mmu_mode_enable", "enable", Role::OpensSection);
    /// `lazy_mmu_mode_disable()`
    pub const DISABLE: Self = Self::kernel("lazy_mmu_mode_disable", "disable", Role::ClosesSection);
    /// `lazy_mmu_mode_pause()`
    pub const PAUSE: Self = Self::kernel("lazy_mmu_mode_pause", "pause", Role::OpensPause);
    /// `lazy_mmu_mode_resume()`
    pub const RESUME: Self = Self::kernel("lazy_mmu_mode_resume", "resume", Role::ClosesPause);

    /// The calls that every design has, in the order of the kernel header.
    pub const KERNEL: [Self; 4] = [Self::ENABLE, Self::DISABLE, Self::PAUSE, Self::RESUME];

    const fn kernel(name: &'static str, short: &'static str, role: Role) -> Self {
        Self { role, ..Self::new(name, short) }
    }

    /// A call that neither opens nor closes a bracket, and that other designs know nothing like.
    #[must_use]
    pub const fn new(name: &'static str, short: &'static str) -> Self {
        let (role, takes) = (Role::Neither, Takes::Nothing);
        Self { call: Call::named(name), name, short, role, takes, or: None, by_arch: false }
    }

    /// A variant of this call, one of the kernel's: it opens or closes what this one does, and is
    /// this one where a design lacks the variant.
    #[must_use]
    pub const fn variant(self, name: &'static str, short: &'static str) -> Self {
        Self { role: self.role, or: Some(self.call), ..Self::new(name, short) }
    }

    /// The same call with an argument.
    #[must_use]
    pub const fn taking(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    /// The same call, made by arch code.
    #[must_use]
    pub const fn by_arch(self) -> Self {
        Self { by_arch: true, ..self }
    }

    /// Tells whether code that is no arch code makes the call the same way as `other`.
    pub(super) const fn same_word(&self, other: &Self) -> bool {
        same_text(self.name, other.name)
            && same_text(self.short, other.short)
            && self.role as u8 == other.role as u8
            && (self.takes as u8 == other.takes as u8
                || !self.takes.takes_pages() && !other.takes.takes_pages())
            && self.by_arch == other.by_arch
    }
}
