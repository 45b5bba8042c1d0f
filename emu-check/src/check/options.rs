//! What is searched: the machine, the client, and what may interrupt its calls.

use emu_arch::{Arch, Kernel};
use lazy_mmu::design::Design;

use super::property::Property;
use crate::language::Language;
use emu_arch::replay::{Fault, Fix};

/// Where pages lie that clients change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// Kernel pages: arm64 delays barriers for them alone.
    #[default]
    Kernel,
    /// User pages of one address space.
    User,
    /// No pages: calls alone.
    None,
}

lazy_mmu::rows! {
    /// The client of a search: which steps its tasks take. A portfolio is searched with each of
    /// them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Client, name {
        /// The calls of the API in every order of a language, and updates of one page for each
        /// task.
        #[default]
        Calls = "calls", "calls in every order, interrupts and preemption";
        /// Page table locks: updates under the lock of their table, flushed before it is released.
        Locks = "locks", "updates under page table locks, and flushes";
        /// The life of tasks: fork, sleep, schedule and exit around sections.
        Tasks = "tasks", "fork, sleep, schedule and exit";
        /// Several pages in two tables, so that batches fill; batches hold three entries.
        Batches = "batches", "pages of two tables, batches of three entries";
        /// Interrupts that arrive while a batch fills and is flushed; batches hold two entries.
        Joins = "joins", "interrupts around batches of two entries";
    }
}

/// What clients do between their calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accesses {
    /// Nothing to a page that they have changed, until a call has promised that the change is done.
    #[default]
    Contract,
    /// Anything, at any time; they read entries past the accessor and sleep, too.
    Any,
}

/// What is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The architecture.
    pub arch: Arch,
    /// The era of its code.
    pub kernel: Kernel,
    /// The API design.
    pub design: Design,
    /// A mistake put into the code.
    pub fault: Option<Fault>,
    /// A proposed fix of the fork under Xen PV v7.2.
    pub fix: Option<Fix>,
    /// What tasks do.
    pub client: Client,
    /// The most entries that a batch holds, where fewer than in the kernel.
    pub batch_max: Option<u16>,
    /// The number of tasks, 1 to 3.
    pub tasks: u8,
    /// The number of CPUs, 1 or 2; tasks migrate where there are two.
    pub cpus: u8,
    /// The language of the client's calls.
    pub language: Language,
    /// The number of brackets that a client has open at most, 1 to 255.
    pub nesting: u8,
    /// The pages that clients change, one for each task, and one for the interrupts of each CPU.
    pub pages: Pages,
    /// What clients do to a page that they have changed.
    pub accesses: Accesses,
    /// Whether there are interrupts.
    pub interrupts: bool,
    /// Whether interrupt handlers make calls: up to v6.19 they must not.
    pub interrupt_calls: bool,
    /// The number of steps that an interrupt handler takes at most.
    pub interrupt_steps: u16,
    /// Whether a task is left for another one wherever it can be.
    pub preemption: bool,
    /// Whether the last task is a child that another one forks, anywhere; tasks exit.
    pub fork: bool,
    /// The properties looked at, where not all are.
    pub properties: Option<Vec<Property>>,
    /// The number of states after which the search gives up.
    pub max_states: usize,
    /// The memory after which the search gives up, in bytes.
    pub max_memory: usize,
    /// Stops at the first property that does not hold.
    pub first: bool,
}

impl Options {
    /// Two tasks on one CPU with interrupts and preemption, and a client that nests sections and
    /// pauses two deep, on `arch` as of `kernel`, under the kernel's design.
    ///
    /// Before v7.0 a pause was a leave inside of a section, and interrupts made no calls. Pages are
    /// the kernel's, but for sparc64 and s390, which defer updates of user pages alone. On sparc64
    /// up to v6.14 brackets are one deep: batches outlive their sections there, and two deep the
    /// states are eleven million.
    #[must_use]
    pub fn new(arch: Arch, kernel: Kernel) -> Self {
        let batches_stay = arch.batch_outlives_section(kernel);
        Self {
            arch,
            kernel,
            design: kernel.design(),
            fault: None,
            fix: None,
            client: Client::Calls,
            batch_max: None,
            tasks: 2,
            cpus: 1,
            language: if kernel >= Kernel::V7_0 { Language::D } else { Language::A },
            nesting: if batches_stay { 1 } else { 2 },
            pages: if arch.facts().defers_kernel { Pages::Kernel } else { Pages::User },
            accesses: Accesses::Contract,
            interrupts: true,
            interrupt_calls: kernel >= Kernel::V7_0,
            interrupt_steps: 3,
            preemption: true,
            fork: false,
            properties: None,
            max_states: 50_000_000,
            max_memory: 4 << 30,
            first: false,
        }
    }

