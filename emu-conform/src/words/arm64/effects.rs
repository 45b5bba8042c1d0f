//! What is compared on arm64.

use emu_arch::ArchEffect;
use emu_arch::arm64::{DSB_ISH, DSB_ISHST, ISB};

use crate::moves::Effect;

/// The task owes barriers from now on.
pub(super) const PENDING: Effect = Effect::new("TIF_LAZY_MMU_PENDING");
/// `dsb(ishst)`
pub(super) const DSB: Effect = Effect::new(DSB_ISHST.name);
/// `isb()`
pub(super) const ISB_: Effect = Effect::new(ISB.name);
/// The barrier of `__switch_to()`.
pub(super) const SWITCH: Effect = Effect::new(DSB_ISH.name);

/// What an effect of the emulated kernel is in a trace, where it is compared.
pub(super) fn effect(effect: &ArchEffect) -> Option<Effect> {
    match effect.name {
        "TIF_LAZY_MMU_PENDING=" => Some(PENDING),
        name if name == DSB.name => Some(DSB),
        name if name == ISB_.name => Some(ISB_),
        name if name == SWITCH.name => Some(SWITCH),
        _ => None,
    }
}
