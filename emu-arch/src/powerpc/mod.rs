//! powerpc book3s64: hash page table invalidations are delayed; the radix MMU delays nothing.
//!
//! Models arch/powerpc/include/asm/book3s/64/ and arch/powerpc/mm/book3s64/ as of v7.0
//! (313a05a15a1b).

mod batch;
mod hash;
mod radix;

pub use batch::{PPC64_TLB_BATCH_NR, Ppc64TlbBatch};
pub use hash::Hash;
pub use radix::Radix;
