//! A scenario as a value: its header, its lines, and what arrives inside of them.

use emu_arch::hazard::Hazard;
use emu_arch::kernel::{self, PteArgs};
use emu_arch::replay::Memory;
use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

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
    /// As which eras the header's versions are taken.
    pub notes: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Line>,
    /// What falls into calls, as steps refer to it.
    pub insides: Vec<Inside>,
    /// The scenario with the mended code, where some lines are those of code with a bug.
    pub mended: Option<Box<Scenario>>,
}

/// The word for the code without the bug, in a block and in a run of the header.
pub(super) const MENDED: &str = "mended";

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

    /// Tells whether the scenario makes a claim, which makes it a test.
    #[must_use]
    pub fn claims(&self) -> bool {
        self.lines().any(|line| matches!(line.step, Step::Expect(_)))
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
    /// Something that a task does.
    Kernel(kernel::Step),
    /// Pages that are mapped and were used before the scenario begins; not recorded.
    Map(PteArgs),
    /// A claim about the moment; one that does not hold is remarked on in the record.
    Expect(Expect),
}

impl Step {
    /// The pages that the step works on, where it works on any.
    #[must_use]
    pub const fn pte_args(&self) -> Option<&PteArgs> {
        match self {
            Self::Kernel(kernel::Step::Pte(_, args)) | Self::Map(args) => Some(args),
            Self::Kernel(_) | Self::Expect(_) => None,
        }
    }

    /// Does to `memory` what stands before a scenario with the step in it: page sizes, and pages
    /// that are mapped and were used on `arch`.
    pub fn prepare(&self, memory: &mut Memory, arch: Arch) {
        if let Some(args) = self.pte_args() {
            memory.set_slice_psize(args);
        }
        if let Self::Map(args) = self {
            memory.populate(args, arch);
        }
    }
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
    /// The effect of that name has happened so often by now: a claim on the good runs, which must
    /// not hold in a bad one.
    Times {
        /// The name, as the architecture has it.
        effect: &'static str,
        /// How often.
        times: u32,
    },
}
