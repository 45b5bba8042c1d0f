//! Steps as the replaying host does them: calls of the API and hooks, and what the kernel does.

use lazy_mmu::PteRange;
use lazy_mmu::arch::Point;
use lazy_mmu::call::{self, Run, TaskHost};
use lazy_mmu::design::{Call, CallInfo, Context, Design, HookInfo, StateBits, Token, Warn};
use lazy_mmu::trace::Event;

use super::exec::Exec;
use super::memory::slot_of;
use crate::backend::Backend;
use crate::kernel::{self, Fault, Host, PteArgs, Step};

impl<B: Backend> Exec<'_, B> {
    /// Does a step.
    pub(super) fn execute(&mut self, step: &Step) {
        match *step {
            Step::Call(info, args) => {
                let range = args.map(|args| pages(&args));
                call::call(self, info.call, range.as_ref());
            }
            Step::Pte(op, args) => kernel::execute_pte(self, op, &args, slot_of(args.at())),
            Step::Fork(child) => kernel::fork(self, child),
            Step::Context(_) | Step::Task(_) | Step::Lock(..) => kernel::execute(self, step),
        }
    }

    /// The last lines of a record.
    pub(super) fn note_end(&mut self) {
        let backend = Exec::backend(self);
        if let Some((n, what)) = backend.pending(self) {
            Host::note(self, Event::Pending { n, what });
        }
        let (state, preempt_count): (StateBits, _) = (Host::state(self), self.preempt_count());
        Host::note(self, Event::End { state, preempt_count });
    }
}

/// The pages that a call is given.
fn pages(args: &PteArgs) -> PteRange {
    PteRange {
        mm: args.mm.into(),
        addr: args.addr.get(),
        end: args.addr.add_pages(args.nr.into()).get(),
        ptep: slot_of(args.at()).0,
    }
}

impl<B: Backend> TaskHost for Exec<'_, B> {
    fn design(&self) -> Design {
        Exec::design(self)
    }

    fn state(&mut self) -> StateBits {
        Host::state(self)
    }

    fn set_state(&mut self, state: StateBits) {
        self.step(|reach| reach.local.task.lazy_mmu_state = state);
    }

    fn context(&mut self) -> Context {
        let interrupted = self.preempt_count().in_interrupt();
        let in_interrupt = interrupted && !self.has(Fault::CallsInInterrupt);
        let arch_wants = B::FACTS.wants_lazy_mmu_mode;
        Context { in_interrupt, arch_wants, ..Context::default() }
    }

    fn is_active(&mut self) -> bool {
        let (state, in_interrupt) = (Host::state(self), self.preempt_count().in_interrupt());
        Exec::design(self).is_active(state)[usize::from(in_interrupt)]
    }

    fn push_token(&mut self, token: Token) {
        self.step(|reach| reach.local.task.tokens.push(token));
    }

    fn pop_token(&mut self) -> Token {
        Token(self.step(|reach| u64::from(reach.local.task.tokens.pop().0)) as u8)
    }

    fn hook(&mut self, hook: &'static HookInfo, range: Option<&PteRange>) {
        self.step(|reach| reach.seen.hooks.extend(hook.kernel()));
        let around = std::mem::replace(&mut self.hook, hook.kernel());
        kernel::hook(self, hook, range);
        self.hook = around;
    }

    fn warn(&mut self, found: &Warn) {
        Host::warn(self, *found);
    }

    fn point(&mut self, point: Point) {
        self.at_point(point, false);
    }

    fn note(&mut self, event: Event<'_>) {
        Host::note(self, event);
    }

    fn returned(&mut self, call: &'static CallInfo) {
        kernel::returned(self, call);
    }

    fn each(&mut self, call: Call, cx: Context, run: &mut Run<'_>) -> Token {
        let state = Host::state(self);
        let design = Exec::design(self);
        let effects = design.step(state, cx, call);
        match self.fault() {
            Some(fault) => {
                for effect in fault.effects(design, call, &effects) {
                    run.effect(self, effect);
                }
            }
            None => effects.iter().for_each(|effect| run.effect(self, effect)),
        }
        effects.token()
    }
}
