//! Entries that are not present: what software keeps in them.
//!
//! Models include/linux/leafops.h and include/linux/swapops.h (v7.3), where such an entry is a
//! `softleaf_t`.

use super::addr::Pfn;
use super::pte::Pte;

lazy_mmu::rows! {
    /// What an entry that is neither empty nor present is.
    ///
    /// Fidelity: changed: `enum softleaf_type` of include/linux/leafops.h v7.3; the markers, which
    /// are bits of one type there and may be set together, are one kind each.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum SoftLeaf, name {
        /// A page in swap space: `SOFTLEAF_SWAP`.
        Swap = "swap";
        /// A page on its way elsewhere, which may not be written: `SOFTLEAF_MIGRATION_READ`.
        MigrationRead = "migration-read";
        /// The same, and the page belongs to this process: `SOFTLEAF_MIGRATION_READ_EXCLUSIVE`.
        MigrationReadExclusive = "migration-read-exclusive";
        /// A page on its way elsewhere, which may be written: `SOFTLEAF_MIGRATION_WRITE`.
        MigrationWrite = "migration-write";
        /// A page in the memory of a device: `SOFTLEAF_DEVICE_PRIVATE_READ`.
        DevicePrivateRead = "device-private-read";
        /// The same, and it may be written: `SOFTLEAF_DEVICE_PRIVATE_WRITE`.
        DevicePrivateWrite = "device-private-write";
        /// A page that a device has to itself: `SOFTLEAF_DEVICE_EXCLUSIVE`.
        DeviceExclusive = "device-exclusive";
        /// A page that is broken: `SOFTLEAF_HWPOISON`.
        HwPoison = "hwpoison";
        /// No page, and the one that comes here is write-protected, so that userfaultfd is told of
        /// a write: `PTE_MARKER_UFFD_WP`.
        UffdWpMarker = "uffd-wp-marker";
        /// No page, and an access is a SIGBUS, as of a broken page: `PTE_MARKER_POISONED`.
        PoisonMarker = "poison-marker";
        /// No page, and an access is a SIGSEGV: `PTE_MARKER_GUARD`.
        GuardMarker = "guard-marker";
    }
}

const _: () = assert!(SoftLeaf::ALL.len() < 16, "a kind and none fit the bits of an entry");

impl SoftLeaf {
    /// The entry of this kind for `pfn`, which in swap space is an offset.
    #[must_use]
    pub const fn pte(self, pfn: Pfn) -> Pte {
        Pte::new(pfn, (self as u64 + 1) << Pte::SOFTLEAF_SHIFT)
    }

    /// What the entry is, where it is neither empty nor present: `softleaf_from_pte()`.
    #[must_use]
    pub fn of(pte: Pte) -> Option<Self> {
        let code = (pte.0 & Pte::SOFTLEAF_MASK) >> Pte::SOFTLEAF_SHIFT;
        let known = !pte.has(Pte::PRESENT | Pte::INVALID) && code > 0;
        Self::ALL.into_iter().nth(code as usize - usize::from(known)).filter(|_| known)
    }

    /// `softleaf_is_migration()`
    #[must_use]
    pub const fn is_migration(self) -> bool {
        matches!(self, Self::MigrationRead | Self::MigrationReadExclusive | Self::MigrationWrite)
    }

    /// `softleaf_is_device_private()`
    #[must_use]
    pub const fn is_device_private(self) -> bool {
        matches!(self, Self::DevicePrivateRead | Self::DevicePrivateWrite)
    }

    /// `softleaf_is_marker()`
    #[must_use]
    pub const fn is_marker(self) -> bool {
        matches!(self, Self::UffdWpMarker | Self::PoisonMarker | Self::GuardMarker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_what_they_were_made_as() {
        for leaf in SoftLeaf::ALL {
            let pte = leaf.pte(Pfn(7)).with(Pte::UFFD | Pte::CONT);
            assert_eq!(
                (SoftLeaf::of(pte), pte.pfn(), pte.is_present()),
                (Some(leaf), Pfn(7), false)
            );
        }
        let none = [Pte::NONE, Pte::kernel(Pfn(1)), Pte::user(Pfn(1), true, true).with(Pte::CONT)];
        assert_eq!(none.map(SoftLeaf::of), [None; 3]);
        let cleared = Pte::user(Pfn(1), true, true).without(Pte::PRESENT).with(Pte::INVALID);
        assert_eq!(SoftLeaf::of(cleared), None, "in the middle of a change of protection");
    }
}
