//! What a task does to itself or to its CPU: sleep, fork, exit, and the two halves of a switch.

use lazy_mmu::design::{Call, Check, Context, Design, HookInfo, StateBits, Warn};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::sched::{Brackets, TaskStruct};
use lazy_mmu::trace::Event;

use super::{Fault, Host};
use crate::backend::Backend;
use crate::hazard::{Hazard, Trigger};
use crate::hw::limits::NR_CPUS;

macro_rules! task_ops {
    ($($(#[$meta:meta])* $op:ident = $name:literal, $run:expr;)*) => {
        lazy_mmu::rows! {
            /// What a task does to itself or to its CPU, without an argument; scenarios use the
            /// kernel's name where it has one.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum TaskOp, name {
                $($(#[$meta])* $op = $name;)*
            }
        }

        impl TaskOp {
            /// Does the operation; whoever drives does what follows a `schedule()`.
            pub(crate) fn execute<H: Host>(self, host: &mut H) {
                match self {
                    $(Self::$op => { let run: fn(&mut H) = $run; run(host) })*
                }
            }
        }
    };
}

task_ops! {
    /// Nothing: the task has the CPU for a while.
    Run = "run", |_| {};
    /// `might_sleep()`
    ///
    /// Fidelity: changed: include/linux/kernel.h v7.3; sleeping in a section is reported besides.
    MightSleep = "might_sleep", |host| {
        host.note_context("might_sleep");
        check_sleep(host);
    };
    /// Not a kernel function: `might_sleep()` of the architecture's own code, which may sleep in a
    /// section where the architecture says so.
    ///
    /// Fidelity: stub: `split_kernel_leaf_mapping()` of arch/arm64/mm/mmu.c v7.2 and v7.3, which
    /// allocates page tables in its section: the sleep alone.
    ArchMightSleep = "arch_might_sleep", |host| {
        host.note_context("arch_might_sleep");
        check_sleep_of(host, H::Backend::FACTS.arch_code_sleeps);
    };
    /// `schedule()`: the CPU goes idle.
    ///
    /// Fidelity: changed: kernel/sched/core.c v7.0; nobody else is picked.
    Schedule = "schedule", |host| {
        host.note_context("schedule");
        check_sleep(host);
        host.exercise(Trigger::Schedule);
        host.must_be_done(Hazard::PendingAtSchedule);
    };
    /// The task exits: what it leaves behind is a hazard.
    ///
    /// Fidelity: stub: `do_exit()` of kernel/exit.c v7.0: the checks alone, those of lockdep too;
    /// the CPU goes to no other task before it is told to.
    Exit = "exit", exit;
    /// `arch_flush_lazy_mmu_mode()`, by arch code past the generic layer.
    ArchFlush = "arch_flush_lazy_mmu_mode", |host| {
        host.note_context(HookInfo::FLUSH.name);
        host.backend().flush(host);
    };
}

/// What `debug_check_no_locks_held()` reports.
const LOCKS_HELD: Warn =
    Warn { check: Check::DebugLocksWarnOn, cond: "current->lockdep_depth > 0" };

/// Looks for the hazards of sleeping here, in generic code.
pub(super) fn check_sleep<H: Host>(host: &mut H) {
    check_sleep_of(host, false);
}

/// Looks for the hazards of sleeping here, in code that may do so in a section or not.
fn check_sleep_of<H: Host>(host: &mut H, in_section: bool) {
    host.exercise(Trigger::Sleep);
    if !host.preempt_count().preemptible() {
        host.report(Hazard::SleepInAtomic);
    } else if host.is_lazy_mmu_mode_active() && !in_section {
        host.report(Hazard::SleepInSection);
    }
}

fn exit<H: Host>(host: &mut H) {
    host.note_context("do_exit");
    host.exercise(Trigger::Exit);
    if host.preempt_count() != PreemptCount::default() {
        host.report(Hazard::PreemptImbalance);
    }
    host.must_be_done(Hazard::PendingAtExit);
    if host.state() != StateBits::default() {
        host.report(Hazard::SectionAtExit);
    }
    if host.holds_lock() {
        host.warn(LOCKS_HELD);
    }
}

/// The current task forks task `child`, a copy that runs nowhere yet: `dup_task_struct()`.
///
/// Fidelity: changed: kernel/fork.c v7.2 and v7.3, where `arch_dup_task_struct()` copies all of the
/// parent and nothing resets the lazy MMU state; the child's preempt count is that of a fresh task.
pub fn fork<H: Host>(host: &mut H, child: u8) {
    host.exercise(Trigger::Fork);
    // The child's own code has begun nothing, whatever the counts say that it inherits.
    let (preempt_count, open) = (PreemptCount::default(), Brackets::default());
    host.dup_task(|parent| TaskStruct { pid: child, preempt_count, open, ..parent });
}

/// Task `task` as one that has run before and was switched out, under `design`; `paused` where the
/// switch pauses the outgoing task.
///
/// Tasks that nobody forked, which a scenario only names, begin like this.
#[must_use]
pub fn switched_out(task: TaskStruct, design: Design, paused: bool) -> TaskStruct {
    let pause = design.step(task.lazy_mmu_state, Context::default(), Call::PAUSE);
    match pause.stored().filter(|_| paused) {
        Some(lazy_mmu_state) => TaskStruct { lazy_mmu_state, ..task },
        None => task,
    }
}

/// The number of the idle task of a CPU.
#[must_use]
pub const fn idle(cpu: u8) -> u8 {
    u8::MAX - cpu
}

/// Tells whether `pid` is the number of an idle task.
#[must_use]
pub const fn is_idle(pid: u8) -> bool {
    pid > u8::MAX - NR_CPUS as u8
}

/// The first half of a context switch to task `next`: what happens before the registers of the
/// current task are saved.
///
/// A preemption where the task must not be preempted is a hazard and happens all the same.
///
/// Fidelity: changed: `context_switch()` of kernel/sched/core.c v7.0 reduced to the current task,
/// its lazy MMU state, preempt count and thread flags, and to the hooks of the architecture. It
/// runs at `2*PREEMPT_DISABLE_OFFSET` (include/linux/preempt.h), by `__schedule()` and by the lock
/// of the runqueue.
pub fn switch_out<H: Host>(host: &mut H, next: u8) {
    let atomic = !host.preempt_count().preemptible();
    host.note(Event::Switch { next });
    host.exercise(Trigger::Switch);
    if atomic {
        host.report(Hazard::SleepInAtomic);
    }
    scheduling(host, |host| {
        if !host.has(Fault::NoSwitchOut) {
            host.backend().switch_out(host);
        }
    });
}

/// The second half, with the incoming task in place.
pub fn switch_in<H: Host>(host: &mut H) {
    scheduling(host, |host| {
        if !host.has(Fault::NoSwitchIn) {
            host.backend().switch_in(host);
        }
    });
    // Both halves have a say in what becomes of the batch.
    if H::Backend::FACTS.defers_per_cpu() {
        host.must_be_done(Hazard::BatchAtSwitch);
    }
}

/// Runs a half of a switch, with the preempt count of `__schedule()`.
fn scheduling<H: Host>(host: &mut H, half: impl FnOnce(&mut H)) {
    host.get_cpu();
    host.get_cpu();
    half(host);
    host.put_cpu();
    host.put_cpu();
}