    /// The search of `client`, small enough to be searched to its end in a moment.
    ///
    /// Locks are those of user memory, but for an architecture that defers updates of the kernel's
    /// pages alone.
    #[must_use]
    pub fn of(client: Client, arch: Arch, kernel: Kernel) -> Self {
        let calls = Self::new(arch, kernel);
        let small =
            Self { client, language: Language::A, nesting: 1, interrupts: false, ..calls.clone() };
        match client {
            Client::Calls => calls,
            Client::Locks => Self { pages: Pages::User, ..small },
            Client::Tasks => Self { fork: true, ..small },
            Client::Batches => Self { tasks: 1, batch_max: Some(3), ..small },
            Client::Joins => {
                Self { tasks: 1, batch_max: Some(2), interrupts: true, interrupt_steps: 1, ..small }
            }
        }
    }

    /// The searches that look at every property between them, on `arch` as of `kernel`.
    #[must_use]
    pub fn portfolio(arch: Arch, kernel: Kernel) -> Vec<Self> {
        let mut all: Vec<Self> =
            Client::ALL.map(|client| Self::of(client, arch, kernel)).into_iter().collect();
        if !arch.facts().defers_user {
            let locks = Self::of(Client::Locks, arch, kernel);
            all.push(Self { pages: Pages::Kernel, ..locks });
        }
        all
    }

    /// Whether clients change the kernel's pages.
    pub(super) fn pages_are_kernel(&self) -> bool {
        self.pages == Pages::Kernel
    }

    /// Whether `property` is looked at.
    #[must_use]
    pub fn looks_at(&self, property: Property) -> bool {
        self.properties.as_ref().is_none_or(|some| some.contains(&property))
    }

    /// What is changed in the kernel's code: a line each. Scenarios have neither, so that none
    /// comes with a counterexample.
    pub(super) fn changed(&self) -> String {
        let fault = self.fault.map(|fault| format!("fault: {}", fault.about()));
        let fix = self.fix.map(|fix| format!("fix: {}", fix.about()));
        let lines = fault.into_iter().chain(fix);
        lines.map(|line| format!("{line} (no scenario has it)\n")).collect()
    }

    /// The command line that searches this, but for the properties and the limits.
    #[must_use]
    pub fn command(&self) -> String {
        let usual = Self::of(self.client, self.arch, self.kernel);
        let mut text =
            format!("lazymmu check --arch {} --kernel {}", self.arch.id(), self.kernel.id());
        let mut add = |differs: bool, arg: String| {
            if differs {
                text.push(' ');
                text += &arg;
            }
        };
        add(self.client != Client::Calls, format!("--client {}", self.client.name()));
        add(self.design != usual.design, format!("--design {}", self.design.id()));
        add(self.tasks != usual.tasks, format!("--tasks {}", self.tasks));
        add(self.cpus != usual.cpus, format!("--cpus {}", self.cpus));
        add(self.language != usual.language, format!("--language {}", self.language.name()));
        add(self.nesting != usual.nesting, format!("--nesting {}", self.nesting));
        let pages = match self.pages {
            Pages::Kernel => "kernel",
            Pages::User => "user",
            Pages::None => "none",
        };
        add(self.pages != usual.pages, format!("--pages {pages}"));
        add(self.accesses != usual.accesses, "--any-access".to_owned());
        add(self.interrupts != usual.interrupts, "--no-interrupts".to_owned());
        let calls = self.interrupts && self.interrupt_calls != usual.interrupt_calls;
        add(calls, "--interrupt-calls".to_owned());
        add(!self.preemption, "--no-preemption".to_owned());
        add(self.fork != usual.fork, "--fork".to_owned());
        if let Some(fault) = self.fault {
            add(true, format!("--fault {}", fault.id()));
        }
        if let Some(fix) = self.fix {
            add(true, format!("--fix {}", fix.id()));
        }
        text
    }
}
