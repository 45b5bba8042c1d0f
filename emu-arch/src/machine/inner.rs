//! What the parts of a machine share: the types that know one another.
//!
//! Arch code is shown the machine and an address space, and both lead to the arch code.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use lazy_mmu::arch::Point;
use lazy_mmu::design::{CallInfo, Check, HookInfo, Warn};
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::PteOp;
use lazy_mmu::{PteRange, machine_api, sched};

use super::totals::Totals;
use crate::Kernel;
use crate::backend::{Access, At, Facts, Level, Psize};
use crate::hazard::Hazard;
use crate::hw::Slot;
use crate::hw::addr::VirtAddr;
use crate::hw::effect::ArchEffect;
use crate::hw::limits::{FIRST_PFN, NR_CPUS};
use crate::hw::pte::Pte;
use crate::hw::table::{Ptep, Table};
use crate::kernel::ptes::{for_each_other_primitive, for_each_primitive};
use crate::kernel::{PteArgs, Step, idle};
use crate::tracker::{Now, Tracker};

/// What all parts of a machine share.
#[derive(Debug)]
pub(crate) struct Inner {
    /// The arch code, with its state.
    pub(crate) code: Box<dyn ArchCode>,
    /// The kernel around it.
    pub(super) kernel: Kernel,
    pub(super) facts: &'static Facts,
    /// Whether `ptep_get()` is a read from memory and nothing else, and nobody is told of it.
    pub(crate) reads_plainly: Cell<bool>,
    /// The CPU that runs.
    pub(super) cpu: Cell<u8>,
    /// How many `BUG_ON()`s were hit.
    pub(super) bugs: Cell<u32>,
    /// What checks that report once have reported since boot.
    pub(super) reported: RefCell<BTreeSet<(Check, &'static str)>>,
    pub(super) tasks: Tasks,
    /// Who holds which lock.
    pub(super) locks: RefCell<BTreeMap<(u8, u64), u8>>,
    /// What callers keep between `ptep_modify_prot_start()` and its commit.
    pub(super) started: RefCell<BTreeMap<(u8, VirtAddr), Pte>>,
    /// The page frame of the next entry that names none.
    pub(super) next_pfn: Cell<u64>,
    /// Whether hazards are tracked.
    pub(crate) tracking: Cell<bool>,
    pub(super) tracker: RefCell<Tracker>,
    /// The hazards found so far.
    pub(super) found: RefCell<Vec<Found>>,
    pub(super) script: RefCell<Option<Script>>,
    pub(super) totals: RefCell<Totals>,
    pub(super) mms: Cell<u8>,
    /// Every page table, by its number.
    pub(super) tables: RefCell<Vec<Rc<Table>>>,
}

impl Inner {
    /// A machine as after boot that runs `code` of the architecture with these facts.
    pub(super) fn new(code: Box<dyn ArchCode>, kernel: Kernel, facts: &'static Facts) -> Self {
        Self {
            reads_plainly: Cell::new(code.ptep_get_is_read()),
            code,
            kernel,
            facts,
            cpu: Cell::new(0),
            bugs: Cell::new(0),
            reported: RefCell::default(),
            tasks: Tasks::new(),
            locks: RefCell::default(),
            started: RefCell::default(),
            next_pfn: Cell::new(FIRST_PFN),
            tracking: Cell::new(false),
            tracker: RefCell::new(Tracker::new(facts)),
            found: RefCell::default(),
            script: RefCell::default(),
            totals: RefCell::default(),
            mms: Cell::new(1),
            tables: RefCell::default(),
        }
    }

    /// A page table of empty entries.
    pub(super) fn new_table(&self) -> Rc<Table> {
        let mut tables = self.tables.borrow_mut();
        let table = Rc::new(Table::new(tables.len() as u32));
        tables.push(Rc::clone(&table));
        table
    }

