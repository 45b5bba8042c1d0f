//! sparc64: TSB and TLB invalidations of user pages are delayed, the stores never are.
//!
//! Models arch/sparc/include/asm/pgtable_64.h, tlbflush_64.h and arch/sparc/mm/tlb.c from v6.0 to v7.0
//! (dacd24ec4965). The old value of an entry decides: what no TLB could hold needs no invalidation.

mod batch;

pub use batch::{
    FLUSH_TSB_USER, FLUSH_TSB_USER_PAGE, GLOBAL_FLUSH_TLB_PAGE, SMP_FLUSH_TLB_PENDING,
    TLB_BATCH_NR, TlbBatch,
};

use crate::backend::{At, Backend, Hw, Level};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// Invalidation of a range of kernel pages.
pub const FLUSH_TLB_KERNEL_RANGE: Effect = Effect::other("flush_tlb_kernel_range");

/// sparc64, in the version of the code that it holds: one batch per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sparc64 {
    /// Up to v6.5: sections can be preempted.
    V6_0,
    /// v6.6 to v6.14: the same, and `set_ptes()` is a section of its own.
    V6_6,
    /// v6.15 to v6.19: sections cannot be preempted.
    V6_15,
    /// v7.0 and later: the generic state says that the mode is active.
    #[default]
    V7_0,
}

impl Sparc64 {
    /// Whether invalidations are put off at the moment.
    #[inline]
    fn active(self, hw: &mut impl Hw<PerCpu = TlbBatch>) -> bool {
        match self {
            Self::V7_0 => hw.is_lazy_mmu_mode_active(),
            _ => hw.per_cpu(|batch| batch.active),
        }
    }

    /// Stores one entry: `__set_pte_at()`.
    ///
    /// Fidelity: same as arch/sparc/include/asm/pgtable_64.h v6.0 to v7.0.
    #[inline]
    fn set_one<H: Hw<PerCpu = TlbBatch>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) -> Pte {
        let old = hw.read(ptep);
        hw.write(ptep, pte);
        batch::maybe_tlb_batch_add(hw, at, old, |hw| self.active(hw));
        old
    }
}

impl Backend for Sparc64 {
    type PerCpu = TlbBatch;

    /// Fidelity: same as arch/sparc/mm/tlb.c v6.0, v6.15 (a1d416bf9faf) and v7.0.
    fn enter(self, hw: &mut impl Hw<PerCpu = TlbBatch>) {
        if matches!(self, Self::V6_15 | Self::V7_0) {
            hw.preempt_disable();
        }
        if self != Self::V7_0 {
            hw.per_cpu(|batch| batch.active = true);
        }
    }

    /// Fidelity: same as arch/sparc/mm/tlb.c v6.0, v6.15 (a1d416bf9faf) and v7.0.
    fn leave(self, hw: &mut impl Hw<PerCpu = TlbBatch>) {
        batch::flush_tlb_pending(hw);
        if self != Self::V7_0 {
            hw.per_cpu(|batch| batch.active = false);
        }
        if matches!(self, Self::V6_15 | Self::V7_0) {
            hw.preempt_enable();
        }
    }

    /// An empty macro before v7.0.
    ///
    /// Fidelity: same as arch/sparc/mm/tlb.c v6.19 and v7.0 (442bf488b9e8).
    fn flush(self, hw: &mut impl Hw<PerCpu = TlbBatch>) {
        if self == Self::V7_0 {
            batch::flush_tlb_pending(hw);
        }
    }

    /// One store after the other, each with the question for its old value; from v6.6 to v6.14 in a
    /// section of its own, which ends the batching of the section around it.
    ///
    /// Fidelity: same as `set_ptes()` of arch/sparc/include/asm/pgtable_64.h v6.0, v6.6 (1a10a44dfc1d)
    /// and v6.15 (eb61ad14c459).
    #[inline]
    fn set_ptes<H: Hw<PerCpu = TlbBatch>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        if self == Self::V6_6 {
            self.enter(hw);
        }
        for n in 0..nr {
            let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
            let ptep = hw.ptep_add(ptep, n);
            self.set_one(hw, at, ptep, pte.advance_pfn(u64::from(n)));
        }
        if self == Self::V6_6 {
            self.leave(hw);
        }
    }

    /// A store, as everything else on this architecture.
    ///
    /// Fidelity: same as `ptep_get_and_clear()` and `pte_clear()` of
    /// arch/sparc/include/asm/pgtable_64.h v6.0 to v7.0, and of the generic forms of the others.
    #[inline]
    fn pte_update<H: Hw<PerCpu = TlbBatch>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let pte = new(hw.read(ptep));
        self.set_one(hw, at, ptep, pte)
    }

    fn set_table(self, _: &mut impl Hw<PerCpu = TlbBatch>, _: At, _: Level, _: bool) {}

    /// `flush_tlb_range()` is empty and an `mmu_gather` flushes the batch; kernel pages have a flush
    /// of their own.
    ///
    /// Fidelity: same as arch/sparc/include/asm/tlbflush_64.h v6.0 to v7.0.
    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = TlbBatch>, at: At, pages: u32) {
        if at.mm == 0 {
            hw.effect(FLUSH_TLB_KERNEL_RANGE.of(pages));
            hw.tlb_invalidate(at, pages);
        } else {
            batch::flush_tlb_pending(hw);
        }
    }

    fn pending(self, hw: &mut impl Hw<PerCpu = TlbBatch>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|batch| batch.tlb_nr()) {
            0 => None,
            n => Some((n as u32, "tlb_batch")),
        }
    }
}
