//! The steps that are no page table primitive: calls of the API, contexts, locks, switches.

use emu_arch::backend::{At, Backend, Hw, run_hook};
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::{Lock, WRONG_OWNER, hinted_range};
use emu_arch::tracker::Tracker;
use lazy_mmu::PteRange;
use lazy_mmu::arch::Point;
use lazy_mmu::call::{self, Run, TaskHost};
use lazy_mmu::design::{
    Call, CallInfo, Context, Design, Hook, HookInfo, Role, StateBits, Token, Warn,
};
use lazy_mmu::machine_api::CONTEXT_CHANGES;
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::Event;

use super::Fault;
use super::exec::Exec;
use super::memory::slot_of;
use crate::scenario::{PteArgs, Step, TaskOp};

impl<B: Backend> Exec<'_, B> {
    /// Does a line of a scenario; claims, pages mapped before, forks and going idle are the business
    /// of whoever drives.
    pub(super) fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(info, args) => {
                let range = args.map(pages);
                call::call(self, info.call, range.as_ref());
            }
            Step::Context(change) => self.task_context(change.name),
            Step::Pte(op, args) => self.pte(op, args),
            Step::Task(TaskOp::MightSleep) => {
                self.note_context("might_sleep");
                self.check_sleep();
            }
            Step::Task(TaskOp::Schedule) => {
                self.note_context("schedule");
                self.check_sleep();
                self.must_be_done(Hazard::PendingAtSchedule);
            }
            Step::Task(TaskOp::Exit) => self.exit(),
            Step::Task(TaskOp::ArchFlush) => {
                self.note_context(HookInfo::FLUSH.name);
                let backend = self.world.backend;
                backend.flush(self);
            }
            Step::Lock(lock, true) => self.lock(lock),
            Step::Lock(lock, false) => self.unlock(lock),
            Step::Task(TaskOp::Run | TaskOp::Fork { .. }) | Step::Map(_) | Step::Expect(_) => {}
        }
    }

    fn task_context(&mut self, name: &'static str) {
        let change = CONTEXT_CHANGES.iter().find(|(known, ..)| *known == name);
        if let Some((name, offset, add)) = change {
            self.change_context(name, *offset, *add, false);
        }
    }

    fn note_context(&mut self, name: &'static str) {
        let preempt_count = self.local.task.preempt_count;
        self.note(Event::Context { name, preempt_count, by_arch: false });
    }

    fn must_be_done(&mut self, hazard: Hazard) {
        self.track(|tracker, now| tracker.must_be_done(now, hazard));
    }

    /// Looks for the hazards of sleeping here.
    fn check_sleep(&mut self) {
        if !self.local.task.preempt_count.preemptible() {
            self.report(Hazard::SleepInAtomic);
        } else if self.is_lazy_mmu_mode_active() {
            self.report(Hazard::SleepInSection);
        }
    }

    fn exit(&mut self) {
        self.note_context("do_exit");
        if self.local.task.preempt_count != PreemptCount::default() {
            self.report(Hazard::PreemptImbalance);
        }
        self.must_be_done(Hazard::PendingAtExit);
        if self.local.task.lazy_mmu_state != StateBits::default() {
            self.report(Hazard::SectionAtExit);
        }
    }

    fn lock(&mut self, lock: Lock) {
        if lock == Lock::Mutex {
            self.note_context("mutex_lock");
            self.check_sleep();
        } else {
            self.task_context("spin_lock");
        }
        let pid = self.local.task.pid;
        if self.live() && self.local.memory.locks.insert(lock.key(), pid).is_some() {
            self.warn(WRONG_OWNER);
        }
    }

    fn unlock(&mut self, lock: Lock) {
        if lock == Lock::Mutex {
            self.note_context("mutex_unlock");
        } else {
            self.task_context("spin_unlock");
        }
        let pid = self.local.task.pid;
        if self.live() && self.local.memory.locks.remove(&lock.key()) != Some(pid) {
            self.warn(WRONG_OWNER);
        }
        match lock {
            Lock::Mutex => {}
            Lock::Pte { mm, addr } => self.track(|tracker, _| tracker.unlocked(mm, Some(addr))),
            Lock::InitMm => self.track(|tracker, _| tracker.unlocked(0, None)),
        }
    }

    /// The first half of a context switch to task `next`.
    pub(super) fn switch_out(&mut self, next: u8) {
        let atomic = !self.local.task.preempt_count.preemptible();
        self.note(Event::Switch { next });
        if atomic {
            self.report(Hazard::SleepInAtomic);
        }
        self.get_cpu();
        let backend = self.world.backend;
        if !self.has(Fault::NoSwitchOut) {
            backend.switch_out(self);
        }
        self.put_cpu();
    }

    /// The second half, with the incoming task in place.
    pub(super) fn switch_in(&mut self) {
        self.get_cpu();
        let backend = self.world.backend;
        if !self.has(Fault::NoSwitchIn) {
            backend.switch_in(self);
        }
        self.put_cpu();
        if self.world.arch.defers_per_cpu() {
            self.must_be_done(Hazard::BatchAtSwitch);
        }
    }

    /// The last lines of a record.
    pub(super) fn note_end(&mut self) {
        let backend = self.world.backend;
        if let Some((n, what)) = backend.pending(self) {
            self.note(Event::Pending { n, what });
        }
        let (state, preempt_count) =
            (self.local.task.lazy_mmu_state, self.local.task.preempt_count);
        self.note(Event::End { state, preempt_count });
    }
}

