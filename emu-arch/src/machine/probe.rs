//! A single entry in no machine: the [`Hw`] on which a backend shows what an access makes of it.

use crate::backend::{Access, At, Backend, Hw, Slot};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// The entry, and what the backend keeps per CPU.
struct Probe<T>(Pte, T);

/// What `backend` makes of `pte` when a CPU touches the page at `at`.
pub(super) fn accessed<B: Backend>(backend: B, at: At, pte: Pte, access: Access) -> Pte {
    let mut probe = Probe(pte, B::PerCpu::default());
    backend.access(&mut probe, at, (), access);
    probe.0
}

impl<T> Hw for Probe<T> {
    type Ptep = ();
    type PerCpu = T;

    fn read(&mut self, (): ()) -> Pte {
        self.0
    }
    fn write(&mut self, (): (), pte: Pte) {
        self.0 = pte;
    }
    fn ptep_add(&self, (): (), _: u16) {}
    fn slot(&self, (): ()) -> Slot {
        Slot::default()
    }
    fn read_slot(&mut self, _: Slot) -> Pte {
        self.0
    }
    fn write_slot(&mut self, _: Slot, pte: Pte) {
        self.0 = pte;
    }
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.1)
    }
    fn effect(&mut self, _: ArchEffect) {}
    fn bug_on(&mut self, cond: bool, _: &'static str) -> bool {
        !cond
    }
}