    /// Calls `f` with the entry at `slot`.
    #[inline]
    pub(super) fn at_slot<R>(&self, slot: Slot, f: impl FnOnce(Ptep<'_>) -> R) -> R {
        let (tables, (table, index)) = (self.tables.borrow(), slot.place());
        f(tables[table].ptep(index))
    }

    /// Records a `BUG_ON()` of the architecture; the task is not to go on.
    pub(super) fn bug(&self, cond: &'static str) {
        self.bugs.set(self.bugs.get() + 1);
        sched::warn(Warn { check: Check::BugOn, cond });
        self.report(Hazard::ArchBug);
    }

    /// Whether the tracker wants to know which translations die.
    pub(crate) fn tracks_translations(&self) -> bool {
        self.tracking.get() && self.tracker.borrow().has_cached()
    }

    /// Calls `f` with the tracker, where hazards are tracked, and notes what it finds.
    #[inline]
    pub(crate) fn track(&self, f: impl FnOnce(&mut Tracker, Now)) {
        if self.tracking.get() {
            let (task, preempt_count, seq) = machine_api::pid_count_and_seq();
            let now = Now { cpu: self.cpu.get(), task, preempt_count, seq };
            let tracker = &mut *self.tracker.borrow_mut();
            f(tracker, now);
            if tracker.has_found() {
                self.note_found(tracker);
            }
        }
    }

    /// Notes what the tracker has found, in the record and here.
    #[cold]
    pub(super) fn note_found(&self, tracker: &mut Tracker) {
        for (hazard, cause) in tracker.take_found() {
            let next = machine_api::next_seq();
            let seq = if hazard.has_event() { next } else { next.saturating_sub(1) };
            if hazard.has_event() {
                machine_api::note_hazard(hazard.id(), cause);
            }
            self.found.borrow_mut().push(Found { hazard, seq, cause });
        }
    }

    pub(super) fn report(&self, hazard: Hazard) {
        self.track(|tracker, _| tracker.report(hazard, None));
    }

    /// Takes `nr` page frames that nothing else uses and returns the first.
    pub(crate) fn take_pfns(&self, nr: u16) -> u64 {
        self.next_pfn.replace(self.next_pfn.get() + u64::from(nr))
    }

    /// Whether anyone sees what arch code does: whether a record is written, points are asked for
    /// or hazards are tracked.
    #[inline(always)]
    pub(crate) fn seen(&self) -> bool {
        machine_api::watched() | self.tracking.get()
    }

    /// Executes an effect that somebody sees.
    #[cold]
    #[inline(never)]
    pub(super) fn effect_watched(&self, effect: ArchEffect) {
        machine_api::point(Point::Effect(effect.name));
        self.count(effect);
        sched::note_effect(effect.name, effect.n);
    }

    /// Counts an effect, unless it only puts work off.
    #[inline(always)]
    pub(super) fn count(&self, effect: ArchEffect) {
        if effect.costs() {
            self.totals.borrow_mut().add(effect.name, effect.kind);
        }
    }
}

/// A hazard that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The kind.
    pub hazard: Hazard,
    /// The number of the hazard's event in the record: of the warning or the BUG, where it is one.
    pub seq: u32,
    /// The number of the event that caused it, where one did.
    pub cause: Option<u32>,
}

/// The tasks of a machine.
#[derive(Debug)]
pub(super) struct Tasks {
    /// Every task that is not running on the executing CPU.
    pub(super) saved: RefCell<BTreeMap<u8, TaskStruct>>,
    pub(super) running: [Cell<u8>; NR_CPUS],
}

impl Tasks {
    /// Task 0 runs on CPU 0, an idle task on every other.
    pub(super) fn new() -> Self {
        let running =
            std::array::from_fn(|cpu| Cell::new(if cpu == 0 { 0 } else { idle(cpu as u8) }));
        Self { saved: RefCell::default(), running }
    }

    /// Keeps a task that runs nowhere yet.
    pub(super) fn add(&self, task: TaskStruct) {
        self.saved.borrow_mut().insert(task.pid, task);
    }
}

/// What falls into a call.
#[derive(Clone)]
pub(super) struct Script {
    /// The name of the point.
    pub(super) name: String,
    /// How many of that name are still passed by.
    pub(super) passes: u32,
    pub(super) run: Rc<dyn Fn() -> Option<u8>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({})", self.name)
    }
}

