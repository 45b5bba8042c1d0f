//! The emulated machine: one CPU, its architecture's state, and memory for page tables.
//!
//! The machine executes the effects of a backend: it counts them, and records them where a record
//! is written. The current task is that of [`lazy_mmu::sched`]; [`Machine::run`] makes the machine
//! the architecture that its calls reach.

mod bus;
mod mm;
mod scratch;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lazy_mmu::arch::Arch as ArchHooks;
use lazy_mmu::design::Hook;
use lazy_mmu::sched;

pub use mm::{MmStruct, PteLock};

pub(crate) use bus::Bus;

use crate::arch::{AnyBackend, on_backend};
use crate::backend::{Access, At, Backend};
use crate::hw::addr::VirtAddr;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;
use crate::{Arch, Kernel};

/// How many address spaces a machine has at most, `init_mm` included.
pub const MMS_MAX: u8 = 32;

/// How many CPUs a machine has.
pub const NR_CPUS: usize = 8;

/// A value for each CPU.
#[derive(Debug)]
pub(crate) struct PerCpu<T>(Box<[RefCell<T>; NR_CPUS]>);

impl<T: Default> PerCpu<T> {
    pub(crate) fn new() -> Self {
        Self(Box::new(std::array::from_fn(|_| RefCell::default())))
    }
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
    arch: Arch,
    pub(crate) backend: AnyBackend,
    /// The CPU that runs.
    cpu: Cell<u8>,
    totals: [Cell<u64>; Effect::KINDS],
    hooks: [Cell<u64>; Hook::ALL.len()],
    mms: Cell<u8>,
}

/// How often each kind of effect that costs time happened, and each hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    effects: [u64; Effect::KINDS],
    hooks: [u64; Hook::ALL.len()],
}

impl Totals {
    /// How often effects of the kind of `effect` happened.
    #[must_use]
    pub const fn of(&self, effect: Effect) -> u64 {
        self.effects[effect.kind()]
    }

    /// How often `hook` was called.
    #[must_use]
    pub const fn hook(&self, hook: Hook) -> u64 {
        self.hooks[hook as usize]
    }

    /// The effects that happened at all: number of the kind, name, how often.
    pub fn effects(&self) -> impl Iterator<Item = (usize, &'static str, u64)> + '_ {
        let kinds = self.effects.iter().zip(Effect::KIND_NAMES).enumerate();
        kinds.filter(|(_, (n, _))| **n > 0).map(|(kind, (n, name))| (kind, name, *n))
    }

    /// What happened since `earlier`, which was taken from the same machine.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            effects: std::array::from_fn(|kind| self.effects[kind] - earlier.effects[kind]),
            hooks: std::array::from_fn(|hook| self.hooks[hook] - earlier.hooks[hook]),
        }
    }

    /// What happened here and there.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            effects: std::array::from_fn(|kind| self.effects[kind] + other.effects[kind]),
            hooks: std::array::from_fn(|hook| self.hooks[hook] + other.hooks[hook]),
        }
    }
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
        let inner = Rc::new(Inner {
            arch,
            backend: arch.backend(kernel),
            cpu: Cell::new(0),
            totals: [const { Cell::new(0) }; Effect::KINDS],
            hooks: [const { Cell::new(0) }; Hook::ALL.len()],
            mms: Cell::new(1),
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

    /// Runs `f` on this machine: the hooks of the generic layer reach its architecture.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let arch: Rc<dyn ArchHooks> = self.inner.clone();
        sched::with_arch(arch, f)
    }

    /// How often each kind of effect and each hook happened since boot.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            effects: std::array::from_fn(|kind| self.inner.totals[kind].get()),
            hooks: std::array::from_fn(|hook| self.inner.hooks[hook].get()),
        }
    }

    /// What becomes of `pte`, the entry of `addr` in address space `mm`, when a CPU touches the
    /// page; nothing happens to the machine and nothing is recorded.
    #[must_use]
    pub fn accessed(&self, mm: &MmStruct, addr: VirtAddr, pte: Pte, access: Access) -> Pte {
        let at = At { mm: mm.id(), addr };
        on_backend!(&self.inner.backend, |backend, _cpus| {
            scratch::accessed(*backend, at, pte, access)
        })
    }
}

impl Inner {
    /// Executes an effect.
    #[inline]
    pub(crate) fn effect(&self, effect: Effect) {
        if effect.is_cost() {
            let total = &self.totals[effect.kind()];
            total.set(total.get() + 1);
        }
        if sched::recording() {
            sched::note_effect(effect.name(), effect.n());
        }
    }
}

impl ArchHooks for Inner {
    fn hook(&self, hook: Hook) {
        let calls = &self.hooks[hook as usize];
        calls.set(calls.get() + 1);
        on_backend!(&self.backend, |backend, cpus| {
            let hw = &mut Bus { inner: self, cpus, mm: None };
            match hook {
                Hook::Enter => backend.enter(hw),
                Hook::Leave => backend.leave(hw),
                Hook::Flush => backend.flush(hw),
            }
        });
    }

    fn wants_lazy_mmu_mode(&self) -> bool {
        self.arch != Arch::PowerpcRadix
    }

    fn pending(&self) -> Option<(u32, &'static str)> {
        on_backend!(&self.backend, |backend, cpus| {
            backend.pending(&mut Bus { inner: self, cpus, mm: None })
        })
    }
}
