//! What an architecture does to the hardware or to its batch, as values.

/// One effect of a hook or of a page table primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// `dsb(ishst)`: stores to page tables become visible to all table walkers (arm64).
    DsbIshst,
    /// `isb()`: this CPU forgets speculated translation faults (arm64).
    Isb,
    /// The task owes barriers from now on (arm64).
    SetLazyMmuPending,
    /// An entry joined the batch, which now holds that many (powerpc hash).
    Batched(u16),
    /// `flush_hash_page()`: one page leaves the hash page table and the TLBs (powerpc hash).
    FlushHashPage,
    /// `flush_hash_range()`: that many pages leave the hash page table and the TLBs (powerpc hash).
    FlushHashRange(u16),
    /// `hash_page()`: a fault put the page into the hash page table (powerpc hash).
    HashPage,
    /// A flush of that many pages from the TLBs, by the architecture's own operation.
    FlushTlbRange {
        /// The kernel's name of the operation.
        name: &'static str,
        /// The number of pages, 1 and up.
        pages: u32,
    },
    /// A page fault: the access found no translation that permits it.
    PageFault,
}

impl Effect {
    /// How many kinds of effects there are.
    pub const KINDS: usize = 9;

    /// The names of the kinds, by number.
    pub const KIND_NAMES: [&str; Self::KINDS] = [
        "dsb(ishst)",
        "isb()",
        "TIF_LAZY_MMU_PENDING",
        "ppc64_tlb_batch",
        "flush_hash_page()",
        "flush_hash_range()",
        "hash_page()",
        "TLB range flush",
        "page fault",
    ];

    /// The number of the kind, below [`KINDS`](Self::KINDS).
    #[inline]
    #[must_use]
    pub const fn kind(self) -> usize {
        match self {
            Self::DsbIshst => 0,
            Self::Isb => 1,
            Self::SetLazyMmuPending => 2,
            Self::Batched(_) => 3,
            Self::FlushHashPage => 4,
            Self::FlushHashRange(_) => 5,
            Self::HashPage => 6,
            Self::FlushTlbRange { .. } => 7,
            Self::PageFault => 8,
        }
    }

    /// The name in records; one that ends in `=` is an assignment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DsbIshst => "dsb(ishst)",
            Self::Isb => "isb()",
            Self::SetLazyMmuPending => "TIF_LAZY_MMU_PENDING=",
            Self::Batched(_) => "ppc64_tlb_batch.index=",
            Self::FlushHashPage => "flush_hash_page()",
            Self::FlushHashRange(_) => "flush_hash_range",
            Self::HashPage => "hash_page()",
            Self::FlushTlbRange { name, .. } => name,
            Self::PageFault => "page fault",
        }
    }

    /// The number in records, where the effect has one.
    #[must_use]
    pub const fn n(self) -> Option<u32> {
        match self {
            Self::SetLazyMmuPending => Some(1),
            Self::Batched(n) | Self::FlushHashRange(n) => Some(n as u32),
            Self::FlushTlbRange { pages, .. } => Some(pages),
            _ => None,
        }
    }

    /// Tells whether the effect costs time on real hardware: a barrier, a flush, a fault.
    ///
    /// Moving an entry into a batch or setting a flag does not.
    #[inline]
    #[must_use]
    pub const fn is_cost(self) -> bool {
        !matches!(self, Self::SetLazyMmuPending | Self::Batched(_))
    }
}
