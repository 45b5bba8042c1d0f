//! powerpc hash as it was up to v6.19: a word in the batch says that the mode is on.
//!
//! Models arch/powerpc/include/asm/book3s/64/tlbflush-hash.h up to v6.0, and from v6.1 to v6.19 with
//! b9ef323ea168, which turns preemption off in a section. `arch_flush_lazy_mmu_mode()` was an empty
//! macro. Nothing asks for interrupts: a handler's update joins the batch of the task it interrupts.
//! A nested enter only raises the preempt count; the inner leave ends the batching.

use super::batch::{self, Ppc64TlbBatch};
use crate::backend::Hw;

/// What the hooks of an era do beside the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Preemption {
    /// Up to v6.0: sections can be preempted.
    On,
    /// v6.1 to v6.19: sections cannot be preempted.
    Off,
}

/// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 and v6.19.
pub(super) fn arch_enter_lazy_mmu_mode(
    hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>,
    preemption: Preemption,
) {
    // Preemption goes off first, so that the batch is that of the CPU the task stays on.
    if preemption == Preemption::Off {
        hw.preempt_disable();
    }
    hw.per_cpu(|batch| batch.active = true);
}

/// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 and v6.19.
pub(super) fn arch_leave_lazy_mmu_mode(
    hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>,
    preemption: Preemption,
) {
    batch::flush_pending(hw);
    hw.per_cpu(|batch| batch.active = false);
    if preemption == Preemption::Off {
        hw.preempt_enable();
    }
}