/// The pages that a call is given.
fn pages(args: PteArgs) -> PteRange {
    PteRange {
        mm: args.mm.into(),
        addr: args.addr.get(),
        end: args.addr.add_pages(args.nr.into()).get(),
        ptep: slot_of(At { mm: args.mm, addr: args.addr }).0,
    }
}

impl<B: Backend> TaskHost for Exec<'_, B> {
    fn design(&self) -> Design {
        self.world.design
    }

    fn state(&self) -> StateBits {
        StateBits(self.ask(|| self.local.task.lazy_mmu_state.0))
    }

    fn set_state(&mut self, state: StateBits) {
        if self.live() {
            self.local.task.lazy_mmu_state = state;
        }
    }

    fn context(&self) -> Context {
        Exec::context(self)
    }

    fn push_token(&mut self, token: Token) {
        if self.live() {
            self.local.task.tokens.push(token);
        }
    }

    fn pop_token(&mut self) -> Token {
        Token(self.ask_mut(|exec| exec.local.task.tokens.pop().0.into()) as u8)
    }

    fn hook(&mut self, hook: &'static HookInfo, range: Option<&PteRange>) {
        if self.live() {
            self.seen.hooks.extend(hook.kernel());
        }
        let around = std::mem::replace(&mut self.hook, hook.kernel());
        run_hook(self.world.backend, self, hook, range.and_then(hinted_range));
        self.hook = around;
        if hook.kernel() == Some(Hook::ENTER) {
            self.track(Tracker::entered);
        }
    }

    fn warn(&mut self, found: &Warn) {
        Exec::warn(self, *found);
    }

    fn point(&mut self, point: Point) {
        Exec::point(self, point, false);
    }

    fn note(&mut self, event: Event<'_>) {
        Exec::note(self, event);
    }

    fn returned(&mut self, call: &'static CallInfo) {
        if !self.in_interrupt() {
            match call.role {
                Role::ClosesSection => self.must_be_done(Hazard::PendingAtDisable),
                Role::OpensPause => self.must_be_done(Hazard::PendingAtPause),
                Role::OpensSection | Role::ClosesPause | Role::Neither => {}
            }
        }
    }

    fn is_active(&self) -> bool {
        let state = self.local.task.lazy_mmu_state;
        self.world.design.is_active(state)[usize::from(self.in_interrupt())]
    }

    fn each(&mut self, call: Call, cx: Context, run: &mut Run<'_>) -> Token {
        let (design, state) = (self.world.design, TaskHost::state(self));
        let Some(fault) = self.world.fault else {
            return design.each(state, cx, call, &mut |effect| run.effect(self, effect));
        };
        let effects = design.step(state, cx, call);
        for effect in fault.effects(design, call, &effects) {
            run.effect(self, effect);
        }
        effects.token()
    }
}
