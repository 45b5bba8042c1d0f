//! The machine as a plain value, on which a call goes on from point to point.
//!
//! The third shell around designs and backends, beside the thread that runs annotated code and the
//! machine under it. All that a task can reach is in a [`Local`]; a line of a scenario takes one from
//! point to point, and may be left at any of them for an interrupt or another task. Backend code is
//! plain code and cannot be stopped in its middle. It is run again instead: what it was told before is
//! in its [`Progress`], and it is told the same until it is where it stopped.
//!
//! Key types: [`Local`], [`Progress`], [`Seen`], and [`Code`], the kernel's code that does a step.

mod calls;
mod exec;
mod fault;
mod hw;
mod memory;
mod ptes;
mod scenario;

use emu_arch::backend::Backend;
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::born;
use emu_arch::{Arch, Kernel, WithBackend};
use lazy_mmu::Record;
use lazy_mmu::design::{Design, Hook};
use lazy_mmu::sched::TaskStruct;

use crate::scenario::Step;
use exec::World;

pub use fault::Fault;
pub use memory::Memory;
pub use scenario::run;

/// All that a task can reach while it runs on a CPU.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The task.
    pub task: TaskStruct,
    /// The CPU that it runs on.
    pub cpu: u8,
    /// What the architecture keeps on that CPU, as the number that [`Code`] knows it by; 0 after boot.
    pub per_cpu: u32,
    /// Page tables, what is pending, what is cached.
    pub memory: Memory,
}

/// How far a step has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The number of points behind it.
    points: u32,
    /// The number of the answer to each question that the code has asked.
    answers: Vec<u64>,
}

/// A point inside a step, before its next store, hook or effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How far the step has come.
    pub progress: Progress,
    /// The name of the point, as scenarios have it.
    pub point: &'static str,
    /// Which of that name in the step, from 1.
    pub nth: u32,
    /// Interrupts are off, so that nothing falls here on this CPU.
    pub irqs_off: bool,
    /// The effect that comes next is no step of a machine but the mark of one that was made: something
    /// joined a batch. What falls in here falls in before it or after it.
    pub mark: bool,
}

/// What a step did between two points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Where the events go, if anyone wants them.
    pub record: Option<Record>,
    /// The hazards found, in order.
    pub hazards: Vec<Hazard>,
    /// The hooks called, in order.
    pub hooks: Vec<Hook>,
    /// The condition of a `BUG_ON()` of the architecture that was hit: nothing goes on.
    pub bug: Option<&'static str>,
    /// The condition of a sanity check that found something.
    pub warning: Option<&'static str>,
    /// Updates were put off.
    pub put_off: bool,
    /// What was put off was done.
    pub settled: bool,
}

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
    /// A task that has not run yet, as the first switch to it wants it.
    fn born(&self, task: TaskStruct) -> TaskStruct;
    /// What the design tells arch code of the mode.
    fn is_active(&self, task: &TaskStruct) -> bool;
    /// What the architecture itself remembers of the mode, where it does.
    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool>;
    /// What is outstanding on the CPU.
    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)>;
    /// The last lines of a record.
    fn note_end(&mut self, local: &mut Local, seen: &mut Seen);
}

/// The code of `arch` in `kernel` under `design`, with a `fault` in it where one is given.
#[must_use]
pub fn code(arch: Arch, kernel: Kernel, design: Design, fault: Option<Fault>) -> Box<dyn Code> {
    struct Make(Arch, Design, Option<Fault>);
    impl WithBackend for Make {
        type Output = Box<dyn Code>;
        fn with<B: Backend + 'static>(self, backend: B) -> Box<dyn Code> {
            Box::new(World::new(backend, self.0, self.1, self.2))
        }
    }
    arch.with_backend(kernel, Make(arch, design, fault))
}

impl<B: Backend> Code for World<B> {
    fn step(
        &mut self,
        local: &mut Local,
        step: &Step,
        from: &Progress,
        seen: &mut Seen,
    ) -> Option<Stop> {
        self.execute(local, from, seen, |exec| exec.step(step))
    }

    fn whole_step(&mut self, local: &mut Local, step: &Step, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.step(step));
    }

    fn switch_out(&mut self, local: &mut Local, next: u8, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.switch_out(next));
    }

    fn switch_in(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.switch_in());
    }

    fn born(&self, task: TaskStruct) -> TaskStruct {
        born(task, self.design, self.backend.born_paused())
    }

    fn is_active(&self, task: &TaskStruct) -> bool {
        let in_interrupt = task.preempt_count.in_interrupt();
        self.design.is_active(task.lazy_mmu_state)[usize::from(in_interrupt)]
    }

    fn lazy_mode(&mut self, local: &mut Local) -> Option<bool> {
        let backend = self.backend;
        let mut mode = None;
        self.whole(local, &mut Seen::default(), |exec| mode = backend.lazy_mode(exec));
        mode
    }

    fn pending(&mut self, local: &mut Local) -> Option<(u32, &'static str)> {
        let backend = self.backend;
        let mut pending = None;
        self.whole(local, &mut Seen::default(), |exec| pending = backend.pending(exec));
        pending
    }

    fn note_end(&mut self, local: &mut Local, seen: &mut Seen) {
        self.whole(local, seen, |exec| exec.note_end());
    }
}
