//! Scenarios: a sequence of calls as text, one per line, and what comes of it on a machine.
//!
//! ```
//! use emu_arch::Arch;
//! use emu_lab::scenario::{Setup, parse, run};
//!
//! let scenario = parse("
//!     what: a page is mapped in a section
//!     ---
//!     enable                          # or lazy_mmu_mode_enable()
//!         set_pte_at 0xffff800008000000
//!     disable
//! ").unwrap();
//! let outcome = run(&scenario, Setup { arch: Arch::Arm64, ..Setup::default() });
//! assert!(outcome.record.to_string().contains("dsb(ishst)"));
//! ```
#![doc = include_str!("../../../docs/scenarios.md")]

mod parse;
mod blocks;
mod entry;
mod header;
mod tasks;
mod run;
mod lab;
mod builtin;
mod show;
mod words;

use emu_arch::backend::Psize;
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::Lock;
use emu_arch::{Arch, Kernel, VirtAddr};
use lazy_mmu::design::{CallInfo, Design};
use lazy_mmu::trace::PteOp;

pub use builtin::builtin;
pub(crate) use entry::{entry, with_prot};
pub use parse::parse;
pub use run::{Outcome, See, Setup, Unmet, run, run_lines};
pub use words::{context_change, words};

/// A parsed scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What the scenario shows, from its header.
    pub what: String,
    /// Where it comes from, from its header.
    pub from: String,
    /// The runs that show the hazards that the scenario expects.
    pub bad: Vec<Where>,
    /// The runs that show none.
    pub good: Vec<Where>,
    /// The steps, in order.
    pub steps: Vec<Line>,
    /// What falls into calls, as steps refer to it.
    pub insides: Vec<Inside>,
    /// The scenario with the mended code, where some lines are those of code with a bug.
    pub mended: Option<Box<Scenario>>,
}

/// The word for the code without the bug, in a block and in a run of the header.
pub(crate) const MENDED: &str = "mended";

impl Scenario {
    /// The scenario with the code that has the bug, or with the mended one where there are two.
    #[must_use]
    pub fn code(&self, mended: bool) -> &Self {
        self.mended.as_deref().filter(|_| mended).unwrap_or(self)
    }

    /// Every line, those that fall into calls last.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.steps.iter().chain(self.insides.iter().flat_map(|inside| &inside.steps))
    }

    /// Tells whether the scenario makes claims about hazards, which makes it a test.
    #[must_use]
    pub fn claims_hazards(&self) -> bool {
        let claims =
            |line: &Line| matches!(line.step, Step::Expect(Expect::Hazard(_) | Expect::None));
        self.lines().any(claims)
    }

    /// Tells whether the scenario makes claims about how often effects happen.
    #[must_use]
    pub fn claims_times(&self) -> bool {
        self.lines().any(|line| matches!(line.step, Step::Expect(Expect::Times { .. })))
    }
}

/// A run that a scenario speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Where {
    /// The architecture.
    pub arch: Arch,
    /// The kernel.
    pub kernel: Kernel,
    /// Another design than the kernel's.
    pub design: Option<Design>,
    /// The mended code runs, where the scenario has two.
    pub mended: bool,
}

/// What falls into a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The point inside the call, by name.
    pub point: String,
    /// Which of that name, from 1.
    pub nth: u32,
    /// What happens there.
    pub steps: Vec<Line>,
    /// The CPU on which the task goes on, if not on its own.
    pub back_on: Option<u8>,
}

/// One step and the number of its line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the line.
    pub number: u32,
    /// The task that executes, from 1, and 0 for whichever runs.
    pub task: u8,
    /// The CPU on which it executes, where given.
    pub cpu: Option<u8>,
    /// What happens.
    pub step: Step,
    /// What falls into it: an index into [`Scenario::insides`].
    pub inside: Option<u32>,
}

/// What one line of a scenario does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call of the generic API, with the pages that it is given where it takes some.
    Call(&'static CallInfo, Option<PteArgs>),
    /// A change of the task's context.
    Context(ContextChange),
    /// A page table primitive.
    Pte(PteOp, PteArgs),
    /// Pages that are mapped and were used before the scenario begins; not recorded.
    Map(PteArgs),
    /// What a task does to itself or to its CPU.
    Task(TaskOp),
    /// A lock is taken or released.
    Lock(Lock, bool),
    /// A claim about the moment; one that does not hold is remarked on in the record.
    Expect(Expect),
}

/// What a scenario claims of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// What `is_lazy_mmu_mode_active()` says.
    Active(bool),
    /// The hazard has appeared by now.
    Hazard(Hazard),
    /// No hazard has appeared by now, but those expected.
    None,
    /// The effect of that name has happened so often by now: a claim on the good runs, which must not
    /// hold in a bad one.
    Times {
        /// The name, as the architecture has it.
        effect: &'static str,
        /// How often.
        times: u32,
    },
}

/// What a task does to itself or to its CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOp {
    /// Nothing: the task has the CPU for a while.
    Run,
    /// `might_sleep()`
    MightSleep,
    /// `schedule()`: the CPU goes idle.
    Schedule,
    /// `arch_flush_lazy_mmu_mode()`, by arch code past the generic layer.
    ArchFlush,
    /// The task exits.
    Exit,
    /// Task number `child` begins as a copy.
    Fork {
        /// The number, 1 to 26.
        child: u8,
    },
}

/// A change of the task's context: its kernel name and the function of [`lazy_mmu::sched`].
#[derive(Clone, Copy, Debug)]
pub struct ContextChange {
    /// The name.
    pub name: &'static str,
    /// Makes the change.
    pub make: fn(),
}

impl PartialEq for ContextChange {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ContextChange {}

/// The arguments of a page table primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PteArgs {
    /// The address of the first page.
    pub addr: VirtAddr,
    /// The number of pages, 1 to 512.
    pub nr: u16,
    /// The address space: 0 (`init_mm`) for kernel addresses, 1 to 31 for others.
    pub mm: u8,
    /// The permissions of the entry, where given.
    pub prot: Option<Prot>,
    /// The page frame of the entry, where given.
    pub pfn: Option<u64>,
    /// The page size of the slice that the address lies in, where given (powerpc hash, sparc64).
    pub psize: Option<Psize>,
}

/// The permissions of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prot {
    /// `ro`
    ReadOnly,
    /// `rw`
    ReadWrite,
    /// `rx`: user mode may execute the page.
    ReadExec,
    /// `none`: an empty entry.
    None,
}
