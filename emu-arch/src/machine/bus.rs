//! What a backend reaches of the machine: the thread-local shell of [`Hw`].

use lazy_mmu::sched;

use super::{Inner, MmStruct};
use crate::backend::{At, Hw, Psize};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;

/// The machine as a backend sees it; the current task is the thread's.
pub(crate) struct Bus<'m> {
    pub(crate) inner: &'m Inner,
    /// The address space that a primitive works on; none in a hook.
    pub(crate) mm: Option<&'m MmStruct>,
}

impl<'m> Hw for Bus<'m> {
    type Ptep = Ptep<'m>;

    #[inline]
    fn read(&self, ptep: Ptep<'m>) -> Pte {
        ptep.read()
    }

    #[inline]
    fn write(&mut self, ptep: Ptep<'m>, pte: Pte) {
        ptep.write(pte);
    }

    #[inline]
    fn ptep_add(&self, ptep: Ptep<'m>, n: u16) -> Ptep<'m> {
        ptep.add(n)
    }

    #[inline]
    fn is_lazy_mmu_mode_active(&self) -> bool {
        sched::is_lazy_mmu_mode_active()
    }

    #[inline]
    fn test_thread_flag(&self, flag: u32) -> bool {
        sched::test_thread_flag(flag)
    }

    fn set_thread_flag(&mut self, flag: u32) {
        sched::set_thread_flag(flag);
    }

    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool {
        sched::test_and_clear_thread_flag(flag)
    }

    fn preempt_disable(&mut self) {
        sched::preempt_disable();
    }

    fn preempt_enable(&mut self) {
        sched::preempt_enable();
    }

    #[inline]
    fn slice_psize(&self, at: At) -> Psize {
        self.mm.map_or_else(Psize::default, |mm| mm.slice_psize(at.addr))
    }

    #[inline]
    fn effect(&mut self, effect: Effect) {
        self.inner.effect(effect);
    }
}
