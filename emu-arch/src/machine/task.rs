//! Tasks and CPUs: who runs where, context switches, fork and exit.
//!
//! The thread-local of [`lazy_mmu::sched`] holds the task that runs on the executing CPU; all others
//! are kept here. A switch swaps them, so that annotated code runs unchanged in any task.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use lazy_mmu::design::{Call, Context, Design};
use lazy_mmu::machine_api;
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::sched::{self, TaskStruct};

use super::{Machine, NR_CPUS};
use crate::hw::hazard::Hazard;

/// The highest number of a task that is not an idle task.
pub const PID_MAX: u8 = 200;

/// The tasks of a machine.
#[derive(Debug)]
pub(super) struct Tasks {
    /// Every task that is not running on the executing CPU.
    saved: RefCell<BTreeMap<u8, TaskStruct>>,
    running: [Cell<u8>; NR_CPUS],
}

impl Tasks {
    /// Task 0 runs on CPU 0, an idle task on every other.
    pub(super) fn new() -> Self {
        let running =
            std::array::from_fn(|cpu| Cell::new(if cpu == 0 { 0 } else { idle(cpu as u8) }));
        Self { saved: RefCell::default(), running }
    }
}

/// The number of the idle task of a CPU.
#[must_use]
pub const fn idle(cpu: u8) -> u8 {
    u8::MAX - cpu
}

/// A task that has not run yet, under `design`: paused, where the first switch to it wants that.
#[must_use]
pub fn born(task: TaskStruct, design: Design, paused: bool) -> TaskStruct {
    let pause = design.step(task.lazy_mmu_state, Context::default(), Call::PAUSE);
    match pause.stored().filter(|_| paused) {
        Some(lazy_mmu_state) => TaskStruct { lazy_mmu_state, ..task },
        None => task,
    }
}

impl Machine {
    /// The CPU that executes.
    #[must_use]
    pub fn cpu(&self) -> u8 {
        self.inner.cpu.get()
    }

    /// The task that runs on `cpu`, below [`NR_CPUS`].
    #[must_use]
    pub fn running(&self, cpu: u8) -> u8 {
        self.inner.tasks.running[usize::from(cpu)].get()
    }

    /// The CPU on which task `pid` runs, if on any.
    #[must_use]
    pub fn cpu_of(&self, pid: u8) -> Option<u8> {
        (0..NR_CPUS as u8).find(|cpu| self.running(*cpu) == pid)
    }

    /// Has `cpu` execute from now on; tasks stay where they are.
    pub fn run_on(&self, cpu: u8) {
        let inner = &self.inner;
        let from = inner.cpu.replace(cpu);
        if from != cpu {
            self.swap(self.running(from), self.running(cpu));
            machine_api::set_cpu(cpu);
            inner.code.run_on(cpu);
        }
    }

    /// A task that has not run yet, as the first switch to it wants it.
    fn born(&self, task: TaskStruct) -> TaskStruct {
        born(task, sched::design(), self.inner.code.born_paused())
    }

    /// Puts task `to` into the thread-local and keeps `from`.
    fn swap(&self, from: u8, to: u8) {
        let mut saved = self.inner.tasks.saved.borrow_mut();
        let next = saved
            .remove(&to)
            .unwrap_or_else(|| self.born(TaskStruct { pid: to, ..TaskStruct::default() }));
        let prev = machine_api::swap_current(next);
        saved.insert(from, prev);
    }

    /// Switches `cpu` to task `next`, which comes from another CPU if it runs there: a preemption.
    ///
    /// The hooks of the architecture run as in `__switch_to()` and around it. A preemption where the
    /// running task must not be preempted is a hazard and happens all the same. Where a hook hits a
    /// `BUG_ON()` on the way out, the running task stays.
    ///
    /// Fidelity: changed: `context_switch()` of kernel/sched/core.c v7.0 reduced to the current task, its
    /// lazy MMU state, preempt count and thread flags, and to the hooks of the architecture.
    pub fn context_switch(&self, cpu: u8, next: u8) {
        if let Some(from) = self.cpu_of(next).filter(|from| *from != cpu) {
            self.context_switch(from, idle(from));
            if self.running(from) == next {
                // It has died on its way out there.
                return;
            }
        }
        self.run_on(cpu);
        let prev = self.running(cpu);
        if prev == next {
            return;
        }
        let atomic = !sched::preempt_count().preemptible();
        machine_api::note_switch(next);
        if atomic {
            self.inner.report(Hazard::SleepInAtomic);
        }
        let bugs = self.bugs();
        sched::get_cpu();
        self.inner.code.switch_out(&self.inner);
        sched::put_cpu();
        if self.bugs() > bugs {
            // It has died on its way out.
            return;
        }
        self.swap(prev, next);
        self.inner.tasks.running[usize::from(cpu)].set(next);
        sched::get_cpu();
        self.inner.code.switch_in(&self.inner);
        sched::put_cpu();
        // Both halves have a say in what becomes of the batch.
        self.inner.at_switch();
    }

    /// The running task gives up its CPU to the idle task: `schedule()`.
    ///
    /// Fidelity: changed: kernel/sched/core.c v7.0; nobody else is picked.
    pub fn schedule(&self) {
        machine_api::note_context("schedule");
        self.check_sleep();
        self.inner.must_be_done(Hazard::PendingAtSchedule);
        self.context_switch(self.cpu(), idle(self.cpu()));
    }

    /// The running task may sleep here: `might_sleep()`.
    ///
    /// Fidelity: changed: include/linux/kernel.h v7.0; sleeping in a section is reported besides.
    pub fn might_sleep(&self) {
        machine_api::note_context("might_sleep");
        self.check_sleep();
    }

    /// Looks for the hazards of sleeping here.
    pub(super) fn check_sleep(&self) {
        if !sched::preempt_count().preemptible() {
            self.inner.report(Hazard::SleepInAtomic);
        } else if sched::is_lazy_mmu_mode_active() {
            self.inner.report(Hazard::SleepInSection);
        }
    }

    /// Makes task `child`, a copy of the running one: `dup_task_struct()`; it runs nowhere yet.
    ///
    /// Fidelity: changed: kernel/fork.c v7.0; the child's preempt count is that of a fresh task.
    pub fn fork(&self, child: u8) {
        let parent = sched::current_task();
        let task = TaskStruct { pid: child, preempt_count: PreemptCount::default(), ..parent };
        self.inner.tasks.saved.borrow_mut().insert(child, self.born(task));
    }

    /// The running task exits: what it leaves behind is a hazard.
    ///
    /// Fidelity: stub: `do_exit()` of kernel/exit.c v7.0: the checks alone; the task could go on.
    pub fn exit(&self) {
        machine_api::note_context("do_exit");
        let task = sched::current_task();
        if task.preempt_count != PreemptCount::default() {
            self.inner.report(Hazard::PreemptImbalance);
        }
        self.inner.must_be_done(Hazard::PendingAtExit);
        if task.lazy_mmu_state != Default::default() {
            self.inner.report(Hazard::SectionAtExit);
        }
    }
}
