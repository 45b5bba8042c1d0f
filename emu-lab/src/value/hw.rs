//! What backend code reaches of a step under way: each question is answered again as it was before.

use emu_arch::Pte;
use emu_arch::backend::{At, Backend, Hw, Psize, Slot};
use emu_arch::hw::effect::{Effect, Kind};
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::slice;
use lazy_mmu::arch::Point;
use lazy_mmu::call;
use lazy_mmu::design::counts_task::{TASK_PAUSE, TASK_RESUME};
use lazy_mmu::design::{Check, Warn};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::Event;

use super::Fault;
use super::exec::Exec;

impl<B: Backend> Exec<'_, B> {
    /// Whether the code does not see what is outstanding, by a fault.
    fn blind(&self) -> bool {
        self.world.fault.is_some_and(|fault| fault.blinds(self.hook))
    }
}

impl<B: Backend> Hw for Exec<'_, B> {
    type Ptep = Slot;
    type PerCpu = B::PerCpu;

    fn read(&self, ptep: Slot) -> Pte {
        Pte(self.ask(|| self.local.memory.read(ptep).0))
    }

    fn write(&mut self, ptep: Slot, pte: Pte) {
        if self.happens() {
            self.local.memory.write(ptep, pte);
        }
    }

    fn ptep_add(&self, ptep: Slot, n: u16) -> Slot {
        Slot(ptep.0 + u64::from(n))
    }

    fn slot(&self, ptep: Slot) -> Slot {
        ptep
    }

    fn read_slot(&self, slot: Slot) -> Pte {
        self.read(slot)
    }

    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.write(slot, pte);
    }

    fn is_lazy_mmu_mode_active(&self) -> bool {
        let active = || {
            let active = self.world.design.is_active(self.local.task.lazy_mmu_state);
            let in_interrupt = self.in_interrupt() && !self.has(Fault::ActiveInInterrupt);
            let active = active[usize::from(in_interrupt)];
            ((active || self.has(Fault::AlwaysActive)) && !self.has(Fault::NeverActive)).into()
        };
        self.ask(active) != 0
    }

    fn task_lazy_mmu_mode_active(&self) -> bool {
        let active = || self.world.design.is_active(self.local.task.lazy_mmu_state)[0].into();
        self.ask(active) != 0
    }

    fn task_lazy_mmu_mode_pause(&mut self) {
        if self.has(Fault::NoTaskPause) {
            return;
        }
        call::call_by_arch(self, &TASK_PAUSE);
    }

    fn task_lazy_mmu_mode_resume(&mut self) {
        if self.has(Fault::NoTaskResume) {
            return;
        }
        call::call_by_arch(self, &TASK_RESUME);
    }

    fn test_thread_flag(&self, flag: u32) -> bool {
        self.ask(|| self.local.task.flags >> flag & 1) != 0
    }

    fn set_thread_flag(&mut self, flag: u32) {
        if self.happens() && !self.has(Fault::FlagNotSet) {
            self.local.task.flags |= 1 << flag;
        }
    }

    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool {
        if self.blind() {
            return false;
        }
        let was = self.test_thread_flag(flag);
        if self.happens() && !self.has(Fault::FlagNotCleared) {
            self.local.task.flags &= !(1 << flag);
        }
        was
    }

    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut B::PerCpu) -> R) -> R {
        if self.blind() {
            return step(&mut B::PerCpu::default());
        }
        let was = self.ask(|| self.local.per_cpu.into()) as usize;
        let mut state = self.world.per_cpus[was].clone();
        let value = step(&mut state);
        if self.happens() && self.world.per_cpus[was] != state {
            self.local.per_cpu = self.world.per_cpus.insert_full(state).0 as u32;
        }
        value
    }

    fn in_interrupt(&self) -> bool {
        // No one else changes it: whoever interrupts the task restores it.
        self.local.task.preempt_count.in_interrupt()
    }

    fn get_cpu(&mut self) {
        if self.happens() && !self.has(Fault::NoGetCpu) {
            self.local.task.preempt_count.0 += PreemptCount::PREEMPT_OFFSET;
        }
    }

    fn put_cpu(&mut self) {
        if self.happens() && !self.has(Fault::NoGetCpu) {
            let count = self.local.task.preempt_count.0;
            self.local.task.preempt_count.0 = count.saturating_sub(PreemptCount::PREEMPT_OFFSET);
        }
    }

    fn local_irq_save(&mut self) {
        self.irqs_off += u32::from(!self.has(Fault::IrqsOn));
    }

    fn local_irq_restore(&mut self) {
        self.irqs_off -= u32::from(!self.has(Fault::IrqsOn));
    }

    fn preempt_disable(&mut self) {
        if self.world.fault.is_some_and(|fault| fault.skips_preempt(self.hook, true)) {
            return;
        }
        self.change_context("preempt_disable", PreemptCount::PREEMPT_OFFSET, true, true);
    }

    fn preempt_enable(&mut self) {
        if self.world.fault.is_some_and(|fault| fault.skips_preempt(self.hook, false)) {
            return;
        }
        self.change_context("preempt_enable", PreemptCount::PREEMPT_OFFSET, false, true);
    }

    fn slice_psize(&self, at: At) -> Psize {
        let key = (at.mm, slice(at.addr));
        self.local.memory.slices.get(&key).copied().unwrap_or_default()
    }

    fn effect(&mut self, effect: Effect) {
        self.point(Point::Effect(effect.name), effect.kind == Kind::PutOff);
        self.note(Event::Effect { name: effect.name, n: effect.n });
    }

    fn put_off(&mut self, at: At, nr: u16) {
        if self.live() {
            self.seen.put_off = true;
        }
        self.track(|tracker, now| tracker.put_off(now, at, nr));
    }

    fn settle(&mut self) {
        if self.live() {
            self.seen.settled = true;
        }
        self.track(|tracker, now| tracker.settle(now));
    }

    fn tlb_invalidate(&mut self, at: At, nr: u32) {
        self.track(|tracker, _| tracker.tlb_invalidate(at, nr));
    }

    fn bug(&mut self, cond: &'static str) {
        if self.live() {
            self.seen.bug.get_or_insert(cond);
        }
        self.warn(Warn { check: Check::BugOn, cond });
        self.report(Hazard::ArchBug);
    }
}
