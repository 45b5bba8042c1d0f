//! A page table entry: one layout for all architectures, with each one's bit under its own name.
//!
//! Fidelity: changed: the positions of the bits are ours; the predicates over them are those of
//! each architecture's asm/pgtable.h v7.0.

use super::addr::Pfn;

/// A page table entry.
///
/// Bits 0 to 15 are flags, bits 16 to 53 the page frame number, the rest is zero. An entry that is
/// not zero and not present is one that software alone reads, [`SoftLeaf`](super::SoftLeaf), unless
/// `INVALID` is set: that one is in the middle of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pte(pub u64);

impl Pte {
    /// No mapping: `pte_none()`.
    pub const NONE: Self = Self(0);
    /// The entry maps a page: `PTE_VALID`, `_PAGE_PRESENT`.
    pub const PRESENT: u64 = 1 << 0;
    /// User mode may read the page: `PTE_USER`; clear for execute-only user pages.
    pub const USER: u64 = 1 << 1;
    /// The page may be written.
    pub const WRITE: u64 = 1 << 2;
    /// User mode may not execute the page: `PTE_UXN`; set for every kernel page.
    pub const UXN: u64 = 1 << 3;
    /// The page was accessed: `PTE_AF`, `_PAGE_ACCESSED`.
    pub const YOUNG: u64 = 1 << 4;
    /// The page was written.
    pub const DIRTY: u64 = 1 << 5;
    /// A hash page table entry exists for the page: `H_PAGE_HASHPTE` (powerpc).
    pub const HASHPTE: u64 = 1 << 6;
    /// Not a mapping of a normal page: `pte_special()`.
    pub const SPECIAL: u64 = 1 << 7;
    /// Set where the entry was made invalid and [`PRESENT`](Self::PRESENT) taken from it:
    /// `_PAGE_INVALID` (powerpc, s390). On powerpc a translation may still be cached, and the
    /// kernel's `pte_present()` counts such an entry as present, which
    /// [`is_present`](Self::is_present) does not.
    pub const INVALID: u64 = 1 << 8;
    /// Present for software, and nobody may use the page: `pte_protnone()`, for which arm64 has
    /// `PTE_PRESENT_INVALID` and x86 `_PAGE_PROTNONE`.
    pub const PROTNONE: u64 = 1 << 9;
    /// One of the contiguous entries that a TLB may keep as one: `PTE_CONT` (arm64). In an entry
    /// that is not present, the swap entry belongs to this page table alone:
    /// `pte_swp_exclusive()`.
    pub const CONT: u64 = 1 << 14;
    /// userfaultfd watches the page: `pte_uffd()` and `pte_swp_uffd()`, up to v7.2 `pte_uffd_wp()`.
    pub const UFFD: u64 = 1 << 15;
    /// What an entry that is not present is: 0 where it is none of the kinds of
    /// [`SoftLeaf`](super::SoftLeaf).
    pub(super) const SOFTLEAF_SHIFT: u32 = 10;
    pub(super) const SOFTLEAF_MASK: u64 = 0xf << Self::SOFTLEAF_SHIFT;

    /// Bits of an entry; those above are never set.
    pub const BITS: u32 = Self::PFN_SHIFT + Pfn::BITS;

    const PFN_SHIFT: u32 = 16;
    const PFN_MASK: u64 = ((1 << Pfn::BITS) - 1) << Self::PFN_SHIFT;
    /// Every flag there is.
    const FLAGS: [u64; 12] = [
        Self::PRESENT,
        Self::USER,
        Self::WRITE,
        Self::UXN,
        Self::YOUNG,
        Self::DIRTY,
        Self::HASHPTE,
        Self::SPECIAL,
        Self::INVALID,
        Self::PROTNONE,
        Self::CONT,
        Self::UFFD,
    ];

    /// An entry for `pfn` with `flags`.
    #[inline]
    #[must_use]
    pub const fn new(pfn: Pfn, flags: u64) -> Self {
        Self(pfn.0 << Self::PFN_SHIFT & Self::PFN_MASK | flags)
    }

