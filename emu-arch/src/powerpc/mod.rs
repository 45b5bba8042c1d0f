//! powerpc book3s64: hash page table invalidations are delayed; the radix MMU delays nothing.
//!
//! Models arch/powerpc/include/asm/book3s/64/ and arch/powerpc/mm/book3s64/ as of v7.0
//! (313a05a15a1b).

mod before;
mod batch;
mod hash;
mod radix;

use crate::backend::{Hw, write_ptes};
use crate::hw::pte::Pte;

/// What `ptep_modify_prot_start()` leaves in the entry: no access gets through, yet the entry stays
/// present for software and keeps its hash bits.
///
/// Fidelity: same as `ptep_modify_prot_start()` of arch/powerpc/mm/book3s64/pgtable.c v7.0, which
/// clears `_PAGE_PRESENT` and sets `_PAGE_INVALID`.
const fn invalidated(pte: Pte) -> Pte {
    pte.without(Pte::PRESENT).with(Pte::INVALID)
}

/// Gives an entry what `pte` permits beyond it, execution by user mode included, and returns the
/// old one.
///
/// Fidelity: same as the mask of `__ptep_set_access_flags()` and `radix__ptep_set_access_flags()`,
/// arch/powerpc/include/asm/book3s/64/ and arch/powerpc/mm/book3s64/, v7.0.
fn relax<H: Hw>(hw: &mut H, ptep: H::Ptep, pte: Pte) -> Pte {
    let old = hw.read(ptep);
    let exec = if pte.has(Pte::UXN) { 0 } else { Pte::UXN };
    hw.write(ptep, old.relaxed_to(pte).without(exec));
    old
}

/// Writes entries that must not have been valid for the hardware, since nothing is flushed.
///
/// Fidelity: same as `set_ptes()` of arch/powerpc/mm/pgtable.c v6.12 and v7.3, whose
/// `set_pte_at_unchecked()` has the same check, and `set_pte_at()` of v6.1.
#[inline(always)]
fn set_ptes<H: Hw>(hw: &mut H, ptep: H::Ptep, pte: Pte, nr: u16) {
    if !hw.watched() {
        return write_ptes(hw, ptep, pte, nr);
    }
    for n in 0..nr {
        let ptep = hw.ptep_add(ptep, n);
        let hw_valid = hw.read(ptep).is_valid();
        hw.vm_warn_on(hw_valid, "pte_hw_valid(*ptep) && !pte_protnone(*ptep)");
        hw.write(ptep, pte.advance_pfn(u64::from(n)));
    }
}

pub use batch::{FLUSH_HASH_PAGE, FLUSH_HASH_RANGE, PPC64_TLB_BATCH_NR, Ppc64TlbBatch};
pub use hash::{HASH_PAGE, Hash};
pub use radix::{RADIX_TLB_FLUSH, Radix};
