//! The machine as a plain value, on which a step goes on from point to point.
//!
//! The second host of the kernel's code, beside the machine of a thread. All that a task can reach
//! is in a [`Local`]; a step takes one from point to point, and may be left at any of them for an
//! interrupt or another task. Backend code is plain code and cannot be suspended. To resume a step,
//! [`Code`] executes it again from its start, answers its questions from the log in its
//! [`Progress`], and suppresses what it does, until it reaches the point where it was left: as
//! `loom` re-executes a program along the branches that it has taken.
//!
//! Key types: [`Local`], [`Progress`], [`Seen`], and [`Code`], the kernel's code that does a step.

mod calls;
mod exec;
mod host;
mod boot;
mod memory;
mod reach;
mod state;

use lazy_mmu::design::Design;
use lazy_mmu::sched::TaskStruct;

use crate::backend::Backend;
use crate::kernel::{self, Step};
use exec::World;

pub use crate::kernel::{Fault, Fix};
pub use memory::Memory;
pub(crate) use memory::slot_of;
pub use state::{Local, Progress, Request, Seen, Setup, Stop};

/// The kernel's code for one architecture, version and design.
pub trait Code {
    /// Does `step` from where it stopped to its next point, or to its end.
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop>;
    /// Does all of `step`, whatever points are in it.
    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen);
    /// What a context switch does before the registers of the outgoing task are saved.
    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen);
    /// What a context switch does after it, for the incoming task.
    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen);
    /// `task` as one that has run before and was switched out.
    fn switched_out(&self, task: TaskStruct) -> TaskStruct;
    /// What the design answers arch code that asks for the mode.
    fn is_active(&self, task: &TaskStruct) -> bool;
    /// What the architecture itself remembers of the mode, where it does.
    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool>;
    /// What is outstanding on the CPU.
    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)>;
    /// The last lines of a record.
    fn note_end(&mut self, local: &mut Local, seen: &mut Seen);
}

/// The code of `backend` under `design`.
#[must_use]
pub fn of<B: Backend>(backend: B, design: Design, setup: impl Into<Setup>) -> Box<dyn Code> {
    Box::new(World::new(backend, design, setup.into()))
}

impl<B: Backend> Code for World<B> {
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop> {
        self.resume(local, from, seen, |exec| exec.execute(step))
    }

    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.execute(step));
    }

    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen) {
        self.whole(local, seen, |exec| kernel::switch_out(exec, next));
    }

    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| kernel::switch_in(exec));
    }

    fn switched_out(&self, task: TaskStruct) -> TaskStruct {
        let pauses = self.backend.switch_pauses();
        let mut task = kernel::switched_out(task, self.design, pauses);
        if let Some(fix) = self.setup.fix.filter(|_| pauses) {
            fix.paused(&mut task);
        }
        task
    }

    fn is_active(&self, task: &TaskStruct) -> bool {
        let in_interrupt = task.preempt_count.in_interrupt();
        self.design.is_active(task.lazy_mmu_state)[usize::from(in_interrupt)]
    }

    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool> {
        let backend = self.backend;
        self.whole(local, &mut Seen::default(), |exec| backend.lazy_mode(exec))
    }

    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)> {
        let backend = self.backend;
        self.whole(local, &mut Seen::default(), |exec| backend.pending(exec))
    }

    fn note_end(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.note_end());
    }
}
