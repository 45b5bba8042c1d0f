//! Context switches: which task runs on which CPU.

use super::task::idle;

/// The CPUs of a machine and the tasks that run on them.
pub trait Cpus {
    /// The CPU that executes.
    fn cpu(&self) -> u8;
    /// The task that runs on `cpu`.
    fn running(&self, cpu: u8) -> u8;
    /// The CPU on which task `pid` runs, if on any.
    fn cpu_of(&self, pid: u8) -> Option<u8>;
    /// Has `cpu` execute from now on; tasks stay where they are.
    fn run_on(&mut self, cpu: u8);
    /// The first half of a switch of the executing CPU to `next`; tells whether the kernel goes on.
    fn switch_out(&mut self, next: u8) -> bool;
    /// Makes `next` the task that runs on the executing CPU.
    fn swap(&mut self, next: u8);
    /// The second half of a switch.
    fn switch_in(&mut self);
}

/// Switches `cpu` to task `next`, which comes from another CPU if it runs there: a preemption.
///
/// The hooks of the architecture run as in `__switch_to()` and around it. Where a hook hits a
/// `BUG_ON()` on the way out, the running task stays.
pub fn context_switch(cpus: &mut impl Cpus, cpu: u8, next: u8) {
    if let Some(from) = cpus.cpu_of(next).filter(|from| *from != cpu) {
        context_switch(cpus, from, idle(from));
        if cpus.running(from) == next {
            // It has died on its way out there.
            return;
        }
    }
    cpus.run_on(cpu);
    if cpus.running(cpu) == next || !cpus.switch_out(next) {
        return;
    }
    cpus.swap(next);
    cpus.switch_in();
}
