//! `counts-task`: `counts` with pause and resume of another task (v7.2-rc1).
//!
//! Models include/linux/pgtable.h after 811f0d8caa40, bec6f41a6fe5 and 1d5d1b8a4cd1: the bodies of
//! pause and resume move into `__task_lazy_mmu_mode_pause(tsk)` and
//! `__task_lazy_mmu_mode_resume(tsk)`, which take any task and do not ask for interrupts. Xen PV
//! calls them in its context switch. For code that only uses the four calls nothing changes.

use super::CallInfo;

/// `__task_lazy_mmu_mode_pause()`
pub const TASK_PAUSE: CallInfo =
    CallInfo::PAUSE.variant("__task_lazy_mmu_mode_pause", "__task_lazy_mmu_mode_pause()").by_arch();
/// `__task_lazy_mmu_mode_resume()`
pub const TASK_RESUME: CallInfo = CallInfo::RESUME
    .variant("__task_lazy_mmu_mode_resume", "__task_lazy_mmu_mode_resume()")
    .by_arch();

super::counts::counts_and_more! {
    const ID: &'static str = "counts-task";
    const ABOUT: &'static str = "counts, with pause and resume of another task; v7.2";
    const SOURCE: &'static str = "811f0d8caa40, bec6f41a6fe5, 1d5d1b8a4cd1";
    const CALLS: &'static [CallInfo] = &[
        CallInfo::ENABLE,
        CallInfo::DISABLE,
        CallInfo::PAUSE,
        CallInfo::RESUME,
        TASK_PAUSE,
        TASK_RESUME,
    ];
}