/// An address space of a machine; a clone is another handle to the same one.
///
/// Fidelity: changed: what the page table primitives need of `struct mm_struct`,
/// include/linux/mm_types.h v7.0.
#[derive(Clone, Debug)]
pub struct MmStruct(pub(super) Rc<MmInner>);

#[derive(Debug)]
pub(super) struct MmInner {
    pub(super) machine: Rc<Inner>,
    pub(super) id: u8,
    pub(super) tables: RefCell<BTreeMap<u64, Rc<Table>>>,
    /// The entries set in the levels above: level shift and address under it.
    pub(super) uppers: RefCell<BTreeSet<(u32, u64)>>,
    /// Entries that map huge pages, by the order of their pages and the address under it.
    pub(super) leaves: RefCell<BTreeMap<(u8, u64), Pte>>,
    /// The pmd entries that point to a table and are not young any more.
    pub(super) old_pmds: RefCell<BTreeSet<u64>>,
    pub(super) slices: RefCell<BTreeMap<u64, Psize>>,
    pub(super) has_slices: Cell<bool>,
    /// Whether the tables are pinned (Xen PV).
    pub(super) pinned: Cell<bool>,
    /// What reclaim has deferred the flush of: `tlb_flush_batched`.
    pub(super) batched: RefCell<Vec<(VirtAddr, u16)>>,
}

/// What a machine asks of its arch code beside the primitives that change entries.
pub(crate) trait ArchCode:
    Primitives<false> + Primitives<true> + OtherPrimitives + std::fmt::Debug
{
    fn hook(&self, inner: &Inner, hook: &HookInfo, range: Option<&PteRange>);
    fn returned(&self, inner: &Inner, call: &CallInfo);
    /// Does a step that is neither a call of the API nor a primitive.
    fn step(&self, inner: &Inner, step: &Step);
    fn fork(&self, inner: &Inner, child: u8);
    fn alloc_table(&self, mm: &MmStruct, level: Level);
    fn dup_mmap(&self, mm: &MmStruct);
    fn exit_mmap(&self, mm: &MmStruct);
    fn switch_out(&self, inner: &Inner, next: u8);
    fn switch_in(&self, inner: &Inner);
    /// `cpu` executes from now on.
    fn run_on(&self, cpu: u8);
    fn switch_pauses(&self) -> bool;
    fn pending(&self, inner: &Inner) -> Option<(u32, &'static str)>;
    /// Does the primitive `op` as a scenario has it.
    fn pte(&self, mm: &MmStruct, ptep: Ptep<'_>, op: PteOp, args: &PteArgs);
    /// What an access makes of `pte`, on no machine.
    fn accessed(&self, at: At, pte: Pte, access: Access) -> Pte;
    /// What becomes of `pte` when the page is used.
    fn used(&self, pte: Pte) -> Pte;
    /// [`PTEP_GET_IS_READ`](crate::backend::Backend::PTEP_GET_IS_READ)
    fn ptep_get_is_read(&self) -> bool;
}

/// Declares the primitives that change entries as methods of a machine's arch code.
macro_rules! methods {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
        $(, kept as $keep:ident)? [$nr:expr, $latest:expr] =
        |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
        /// The primitives of a machine's arch code, as they run where somebody observes and where
        /// nobody does.
        pub(crate) trait Primitives<const SEEN: bool> {
            fn ptep_get(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, $($arg: $type),*)
                $(-> $ret)?;)*
        }
    };
}

for_each_primitive!(methods);

/// Declares the primitives that take effect at once as methods of a machine's arch code.
macro_rules! other_methods {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty),*);)*) => {
        /// The primitives that take effect at once, observed or not.
        pub(crate) trait OtherPrimitives {
            fn raw_read(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
            fn ptep_get_lockless(&self, mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte;
            $(fn $name(&self, mm: &MmStruct, addr: VirtAddr, $($arg: $type),*);)*
        }
    };
}

for_each_other_primitive!(other_methods);
