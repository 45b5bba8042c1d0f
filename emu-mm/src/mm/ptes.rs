//! The functions over several entries of one table that are loops over a primitive.
//!
//! Models the generic forms in include/linux/pgtable.h (v7.0); arm64 has forms of its own for
//! contiguous blocks, which have the same effects.

use emu_arch::hw::table::Ptep;
use emu_arch::{MmStruct, Pte, VirtAddr, pgtable};

/// Empties `nr` entries of one folio and returns the first, dirty and young if any of them was.
///
/// Fidelity: changed: include/linux/pgtable.h v7.3; where the whole address space goes away, s390
/// invalidates nothing, and x86 and powerpc-radix do without an atomic access; here it makes no
/// difference. `clear_full_ptes()` is the same and returns nothing.
#[inline]
pub(crate) fn get_and_clear_full_ptes(
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
pub(crate) fn modify_prot_start_ptes(
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
pub(crate) fn modify_prot_commit_ptes(
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

/// Empties `nr` entries that are not present.
///
/// Fidelity: same as include/linux/pgtable.h v7.3.
#[inline]
pub(crate) fn clear_nonpresent_ptes(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, nr: u16) {
    for n in 0..nr {
        pgtable::pte_clear(mm, addr.add_pages(n.into()), ptep.add(n));
    }
}

/// How many entries from `ptep` on, whose first is `pte`, are those of consecutive places in swap
/// space: 1 to `max_nr`.
///
/// Fidelity: changed: mm/internal.h v7.3, where all must belong to one swap cluster too.
pub(crate) fn swap_pte_batch(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    max_nr: u16,
) -> u16 {
    let follows = |n: &u16| {
        let next = pgtable::ptep_get(mm, addr.add_pages((*n).into()), ptep.add(*n));
        next == pte.advance_pfn((*n).into())
    };
    1 + (1..max_nr).take_while(follows).count() as u16
}

/// Makes `nr` entries of one folio old, and clean where `clean` says so.
///
/// Fidelity: same as include/linux/pgtable.h v7.3.
pub(crate) fn clear_young_dirty_ptes(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
    clean: bool,
) {
    for n in 0..nr {
        let (addr, ptep) = (addr.add_pages(n.into()), ptep.add(n));
        if clean {
            let pte = pgtable::ptep_get_and_clear(mm, addr, ptep);
            pgtable::set_pte_at(mm, addr, ptep, pte.without(Pte::YOUNG | Pte::DIRTY));
        } else {
            pgtable::ptep_test_and_clear_young(mm, addr, ptep);
        }
    }
}

/// Makes `nr` entries of one folio old and tells whether any was young.
///
/// Fidelity: same as `test_and_clear_young_ptes_notify()` of mm/internal.h v7.3, for an address
/// space that no notifier watches.
pub(crate) fn test_and_clear_young_ptes(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
) -> bool {
    (0..nr).fold(false, |young, n| {
        pgtable::ptep_test_and_clear_young(mm, addr.add_pages(n.into()), ptep.add(n)) | young
    })
}

/// Empties an entry, flushes its translation at once and returns it.
///
/// Fidelity: same as mm/pgtable-generic.c v7.3, and arch/s390/include/asm/pgtable.h, which has one
/// of its own.
pub(crate) fn ptep_clear_flush(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = pgtable::ptep_get_and_clear(mm, addr, ptep);
    // `pte_accessible()`
    if pte.is_valid() && !mm.facts().ptep_clear_flushes {
        pgtable::flush_tlb_range(mm, addr, 1);
    }
    pte
}

/// The pages between `start` and `end`.
pub(crate) const fn pages(start: VirtAddr, end: VirtAddr) -> u64 {
    (end.get() - start.get()) >> emu_arch::hw::addr::PAGE_SHIFT
}

/// How many entries lie between `addr` and `end`, both in or at the end of one table: 1 to 512.
#[inline]
pub(crate) fn entries(addr: VirtAddr, end: VirtAddr) -> u16 {
    ((end.get() - addr.get()) >> emu_arch::hw::addr::PAGE_SHIFT) as u16
}
