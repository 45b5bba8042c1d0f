//! The functions over several entries of one table that are loops over a primitive.
//!
//! Models the generic forms in include/linux/pgtable.h (v7.0); arm64 has forms of its own for
//! contiguous blocks, which have the same effects.

use emu_arch::hw::table::Ptep;
use emu_arch::{MmStruct, Pte, VirtAddr, pgtable};

/// Empties `nr` entries of one folio and returns the first, dirty and young if any of them was.
///
/// Fidelity: same as include/linux/pgtable.h v7.0, and as `clear_full_ptes()`, which returns
/// nothing; whether the address space goes away matters to no architecture of the lab.
#[inline]
pub(super) fn get_and_clear_full_ptes(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
) -> Pte {
    let mut pte = pgtable::ptep_get_and_clear(mm, addr, ptep);
    for n in 1..nr {
        let next = pgtable::ptep_get_and_clear(mm, addr.add_pages(u64::from(n)), ptep.add(n));
        pte = pte.with(next.0 & (Pte::DIRTY | Pte::YOUNG));
    }
    pte
}

/// Begins the change of protection of `nr` entries of one folio and returns the first, dirty and
/// young if any of them was.
///
/// Fidelity: same as include/linux/pgtable.h v7.0.
#[inline]
pub(super) fn modify_prot_start_ptes(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
) -> Pte {
    let mut pte = pgtable::ptep_modify_prot_start(mm, addr, ptep);
    for n in 1..nr {
        let next = pgtable::ptep_modify_prot_start(mm, addr.add_pages(u64::from(n)), ptep.add(n));
        pte = pte.with(next.0 & (Pte::DIRTY | Pte::YOUNG));
    }
    pte
}

/// Ends the change of protection of `nr` entries of one folio: the first becomes `pte`.
///
/// Fidelity: same as include/linux/pgtable.h v7.0.
#[inline]
pub(super) fn modify_prot_commit_ptes(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    nr: u16,
) {
    for n in 0..nr {
        let pte = pte.advance_pfn(u64::from(n));
        pgtable::ptep_modify_prot_commit(mm, addr.add_pages(u64::from(n)), ptep.add(n), pte);
    }
}

/// How many entries lie between `addr` and `end`, both in or at the end of one table: 1 to 512.
#[inline]
pub(super) fn entries(addr: VirtAddr, end: VirtAddr) -> u16 {
    ((end.get() - addr.get()) >> emu_arch::hw::addr::PAGE_SHIFT) as u16
}
