//! s390, the proposal: stores to a hinted range wait in a per-CPU cache, and with them the
//! invalidations, which can quiesce the whole machine.
//!
//! Models arch/s390/mm/lazy_mmu.c and arch/s390/include/asm/pgtable.h of "[PATCH v6] s390/mm: Batch PTE
//! updates in lazy MMU mode", Alexander Gordeev, 15 July 2026, on a machine with facility 13 and a
//! guest that is not protected. Not merged.

mod ipte_range;

pub use ipte_range::{IPTE, IPTE_RANGE, IPTE_RANGE_MAX, IpteRange};

use crate::backend::{Access, At, Backend, Hw, Level, PteRange};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// Invalidation of what an `mmu_gather` or a range flush left over.
pub const TLB_FLUSH_MM_LAZY: Effect = Effect::other("__tlb_flush_mm_lazy");

/// s390 as the proposal has it; one cache per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct S390;

impl S390 {
    /// The place of an entry in the range of this CPU. Asks for the count alone, so that an interrupt
    /// finds the cache of the task that it interrupts.
    #[inline]
    fn index<H: Hw<PerCpu = IpteRange>>(hw: &mut H, ptep: H::Ptep) -> Option<usize> {
        let slot = hw.slot(ptep);
        hw.per_cpu(|cpu| cpu.index(slot))
    }

    /// Replaces an entry in memory: a valid one is invalidated first.
    ///
    /// Fidelity: changed: `ptep_xchg_direct()` and `ptep_xchg_lazy()` of arch/s390/mm/pgtable.c in the
    /// proposal v6; every invalidation is global and comes at once.
    #[inline]
    fn xchg<H: Hw<PerCpu = IpteRange>>(hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) -> Pte {
        let old = hw.read(ptep);
        if old.is_present() {
            hw.effect(IPTE);
            hw.tlb_invalidate(at, 1);
        }
        hw.write(ptep, pte);
        old
    }
}

impl Backend for S390 {
    type PerCpu = IpteRange;

    /// Without a range nothing is cached.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    fn enter(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        hw.preempt_disable();
        hw.per_cpu(|cpu| cpu.lazy_mmu_count = cpu.lazy_mmu_count.wrapping_add(1));
    }

    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    fn enter_with_ptes(self, hw: &mut impl Hw<PerCpu = IpteRange>, range: PteRange) {
        self.enter(hw);
        hw.per_cpu(|cpu| cpu.range = Some(range));
    }

    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    fn leave(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        ipte_range::apply(hw);
        hw.per_cpu(|cpu| cpu.lazy_mmu_count = cpu.lazy_mmu_count.wrapping_sub(1));
        hw.preempt_enable();
    }

    /// Leaves and enters again with the same range.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    fn flush(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        if let Some(range) = hw.per_cpu(|cpu| cpu.range) {
            self.leave(hw);
            self.enter_with_ptes(hw, range);
        }
    }

    /// The cached entry, or that in memory.
    ///
    /// Fidelity: same as arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn ptep_get<H: Hw<PerCpu = IpteRange>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        let cached = Self::index(hw, ptep).and_then(|index| hw.per_cpu(|cpu| cpu.get(index)));
        cached.unwrap_or_else(|| hw.read(ptep))
    }

    /// Fidelity: same as `set_ptes()` over `set_pte()` of arch/s390/include/asm/pgtable.h in the
    /// proposal v6.
    #[inline]
    fn set_ptes<H: Hw<PerCpu = IpteRange>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        for n in 0..nr {
            let ptep = hw.ptep_add(ptep, n);
            let pte = pte.advance_pfn(u64::from(n));
            match Self::index(hw, ptep) {
                Some(index) => {
                    let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
                    ipte_range::cache(hw, at, index, pte);
                }
                None => hw.write(ptep, pte),
            }
        }
    }

    /// Works on the cache in the range and on memory, with invalidation, elsewhere.
    ///
    /// Fidelity: same as `ptep_get_and_clear()`, `ptep_test_and_clear_young()` and their like of
    /// arch/s390/include/asm/pgtable.h in the proposal v6.
    #[inline]
    fn pte_update<H: Hw<PerCpu = IpteRange>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = self.ptep_get(hw, at, ptep);
        match Self::index(hw, ptep) {
            Some(index) => ipte_range::cache(hw, at, index, new(old)),
            None => {
                Self::xchg(hw, at, ptep, new(old));
            }
        }
        old
    }

    /// Fidelity: same as `ptep_set_wrprotect()` of arch/s390/include/asm/pgtable.h in the proposal v6,
    /// which does nothing where the entry permits no writing.
    #[inline]
    fn ptep_set_wrprotect<H: Hw<PerCpu = IpteRange>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        if self.ptep_get(hw, at, ptep).has(Pte::WRITE) {
            self.pte_update(hw, at, ptep, |pte| pte.without(Pte::WRITE));
        }
    }

    /// In the range the entry stays until the commit; elsewhere it is invalidated now.
    ///
    /// Fidelity: same as `ptep_modify_prot_start()` of arch/s390/include/asm/pgtable.h in the proposal
    /// v6.
    #[inline]
    fn ptep_modify_prot_start<H: Hw<PerCpu = IpteRange>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
    ) -> Pte {
        match Self::index(hw, ptep) {
            Some(_) => self.ptep_get(hw, at, ptep),
            None => Self::xchg(hw, at, ptep, Pte::NONE),
        }
    }

    /// Not intercepted: works on memory, whatever the cache holds.
    ///
    /// Fidelity: same as `ptep_set_access_flags()` of arch/s390/include/asm/pgtable.h in the proposal
    /// v6.
    fn ptep_set_access_flags<H: Hw<PerCpu = IpteRange>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let changed = hw.read(ptep) != pte;
        if changed {
            Self::xchg(hw, at, ptep, pte);
        }
        changed
    }

    /// A table entry is stored at once.
    fn set_table(self, _: &mut impl Hw<PerCpu = IpteRange>, _: At, _: Level, _: bool) {}

    /// Hardware goes by memory alone.
    fn access<H: Hw<PerCpu = IpteRange>>(self, hw: &mut H, _: At, ptep: H::Ptep, access: Access) {
        let pte = hw.read(ptep);
        if access.permitted_by(pte) {
            let dirty = if access == Access::Write { Pte::DIRTY } else { 0 };
            hw.write(ptep, pte.with(Pte::YOUNG | dirty));
        } else {
            hw.effect(Effect::PAGE_FAULT);
        }
    }

    /// Fidelity: changed: arch/s390/include/asm/tlbflush.h in the proposal v6 reduced to the name of
    /// what is called; entries are invalidated where they change.
    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = IpteRange>, at: At, pages: u32) {
        hw.effect(TLB_FLUSH_MM_LAZY.of(pages));
        hw.tlb_invalidate(at, pages);
    }

    fn pending(self, hw: &mut impl Hw<PerCpu = IpteRange>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|cpu| cpu.cached()) {
            0 => None,
            n => Some((u32::from(n), "ipte_range")),
        }
    }
}
