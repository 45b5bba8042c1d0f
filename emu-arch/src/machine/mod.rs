//! The emulated machine: CPUs, their architecture's state, tasks, and memory for page tables.
//!
//! The machine executes the effects of a backend: it counts them, and records them where a record
//! is written. The current task is that of [`lazy_mmu::sched`]; [`Machine::run`] makes the machine
//! the architecture that its calls reach.

mod bus;
mod code;
mod mm;
mod totals;
mod hint;
mod locks;
mod point;
mod scratch;
mod task;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lazy_mmu::arch::{Arch as ArchHooks, Point};
use lazy_mmu::design::{CallInfo, Check, Hook, HookInfo, Role, Warn};
use lazy_mmu::{PteRange, machine_api, sched};

pub use hint::range as hinted_range;
pub use locks::{Lock, WRONG_OWNER};
pub use mm::{MmStruct, PteLock, slice};
pub use point::point_name;
pub use task::{PID_MAX, born, idle};
pub use totals::{Total, Totals};

pub(crate) use bus::Bus;
pub(crate) use code::{ArchCode, PerCpu, Primitives};

use crate::backend::{Access, At};
use crate::hw::Slot;
use crate::hw::addr::VirtAddr;
use crate::hw::effect::{Effect, Kind};
use crate::hw::hazard::Hazard;
use crate::hw::pte::Pte;
use crate::hw::table::{Ptep, Table};
use crate::tracker::{Now, Tracker};
use crate::{Arch, Kernel};

/// How many address spaces a machine has at most, `init_mm` included.
pub const MMS_MAX: u8 = 32;

/// How many CPUs a machine has.
pub const NR_CPUS: usize = 8;

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

/// An emulated machine of one architecture.
#[derive(Clone, Debug)]
pub struct Machine {
    inner: Rc<Inner>,
    init_mm: MmStruct,
}

/// What all parts of a machine share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) arch: Arch,
    /// The arch code, with its state.
    pub(crate) code: Box<dyn ArchCode>,
    /// Whether `ptep_get()` is a read from memory and nothing else, and nobody is told of it.
    pub(crate) reads_plainly: Cell<bool>,
    /// The CPU that runs.
    cpu: Cell<u8>,
    /// How many `BUG_ON()`s of the architecture were hit.
    bugs: Cell<u32>,
    tasks: task::Tasks,
    locks: locks::Locks,
    /// Whether hazards are tracked.
    pub(crate) tracking: Cell<bool>,
    tracker: RefCell<Tracker>,
    /// The hazards found so far.
    found: RefCell<Vec<Found>>,
    script: RefCell<Option<point::Script>>,
    totals: RefCell<Totals>,
    mms: Cell<u8>,
    /// Every page table, by its number.
    tables: RefCell<Vec<Rc<Table>>>,
}

impl Machine {
    /// A machine as after boot, with the default kernel, v7.0.
    #[must_use]
    pub fn new(arch: Arch) -> Self {
        Self::with_kernel(arch, Kernel::default())
    }

    /// A machine as after boot, with the backend code of `kernel`; an architecture that did not have
    /// the mode yet gets the code of the first kernel that had it.
    #[must_use]
    pub fn with_kernel(arch: Arch, kernel: Kernel) -> Self {
        let code = arch.with_backend(kernel, code::Boot);
        let inner = Rc::new(Inner {
            arch,
            reads_plainly: Cell::new(code.ptep_get_is_read()),
            code,
            cpu: Cell::new(0),
            bugs: Cell::new(0),
            tasks: task::Tasks::new(),
            locks: locks::Locks::default(),
            tracking: Cell::new(false),
            tracker: RefCell::new(Tracker::new(arch)),
            found: RefCell::default(),
            script: RefCell::default(),
            totals: RefCell::default(),
            mms: Cell::new(1),
            tables: RefCell::default(),
        });
        let init_mm = MmStruct::new(Rc::clone(&inner), 0);
        Self { inner, init_mm }
    }

    /// The architecture.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.inner.arch
    }

    /// The address space of the kernel.
    #[must_use]
    pub const fn init_mm(&self) -> &MmStruct {
        &self.init_mm
    }

    /// A new address space: `mm_alloc()`; none where the machine has [`MMS_MAX`] already.
    #[must_use]
    pub fn mm_alloc(&self) -> Option<MmStruct> {
        let id = self.inner.mms.get();
        (id < MMS_MAX).then(|| {
            self.inner.mms.set(id + 1);
            MmStruct::new(Rc::clone(&self.inner), id)
        })
    }

    /// How many `BUG_ON()`s of the architecture were hit since boot; the task that hits one ends.
    #[must_use]
    pub fn bugs(&self) -> u32 {
        self.inner.bugs.get()
    }

    /// Has the machine look for hazards from now on.
    pub fn track_hazards(&self) {
        self.inner.tracking.set(true);
        self.inner.reads_plainly.set(false);
    }

    /// The hazards found so far.
    #[must_use]
    pub fn hazards(&self) -> Vec<Found> {
        self.inner.found.borrow().clone()
    }

    /// Runs `f` on this machine: the hooks of the generic layer reach its architecture.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let arch: Rc<dyn ArchHooks> = Rc::new(Running(self.clone()));
        let value = sched::with_arch(arch, f);
        self.run_on(0);
        value
    }

    /// Arch code calls its own flush hook, past the generic layer.
    pub fn arch_flush(&self) {
        machine_api::note_context(HookInfo::FLUSH.name);
        Running(self.clone()).hook(&HookInfo::FLUSH, None);
    }

    /// How often each kind of effect and each hook happened since boot.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.inner.totals.borrow().clone()
    }

    /// What becomes of `pte`, the entry of `addr` in address space `mm`, when a CPU touches the
    /// page; nothing happens to the machine and nothing is recorded.
    #[must_use]
    pub fn accessed(&self, mm: &MmStruct, addr: VirtAddr, pte: Pte, access: Access) -> Pte {
        let at = At { mm: mm.id(), addr };
        self.inner.code.accessed(at, pte, access)
    }
}

