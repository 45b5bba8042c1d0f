//! arm64 as it was from v6.16 to v6.19: a thread flag says that the mode is on.
//!
//! Models arch/arm64/include/asm/pgtable.h of 5fdd05efa1cd with its two mends, b81c688426a9
//! (interrupts) and 1ef3095b1405 (nesting): calls in interrupt do nothing, a nested enter is
//! tolerated, and the inner leave switches the mode off for the rest of the outer section.

use super::barriers::{SET_PENDING, emit_pte_barriers};
use crate::backend::Hw;

/// Bit of the thread flag that says that the mode is on.
///
/// Fidelity: same as arch/arm64/include/asm/thread_info.h v6.19.
pub(super) const TIF_LAZY_MMU: u32 = 31;

/// Bit of the thread flag that says that barriers are owed.
///
/// Fidelity: same as arch/arm64/include/asm/thread_info.h v6.19.
pub(super) const TIF_LAZY_MMU_PENDING: u32 = 32;

/// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.19.
pub(super) fn arch_enter_lazy_mmu_mode(hw: &mut impl Hw) {
    if !hw.in_interrupt() {
        hw.set_thread_flag(TIF_LAZY_MMU);
    }
}

/// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.19.
pub(super) fn arch_flush_lazy_mmu_mode(hw: &mut impl Hw) {
    if !hw.in_interrupt() && hw.test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING) {
        emit_pte_barriers(hw);
    }
}

/// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.19.
pub(super) fn arch_leave_lazy_mmu_mode(hw: &mut impl Hw) {
    if !hw.in_interrupt() {
        arch_flush_lazy_mmu_mode(hw);
        hw.test_and_clear_thread_flag(TIF_LAZY_MMU);
    }
}

/// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.19.
#[inline]
pub(super) fn queue_pte_barriers<H: Hw>(hw: &mut H, defer: impl FnOnce(&mut H)) {
    if hw.in_interrupt() || !hw.test_thread_flag(TIF_LAZY_MMU) {
        emit_pte_barriers(hw);
        return;
    }
    defer(hw);
    if !hw.test_thread_flag(TIF_LAZY_MMU_PENDING) {
        hw.set_thread_flag(TIF_LAZY_MMU_PENDING);
        hw.effect(SET_PENDING);
    }
}
