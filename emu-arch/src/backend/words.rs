//! The arguments of primitives and hooks: pages, ranges, levels, accesses.

use super::Slot;
use crate::hw::addr::{P4D_SHIFT, PAGE_SHIFT, PGDIR_SHIFT, PMD_SHIFT, PUD_SHIFT, VirtAddr};
use crate::hw::pte::Pte;

/// An address in an address space: what the kernel passes as `mm, addr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// Number of the address space, 0 for `init_mm`.
    pub mm: u8,
    /// The address of the page.
    pub addr: VirtAddr,
}

impl At {
    /// The page `n` pages further on.
    #[inline]
    #[must_use]
    pub const fn add_pages(self, n: u16) -> Self {
        Self { mm: self.mm, addr: self.addr.add_pages(n as u64) }
    }
    /// Tells whether the address space is the kernel's.
    #[inline]
    #[must_use]
    pub const fn is_init_mm(self) -> bool {
        self.mm == 0
    }
}

/// The range hint of `lazy_mmu_mode_enable_with_ptes()`: pages of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RangeHint {
    /// The first page.
    pub at: At,
    /// The number of pages, 1 to 512.
    pub nr: u16,
    /// The entry of the first page.
    pub slot: Slot,
}

/// A base page size of the hash MMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Psize {
    /// `MMU_PAGE_4K`
    #[default]
    Page4K,
    /// `MMU_PAGE_64K`
    Page64K,
    /// `MMU_PAGE_16M`
    Page16M,
}

/// The start of the slice that an address lies in.
///
/// Fidelity: same as arch/powerpc/include/asm/book3s/64/slice.h v6.12 to v7.3.
#[must_use]
pub(crate) const fn slice(addr: VirtAddr) -> u64 {
    const SLICE_LOW_SHIFT: u32 = 28;
    const SLICE_LOW_TOP: u64 = 0x1_0000_0000;
    const SLICE_HIGH_SHIFT: u32 = 40;
    let shift = if addr.get() < SLICE_LOW_TOP { SLICE_LOW_SHIFT } else { SLICE_HIGH_SHIFT };
    // The first high slice starts where the low ones end.
    if shift == SLICE_HIGH_SHIFT && addr.get() >> shift == 0 {
        return SLICE_LOW_TOP;
    }
    addr.get() >> shift << shift
}

/// A level of the page tables above the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `set_pmd()`: an entry that points to a page table.
    Pmd,
    /// `set_pud()`
    Pud,
    /// `set_p4d()`
    P4d,
    /// `set_pgd()`
    Pgd,
}

impl Level {
    /// How many pages an entry covers, as a shift, in page tables of `levels` levels: with four the
    /// p4d is folded into the pgd, so that both names are of one entry.
    ///
    /// Fidelity: changed: include/asm-generic/pgtable-nop4d.h and, where that is decided at boot,
    /// `set_pgd()` of arch/x86/include/asm/paravirt.h v7.2; 4 KiB pages on all architectures.
    #[must_use]
    pub const fn order(self, levels: u8) -> u8 {
        let shift = match self {
            Self::Pmd => PMD_SHIFT,
            Self::Pud => PUD_SHIFT,
            Self::Pgd if levels > 4 => PGDIR_SHIFT,
            Self::P4d | Self::Pgd => P4D_SHIFT,
        };
        (shift - PAGE_SHIFT) as u8
    }
}

/// How a CPU touches memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
}

impl Access {
    /// Tells whether `pte` lets the access through.
    #[must_use]
    pub const fn permitted_by(self, pte: Pte) -> bool {
        pte.is_valid() && (matches!(self, Self::Read) || pte.has(Pte::WRITE))
    }
}
