//! How an entry changes: in the cache where the range has it, else in memory, where a valid one is
//! invalidated first.
//!
//! Models the `lazy_mmu_*()` tests of arch/s390/include/asm/pgtable.h and `ptep_xchg_direct()` and
//! `ptep_xchg_lazy()` of arch/s390/mm/pgtable.c, the proposal v6.

use super::ipte_range::{IpteRange, is_valid, note_cached};
use crate::backend::{At, Hw};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// One entry is invalidated on all CPUs.
pub const IPTE: ArchEffect = ArchEffect::delayable("ipte()");

/// `set_pte()`: stores into the cache, or into memory.
///
/// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
#[inline]
pub(super) fn set_pte<H: Hw<PerCpu = IpteRange>>(hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
    let slot = hw.slot(ptep);
    match hw.per_cpu(|cpu| cpu.set_pte(slot, pte)) {
        Some(cached) => note_cached(hw, at, cached),
        None => hw.write(ptep, pte),
    }
}

/// Changes an entry of the latched range in the cache, unless `new` says to leave it, and returns
/// the old one; `new` comes back where the range does not have the entry.
///
/// Asks for the count and the range alone, so that an interrupt finds the cache of the task that it
/// interrupts.
///
/// Fidelity: same as `__lazy_mmu_ptep_get_and_clear()` and its like of arch/s390/mm/lazy_mmu.c in
/// the proposal v6.
#[inline]
pub(super) fn update_cached<H, F>(hw: &mut H, at: At, ptep: H::Ptep, new: F) -> Result<Pte, F>
where
    H: Hw<PerCpu = IpteRange>,
    F: FnOnce(Pte) -> Option<Pte>,
{
    let (slot, memory) = (hw.slot(ptep), hw.read(ptep));
    let (old, cached) = hw.per_cpu(|cpu| cpu.update(slot, memory, new))?;
    if let Some(cached) = cached {
        note_cached(hw, at, cached);
    }
    Ok(old)
}

/// Invalidates an entry in memory, if it is valid, and returns it as it was.
///
/// Fidelity: changed: `ptep_flush_direct()` and `ptep_flush_lazy()` of arch/s390/mm/pgtable.c in
/// the proposal v6; every invalidation is global and comes at once, where the kernel spares other
/// CPUs and may leave the lazy one to the next flush of the address space.
#[inline]
pub(super) fn ptep_flush<H: Hw<PerCpu = IpteRange>>(hw: &mut H, at: At, ptep: H::Ptep) -> Pte {
    let old = hw.read(ptep);
    if is_valid(old) {
        hw.effect(IPTE);
        hw.write(ptep, old.without(Pte::PRESENT).with(Pte::INVALID));
        hw.tlb_invalidate(at, 1);
    }
    old
}

/// Invalidates an entry in memory and sets it to what `new` makes of it; returns the old one.
///
/// Fidelity: same as `ptep_xchg_direct()` and `ptep_xchg_lazy()` of arch/s390/mm/pgtable.c in the
/// proposal v6.
#[cold]
#[inline(never)]
pub(super) fn ptep_xchg<H: Hw<PerCpu = IpteRange>>(
    hw: &mut H,
    at: At,
    ptep: H::Ptep,
    new: impl FnOnce(Pte) -> Pte,
) -> Pte {
    let old = ptep_flush(hw, at, ptep);
    set_pte(hw, at, ptep, new(old));
    old
}