impl Inner {
    /// A page table of empty entries.
    fn new_table(&self) -> Rc<Table> {
        let mut tables = self.tables.borrow_mut();
        let table = Rc::new(Table::new(tables.len() as u32));
        tables.push(Rc::clone(&table));
        table
    }

    /// Calls `f` with the entry at `slot`.
    #[inline]
    fn at_slot<R>(&self, slot: Slot, f: impl FnOnce(Ptep<'_>) -> R) -> R {
        let tables = self.tables.borrow();
        f(tables[(slot.0 >> 9) as usize].ptep((slot.0 & 511) as u16))
    }

    /// Records a `BUG_ON()` of the architecture; the task is not to go on.
    fn bug(&self, cond: &'static str) {
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
            let now = Now {
                cpu: self.cpu.get(),
                task: sched::pid(),
                preempt_count: sched::preempt_count(),
                seq: machine_api::next_seq(),
            };
            let tracker = &mut *self.tracker.borrow_mut();
            f(tracker, now);
            if tracker.has_found() {
                self.note_found(tracker);
            }
        }
    }

    /// Notes what the tracker has found, in the record and here.
    #[cold]
    fn note_found(&self, tracker: &mut Tracker) {
        for (hazard, cause) in tracker.take_found() {
            let next = machine_api::next_seq();
            let seq = if hazard.has_event() { next } else { next.saturating_sub(1) };
            if hazard.has_event() {
                machine_api::note_hazard(hazard.id(), cause);
            }
            self.found.borrow_mut().push(Found { hazard, seq, cause });
        }
    }

    fn report(&self, hazard: Hazard) {
        self.track(|tracker, _| tracker.report(hazard, None));
    }

    fn must_be_done(&self, hazard: Hazard) {
        self.track(|tracker, now| tracker.must_be_done(now, hazard));
    }

    /// A context switch is about to leave the outgoing task.
    fn at_switch(&self) {
        if self.arch.defers_per_cpu() {
            self.must_be_done(Hazard::BatchAtSwitch);
        }
    }

    /// Whether anyone sees what arch code does: whether a record is written, points are asked for or
    /// hazards are tracked.
    #[inline(always)]
    pub(crate) fn seen(&self) -> bool {
        machine_api::watched() | self.tracking.get()
    }

    /// Executes an effect that somebody sees.
    #[cold]
    #[inline(never)]
    fn effect_watched(&self, effect: Effect) {
        machine_api::point(Point::Effect(effect.name));
        self.count(effect);
        sched::note_effect(effect.name, effect.n);
    }

    /// Counts an effect, unless it only puts work off.
    #[inline(always)]
    fn count(&self, effect: Effect) {
        if effect.kind != Kind::PutOff {
            self.totals.borrow_mut().add(effect.name, effect.kind);
        }
    }
}

/// The machine while it runs something: what the generic layer calls.
struct Running(Machine);

impl ArchHooks for Running {
    fn hook(&self, hook: &'static HookInfo, range: Option<&PteRange>) {
        let this = &*self.0.inner;
        this.totals.borrow_mut().add_hook(hook);
        this.code.hook(this, hook, range.and_then(hint::range));
        if hook.kernel() == Some(Hook::ENTER) {
            this.track(Tracker::entered);
        }
    }

    fn wants_lazy_mmu_mode(&self) -> bool {
        self.0.arch().wants_lazy_mmu_mode()
    }

    fn pending(&self) -> Option<(u32, &'static str)> {
        self.0.inner.code.pending(&self.0.inner)
    }

    fn point(&self, point: Point) {
        self.0.at_point(point);
    }

    fn returned(&self, call: &'static CallInfo) {
        if !sched::in_interrupt() {
            match call.role {
                Role::ClosesSection => self.0.inner.must_be_done(Hazard::PendingAtDisable),
                Role::OpensPause => self.0.inner.must_be_done(Hazard::PendingAtPause),
                Role::OpensSection | Role::ClosesPause | Role::Neither => {}
            }
        }
    }

    fn warned(&self, _: &Warn) {
        self.0.inner.report(Hazard::ApiWarning);
    }
}
