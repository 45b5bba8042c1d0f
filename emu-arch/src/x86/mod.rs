//! x86 on bare metal: nothing is delayed, in any version.
//!
//! Models arch/x86/include/asm/pgtable.h and paravirt.h with CONFIG_PARAVIRT_XXL not on Xen PV: the
//! hooks are patched out, and from v7.0 on the generic counters move without effect.

use crate::Kernel;
use crate::backend::{At, Backend, Facts, HwOf};
use crate::hw::effect::ArchEffect;

/// Invalidation of a range of user pages.
pub const FLUSH_TLB_MM_RANGE: ArchEffect = ArchEffect::other("flush_tlb_mm_range");
/// Invalidation of a range of kernel pages.
pub const FLUSH_TLB_KERNEL_RANGE: ArchEffect = ArchEffect::other("flush_tlb_kernel_range");

/// x86 on bare metal; it keeps nothing per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct X86;

impl Backend for X86 {
    type PerCpu = ();

    const FACTS: Facts = Facts {
        effects: &[FLUSH_TLB_MM_RANGE, FLUSH_TLB_KERNEL_RANGE],
        separate_preempt_resched_bits: true,
        hw_pte_young: true,
        hw_nonleaf_pmd_young: true,
        ..Facts::new("x86", "delays nothing, the counters move")
    };

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    /// Fidelity: same as `paravirt_nop` in arch/x86/kernel/paravirt.c v6.0 to v7.1; v7.2 has an
    /// empty inline.
    fn enter(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as `paravirt_nop` in arch/x86/kernel/paravirt.c v6.0 to v7.1; in v7.2 the
    /// flush.
    fn leave(self, _: &mut impl HwOf<Self>) {}
    /// Fidelity: same as `paravirt_nop` in arch/x86/kernel/paravirt.c v6.0 to v7.2.
    fn flush(self, _: &mut impl HwOf<Self>) {}

    /// Fidelity: stub: arch/x86/mm/tlb.c v7.0, the names of what is called.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        let effect = if at.is_init_mm() { FLUSH_TLB_KERNEL_RANGE } else { FLUSH_TLB_MM_RANGE };
        hw.effect(effect.of(pages));
        hw.tlb_invalidate(at, pages);
    }
}