    /// A dirty, young kernel page that may be written: `PAGE_KERNEL`.
    #[must_use]
    pub const fn kernel(pfn: Pfn) -> Self {
        Self::new(pfn, Self::PRESENT | Self::WRITE | Self::UXN | Self::YOUNG | Self::DIRTY)
    }

    /// A young user page, dirty where it may be written.
    #[must_use]
    pub const fn user(pfn: Pfn, write: bool, exec: bool) -> Self {
        let write = if write { Self::WRITE | Self::DIRTY } else { 0 };
        let exec = if exec { 0 } else { Self::UXN };
        Self::new(pfn, Self::PRESENT | Self::USER | Self::YOUNG | write | exec)
    }

    /// The page frame.
    #[inline]
    #[must_use]
    pub const fn pfn(self) -> Pfn {
        Pfn((self.0 & Self::PFN_MASK) >> Self::PFN_SHIFT)
    }

    /// The same entry `n` page frames further on: `pte_advance_pfn()`.
    #[inline]
    #[must_use]
    pub const fn advance_pfn(self, n: u64) -> Self {
        let moved = self.0.wrapping_add(n << Self::PFN_SHIFT);
        Self(moved & Self::PFN_MASK | self.0 & !Self::PFN_MASK)
    }

    /// The entry with what `to` permits beyond it: young, dirty, and to be written.
    #[must_use]
    pub const fn relaxed_to(self, to: Self) -> Self {
        self.with(to.0 & (Self::YOUNG | Self::DIRTY | Self::WRITE))
    }

    /// Tells whether any of `flags` is set.
    #[inline]
    #[must_use]
    pub const fn has(self, flags: u64) -> bool {
        self.0 & flags != 0
    }

    /// The entry with `flags` set.
    #[inline]
    #[must_use]
    pub const fn with(self, flags: u64) -> Self {
        Self(self.0 | flags)
    }

    /// The entry with `flags` clear.
    #[inline]
    #[must_use]
    pub const fn without(self, flags: u64) -> Self {
        Self(self.0 & !flags)
    }

    /// `pte_none()`
    #[inline]
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// `pte_present()`, except that an entry with [`INVALID`](Self::INVALID) set is not.
    #[inline]
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.has(Self::PRESENT)
    }

    /// Tells whether hardware takes translations from the entry: it is present, and not for nobody.
    #[inline]
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & (Self::PRESENT | Self::PROTNONE) == Self::PRESENT
    }

    /// The flags as `ls` shows permissions: present, user, write, young, dirty, hashed.
    #[must_use]
    pub fn flags_text(self) -> String {
        let names = [
            (Self::PRESENT, 'p'),
            (Self::USER, 'u'),
            (Self::WRITE, 'w'),
            (Self::YOUNG, 'y'),
            (Self::DIRTY, 'd'),
            (Self::HASHPTE, 'h'),
        ];
        names.iter().map(|&(flag, name)| if self.has(flag) { name } else { '-' }).collect()
    }
}

const _: () = {
    let (mut seen, mut at) = (Pte::PFN_MASK | Pte::SOFTLEAF_MASK, 0);
    while at < Pte::FLAGS.len() {
        assert!(Pte::FLAGS[at].is_power_of_two(), "a flag is one bit");
        assert!(seen & Pte::FLAGS[at] == 0, "no two fields of an entry meet");
        seen |= Pte::FLAGS[at];
        at += 1;
    }
    assert!(seen >> Pte::BITS == 0, "what lies above is free for a backend's own marks");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_meet() {
        let pte = Pte::kernel(Pfn((1 << 38) - 1));
        assert_eq!(pte.0 >> Pte::BITS, 0);
        assert_eq!(pte.pfn(), Pfn((1 << 38) - 1));
        assert_eq!(pte.flags_text(), "p-wyd-");
        assert_eq!(Pte::user(Pfn(7), false, true).advance_pfn(2).pfn(), Pfn(9));
    }
}
