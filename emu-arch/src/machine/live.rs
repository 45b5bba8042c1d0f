//! The machine of a thread as the kernel's code sees it: the host that executes for real.

use std::cell::{Cell, RefCell};

use lazy_mmu::arch::Point;
use lazy_mmu::design::{Role, StateBits, Warn};
use lazy_mmu::machine_api;
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::sched::{self, TaskStruct};
use lazy_mmu::trace::Event;

use super::inner::{Inner, MmStruct};
use crate::backend::{At, Backend, Hw, Level, Psize, Slot};
use crate::hazard::Hazard;
use crate::hw::addr::VirtAddr;
use crate::hw::effect::ArchEffect;
use crate::hw::leading;
use crate::hw::limits::NR_CPUS;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::kernel::{ContextOp, Host};
use crate::tracker::{Now, Tracker};

/// A value for each CPU.
#[derive(Debug, Default)]
pub(crate) struct PerCpu<T> {
    values: [Lines<T>; NR_CPUS],
    /// The CPU that runs, as [`Inner`] has it: kept here too, since every step asks for it.
    cpu: Cell<usize>,
}

/// Cache lines of their own, as in the kernel: here for the shift that finds them.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lines<T>(RefCell<T>);

impl<T> PerCpu<T> {
    /// The value of the CPU that runs: `this_cpu_ptr()`.
    #[inline(always)]
    pub(super) fn this(&self) -> &RefCell<T> {
        &self.values[self.cpu.get() % NR_CPUS].0
    }

    /// `cpu` executes from now on.
    pub(super) fn run_on(&self, cpu: u8) {
        self.cpu.set(cpu.into());
    }
}

/// The machine with the thread's current task.
///
/// Where nobody observes (`SEEN` is false), nothing is recorded, no hazard is tracked and no point
/// is asked for, so that arch code compiles to what it does to the machine.
pub(crate) struct Live<'m, B: Backend, const SEEN: bool> {
    pub(super) backend: B,
    pub(super) inner: &'m Inner,
    /// The backend's state, by CPU.
    pub(super) cpus: &'m PerCpu<B::PerCpu>,
    /// The address space that a primitive works on; none in a hook.
    pub(super) mm: Option<&'m MmStruct>,
}

impl<'m, B: Backend, const SEEN: bool> Host for Live<'m, B, SEEN> {
    type Backend = B;
    const OBSERVED: bool = SEEN;

    #[inline(always)]
    fn backend(&self) -> B {
        self.backend
    }

    fn pid(&self) -> u8 {
        sched::pid()
    }

    fn state(&mut self) -> StateBits {
        sched::current_task().lazy_mmu_state
    }

    fn took_bracket(&mut self, role: Role) -> bool {
        machine_api::took_bracket(role)
    }

    fn preempt_count(&mut self) -> PreemptCount {
        sched::preempt_count()
    }

    #[inline]
    fn note(&mut self, event: Event<'_>) {
        // Asked here, since packing an event is a call.
        if SEEN && sched::recording() {
            machine_api::note_event(event);
        }
    }

    #[inline]
    fn tracks_hazards(&self) -> bool {
        SEEN && self.inner.tracking.get()
    }

    #[inline]
    fn track(&mut self, look: impl FnOnce(&mut Tracker, Now)) {
        if SEEN {
            self.inner.track(look);
        }
    }

    fn warn(&mut self, found: Warn) {
        sched::warn(found);
    }

    fn change_context(&mut self, op: ContextOp) {
        machine_api::change_context(op.name, op.what, op.add);
    }

    fn dup_task(&mut self, make: impl FnOnce(TaskStruct) -> TaskStruct) {
        self.inner.tasks.add(make(sched::current_task()));
    }

    fn set_lock_owner(&mut self, key: (u8, u64), owner: Option<u8>) -> Option<u8> {
        let mut locks = self.inner.locks.borrow_mut();
        match owner {
            Some(pid) => locks.insert(key, pid),
            None => locks.remove(&key),
        }
    }

    fn holds_lock(&mut self) -> bool {
        let pid = self.pid();
        self.inner.locks.borrow().values().any(|owner| *owner == pid)
    }

    fn push_batched(&mut self, at: At, nr: u16) {
        if let Some(mm) = self.mm {
            mm.push_batched(at.addr, nr);
        }
    }

    fn take_batched(&mut self, _: u8) -> Vec<(VirtAddr, u16)> {
        self.mm.map(MmStruct::take_batched).unwrap_or_default()
    }

    fn set_started(&mut self, at: At, pte: Option<Pte>) -> Option<Pte> {
        let mut started = self.inner.started.borrow_mut();
        match pte {
            Some(pte) => started.insert((at.mm, at.addr), pte),
            None => started.remove(&(at.mm, at.addr)),
        }
    }

