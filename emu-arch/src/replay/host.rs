//! What the kernel's code reaches of a step under way: every request goes through
//! [`Exec::step`](super::exec::Exec::step).

use lazy_mmu::arch::Point;
use lazy_mmu::call::call_by_arch;
use lazy_mmu::design::counts_task::{TASK_PAUSE, TASK_RESUME};
use lazy_mmu::design::{Check, Role, StateBits, Warn};
use lazy_mmu::preempt::{Counted, PreemptCount};
use lazy_mmu::sched::TaskStruct;
use lazy_mmu::trace::Event;

use super::exec::Exec;
use super::state::Request;
use crate::backend::{At, Backend, Hw, Level, Psize, Slot, slice};
use crate::hazard::{Hazard, Trigger};
use crate::hw::addr::VirtAddr;
use crate::hw::effect::{ArchEffect, Kind};
use crate::hw::pte::Pte;
use crate::kernel::{ContextOp, Fault, Host};
use crate::tracker::{Now, Tracker};

impl<B: Backend> Exec<'_, B> {
    /// Whether the code does not see what is outstanding, by a fault.
    fn blind(&self) -> bool {
        self.fault().is_some_and(|fault| fault.blinds(self.hook))
    }

    /// A batch that a search has made small has `n` entries now.
    fn filled(&mut self, n: Option<u32>) {
        if self.batch_max().is_some_and(|max| n == Some(u32::from(max))) {
            self.exercise(Trigger::FullBatch);
        }
    }

    /// An effect has happened.
    fn done(&mut self, effect: ArchEffect) {
        self.step(|reach| {
            reach.request(Request::Effect(effect));
            reach.note(Event::Effect { name: effect.name, n: effect.n });
        });
    }

    fn preempt(&mut self, name: &'static str, add: bool) {
        if self.fault().is_some_and(|fault| fault.skips_preempt(self.hook, add)) {
            return;
        }
        // A search need not stop here: an interrupt that comes here could as well come behind it.
        self.at_point(Point::Effect(name), true);
        let op = ContextOp { name, what: Counted::Preempt, add };
        self.step(|reach| {
            if let Some(found) = reach.change_context(op, true) {
                reach.warn(found);
            }
        });
    }
}

impl<B: Backend> Host for Exec<'_, B> {
    type Backend = B;
    const OBSERVED: bool = true;
    const EXERCISES: bool = true;

    fn backend(&self) -> B {
        Exec::backend(self)
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault() == Some(fault)
    }

    fn pid(&self) -> u8 {
        self.task_pid()
    }

    fn state(&mut self) -> StateBits {
        self.step(|reach| reach.local.task.lazy_mmu_state)
    }

    fn took_bracket(&mut self, role: Role) -> bool {
        self.step(|reach| reach.local.task.open.took(role))
    }

    fn preempt_count(&mut self) -> PreemptCount {
        self.step(|reach| reach.local.task.preempt_count.read(reach.world.setup.layout))
    }

    fn note(&mut self, event: Event<'_>) {
        self.step(|reach| reach.note(event));
    }

    fn tracks_hazards(&self) -> bool {
        true
    }

    fn track(&mut self, look: impl FnOnce(&mut Tracker, Now)) {
        self.step(|reach| reach.track(look));
    }

    fn exercise(&mut self, trigger: Trigger) {
        self.step(|reach| reach.seen.exercised.insert(trigger));
    }

    fn warn(&mut self, found: Warn) {
        self.step(|reach| reach.warn(found));
    }

    fn change_context(&mut self, op: ContextOp) {
        self.step(|reach| {
            if let Some(found) = reach.change_context(op, false) {
                reach.warn(found);
            }
        });
    }

    fn dup_task(&mut self, make: impl FnOnce(TaskStruct) -> TaskStruct) {
        let pauses = Exec::backend(self).switch_pauses();
        self.step(|reach| {
            let child = make(reach.local.task);
            let (fix, design) = (reach.world.setup.fix, reach.world.design);
            let child = fix.map_or(child, |fix| fix.born(child, design, pauses));
            reach.seen.forked = Some(child);
        });
    }

    fn set_lock_owner(&mut self, key: (u8, u64), owner: Option<u8>) -> Option<u8> {
        self.step(|reach| reach.local.memory.set_lock_owner(key, owner))
    }

    fn holds_lock(&mut self) -> bool {
        let pid = self.task_pid();
        self.step(|reach| reach.local.memory.holds_lock(pid))
    }

    fn push_batched(&mut self, at: At, nr: u16) {
        self.step(|reach| reach.local.memory.batched.push((at.mm, at.addr, nr)));
    }

    fn take_batched(&mut self, mm: u8) -> Vec<(VirtAddr, u16)> {
        self.step(|reach| reach.local.memory.take_batched(mm))
    }

    fn set_started(&mut self, at: At, pte: Option<Pte>) -> Option<Pte> {
        self.step(|reach| reach.local.memory.set_started(at, pte))
    }

    fn take_pfns(&mut self, nr: u16) -> u64 {
        self.step(|reach| reach.local.memory.take_pfns(nr))
    }

    fn returned(&mut self, value: u64) {
        self.step(|reach| reach.request(Request::Return(value)));
    }
}

