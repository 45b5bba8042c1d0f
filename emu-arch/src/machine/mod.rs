//! The emulated machine: one CPU, its architecture's state, and memory for page tables.
//!
//! The machine executes the effects of a backend: it counts them, and records them where a record
//! is written. The current task is that of [`lazy_mmu::sched`]; [`Machine::run`] makes the machine
//! the architecture that its calls reach.

mod bus;
mod mm;
mod scratch;

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use lazy_mmu::arch::Arch as ArchHooks;
use lazy_mmu::design::Hook;
use lazy_mmu::sched;

pub use mm::{MmStruct, PteLock};

pub(crate) use bus::Bus;

use crate::Arch;
use crate::arch::{AnyBackend, on_backend};
use crate::backend::{Access, At, Backend};
use crate::hw::addr::VirtAddr;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// How many address spaces a machine has at most, `init_mm` included.
pub const MMS_MAX: u8 = 32;

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
    /// Per-CPU state of the backend.
    cpu: RefCell<AnyBackend>,
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
    /// A machine as after boot.
    #[must_use]
    pub fn new(arch: Arch) -> Self {
        let inner = Rc::new(Inner {
            arch,
            cpu: RefCell::new(arch.backend()),
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
        let mut backend = self.inner.cpu.borrow().clone();
        on_backend!(&mut backend, |backend| scratch::accessed(backend, at, pte, access))
    }
}

impl Inner {
    /// The backend of the current CPU; not to be held while other code is called.
    #[inline(always)]
    pub(crate) fn backend(&self) -> RefMut<'_, AnyBackend> {
        self.cpu.borrow_mut()
    }

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
        let hw = &mut Bus { inner: self, mm: None };
        on_backend!(&mut *self.backend(), |backend| match hook {
            Hook::Enter => backend.enter(hw),
            Hook::Leave => backend.leave(hw),
            Hook::Flush => backend.flush(hw),
        });
    }

    fn pending(&self) -> Option<(u32, &'static str)> {
        let hw = &Bus { inner: self, mm: None };
        on_backend!(&*self.cpu.borrow(), |backend| backend.pending(hw))
    }
}
