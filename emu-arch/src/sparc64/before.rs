//! sparc64 as it was up to v6.19: a word in the batch says that the mode is on.
//!
//! Models arch/sparc/mm/tlb.c up to v6.14, and from v6.15 to v6.19 with a1d416bf9faf, which turns
//! preemption off in a section. `arch_flush_lazy_mmu_mode()` was an empty macro. Nothing asks for
//! interrupts: a handler's update joins the batch of the task it interrupts. A nested enter only
//! raises the preempt count; the inner leave ends the batching. A task that was preempted up to
//! v6.14 could go on on a CPU whose word is clear, and leave its batch and a set word behind.

use super::batch::{self, TlbBatch};
use crate::backend::Hw;

/// Tells whether this CPU batches.
///
/// Fidelity: same as `tlb_batch_add_one()` of arch/sparc/mm/tlb.c v6.19.
#[inline]
pub(super) fn active(hw: &mut impl Hw<PerCpu = TlbBatch>) -> bool {
    hw.per_cpu(|batch| batch.active)
}

/// Fidelity: same as arch/sparc/mm/tlb.c v6.14.
pub(super) fn arch_enter_lazy_mmu_mode_v6_14(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    hw.per_cpu(|batch| batch.active = true);
}

/// Fidelity: same as arch/sparc/mm/tlb.c v6.14, where `tlb_nr` is asked first and `active` is that
/// of the CPU on which the leave began.
pub(super) fn arch_leave_lazy_mmu_mode_v6_14(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    batch::flush_tlb_pending(hw);
    hw.per_cpu(|batch| batch.active = false);
}

/// Fidelity: same as arch/sparc/mm/tlb.c v6.19.
pub(super) fn arch_enter_lazy_mmu_mode(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    // Preemption goes off first, so that the batch is that of the CPU the task stays on.
    hw.preempt_disable();
    arch_enter_lazy_mmu_mode_v6_14(hw);
}

/// Fidelity: same as arch/sparc/mm/tlb.c v6.19.
pub(super) fn arch_leave_lazy_mmu_mode(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    arch_leave_lazy_mmu_mode_v6_14(hw);
    hw.preempt_enable();
}
