//! The emulated machine: CPUs, their architecture's state, tasks, and memory for page tables.
//!
//! The machine executes the effects of a backend: it counts them, and records them where a record
//! is written. The current task is that of [`lazy_mmu::sched`]; [`Machine::run`] makes the machine
//! the architecture that its calls reach.

mod dispatch;
mod hint;
mod inner;
mod live;
mod mm;
mod point;
mod probe;
mod task;
mod totals;
mod upper;

use std::rc::Rc;

use lazy_mmu::arch::{Arch as ArchHooks, Point};
use lazy_mmu::design::{CallInfo, Check, HookInfo, Warn};
use lazy_mmu::preempt::Layout;
use lazy_mmu::{PteRange, sched};

pub use crate::hw::limits::{MMS_MAX, NR_CPUS, PID_MAX};
pub use crate::kernel::point_name;
pub(crate) use dispatch::boot;
use inner::Inner;
pub(crate) use inner::{ArchCode, Primitives};
pub use inner::{Found, MmStruct};
pub use mm::PteLock;
pub use totals::{Total, Totals};
pub use upper::{LockGuard, Pmd};

use crate::backend::{Access, At, Backend};
use crate::hazard::Hazard;
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::{Arch, Kernel};

/// An emulated machine of one architecture.
#[derive(Clone, Debug)]
pub struct Machine {
    arch: Arch,
    inner: Rc<Inner>,
    init_mm: MmStruct,
}

impl Machine {
    /// A machine as after boot, with the default kernel, the newest.
    #[must_use]
    pub fn new(arch: Arch) -> Self {
        Self::with_kernel(arch, Kernel::default())
    }

    /// A machine as after boot, with the backend code of `kernel`; an architecture that did not
    /// have the mode yet gets the code of the first kernel that had it.
    #[must_use]
    pub fn with_kernel(arch: Arch, kernel: Kernel) -> Self {
        Self::with_code(arch, kernel, arch.boot(kernel))
    }

    /// A machine as after boot, whose architecture is `backend`: one of your own, or one of the
    /// project with settings that [`Backend::in_kernel`] does not choose.
    #[must_use]
    pub fn with_backend<B: Backend>(backend: B) -> Self {
        Self::with_code(Arch::of::<B>(), Kernel::default(), boot(backend))
    }

    fn with_code(arch: Arch, kernel: Kernel, code: Box<dyn ArchCode>) -> Self {
        let inner = Rc::new(Inner::new(code, kernel, arch.facts()));
        let init_mm = MmStruct::new(Rc::clone(&inner), 0, true);
        Self { arch, inner, init_mm }
    }

    /// The architecture.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The address space of the kernel.
    #[must_use]
    pub const fn init_mm(&self) -> &MmStruct {
        &self.init_mm
    }

    /// A new address space, as that of a process that runs; none where the machine has [`MMS_MAX`]
    /// already.
    ///
    /// Fidelity: changed: `mm_alloc()` of kernel/fork.c v7.2 makes one whose page tables are not
    /// pinned under Xen PV until `begin_new_exec()` activates it; here they are.
    #[must_use]
    pub fn mm_alloc(&self) -> Option<MmStruct> {
        self.new_mm(true)
    }

    /// The address space of a child, empty; its page tables are not pinned until
    /// [`arch_dup_mmap`](crate::pgtable::arch_dup_mmap). None where the machine has [`MMS_MAX`]
    /// address spaces already.
    ///
    /// Fidelity: changed: `dup_mm()` of kernel/fork.c v7.2, up to `dup_mmap()`.
    #[must_use]
    pub fn dup_mm(&self) -> Option<MmStruct> {
        self.new_mm(false)
    }

    fn new_mm(&self, pinned: bool) -> Option<MmStruct> {
        let id = self.inner.mms.get();
        (id < MMS_MAX).then(|| {
            self.inner.mms.set(id + 1);
            MmStruct::new(Rc::clone(&self.inner), id, pinned)
        })
    }

    /// How many `BUG_ON()`s were hit since boot; the task that hits one ends.
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

/// The machine while it runs something: what the generic layer calls.
struct Running(Machine);

impl ArchHooks for Running {
    fn hook(&self, hook: &'static HookInfo, range: Option<&PteRange>) {
        let this = &*self.0.inner;
        this.totals.borrow_mut().add_hook(hook);
        this.code.hook(this, hook, range);
    }

    fn wants_lazy_mmu_mode(&self) -> bool {
        self.0.arch().facts().wants_lazy_mmu_mode
    }

    fn preempt_layout(&self) -> Layout {
        self.0.arch().preempt_layout(self.0.inner.kernel)
    }

    fn pending(&self) -> Option<(u32, &'static str)> {
        self.0.inner.code.pending(&self.0.inner)
    }

    fn point(&self, point: Point) {
        self.0.at_point(point);
    }

    fn returned(&self, call: &'static CallInfo) {
        self.0.inner.code.returned(&self.0.inner, call);
    }

    fn warned(&self, found: &Warn) {
        let mut reported = self.0.inner.reported.borrow_mut();
        let once = found.check.reports_once(found.cond);
        if once.is_none_or(|once| reported.insert((found.check, once))) {
            self.0.inner.report(Hazard::ApiWarning);
        }
        if found.check == Check::BugOn {
            self.0.inner.bugs.set(self.0.inner.bugs.get() + 1);
        }
    }
}
