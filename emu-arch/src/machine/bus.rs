//! What a backend reaches of the machine: the thread-local shell of [`Hw`].

use lazy_mmu::{machine_api, sched};

use super::{Inner, MmStruct, PerCpu};
use crate::backend::{At, Hw, Psize, Slot};
use crate::hw::effect::Effect;
use crate::hw::leading;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;

/// The machine as a backend sees it; the current task is the thread's.
///
/// Where nobody looks (`SEEN` is false), nothing is recorded, no hazard is tracked and no point is
/// asked for, so that arch code compiles to what it does to the machine.
pub(crate) struct Bus<'m, T, const SEEN: bool> {
    pub(crate) inner: &'m Inner,
    /// The backend's state, by CPU.
    pub(crate) cpus: &'m PerCpu<T>,
    /// The address space that a primitive works on; none in a hook.
    pub(crate) mm: Option<&'m MmStruct>,
}

impl<'m, T, const SEEN: bool> Hw for Bus<'m, T, SEEN> {
    type Ptep = Ptep<'m>;
    type PerCpu = T;

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
    fn slot(&self, ptep: Ptep<'m>) -> Slot {
        ptep.slot()
    }

    #[inline]
    fn read_slot(&self, slot: Slot) -> Pte {
        self.inner.at_slot(slot, |ptep| ptep.read())
    }

    #[inline]
    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.inner.at_slot(slot, |ptep| ptep.write(pte));
    }

    #[inline]
    fn count_slots(&self, slot: Slot, nr: usize, wanted: impl Fn(Pte) -> bool) -> usize {
        self.inner
            .at_slot(slot, |first| leading(first.entries(nr), |entry| wanted(Pte(entry.get()))))
    }

    #[inline]
    fn write_slots(&mut self, slot: Slot, ptes: &[Pte]) {
        self.inner.at_slot(slot, |first| {
            first.entries(ptes.len()).iter().zip(ptes).for_each(|(entry, pte)| entry.set(pte.0));
        });
    }

    fn task_lazy_mmu_mode_active(&self) -> bool {
        sched::task_lazy_mmu_mode_active()
    }

    fn task_lazy_mmu_mode_pause(&mut self) {
        lazy_mmu::pgtable::task_lazy_mmu_mode_pause();
    }

    fn task_lazy_mmu_mode_resume(&mut self) {
        lazy_mmu::pgtable::task_lazy_mmu_mode_resume();
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

    #[inline]
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.cpus.this().borrow_mut())
    }

    #[inline]
    fn in_interrupt(&self) -> bool {
        sched::in_interrupt()
    }

    #[inline]
    fn get_cpu(&mut self) {
        sched::get_cpu();
    }

    #[inline]
    fn put_cpu(&mut self) {
        sched::put_cpu();
    }

    fn preempt_disable(&mut self) {
        sched::arch_preempt_disable();
    }

    fn preempt_enable(&mut self) {
        sched::arch_preempt_enable();
    }

    #[inline]
    fn slice_psize(&self, at: At) -> Psize {
        self.mm.map_or_else(Psize::default, |mm| mm.slice_psize(at.addr))
    }

    #[inline(always)]
    fn effect(&mut self, effect: Effect) {
        if SEEN && machine_api::watched() {
            self.inner.effect_watched(effect);
        } else {
            self.inner.count(effect);
        }
    }

    #[inline]
    fn put_off(&mut self, at: At, nr: u16) {
        if SEEN {
            self.inner.track(|tracker, now| tracker.put_off(now, at, nr));
        }
    }

    #[inline]
    fn settle(&mut self) {
        if SEEN {
            self.inner.track(|tracker, now| tracker.settle(now));
        }
    }

    #[inline]
    fn watched(&self) -> bool {
        SEEN && self.inner.seen()
    }

    #[inline]
    fn tracks(&self) -> bool {
        SEEN && self.inner.tracks_translations()
    }

    #[inline]
    fn tlb_invalidate(&mut self, at: At, nr: u32) {
        if SEEN {
            self.inner.track(|tracker, _| tracker.tlb_invalidate(at, nr));
        }
    }

    fn bug(&mut self, cond: &'static str) {
        self.inner.bug(cond);
    }
}
