//! One thing that a task does, as a value, and the code that does it on any host.

use lazy_mmu::design::CallInfo;
use lazy_mmu::trace::PteOp;

use super::ptes::{self, for_each_primitive};
use super::{ContextOp, Host, Lock, LockOp, TaskOp, lock, unlock};
use crate::backend::{Access, At, Level, Psize};
use crate::hazard::Trigger;
use crate::hw::addr::{Pfn, VirtAddr};
use crate::hw::pte::Pte;

/// What a task does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call of the generic API, with the pages that it is given where it takes some.
    Call(&'static CallInfo, Option<PteArgs>),
    /// A change of the task's context.
    Context(ContextOp),
    /// A page table primitive.
    Pte(PteOp, PteArgs),
    /// What a task does to itself or to its CPU.
    Task(TaskOp),
    /// The task forks the one of this number, 1 to 26.
    Fork(u8),
    /// A lock is taken or released.
    Lock(Lock, LockOp),
}

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

impl PteArgs {
    /// The page that the primitive begins with.
    #[must_use]
    pub const fn at(&self) -> At {
        At { mm: self.mm, addr: self.addr }
    }

    /// The entry that the arguments describe, for page frame `pfn`: read and write unless said
    /// otherwise.
    #[must_use]
    pub fn entry(&self, pfn: u64) -> Pte {
        let kernel = self.addr.is_kernel();
        let base = if kernel { Pte::kernel(Pfn(pfn)) } else { Pte::user(Pfn(pfn), true, false) };
        self.with_prot(base)
    }

    /// `pte` with the permissions that are given, where some are.
    #[must_use]
    pub fn with_prot(&self, pte: Pte) -> Pte {
        match self.prot {
            None => pte,
            Some(Prot::ReadWrite) => pte.with(Pte::WRITE),
            Some(Prot::ReadOnly) => pte.without(Pte::WRITE),
            Some(Prot::ReadExec) if pte.has(Pte::USER) => pte.without(Pte::WRITE | Pte::UXN),
            Some(Prot::ReadExec) => pte.without(Pte::WRITE),
            Some(Prot::None) => Pte::NONE,
        }
    }
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

/// Does a step that is neither a call of the API nor a primitive.
pub fn execute<H: Host>(host: &mut H, step: &Step) {
    match *step {
        Step::Context(op) => host.change_context(op),
        Step::Task(op) => op.execute(host),
        Step::Lock(which, LockOp::Lock) => lock(host, which),
        Step::Lock(which, LockOp::Unlock) => unlock(host, which),
        // Each host does these itself: a call reaches its task, a primitive needs its pointer.
        Step::Call(..) | Step::Pte(..) | Step::Fork(_) => {}
    }
}

/// Where the arguments of a primitive come from.
mod from {
    use super::{At, Host, Pte, PteArgs};

    /// The entry that the arguments describe.
    pub(super) fn new<H: Host>(host: &mut H, args: &PteArgs, _: At, _: H::Ptep) -> Pte {
        let pfn = args.pfn.unwrap_or_else(|| host.take_pfns(args.nr));
        args.entry(pfn)
    }

    /// What `ptep_modify_prot_start()` has returned, with the permissions that the arguments give.
    pub(super) fn started<H: Host>(host: &mut H, args: &PteArgs, at: At, ptep: H::Ptep) -> Pte {
        match host.set_started(at, None) {
            Some(pte) => args.with_prot(pte),
            None => new(host, args, at, ptep),
        }
    }

    /// The entry as it is, young, with the permissions that the arguments give.
    pub(super) fn relaxed<H: Host>(host: &mut H, args: &PteArgs, _: At, ptep: H::Ptep) -> Pte {
        args.with_prot(host.read(ptep).with(Pte::YOUNG))
    }

    /// The number of pages.
    pub(super) fn nr<H: Host>(_: &mut H, args: &PteArgs, _: At, _: H::Ptep) -> u16 {
        args.nr
    }
}

/// What a primitive returns, as a number where it returns anything.
trait Returned {
    fn bits(self) -> Option<u64>;
}

impl Returned for () {
    fn bits(self) -> Option<u64> {
        None
    }
}

impl Returned for bool {
    fn bits(self) -> Option<u64> {
        Some(self.into())
    }
}

impl Returned for Pte {
    fn bits(self) -> Option<u64> {
        Some(self.0)
    }
}

/// A primitive that sets an entry finds one that is present.
fn remaps<H: Host>(host: &mut H, op: PteOp, ptep: H::Ptep) {
    let sets = matches!(op, PteOp::set_pte_at | PteOp::set_pte | PteOp::set_ptes);
    if H::EXERCISES && sets && host.read(ptep).is_present() {
        host.exercise(Trigger::Remap);
    }
}

/// Does the primitive `op` on the entry `ptep`, as a scenario has it: whoever reads an entry there
/// has walked to it from the root, and whoever changes one has its pointer.
pub fn execute_pte<H: Host>(host: &mut H, op: PteOp, args: &PteArgs, ptep: H::Ptep) {
    let (at, nr, valid) = (args.at(), u64::from(args.nr), args.prot != Some(Prot::None));
    if valid {
        remaps(host, op, ptep);
    }
    macro_rules! dispatch {
        ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
            $(, kept as $keep:ident)? [$nr:expr, $latest:expr] = |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
            match op {
                $(PteOp::$name => {
                    $(let $arg: $type = from::$from(host, args, at, ptep);)*
                    let value = ptes::$name(host, at, ptep $(, $arg)*);
                    dispatch!(@keep value $($keep)?);
                })*
                PteOp::ptep_get => {
                    let value = ptes::ptep_get(host, at, ptep);
                    ptes::walk(host, at);
                    dispatch!(@keep value);
                }
                PteOp::raw_read => {
                    let value = ptes::raw_read(host, at, ptep);
                    ptes::walk(host, at);
                    dispatch!(@keep value);
                }
                PteOp::ptep_get_lockless => {
                    let value = ptes::ptep_get_lockless(host, at, ptep);
                    dispatch!(@keep value);
                }
                PteOp::read => ptes::access(host, at, ptep, Access::Read),
                PteOp::write => ptes::access(host, at, ptep, Access::Write),
                PteOp::set_pmd => ptes::set_table(host, at, Level::Pmd, valid),
                PteOp::set_pud => ptes::set_table(host, at, Level::Pud, valid),
                PteOp::set_p4d => ptes::set_table(host, at, Level::P4d, valid),
                PteOp::set_pgd => ptes::set_table(host, at, Level::Pgd, valid),
                PteOp::flush_tlb_range => ptes::flush_tlb_range(host, at, nr),
                PteOp::tlb_flush => ptes::tlb_flush(host, at, nr),
                PteOp::tlb_remove_tlb_entries => {
                    ptes::tlb_remove_tlb_entries(host, at, args.nr);
                }
                PteOp::set_tlb_ubc_flush_pending => {
                    ptes::set_tlb_ubc_flush_pending(host, at, args.nr);
                }
                PteOp::flush_tlb_batched_pending => ptes::flush_tlb_batched_pending(host, at),
                PteOp::pte_free => ptes::pte_free(host, at),
                PteOp::__free_page => ptes::__free_page(host, at),
                PteOp::destroy_context => ptes::destroy_context(host, at),
            }
        };
        (@keep $value:ident started) => {{
            host.returned($value.0);
            host.set_started(at, Some($value));
        }};
        (@keep $value:ident) => {{
            if let Some(bits) = $value.bits() {
                host.returned(bits);
            }
        }};
    }
    for_each_primitive!(dispatch);
}
