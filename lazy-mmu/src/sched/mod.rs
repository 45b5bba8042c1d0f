//! The current task: `task_struct` emulated by one thread-local.
//!
//! Models what include/linux/sched.h and include/linux/thread_info.h (v7.0) say of `current`: its
//! lazy MMU state, its preempt count and its thread flags. A host thread is a task; an emulated
//! machine that has many swaps their content in and out with [`swap_current`]. Beside the task the
//! thread-local holds what the emulated kernel was built with (the design, the architecture) and
//! the record that is being written.
//!
//! One file per concern: `current` is the thread-local, `task` the task as a value, `context` its preempt
//! count, `install` what is put in place while something runs, `note` what goes into the record, `warn`
//! what is done about a warning.

mod context;
mod current;
mod install;
mod note;
mod task;
mod warn;

pub use context::{
    CONTEXT_CHANGES, arch_preempt_disable, arch_preempt_enable, bad_preempt_count, change_context,
    get_cpu, hardirq_enter, hardirq_exit, local_bh_disable, local_bh_enable, nmi_enter, nmi_exit,
    preempt_disable, preempt_enable, put_cpu, softirq_enter, softirq_exit, spin_lock, spin_unlock,
};
pub(crate) use current::{Current, current};
pub use current::{OnWarn, current_task, swap_current};
pub use install::{with_arch, with_design, with_on_warn, with_task};
pub use note::{
    next_seq, note, note_away, note_back, note_context, note_effect, note_event, note_hazard,
    note_switch, pid_count_and_seq, record_hooks, recording,
};
pub use task::{TaskStruct, Tokens};
pub use warn::warn;
pub(crate) use warn::warn_current;

use crate::arch::Point;
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
    current(|cur| cur.preempt_count.get())
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

/// Sets the number of the CPU in the records from now on, 0 to 31.
pub fn set_cpu(cpu: u8) {
    current(|cur| cur.cpu.set(cpu));
}

/// Tells whether a record is being written or points are asked for: whether anyone sees an effect.
#[inline]
#[must_use]
pub fn watched() -> bool {
    current(|cur| cur.watched.get())
}

/// Has the architecture told of each point inside a call, or no longer.
pub fn set_points(on: bool) {
    current(|cur| {
        cur.points.set(on);
        cur.watched.set(on || cur.recording.get());
    });
}

/// Tells the architecture that `point` comes next, if it asked for points.
#[inline]
pub fn point(point: Point) {
    current(|cur| cur.point(point));
}
