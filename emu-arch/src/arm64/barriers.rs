//! Which stores need barriers, and whether they come now or later.
//!
//! Models `pte_valid_not_user()`, `queue_pte_barriers()` and `emit_pte_barriers()` of
//! arch/arm64/include/asm/pgtable.h, v7.0.

use crate::backend::Hw;
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// Bit of the thread flag that says that barriers are owed.
///
/// Fidelity: same as arch/arm64/include/asm/thread_info.h v7.0.
pub const TIF_LAZY_MMU_PENDING: u32 = 31;

/// Stores to page tables become visible to all table walkers.
pub const DSB_ISHST: ArchEffect = ArchEffect::delayable("dsb(ishst)");
/// This CPU forgets speculated translation faults.
pub const ISB: ArchEffect = ArchEffect::delayable("isb()");
/// The task owes barriers from now on.
pub(super) const SET_PENDING: ArchEffect = ArchEffect::deferral("TIF_LAZY_MMU_PENDING=").of(1);

/// Tells whether `pte` is valid and neither readable nor executable by user mode.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
#[inline]
pub(super) const fn pte_valid_not_user(pte: Pte) -> bool {
    const MASK: u64 = Pte::PRESENT | Pte::PROTNONE | Pte::USER | Pte::UXN;
    pte.0 & MASK == Pte::PRESENT | Pte::UXN
}

/// Notes that barriers are owed while the mode is active, for what `defer` says, and emits them at
/// once otherwise.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
#[inline]
pub(super) fn queue_pte_barriers<H: Hw>(hw: &mut H, defer: impl FnOnce(&mut H)) {
    if hw.is_lazy_mmu_mode_active() {
        defer(hw);
        // Tested first, as in the kernel, where setting the flag is atomic and dear.
        if !hw.test_thread_flag(TIF_LAZY_MMU_PENDING) {
            hw.set_thread_flag(TIF_LAZY_MMU_PENDING);
            hw.effect(SET_PENDING);
        }
    } else {
        emit_pte_barriers(hw);
    }
}

/// Makes the stores visible to the table walkers and forgets speculated faults.
///
/// Fidelity: same as arch/arm64/include/asm/pgtable.h v7.0.
pub(super) fn emit_pte_barriers(hw: &mut impl Hw) {
    hw.effect(DSB_ISHST);
    hw.effect(ISB);
    hw.complete();
}
