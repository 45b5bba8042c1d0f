//! The range hint of a section: which entries it will touch.
//!
//! Models the arguments of `lazy_mmu_mode_enable_with_ptes()`, the s390 proposal. The hint is of
//! plain integers, so that every crate can have its own types of `mm`, address and `ptep`.

/// The range that a section will touch, as plain integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PteRange {
    /// The address space, as the caller numbers them.
    pub mm: u64,
    /// The first virtual address.
    pub addr: u64,
    /// The virtual address behind the last.
    pub end: u64,
    /// Where the entry of `addr` is.
    pub ptep: u64,
}

/// A value that can stand in a [`PteRange`]: integers, raw pointers (by their address), and what
/// implements it for `mm` handles, addresses and `ptep` values of one's own.
///
/// ```
/// use lazy_mmu::PteRangePart;
/// struct VirtAddr(u64);
/// impl PteRangePart for VirtAddr {
///     fn pte_range_part(&self) -> u64 {
///         self.0
///     }
/// }
/// assert_eq!((&&VirtAddr(0x1000)).pte_range_part(), 0x1000);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no place in the range hint of a section",
    note = "implement `PteRangePart` to say what integer it is"
)]
pub trait PteRangePart {
    /// The value as an integer.
    fn pte_range_part(&self) -> u64;
}

macro_rules! integers {
    ($($int:ident)*) => {
        $(impl PteRangePart for $int {
            #[inline]
            fn pte_range_part(&self) -> u64 {
                *self as u64
            }
        })*
    };
}

integers! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

impl<T: PteRangePart + ?Sized> PteRangePart for &T {
    #[inline]
    fn pte_range_part(&self) -> u64 {
        (**self).pte_range_part()
    }
}

impl<T: PteRangePart + ?Sized> PteRangePart for &mut T {
    #[inline]
    fn pte_range_part(&self) -> u64 {
        (**self).pte_range_part()
    }
}

impl<T> PteRangePart for *const T {
    #[inline]
    fn pte_range_part(&self) -> u64 {
        self.addr() as u64
    }
}

impl<T> PteRangePart for *mut T {
    #[inline]
    fn pte_range_part(&self) -> u64 {
        self.addr() as u64
    }
}
