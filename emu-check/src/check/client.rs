//! What a task may do next: the most general client of a language, or a program.
//!
//! A client keeps the contract of the API: it closes what it opens, in the order of its language,
//! and does nothing to a page that it has changed until a call has promised that the change is
//! done. What goes wrong all the same is a fault of the design or of the architecture.

use emu_arch::backend::At;
use lazy_mmu::design::Role;
use lazy_mmu::trace::PteOp;

use super::options::{Accesses, Client, Options};
use crate::language::{Bracket, Open};
use emu_arch::kernel::{LockOp, Step, TaskOp};
use emu_arch::replay::{Memory, Progress};

/// A step that clients may take.
#[derive(Clone, Debug)]
pub(super) struct Op {
    /// The step.
    pub(super) step: Step,
    /// What the contract says of it.
    pub(super) kind: Kind,
    /// Whose step it is.
    pub(super) of: Owner,
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Every task, and interrupts.
    All,
    /// The task of that number, from 0.
    Task(u8),
    /// Interrupts on the CPU of that number.
    Interrupt(u8),
    /// The program of a task, at one place of it.
    Program(u8, u16),
    /// The program of an interrupt.
    Handler(u16),
}

/// What the contract says of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call, by what it does to brackets.
    Call(Role),
    /// A change of the entry of a page that is not mapped, or of one that is.
    Write {
        /// The page.
        page: At,
        /// Whether the page is mapped when it is changed.
        mapped: bool,
    },
    /// A read of a mapped page.
    Read(At),
    /// The lock of the task's table is taken or released.
    Lock(LockOp),
    /// The TLB flush that a page needs whose entry was taken away.
    Flush,
    /// The task may sleep, or gives up its CPU.
    Sleep,
    /// The task exits.
    Exit,
    /// A line of a scenario claims that the mode is active, or that it is not.
    Claim {
        /// The number of the line.
        line: u32,
        /// What it claims.
        active: bool,
    },
    /// Anything else, which the contract does not speak of.
    Other,
}

impl Kind {
    pub(super) fn of(step: &Step) -> Self {
        match step {
            Step::Call(info, _) => Self::Call(info.role),
            Step::Task(TaskOp::Exit) => Self::Exit,
            Step::Task(TaskOp::MightSleep | TaskOp::ArchMightSleep | TaskOp::Schedule) => {
                Self::Sleep
            }
            Step::Task(_) | Step::Context(_) | Step::Pte(..) | Step::Fork(_) | Step::Lock(..) => {
                Self::Other
            }
        }
    }

    /// The kind of a step of the general client.
    pub(super) fn of_page(step: &Step) -> Self {
        if let Step::Lock(_, op) = step {
            return Self::Lock(*op);
        }
        let Step::Pte(op, args) = step else { return Self::of(step) };
        let page = At { mm: args.mm, addr: args.addr };
        match op {
            PteOp::read
            | PteOp::write
            | PteOp::ptep_get
            | PteOp::ptep_get_lockless
            | PteOp::raw_read => Self::Read(page),
            PteOp::set_pte_at | PteOp::set_pte | PteOp::set_ptes => {
                Self::Write { page, mapped: false }
            }
            PteOp::ptep_get_and_clear
            | PteOp::pte_clear
            | PteOp::ptep_set_wrprotect
            | PteOp::wrprotect_ptes
            | PteOp::ptep_modify_prot_start
            | PteOp::ptep_modify_prot_commit
            | PteOp::ptep_test_and_clear_young
            | PteOp::ptep_set_access_flags
            | PteOp::pte_update
            | PteOp::hpte_need_flush => Self::Write { page, mapped: true },
            PteOp::flush_tlb_range | PteOp::tlb_flush => Self::Flush,
            PteOp::set_pmd
            | PteOp::set_pud
            | PteOp::set_p4d
            | PteOp::set_pgd
            | PteOp::tlb_remove_tlb_entries
            | PteOp::set_tlb_ubc_flush_pending
            | PteOp::flush_tlb_batched_pending
            | PteOp::pte_free
            | PteOp::__free_page
            | PteOp::destroy_context => Self::Other,
        }
    }
}

