//! The current task: `task_struct` emulated by one thread-local.
//!
//! Models what include/linux/sched.h and include/linux/thread_info.h (v7.0) say of `current`: its
//! lazy MMU state, its preempt count and its thread flags. A host thread is a task; an emulated
//! machine that has many swaps their content in and out. Beside the task the
//! thread-local holds what the emulated kernel was built with (the design, the architecture) and
//! the record that is being written.
//!
//! One file per concern: `current` is the thread-local, `task` the task as a value, `context` its
//! preempt count, `scope` what is put in place while something runs, `recording` what goes into the
//! record, `warn` what is done about a warning, `machine` what only an emulated machine does.

pub(crate) mod context;
mod current;
pub(crate) mod machine;
pub(crate) mod recording;
mod scope;
mod task;
mod warn;

pub use context::{
    arch_preempt_disable, arch_preempt_enable, get_cpu, hardirq_enter, hardirq_exit,
    local_bh_disable, local_bh_enable, nmi_enter, nmi_exit, preempt_disable, preempt_enable,
    put_cpu, softirq_enter, softirq_exit, spin_lock, spin_unlock,
};
pub(crate) use current::{Current, current};
pub use current::{OnWarn, current_task};
pub use recording::{note, note_effect, record_hooks, recording};
pub use scope::{with_arch, with_design, with_on_warn, with_task};
pub use task::{Brackets, TaskStruct, Tokens};
pub use warn::warn;
pub(crate) use warn::warn_current;

use crate::design::Design;
use crate::preempt::PreemptCount;

/// Tells whether the current task batches page table updates: what arch code asks.
///
/// False in interrupt under every design that bails out there.
#[inline]
#[must_use]
pub fn is_lazy_mmu_mode_active() -> bool {
    current(|cur| cur.is_active())
}

/// `__task_lazy_mmu_mode_active(current)`: what the design says of the task's state alone, in
/// interrupt or not. For arch code that switches tasks.
#[must_use]
pub fn task_lazy_mmu_mode_active() -> bool {
    current(|cur| cur.design().is_active(cur.state())[0])
}

/// Tells whether the current context is an interrupt or has bottom halves disabled.
#[inline]
#[must_use]
pub fn in_interrupt() -> bool {
    current(|cur| cur.preempt_count.get().in_interrupt())
}

/// The number of the current task.
#[inline]
#[must_use]
pub fn pid() -> u8 {
    current(|cur| cur.pid.get())
}

/// The preempt count of the current task.
#[inline]
#[must_use]
pub fn preempt_count() -> PreemptCount {
    current(Current::read_preempt_count)
}

/// Tells whether thread flag `flag` (a bit number below 64) of the current task is set.
#[inline]
#[must_use]
pub fn test_thread_flag(flag: u32) -> bool {
    current(|cur| cur.flags.get() >> flag & 1 != 0)
}

/// Sets thread flag `flag` of the current task.
#[inline]
pub fn set_thread_flag(flag: u32) {
    current(|cur| cur.flags.set(cur.flags.get() | 1 << flag));
}

/// Clears thread flag `flag` of the current task and tells whether it was set.
#[inline]
pub fn test_and_clear_thread_flag(flag: u32) -> bool {
    current(|cur| {
        let flags = cur.flags.get();
        cur.flags.set(flags & !(1 << flag));
        flags >> flag & 1 != 0
    })
}

/// The design of the emulated kernel.
#[must_use]
pub fn design() -> Design {
    current(Current::design)
}
