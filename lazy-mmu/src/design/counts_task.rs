//! `counts-task`: `counts` with pause and resume of another task (v7.2-rc1).
//!
//! Models include/linux/pgtable.h after 811f0d8caa40, bec6f41a6fe5 and 1d5d1b8a4cd1: the bodies of
//! pause and resume move into `__task_lazy_mmu_mode_pause(tsk)` and
//! `__task_lazy_mmu_mode_resume(tsk)`, which take any task and do not ask for interrupts. Xen PV
//! calls them in its context switch. For code that only uses the four calls nothing changes.

super::counts::counts_and_more! {
    const ID: &'static str = "counts-task";
    const ABOUT: &'static str = "counts, with pause and resume of another task; v7.2";
    const SOURCE: &'static str = "811f0d8caa40, bec6f41a6fe5, 1d5d1b8a4cd1";
}