    fn take_pfns(&mut self, nr: u16) -> u64 {
        self.inner.take_pfns(nr)
    }
}

impl<'m, B: Backend, const SEEN: bool> Hw for Live<'m, B, SEEN> {
    type Ptep = Ptep<'m>;
    type PerCpu = B::PerCpu;

    #[inline]
    fn read(&mut self, ptep: Ptep<'m>) -> Pte {
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
    fn read_slot(&mut self, slot: Slot) -> Pte {
        self.inner.at_slot(slot, |ptep| ptep.read())
    }

    #[inline]
    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.inner.at_slot(slot, |ptep| ptep.write(pte));
    }

    #[inline]
    fn count_slots(&mut self, slot: Slot, nr: usize, wanted: impl Fn(Pte) -> bool) -> usize {
        self.inner
            .at_slot(slot, |first| leading(first.entries(nr), |entry| wanted(Pte(entry.get()))))
    }

    #[inline]
    fn write_slots(&mut self, slot: Slot, ptes: &[Pte]) {
        self.inner.at_slot(slot, |first| {
            first.entries(ptes.len()).iter().zip(ptes).for_each(|(entry, pte)| entry.set(pte.0));
        });
    }

    fn task_lazy_mmu_mode_active(&mut self) -> bool {
        sched::task_lazy_mmu_mode_active()
    }

    fn task_lazy_mmu_mode_pause(&mut self) {
        lazy_mmu::pgtable::task_lazy_mmu_mode_pause();
    }

    fn task_lazy_mmu_mode_resume(&mut self) {
        lazy_mmu::pgtable::task_lazy_mmu_mode_resume();
    }

    #[inline]
    fn is_lazy_mmu_mode_active(&mut self) -> bool {
        sched::is_lazy_mmu_mode_active()
    }

    #[inline]
    fn test_thread_flag(&mut self, flag: u32) -> bool {
        sched::test_thread_flag(flag)
    }

    fn set_thread_flag(&mut self, flag: u32) {
        sched::set_thread_flag(flag);
    }

    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool {
        sched::test_and_clear_thread_flag(flag)
    }

    #[inline]
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut B::PerCpu) -> R) -> R {
        step(&mut self.cpus.this().borrow_mut())
    }

    #[inline]
    fn in_interrupt(&mut self) -> bool {
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
        if SEEN {
            machine_api::point(Point::Effect("preempt_disable"));
        }
        sched::arch_preempt_disable();
    }

    fn preempt_enable(&mut self) {
        if SEEN {
            machine_api::point(Point::Effect("preempt_enable"));
        }
        sched::arch_preempt_enable();
    }

    #[inline]
    fn slice_psize(&self, at: At) -> Psize {
        self.mm.map_or_else(Psize::default, |mm| mm.slice_psize(at.addr))
    }

    #[inline]
    fn page_pinned(&self, _: u8) -> bool {
        self.mm.is_none_or(MmStruct::is_pinned)
    }

    #[inline(always)]
    fn effect(&mut self, effect: ArchEffect) {
        if SEEN && machine_api::watched() {
            self.inner.effect_watched(effect);
        } else {
            self.inner.count(effect);
        }
    }

    #[inline]
    fn effect_on(&mut self, effect: ArchEffect, n: impl FnOnce(&mut B::PerCpu) -> u32) {
        if SEEN && machine_api::watched() {
            machine_api::point(Point::Effect(effect.name));
        }
        let effect = effect.of(self.per_cpu(n));
        self.inner.count(effect);
        if SEEN {
            sched::note_effect(effect.name, effect.n);
        }
    }

    #[inline]
    fn defer(&mut self, at: At, nr: u16) {
        if SEEN {
            self.inner.track(|tracker, now| tracker.defer(now, at, nr));
        }
    }

    #[inline]
    fn defer_table(&mut self, at: At, level: Level) {
        if SEEN {
            self.inner.track(|tracker, now| tracker.defer_table(now, at, level));
        }
    }

    #[inline]
    fn complete(&mut self) {
        if SEEN {
            self.inner.track(|tracker, now| tracker.complete(now));
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

    #[inline]
    fn overflow(&mut self) {
        if SEEN {
            self.inner.report(Hazard::BatchOverflow);
        }
    }

    #[inline]
    fn vm_warn_on(&mut self, cond: bool, text: &'static str) {
        if SEEN && cond {
            sched::warn(Warn::each_time(text));
        }
    }

    fn bug_on(&mut self, cond: bool, text: &'static str) -> bool {
        if cond {
            self.inner.bug(text);
        }
        !cond
    }
}
