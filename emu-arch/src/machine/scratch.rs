//! A single entry in no machine: the [`Hw`] on which a backend shows what an access makes of it.

use crate::backend::{Access, At, Backend, Hw, Psize};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// The entry; it stands in for the whole machine.
struct Scratch(Pte);

/// What `backend` makes of `pte` when a CPU touches the page at `at`.
pub(super) fn accessed(backend: &mut impl Backend, at: At, pte: Pte, access: Access) -> Pte {
    let mut scratch = Scratch(pte);
    backend.access(&mut scratch, at, (), access);
    scratch.0
}

impl Hw for Scratch {
    type Ptep = ();

    fn read(&self, (): ()) -> Pte {
        self.0
    }
    fn write(&mut self, (): (), pte: Pte) {
        self.0 = pte;
    }
    fn ptep_add(&self, (): (), _: u16) {}
    fn is_lazy_mmu_mode_active(&self) -> bool {
        false
    }
    fn test_thread_flag(&self, _: u32) -> bool {
        false
    }
    fn set_thread_flag(&mut self, _: u32) {}
    fn test_and_clear_thread_flag(&mut self, _: u32) -> bool {
        false
    }
    fn preempt_disable(&mut self) {}
    fn preempt_enable(&mut self) {}
    fn slice_psize(&self, _: At) -> Psize {
        Psize::default()
    }
    fn effect(&mut self, _: Effect) {}
}
