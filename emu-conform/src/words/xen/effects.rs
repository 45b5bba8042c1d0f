//! What is compared under Xen PV.

use emu_arch::ArchEffect;
use emu_arch::x86_xen::MMU_UPDATE_CALL;

use crate::moves::Effect;

/// An update joins the queue.
pub(super) const QUEUED: Effect = Effect::new("queued");
/// One hypercall makes all updates that are queued, or one that is not.
pub(super) const CALL: Effect = Effect::new("HYPERVISOR_mmu_update");

/// What an effect of the emulated kernel is in a trace, where it is compared.
pub(super) fn effect(effect: &ArchEffect) -> Option<Effect> {
    match effect.name {
        "mmu_update.args[1]=" => Some(QUEUED),
        name if name == MMU_UPDATE_CALL.name => Some(effect.n.map_or(CALL, |n| CALL.of(n.into()))),
        _ => None,
    }
}
