//! The hooks of sparc64.
//!
//! Models arch/sparc/mm/tlb.c, v7.0 (442bf488b9e8, dacd24ec4965).

use super::batch::{self, TlbBatch};
use crate::backend::Hw;

/// Keeps the task on the CPU whose batch it fills; the generic state says that the mode is active.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v7.0.
pub(super) fn arch_enter_lazy_mmu_mode(hw: &mut impl Hw) {
    hw.preempt_disable();
}

/// Flushes what waits.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v7.0.
pub(super) fn arch_flush_lazy_mmu_mode(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    batch::flush_tlb_pending(hw);
}

/// Flushes what waits, and lets the task go.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v7.0.
pub(super) fn arch_leave_lazy_mmu_mode(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    arch_flush_lazy_mmu_mode(hw);
    hw.preempt_enable();
}