impl<B: Backend> Hw for Exec<'_, B> {
    type Ptep = Slot;
    type PerCpu = B::PerCpu;

    fn read(&mut self, ptep: Slot) -> Pte {
        self.step(|reach| reach.read(ptep))
    }

    fn write(&mut self, ptep: Slot, pte: Pte) {
        self.step(|reach| {
            reach.request(Request::Write(ptep, pte));
            reach.local.memory.write(ptep, pte);
        });
    }

    fn ptep_add(&self, ptep: Slot, n: u16) -> Slot {
        Slot(ptep.0 + u64::from(n))
    }

    fn slot(&self, ptep: Slot) -> Slot {
        ptep
    }

    fn read_slot(&mut self, slot: Slot) -> Pte {
        self.read(slot)
    }

    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.write(slot, pte);
    }

    fn is_lazy_mmu_mode_active(&mut self) -> bool {
        let (asks_interrupt, always, never) = (
            !self.has(Fault::ActiveInInterrupt),
            self.has(Fault::AlwaysActive),
            self.has(Fault::NeverActive),
        );
        self.step(|reach| {
            let task = &reach.local.task;
            let in_interrupt = task.preempt_count.in_interrupt() && asks_interrupt;
            let active = reach.world.design.is_active(task.lazy_mmu_state);
            (active[usize::from(in_interrupt)] || always) && !never
        })
    }

    fn task_lazy_mmu_mode_active(&mut self) -> bool {
        self.step(|reach| reach.world.design.is_active(reach.local.task.lazy_mmu_state)[0])
    }

    fn task_lazy_mmu_mode_pause(&mut self) {
        if !self.has(Fault::NoTaskPause) {
            call_by_arch(self, &TASK_PAUSE);
            self.step(|reach| {
                if let Some(fix) = reach.world.setup.fix {
                    fix.paused(&mut reach.local.task);
                }
            });
        }
    }

    fn task_lazy_mmu_mode_resume(&mut self) {
        let resumes = self.step(|reach| {
            reach.world.setup.fix.is_none_or(|fix| fix.resumes(&mut reach.local.task))
        });
        if resumes && !self.has(Fault::NoTaskResume) {
            call_by_arch(self, &TASK_RESUME);
        }
    }

    fn test_thread_flag(&mut self, flag: u32) -> bool {
        self.step(|reach| reach.local.task.flags >> flag & 1 != 0)
    }

    fn set_thread_flag(&mut self, flag: u32) {
        if !self.has(Fault::FlagNotSet) {
            self.step(|reach| reach.local.task.flags |= 1 << flag);
        }
    }

    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool {
        if self.blind() {
            return false;
        }
        let keeps = self.has(Fault::FlagNotCleared);
        self.step(|reach| {
            let flags = reach.local.task.flags;
            if !keeps {
                reach.local.task.flags &= !(1 << flag);
            }
            flags >> flag & 1 != 0
        })
    }

    fn per_cpu<R>(&mut self, work: impl FnOnce(&mut B::PerCpu) -> R) -> R {
        if self.blind() {
            return work(&mut B::PerCpu::default());
        }
        // What `work` returns depends on the state alone, so that the state's number answers for
        // it.
        let was = self.step(|reach| u64::from(reach.local.per_cpu));
        let mut state = self.per_cpu_state(was);
        let value = work(&mut state);
        self.step(|reach| {
            if reach.world.per_cpus[was as usize] != state {
                reach.local.per_cpu = reach.world.per_cpus.insert_full(state).0 as u32;
            }
        });
        value
    }

    fn in_interrupt(&mut self) -> bool {
        let asks = !self.has(Fault::ActiveInInterrupt);
        self.step(|reach| reach.local.task.preempt_count.in_interrupt() && asks)
    }

    fn get_cpu(&mut self) {
        if !self.has(Fault::NoGetCpu) {
            self.step(|reach| reach.local.task.preempt_count.0 += 1);
        }
    }

    fn put_cpu(&mut self) {
        if !self.has(Fault::NoGetCpu) {
            self.step(|reach| {
                let count = &mut reach.local.task.preempt_count.0;
                *count = count.saturating_sub(1);
            });
        }
    }

    fn local_irq_save(&mut self) {
        self.irqs_off += u32::from(!self.has(Fault::IrqsOn));
    }

    fn local_irq_restore(&mut self) {
        self.irqs_off -= u32::from(!self.has(Fault::IrqsOn));
    }

    fn preempt_disable(&mut self) {
        self.preempt("preempt_disable", true);
    }

    fn preempt_enable(&mut self) {
        self.preempt("preempt_enable", false);
    }

    fn slice_psize(&self, at: At) -> Psize {
        let key = (at.mm, slice(at.addr));
        self.memory().slices.get(&key).copied().unwrap_or_default()
    }

    fn effect(&mut self, effect: ArchEffect) {
        if effect.kind == Kind::Deferral && effect.n.is_some() {
            self.filled(effect.n);
        }
        self.at_point(Point::Effect(effect.name), effect.kind == Kind::Deferral);
        self.done(effect);
    }

    fn effect_on(&mut self, effect: ArchEffect, n: impl FnOnce(&mut B::PerCpu) -> u32) {
        self.at_point(Point::Effect(effect.name), effect.kind == Kind::Deferral);
        let n = self.per_cpu(n);
        if effect.kind == Kind::Deferral {
            self.filled(Some(n));
        }
        self.done(effect.of(n));
    }

    fn defer(&mut self, at: At, nr: u16) {
        self.exercise(Trigger::Defer);
        self.step(|reach| {
            reach.request(Request::Defer(at, nr));
            reach.track(|tracker, now| tracker.defer(now, at, nr));
        });
    }

    fn defer_table(&mut self, at: At, level: Level) {
        self.exercise(Trigger::Defer);
        self.step(|reach| {
            reach.request(Request::DeferTable(at, level));
            reach.track(|tracker, now| tracker.defer_table(now, at, level));
        });
    }

    fn complete(&mut self) {
        self.exercise(Trigger::Complete);
        self.step(|reach| {
            reach.request(Request::Complete);
            reach.track(|tracker, now| tracker.complete(now));
        });
    }

    fn tlb_invalidate(&mut self, at: At, nr: u32) {
        if !self.has(Fault::NoInvalidate) {
            self.step(|reach| {
                reach.request(Request::Invalidate(at, nr));
                reach.track(|tracker, _| tracker.tlb_invalidate(at, nr));
            });
        }
    }

    fn overflow(&mut self) {
        self.step(|reach| reach.track(|tracker, _| tracker.report(Hazard::BatchOverflow, None)));
    }

    fn vm_warn_on(&mut self, cond: bool, text: &'static str) {
        if cond {
            self.step(|reach| reach.warn(Warn::each_time(text)));
        }
    }

    fn bug_on(&mut self, cond: bool, text: &'static str) -> bool {
        self.exercise(Trigger::BugCheck);
        if cond {
            self.step(|reach| {
                reach.seen.bug.get_or_insert(text);
                reach.note(Event::from(&Warn { check: Check::BugOn, cond: text }));
                reach.track(|tracker, _| tracker.report(Hazard::ArchBug, None));
            });
        }
        !cond
    }

    fn limit(&self, max: usize) -> usize {
        self.batch_max().map_or(max, |limit| max.min(limit.into()))
    }
}
