//! The hooks of arm64.
//!
//! Models arch/arm64/include/asm/pgtable.h, v7.0 (4dd9b4d7a8d5).

use super::barriers::{TIF_LAZY_MMU_PENDING, emit_pte_barriers};
use crate::backend::Hw;

/// Does nothing: the generic state says that the mode is active.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
pub(super) fn arch_enter_lazy_mmu_mode(_: &mut impl Hw) {}

/// Emits the barriers that are owed.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
pub(super) fn arch_flush_lazy_mmu_mode(hw: &mut impl Hw) {
    if hw.test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING) {
        emit_pte_barriers(hw);
    }
}

/// Emits the barriers that are owed.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
pub(super) fn arch_leave_lazy_mmu_mode(hw: &mut impl Hw) {
    arch_flush_lazy_mmu_mode(hw);
}
