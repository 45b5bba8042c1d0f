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
//!
//! The grammar, by example:
//!
//! ```text
//! what: one line on the scenario          # an optional header, up to ---
//! from: where it comes from
//! ---
//! map 0x7f0000001000 4                    # mapped and used before the scenario begins
//! enable                                  # disable, pause, resume
//! lazy_mmu_mode_enable()                  # the kernel's names work too, as pasted from a mail;
//!                                         # what follows -> on the line is skipped
//! set_pte_at 0xffff800008000000           # page table primitives: an address ...
//! set_pte_at 0x7f0000001000 ro mm=2       # ... ro, rw or none, an address space, pfn=0x1234
//! set_ptes 0xffff800008000000 4           # ... and a number of pages where they take one
//! read 0x7f0000001000                     # a CPU loads; write: it stores
//! hardirq_enter                           # hardirq_exit, softirq_enter, softirq_exit, nmi_enter,
//!                                         # nmi_exit, local_bh_disable, local_bh_enable,
//!                                         # preempt_disable, preempt_enable
//! expect active                           # a claim on what arch code is told; or: inactive
//! ```

mod parse;
mod run;
mod show;
mod words;

use emu_arch::VirtAddr;
use emu_arch::backend::Psize;
use lazy_mmu::design::Call;
use lazy_mmu::trace::PteOp;

pub use parse::parse;
pub use run::{Outcome, See, Setup, Unmet, run, run_lines};
pub use words::words;

/// A parsed scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What the scenario shows, from its header.
    pub what: String,
    /// Where it comes from, from its header.
    pub from: String,
    /// The steps, in order.
    pub steps: Vec<Line>,
}

/// One step and the number of its line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the line.
    pub number: u32,
    /// What happens.
    pub step: Step,
}

/// What one line of a scenario does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call of the generic API.
    Call(Call),
    /// A change of the task's context.
    Context(ContextChange),
    /// A page table primitive.
    Pte(PteOp, PteArgs),
    /// Pages that are mapped and were used before the scenario begins; not recorded.
    Map(PteArgs),
    /// A claim about the moment; one that does not hold is remarked on in the record.
    Expect(Expect),
}

/// What a scenario claims of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// What `is_lazy_mmu_mode_active()` says.
    Active(bool),
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
    /// The page size of the slice that the address lies in, where given (powerpc hash).
    pub psize: Option<Psize>,
}

/// The permissions of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prot {
    /// `ro`
    ReadOnly,
    /// `rw`
    ReadWrite,
    /// `none`: an empty entry.
    None,
}
