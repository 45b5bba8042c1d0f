//! The contract between the generic layer and an architecture: its hooks.
//!
//! Models the declarations that include/linux/pgtable.h (v7.0) expects of an architecture that
//! selects `CONFIG_ARCH_HAS_LAZY_MMU_MODE`. Without an installed architecture the hooks are empty,
//! as on an architecture that does not select it.

use crate::design::{CallInfo, HookInfo, Warn};
use crate::preempt::Layout;
use crate::ptes::PteRange;

/// A place inside a call or a primitive, named after what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The task's state changes.
    Store,
    /// The architecture is called.
    Hook(&'static HookInfo),
    /// The architecture does something, by the name of the effect.
    Effect(&'static str),
}

/// What an architecture provides to the generic layer.
///
/// Hooks run with nothing borrowed: they may change the preempt count, ask whether the mode is
/// active, record effects, and call the generic layer again.
pub trait Arch {
    /// Runs `arch_enter_lazy_mmu_mode()`, `arch_leave_lazy_mmu_mode()`,
    /// `arch_flush_lazy_mmu_mode()`, or a hook of the design's own; an architecture that lacks one
    /// runs [`HookInfo::or`], or nothing. `range` is the argument of the call that reached the
    /// hook.
    fn hook(&self, hook: &'static HookInfo, range: Option<&PteRange>);

    /// `arch_wants_lazy_mmu_mode()`: whether the mode is of use on this machine. Asked by v3 only.
    fn wants_lazy_mmu_mode(&self) -> bool {
        true
    }

    /// Where the fields of the preempt count lie: in the newest kernel by default.
    fn preempt_layout(&self) -> Layout {
        Layout::default()
    }

    /// Something is about to happen inside a call: its next store, hook or effect. Here an
    /// interrupt or a preemption may fall. Asked for by the machine, with `set_points`.
    fn point(&self, _: Point) {}

    /// A call of the API is about to return.
    fn returned(&self, _: &'static CallInfo) {}

    /// A sanity check has found something.
    fn warned(&self, _: &Warn) {}

    /// Tells what is outstanding: how many, and the kernel's name of the place that holds it.
    fn pending(&self) -> Option<(u32, &'static str)> {
        None
    }
}
