//! powerpc hash as it was up to v6.19: a word in the batch says that the mode is on.
//!
//! Models arch/powerpc/include/asm/book3s/64/tlbflush-hash.h up to v6.0, and from v6.1 to v6.19
//! with b9ef323ea168, which turns preemption off in a section. `arch_flush_lazy_mmu_mode()` was an
//! empty macro. Nothing asks for interrupts: a handler's update joins the batch of the task it
//! interrupts. A nested enter only raises the preempt count; the inner leave ends the batching.

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

/// Bit of the thread flag that carries the mode of a task that is switched out in a section.
const TLF_LAZY_MMU: u32 = 3;

/// The half of `__switch_to()` before the switch: sends the batch and notes that the task had the
/// mode on. Of use up to v6.0 only; later no section can be switched out.
///
/// Fidelity: same as arch/powerpc/kernel/process.c v6.0, v6.12 and v6.19, removed by 58852f24f956.
pub(super) fn switch_out(hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>) {
    if hw.per_cpu(|batch| batch.active) {
        hw.set_thread_flag(TLF_LAZY_MMU);
        batch::flush_pending(hw);
        hw.per_cpu(|batch| batch.active = false);
    }
}

/// The half after the switch: the incoming task has the mode on again. A new task does not pass it
/// in the kernel; here it does, with a flag that is clear.
///
/// Fidelity: same as arch/powerpc/kernel/process.c v6.0, v6.12 and v6.19, removed by 58852f24f956.
pub(super) fn switch_in(hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>) {
    if hw.test_and_clear_thread_flag(TLF_LAZY_MMU) {
        hw.per_cpu(|batch| batch.active = true);
    }
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
