//! Tasks and CPUs: who runs where.
//!
//! The thread-local of [`lazy_mmu::sched`] holds the task that runs on the executing CPU; all
//! others are kept here. A switch swaps them, so that annotated code runs unchanged in any task.

use lazy_mmu::machine_api;
use lazy_mmu::sched::{self, TaskStruct};

use super::{Machine, NR_CPUS};
use crate::kernel::{self, Cpus, Step, TaskOp, idle};

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

    /// Task `pid` that nobody forked: it has run before and was switched out.
    fn waiting(&self, pid: u8) -> TaskStruct {
        let task = TaskStruct { pid, ..TaskStruct::default() };
        kernel::switched_out(task, sched::design(), self.inner.code.switch_pauses())
    }

    /// Puts task `to` into the thread-local and keeps `from`.
    fn swap(&self, from: u8, to: u8) {
        let mut saved = self.inner.tasks.saved.borrow_mut();
        let next = saved.remove(&to).unwrap_or_else(|| self.waiting(to));
        let prev = machine_api::swap_current(next);
        saved.insert(from, prev);
    }

    /// Switches `cpu` to task `next`, which comes from another CPU if it runs there: a preemption.
    ///
    /// The hooks of the architecture run as in `__switch_to()` and around it. A preemption where
    /// the running task must not be preempted is a hazard and happens all the same. Where a hook
    /// hits a `BUG_ON()` on the way out, the running task stays.
    pub fn context_switch(&self, cpu: u8, next: u8) {
        kernel::context_switch(&mut self.clone(), cpu, next);
    }

    /// The running task does `step`, which is no primitive.
    pub fn step(&self, step: &Step) {
        match *step {
            Step::Call(info, _) => lazy_mmu::pgtable::call(info.call),
            Step::Fork(child) => self.inner.code.fork(&self.inner, child),
            Step::Pte(..) => {}
            Step::Context(_) | Step::Task(_) | Step::Lock(..) => {
                self.inner.code.step(&self.inner, step);
            }
        }
        if *step == Step::Task(TaskOp::Schedule) {
            self.context_switch(self.cpu(), idle(self.cpu()));
        }
    }

    /// The running task gives up its CPU to the idle task: `schedule()`.
    pub fn schedule(&self) {
        self.step(&Step::Task(TaskOp::Schedule));
    }

    /// The running task may sleep here: `might_sleep()`.
    pub fn might_sleep(&self) {
        self.step(&Step::Task(TaskOp::MightSleep));
    }

    /// Makes task `child`, a copy of the running one; it runs nowhere yet.
    pub fn fork(&self, child: u8) {
        self.step(&Step::Fork(child));
    }

    /// The running task exits: what it leaves behind is a hazard.
    pub fn exit(&self) {
        self.step(&Step::Task(TaskOp::Exit));
    }

    /// Arch code calls its own flush hook, past the generic layer.
    pub fn arch_flush(&self) {
        self.step(&Step::Task(TaskOp::ArchFlush));
    }
}

impl Cpus for Machine {
    fn cpu(&self) -> u8 {
        self.cpu()
    }

    fn running(&self, cpu: u8) -> u8 {
        self.running(cpu)
    }

    fn cpu_of(&self, pid: u8) -> Option<u8> {
        self.cpu_of(pid)
    }

    fn run_on(&mut self, cpu: u8) {
        Machine::run_on(self, cpu);
    }

    fn switch_out(&mut self, next: u8) -> bool {
        let bugs = self.bugs();
        self.inner.code.switch_out(&self.inner, next);
        self.bugs() == bugs
    }

    fn swap(&mut self, next: u8) {
        let cpu = self.cpu();
        Machine::swap(self, self.running(cpu), next);
        self.inner.tasks.running[usize::from(cpu)].set(next);
    }

    fn switch_in(&mut self) {
        self.inner.code.switch_in(&self.inner);
    }
}
