//! `naive`: an architecture that batches nothing, the oracle for all others.
//!
//! Models an architecture without `CONFIG_ARCH_HAS_LAZY_MMU_MODE` (asm-generic and the empty
//! inlines of include/linux/pgtable.h, v7.0), with the hooks kept so that records show them.

use crate::backend::{At, Backend, Hw, Level};
use crate::hw::pte::Pte;

/// An architecture whose page table updates take effect at once; it holds nothing per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Naive;

impl Backend for Naive {
    type PerCpu = ();

    fn enter(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) {}
    fn leave(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) {}
    fn flush(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) {}

    /// Fidelity: same as the default `set_ptes()` of include/linux/pgtable.h v7.0.
    #[inline]
    fn set_ptes<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        for n in 0..nr {
            let ptep = hw.ptep_add(ptep, n);
            hw.write(ptep, pte.advance_pfn(u64::from(n)));
        }
    }

    #[inline]
    fn pte_update<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = hw.read(ptep);
        hw.write(ptep, new(old));
        old
    }

    fn set_table(self, _: &mut impl Hw<PerCpu = Self::PerCpu>, _: At, _: Level, _: bool) {}
    fn flush_tlb_range(self, _: &mut impl Hw<PerCpu = Self::PerCpu>, _: At, _: u32) {}

    fn pending(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) -> Option<(u32, &'static str)> {
        None
    }
}
