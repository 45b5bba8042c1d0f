//! A single entry in no machine: the [`Hw`] on which a backend shows what an access makes of it.

use crate::backend::{Access, At, Backend, Hw, Psize, Slot};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// The entry; it stands in for the whole machine.
struct Scratch<T>(Pte, T);

/// What `backend` makes of `pte` when a CPU touches the page at `at`.
pub(super) fn accessed<B: Backend>(backend: B, at: At, pte: Pte, access: Access) -> Pte {
    let mut scratch = Scratch(pte, B::PerCpu::default());
    backend.access(&mut scratch, at, (), access);
    scratch.0
}

impl<T> Hw for Scratch<T> {
    type Ptep = ();
    type PerCpu = T;

    fn read(&self, (): ()) -> Pte {
        self.0
    }
    fn write(&mut self, (): (), pte: Pte) {
        self.0 = pte;
    }
    fn ptep_add(&self, (): (), _: u16) {}
    fn slot(&self, (): ()) -> Slot {
        Slot::default()
    }
    fn read_slot(&self, _: Slot) -> Pte {
        self.0
    }
    fn write_slot(&mut self, _: Slot, pte: Pte) {
        self.0 = pte;
    }
    fn task_lazy_mmu_mode_active(&self) -> bool {
        false
    }
    fn task_lazy_mmu_mode_pause(&mut self) {}
    fn task_lazy_mmu_mode_resume(&mut self) {}
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
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.1)
    }
    fn in_interrupt(&self) -> bool {
        false
    }
    fn get_cpu(&mut self) {}
    fn put_cpu(&mut self) {}
    fn preempt_disable(&mut self) {}
    fn preempt_enable(&mut self) {}
    fn slice_psize(&self, _: At) -> Psize {
        Psize::default()
    }
    fn effect(&mut self, _: Effect) {}
    fn bug(&mut self, _: &'static str) {}
}
