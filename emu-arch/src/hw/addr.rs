//! Addresses and page numbers as types of their own.

use std::fmt::{self, Display, Formatter, LowerHex};

/// Bytes per page, as a shift.
pub const PAGE_SHIFT: u32 = 12;
/// Bytes per page.
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;
/// Entries of one page table.
pub const PTRS_PER_PTE: usize = 512;
/// Bytes that one page table maps, as a shift.
pub const PMD_SHIFT: u32 = 21;
/// Bytes that one page table maps.
pub const PMD_SIZE: u64 = 1 << PMD_SHIFT;
/// Bytes that one page middle directory maps, as a shift.
pub const PUD_SHIFT: u32 = 30;
/// Bytes that one page upper directory maps, as a shift.
pub const P4D_SHIFT: u32 = 39;
/// Bytes that one page 4th-level directory maps, as a shift, where there are five levels.
pub const PGDIR_SHIFT: u32 = 48;

const _: () =
    assert!(PTRS_PER_PTE == 1 << (PMD_SHIFT - PAGE_SHIFT), "a table maps a whole PMD entry");
const _: () = assert!(
    PUD_SHIFT - PMD_SHIFT == P4D_SHIFT - PUD_SHIFT
        && PUD_SHIFT - PMD_SHIFT == PMD_SHIFT - PAGE_SHIFT
        && PGDIR_SHIFT - P4D_SHIFT == P4D_SHIFT - PUD_SHIFT,
    "tables of all levels have as many entries"
);

/// A virtual address in one of the ranges that the emulated machines translate.
///
/// User addresses are below 2^48. Kernel addresses have their top bit set: from
/// `0xffff_0000_0000_0000` on, or in the powerpc linear and I/O regions from
/// `0xc000_0000_0000_0000` to `0xc00d_ffff_ffff_ffff`.
///
/// Fidelity: changed: one address layout for all architectures, near that of x86 and arm64 v7.0;
/// sparc64 and s390 kernels live in low addresses of a context of their own, and what sparc64 maps
/// above the hole in its user addresses is in the upper half of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VirtAddr(u64);

/// Why a number is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddrError {
    /// The number lies in no translated range.
    OutOfRange,
    /// The number is no multiple of the page size.
    Unaligned,
}

impl Display for AddrError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => {
                "address outside of user space (below 0x1000000000000) and of kernel space \
                 (0xffff... or 0xc000... to 0xc00d...)"
            }
            Self::Unaligned => "address is not a multiple of the page size, 0x1000",
        })
    }
}

impl std::error::Error for AddrError {}

impl VirtAddr {
    /// End of the user addresses.
    pub const TASK_SIZE: u64 = 1 << 48;

    /// An address that a user or the kernel may have.
    ///
    /// # Errors
    /// `OutOfRange`: the number is neither a user nor a kernel address.
    pub const fn new(addr: u64) -> Result<Self, AddrError> {
        let region = addr >> 48;
        if addr < Self::TASK_SIZE || region == 0xffff || (region >= 0xc000 && region <= 0xc00d) {
            Ok(Self(addr))
        } else {
            Err(AddrError::OutOfRange)
        }
    }

    /// The address of a page.
    ///
    /// # Errors
    /// `OutOfRange`: as [`new`](Self::new). `Unaligned`: the address is not that of a page.
    pub const fn page(addr: u64) -> Result<Self, AddrError> {
        match Self::new(addr) {
            Ok(_) if !addr.is_multiple_of(PAGE_SIZE) => Err(AddrError::Unaligned),
            other => other,
        }
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Tells whether the address belongs to the kernel.
    #[inline]
    #[must_use]
    pub const fn is_kernel(self) -> bool {
        self.0 >> 63 != 0
    }

    /// The address `pages` pages further on, which must stay in the same range.
    #[inline]
    #[must_use]
    pub const fn add_pages(self, pages: u64) -> Self {
        Self(self.0 + (pages << PAGE_SHIFT))
    }

    /// The page of the address.
    #[must_use]
    pub const fn align_down(self) -> Self {
        Self(self.0 & !(PAGE_SIZE - 1))
    }

    /// The index of the page in its page table.
    #[inline]
    #[must_use]
    pub const fn pte_index(self) -> u16 {
        (self.0 >> PAGE_SHIFT) as u16 & (PTRS_PER_PTE as u16 - 1)
    }

    /// The end of the part of `self..end` that one page table maps: `pmd_addr_end()`.
    #[inline]
    #[must_use]
    pub const fn pmd_addr_end(self, end: Self) -> Self {
        let boundary = (self.0 & !(PMD_SIZE - 1)).wrapping_add(PMD_SIZE);
        // Compared below one less, as in the kernel, so that a range may end at the top.
        if boundary.wrapping_sub(1) < end.0.wrapping_sub(1) { Self(boundary) } else { end }
    }
}

impl LowerHex for VirtAddr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        LowerHex::fmt(&self.0, f)
    }
}

/// A page frame number, below 2^38.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pfn(pub u64);

impl Pfn {
    /// Bits of a page frame number.
    pub const BITS: u32 = 38;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(VirtAddr::new(0x1_0000_0000_0000), Err(AddrError::OutOfRange));
        assert_eq!(VirtAddr::page(0x1001), Err(AddrError::Unaligned));
        assert!(VirtAddr::page(0xc008_0000_0000_0000).is_ok_and(VirtAddr::is_kernel));
        let at = VirtAddr::page(0x20_0000 - 0x1000).unwrap();
        let end = VirtAddr::page(0x40_0000).unwrap();
        assert_eq!(at.pmd_addr_end(end).get(), 0x20_0000);
        assert_eq!(at.pmd_addr_end(at.add_pages(1)), at.add_pages(1));
    }
}