/// One context of a task, task or interrupt: how far its client has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Level {
    /// The brackets that are open; a pause with what the mode was before it.
    pub(super) open: Open<bool>,
    /// The pages that it has changed without a call having promised that the change is done: a bit
    /// each.
    pub(super) dirty: u16,
    /// It holds the lock of its table.
    pub(super) locked: bool,
    /// It has taken an entry of user memory away and has flushed nothing since.
    pub(super) stale: bool,
    /// Whether the mode was active before the pause that has begun.
    pub(super) active: bool,
    /// How many steps it has taken, where they are counted.
    pub(super) steps: u16,
    /// The step that has begun and not ended.
    pub(super) doing: Option<Doing>,
}

/// A step that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Doing {
    /// Its number.
    pub(super) op: u16,
    /// How far it has come.
    pub(super) progress: Progress,
    /// The name of the point where it is and which of that name; none at its beginning.
    pub(super) at: Option<(&'static str, u32)>,
    /// Interrupts are off there.
    pub(super) irqs_off: bool,
}

impl Doing {
    /// The step of that number, about to begin.
    pub(super) fn begins(op: u16) -> Self {
        Self { op, progress: Progress::default(), at: None, irqs_off: false }
    }
}

/// The bit of a page: clients have few, in two tables or two address spaces at most.
fn bit(page: At) -> u16 {
    let second = u64::from(page.mm > 1) | page.addr.get() >> 21 & 1;
    1 << (page.addr.get() >> 12 & 7 | second << 3)
}

impl Level {
    pub(super) fn sections(&self) -> usize {
        self.open.count(Bracket::Section)
    }

    pub(super) fn paused(&self) -> bool {
        self.open.count(Bracket::Pause) > 0
    }

    /// Whether the contract lets updates of this level wait.
    pub(super) fn may_batch(&self) -> bool {
        self.sections() > 0 && !self.paused()
    }

    /// Whether the client of `options` may take the step of that `kind` now, with at most `nesting`
    /// brackets open.
    pub(super) fn may(
        &self,
        kind: Kind,
        options: &Options,
        nesting: usize,
        memory: &Memory,
    ) -> bool {
        let any = options.accesses == Accesses::Any;
        let clean = |page| any || self.dirty & bit(page) == 0;
        let under_lock = options.client != Client::Locks || self.locked;
        match kind {
            Kind::Call(role) => {
                let room = self.open.len() < nesting || !role.opens();
                under_lock && room && options.language.may(role, &self.open)
            }
            Kind::Write { page, mapped } => {
                // A page whose change is pending against all promises is left alone, or batches
                // would grow to their limit.
                // Nor is another frame mapped where a CPU may have a translation of the last one.
                let flushed = mapped || !self.stale;
                under_lock
                    && (any || clean(page) && !memory.is_pending(page) && flushed)
                    && memory.believed(page).is_present() == mapped
            }
            Kind::Read(page) => any || clean(page) && memory.believed(page).is_present(),
            Kind::Lock(LockOp::Lock) => !self.locked && self.open.is_empty(),
            Kind::Lock(LockOp::Unlock) => {
                self.locked && self.open.is_empty() && self.dirty == 0 && !self.stale
            }
            Kind::Flush => self.stale && self.open.is_empty() && self.dirty == 0,
            Kind::Sleep => (self.open.is_empty() || any) && !self.locked,
            Kind::Exit => self.open.is_empty(),
            Kind::Claim { .. } | Kind::Other => true,
        }
    }

    /// The client has taken the step of that `kind`; `in_task` where it is not an interrupt.
    pub(super) fn took(&mut self, kind: Kind, in_task: bool) {
        match kind {
            Kind::Call(role) => {
                self.open.took(role, std::mem::take(&mut self.active));
                // A pause and a disable promise that what was changed is done.
                if matches!(role, Role::OpensPause | Role::ClosesSection) {
                    self.dirty = 0;
                }
            }
            Kind::Write { page, mapped } => {
                if in_task && self.may_batch() {
                    self.dirty |= bit(page);
                }
                self.stale |= self.locked && mapped && !page.is_init_mm();
            }
            Kind::Lock(op) => self.locked = op == LockOp::Lock,
            Kind::Flush => self.stale = false,
            Kind::Read(_) | Kind::Sleep | Kind::Exit | Kind::Claim { .. } | Kind::Other => {}
        }
    }
}
