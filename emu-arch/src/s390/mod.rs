//! s390, the proposal: stores to a hinted range wait in a per-CPU cache, and with them the
//! invalidations, which can quiesce the whole machine.
//!
//! Models arch/s390/mm/lazy_mmu.c, arch/s390/mm/pgtable.c and arch/s390/include/asm/pgtable.h of
//! "[PATCH v6] s390/mm: Batch PTE updates in lazy MMU mode", Alexander Gordeev, 15 July 2026: the
//! proposal v6. Not merged. The machine has no RDP instruction.

mod hooks;
mod ipte_range;
mod pgtable;
#[cfg(test)]
mod tests;

pub use hooks::S390;
pub use ipte_range::{IPTE_RANGE, IPTE_RANGE_MAX, IpteRange};
pub use pgtable::IPTE;

use crate::Kernel;
use crate::backend::{At, Backend, Change, Deferred, Facts, Hook, HwOf, RangeHint};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// What an `mmu_gather` or a range flush of a user address space comes to.
pub const TLB_FLUSH_MM_LAZY: ArchEffect = ArchEffect::other("__tlb_flush_mm_lazy");
/// All kernel translations die.
pub const TLB_FLUSH_KERNEL: ArchEffect = ArchEffect::other("__tlb_flush_kernel()");

/// The hook of the proposal.
const ENTER_WITH_PTES: Hook = Hook::named("arch_enter_lazy_mmu_mode_with_ptes");

impl Backend for S390 {
    type PerCpu = IpteRange;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Store),
        defers_kernel: false,
        noun: "invalidations",
        effects: &[IPTE, IPTE_RANGE, TLB_FLUSH_MM_LAZY],
        flush_passes_stores: true,
        separate_preempt_resched_bits: true,
        mmu_gather_no_gather: true,
        ptep_clear_flushes: true,
        userfaultfd_wp: false,
        ..Facts::new("s390", "delays the stores of a hinted range; only in s390-v6")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self::default()
    }

    fn version(self) -> &'static str {
        "proposal v6"
    }

    fn is_in(kernel: Kernel) -> Result<(), &'static str> {
        let proposal = kernel == Kernel::S390V6;
        if proposal {
            Ok(())
        } else {
            Err("s390 has the mode in the proposal only: --kernel s390-v6")
        }
    }
    const PTEP_GET_IS_READ: bool = false;

    fn enter(self, hw: &mut impl HwOf<Self>) {
        self.arch_enter_lazy_mmu_mode(hw);
    }

    fn own_hook(self, hw: &mut impl HwOf<Self>, hook: Hook, range: Option<RangeHint>) -> bool {
        let range = range.filter(|_| hook == ENTER_WITH_PTES);
        range.is_some_and(|range| {
            self.arch_enter_lazy_mmu_mode_with_ptes(hw, range);
            true
        })
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        self.arch_leave_lazy_mmu_mode(hw);
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        self.arch_flush_lazy_mmu_mode(hw);
    }

    /// The cached entry, or that in memory.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn ptep_get<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        let slot = hw.slot(ptep);
        hw.per_cpu(|cpu| cpu.ptep_get(slot)).unwrap_or_else(|| hw.read(ptep))
    }

    /// One `set_pte()` after the other: none invalidates what it replaces.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline(always)]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        for n in 0..nr {
            let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
            let ptep = hw.ptep_add(ptep, n);
            pgtable::set_pte(hw, at, ptep, pte.advance_pfn(u64::from(n)));
        }
    }

    /// A `set_pte()` too: outside of a latched range a valid entry goes away without an
    /// invalidation.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn pte_clear<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        pgtable::set_pte(hw, at, ptep, Pte::NONE);
    }

    /// Works on the cache in the range; elsewhere on memory, with an invalidation.
    ///
    /// Fidelity: same as `ptep_get_and_clear()` and `ptep_test_and_clear_young()` of
    /// arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, new: impl Change) -> Pte {
        match pgtable::update_cached(hw, at, ptep, |old| Some(new(old))) {
            Ok(old) => old,
            Err(new) => pgtable::ptep_xchg(hw, at, ptep, |old| new(old).unwrap_or(old)),
        }
    }

    /// Does nothing where the entry permits no writing.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn ptep_set_wrprotect<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        let wrprotect = |old: Pte| old.has(Pte::WRITE).then(|| old.without(Pte::WRITE));
        if pgtable::update_cached(hw, at, ptep, wrprotect).is_err() && hw.read(ptep).has(Pte::WRITE)
        {
            pgtable::ptep_xchg(hw, at, ptep, |old| old.without(Pte::WRITE));
        }
    }

    /// Empties the entry in the cache; elsewhere invalidates it in memory and leaves the rest of it
    /// there. The commit is a `set_pte()`.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn ptep_modify_prot_start<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> Pte {
        pgtable::update_cached(hw, at, ptep, |_| Some(Pte::NONE))
            .unwrap_or_else(|_| pgtable::ptep_flush(hw, at, ptep))
    }

    /// Not intercepted: compares with memory, and invalidates there. The store that follows is a
    /// `set_pte()`, so that in the range memory stays invalid until the leave.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    fn ptep_set_access_flags<H: HwOf<Self>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let changed = hw.read(ptep) != pte;
        if changed {
            pgtable::ptep_xchg(hw, at, ptep, |_| pte);
        }
        changed
    }

    /// Entries are invalidated where they change, so that a flush of user pages finds nothing to
    /// do; one of kernel pages takes all.
    ///
    /// Fidelity: changed: arch/s390/include/asm/tlbflush.h in the proposal v6, where
    /// `__tlb_flush_mm_lazy()` has work if an address space was attached to one CPU only.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        if at.is_init_mm() {
            hw.effect(TLB_FLUSH_KERNEL);
            hw.tlb_invalidate(at, pages);
        } else {
            hw.effect(TLB_FLUSH_MM_LAZY.of(pages));
        }
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|cpu| cpu.cached()) {
            0 => None,
            n => Some((u32::from(n), "ipte_range")),
        }
    }
}
