//! powerpc book3s64: hash page table invalidations are delayed; the radix MMU delays nothing.
//!
//! Models arch/powerpc/include/asm/book3s/64/ and arch/powerpc/mm/book3s64/ as of v7.0
//! (313a05a15a1b).

mod before;
mod batch;
mod hash;
mod radix;

use crate::hw::pte::Pte;

/// What `ptep_modify_prot_start()` leaves in the entry: no access gets through, yet the entry stays
/// present for software and keeps its hash bits.
///
/// Fidelity: same as `ptep_modify_prot_start()` of arch/powerpc/mm/book3s64/pgtable.c v7.0, which
/// clears `_PAGE_PRESENT` and sets `_PAGE_INVALID`.
const fn invalidated(pte: Pte) -> Pte {
    pte.without(Pte::PRESENT).with(Pte::INVALID)
}

pub use batch::{FLUSH_HASH_PAGE, FLUSH_HASH_RANGE, PPC64_TLB_BATCH_NR, Ppc64TlbBatch};
pub use hash::{HASH_PAGE, Hash};
pub use radix::{RADIX_TLB_FLUSH, Radix};
