//! The radix MMU: every hook returns at once.
//!
//! Models the `radix_enabled()` tests of arch/powerpc/include/asm/book3s/64/tlbflush-hash.h and
//! arch/powerpc/include/asm/book3s/64/radix.h, v7.0. The generic counters move all the same.

use crate::Kernel;
use crate::backend::{At, Backend, Facts, HwOf};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// Invalidation at the end of an `mmu_gather`.
pub const RADIX_TLB_FLUSH: ArchEffect = ArchEffect::other("radix__tlb_flush");
/// Invalidation of a range of user pages.
pub(super) const RADIX_FLUSH_TLB_RANGE: ArchEffect = ArchEffect::other("radix__flush_tlb_range");
/// Invalidation of a range of the kernel's pages.
pub(super) const RADIX_FLUSH_TLB_KERNEL_RANGE: ArchEffect =
    ArchEffect::other("radix__flush_tlb_kernel_range");

/// powerpc with the radix MMU; it holds nothing per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Radix;

impl Backend for Radix {
    type PerCpu = ();

    const FACTS: Facts = Facts {
        effects: &[RADIX_TLB_FLUSH],
        wants_lazy_mmu_mode: false,
        userfaultfd_wp: false,
        ..Facts::new("powerpc-radix", "delays nothing, the counters move")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to v7.0.
    fn enter(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to v7.0.
    fn leave(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to v7.0.
    fn flush(self, _: &mut impl HwOf<Self>) {}

    /// Plain stores of entries that were not valid.
    ///
    /// Fidelity: same as `set_ptes()` of arch/powerpc/mm/pgtable.c v6.12 and v7.3.
    #[inline]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        super::set_ptes(hw, ptep, pte, nr);
    }

    /// Fidelity: same as arch/powerpc/mm/book3s64/pgtable.c v7.0.
    #[inline]
    fn ptep_modify_prot_start<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> Pte {
        self.pte_update(hw, at, ptep, super::invalidated)
    }

    /// The entry keeps what it has and is given more.
    ///
    /// Fidelity: changed: `radix__ptep_set_access_flags()` of
    /// arch/powerpc/mm/book3s64/radix_pgtable.c v7.0; without the flush between an invalid
    /// and the new entry that CPUs before ISA 3.1 need where a coprocessor uses the address space;
    /// the like of `radix__ptep_modify_prot_commit()` is left out too.
    fn ptep_set_access_flags<H: HwOf<Self>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        super::relax(hw, ptep, pte) != pte
    }

    /// The mode defers no invalidation.
    ///
    /// Fidelity: stub: arch/powerpc/mm/book3s64/radix_tlb.c v7.0, the names of what is called.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        let effect =
            if at.is_init_mm() { RADIX_FLUSH_TLB_KERNEL_RANGE } else { RADIX_FLUSH_TLB_RANGE };
        hw.effect(effect.of(pages));
        hw.tlb_invalidate(at, pages);
    }

    /// Fidelity: stub: `radix__tlb_flush()` of arch/powerpc/mm/book3s64/radix_tlb.c v7.0, its name.
    fn tlb_flush(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        hw.effect(RADIX_TLB_FLUSH.of(pages));
        hw.tlb_invalidate(at, pages);
    }
}
