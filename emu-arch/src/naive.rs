//! `naive`: an architecture that batches nothing, the oracle for all others.
//!
//! Models an architecture without `CONFIG_ARCH_HAS_LAZY_MMU_MODE` (asm-generic and the empty
//! inlines of include/linux/pgtable.h, v7.0), with the hooks kept so that records show them.

use crate::Kernel;
use crate::backend::{At, Backend, Facts, HwOf};

/// An architecture whose page table updates take effect at once; it holds nothing per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Naive;

impl Backend for Naive {
    type PerCpu = ();

    const FACTS: Facts = Facts::new("naive", "delays nothing; the oracle for all others");

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    /// Fidelity: same as include/linux/pgtable.h v7.0 without `CONFIG_ARCH_HAS_LAZY_MMU_MODE`.
    fn enter(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as include/linux/pgtable.h v7.0 without `CONFIG_ARCH_HAS_LAZY_MMU_MODE`.
    fn leave(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as include/linux/pgtable.h v7.0 without `CONFIG_ARCH_HAS_LAZY_MMU_MODE`.
    fn flush(self, _: &mut impl HwOf<Self>) {}

    /// Costs nothing and is not recorded, but the TLBs forget.
    ///
    /// Fidelity: stub: `flush_tlb_range()` of no architecture of v7.0.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        hw.tlb_invalidate(at, pages);
    }
}
