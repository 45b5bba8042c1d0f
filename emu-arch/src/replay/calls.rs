//! Steps as the replaying host does them: calls of the API and hooks, and what the kernel does.

use lazy_mmu::PteRange;
use lazy_mmu::arch::Point;
use lazy_mmu::design::{Call, Check, Context, Effect, Hook, StateBits, Token};
use lazy_mmu::trace::Event;

use super::Fault;
use super::exec::Exec;
use super::memory::slot_of;
use crate::backend::{Backend, Hw};
use crate::hazard::{Hazard, Trigger};
use crate::kernel::{self, Host, PteArgs, Step};
use crate::machine::hinted_range;
use crate::tracker::Tracker;

impl<B: Backend> Exec<'_, B> {
    /// Does a step.
    pub(super) fn execute(&mut self, step: &Step) {
        match *step {
            Step::Call(call) => self.call(call, None),
            Step::WithPtes(args) => self.enable_with_ptes(args),
            Step::Pte(op, args) => kernel::execute_pte(self, op, &args, slot_of(args.at())),
            Step::Fork(child) => kernel::fork(self, self.design(), child),
            Step::Context(_) | Step::Task(_) | Step::Lock(..) => kernel::execute(self, step),
        }
    }

    fn enable_with_ptes(&mut self, args: PteArgs) {
        if !self.design().has_range_hint() {
            self.call(Call::Enable, None);
            return;
        }
        let hint = PteRange {
            mm: args.mm.into(),
            addr: args.addr.get(),
            end: args.addr.add_pages(args.nr.into()).get(),
            ptep: slot_of(args.at()).0,
        };
        self.call(Call::EnableWithPtes, Some(hint));
    }

    /// What a transition may know of its surroundings.
    fn context(&mut self) -> Context {
        let in_interrupt = self.in_interrupt() && !self.has(Fault::CallsInInterrupt);
        let arch_wants = B::FACTS.wants_lazy_mmu_mode;
        Context { in_interrupt, arch_wants, ..Context::default() }
    }

    /// Makes `call` for a caller that keeps no token.
    fn call(&mut self, call: Call, hint: Option<PteRange>) {
        self.exercise(Trigger::Call);
        self.note(Event::Call(call));
        let tokens = self.design().has_tokens();
        let token = match call {
            Call::Disable if tokens => {
                Token(self.step(|reach| u64::from(reach.local.task.tokens.pop().0)) as u8)
            }
            _ => Token::DEFAULT,
        };
        let cx = self.context();
        let token = self.transition(call, Context { token, ..cx }, hint);
        if tokens && matches!(call, Call::Enable | Call::EnableWithPtes) {
            self.step(|reach| reach.local.task.tokens.push(token));
        }
        if !self.in_interrupt() {
            match call {
                Call::Disable => self.must_be_done(Hazard::PendingAtDisable),
                Call::Pause => self.must_be_done(Hazard::PendingAtPause),
                _ => {}
            }
        }
        let state = self.state();
        let in_interrupt = self.in_interrupt();
        let active = self.design().is_active(state)[usize::from(in_interrupt)];
        self.note(Event::Return { call, active, state });
    }

    /// Does the effects of `call`, in order.
    pub(super) fn transition(&mut self, call: Call, cx: Context, hint: Option<PteRange>) -> Token {
        let state = self.state();
        let effects = self.design().step(state, cx, call);
        let list = match self.fault() {
            Some(fault) => fault.effects(call, &effects),
            None => effects.iter().collect(),
        };
        for effect in list {
            match effect {
                Effect::Store(state) => {
                    self.at_point(Point::Store, false);
                    self.step(|reach| reach.local.task.lazy_mmu_state = state);
                    self.note(Event::Store(state));
                }
                Effect::Hook(Hook::Enter) if call == Call::EnableWithPtes => {
                    self.hook(Hook::EnterWithPtes, hint);
                }
                Effect::Hook(hook) => self.hook(hook, None),
                Effect::Warn(found) => {
                    self.warn(found);
                    if found.check == Check::VmBugOn {
                        break;
                    }
                }
            }
        }
        effects.token()
    }

    fn hook(&mut self, hook: Hook, hint: Option<PteRange>) {
        self.at_point(Point::Hook(hook), false);
        self.note(Event::Hook(hook));
        self.exercise(Trigger::Hook);
        self.step(|reach| reach.seen.hooks.push(hook));
        let backend = self.backend();
        let around = self.hook.replace(hook);
        match hook {
            Hook::Enter => backend.enter(self),
            Hook::Leave => backend.leave(self),
            Hook::Flush => backend.flush(self),
            Hook::EnterWithPtes => match hint.as_ref().and_then(hinted_range) {
                Some(range) => backend.enter_with_ptes(self, range),
                None => backend.enter(self),
            },
        }
        self.hook = around;
        if matches!(hook, Hook::Enter | Hook::EnterWithPtes) {
            self.track(Tracker::entered);
        }
    }

    /// The last lines of a record.
    pub(super) fn note_end(&mut self) {
        let backend = self.backend();
        if let Some((n, what)) = backend.pending(self) {
            self.note(Event::Pending { n, what });
        }
        let (state, preempt_count): (StateBits, _) = (self.state(), self.preempt_count());
        self.note(Event::End { state, preempt_count });
    }
}
