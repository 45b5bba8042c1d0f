//! The generic API under the kernel's names: the shell around a design.
//!
//! Models include/linux/pgtable.h (v7.0). A call of the current task is executed by
//! [`crate::call`], effect by effect: store, hook, warn. Where nobody watches (no architecture, no
//! record, the default design) only the counters move and nothing is allocated.
//!
//! Fidelity: changed: include/linux/pgtable.h v7.0 (5ab246749569): a call is a transition of the
//! design that is in force, and what a check does is configured.

use crate::arch::Point;
use crate::call::{self, TaskHost};
use crate::design::counts_task::{TASK_PAUSE, TASK_RESUME};
use crate::design::with_ptes::ENABLE_WITH_PTES;
use crate::design::{
    Call, CallInfo, Context, Design, HookInfo, LazyMmuDesign, LazyMmuState, StateBits, Token, Warn,
    counts,
};
use crate::ptes::PteRange;
use crate::sched::{Current, Tokens, current, warn_current};
use crate::trace::Event;

/// Begins a section: page table updates of the current task may be batched until the matching
/// [`lazy_mmu_mode_disable`]. Sections nest.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_enable() {
    make(Call::ENABLE);
}

/// Begins a section that will mostly touch the entries of `hint`: the s390 proposal.
///
/// A hint never changes what the section means. A design without the call makes a plain
/// [`lazy_mmu_mode_enable`] of it; a nested one counts and drops the hint.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_enable_with_ptes(hint: PteRange) {
    if !current(|cur| cur.count(Call::ENABLE)) {
        own_call(ENABLE_WITH_PTES.call, Some(&hint));
    }
}

/// Ends a section: all updates of the section have taken effect on return, at any depth; under the
/// design `sketch` at the outermost one only.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_disable() {
    make(Call::DISABLE);
}

/// Suspends the mode: earlier updates have taken effect on return, later ones take effect at once,
/// until the matching [`lazy_mmu_mode_resume`].
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_pause() {
    make(Call::PAUSE);
}

/// Ends a pause.
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_resume() {
    make(Call::RESUME);
}

/// `__task_lazy_mmu_mode_pause(current)` of v7.2: pause without the question for interrupts. For
/// arch code that switches tasks, which makes the task that it means current.
pub fn task_lazy_mmu_mode_pause() {
    current(|mut cur| call::call_by_arch(&mut cur, &TASK_PAUSE));
}

/// `__task_lazy_mmu_mode_resume(current)` of v7.2: resume without the question for interrupts.
pub fn task_lazy_mmu_mode_resume() {
    current(|mut cur| call::call_by_arch(&mut cur, &TASK_RESUME));
}

/// Makes `call`, one of the kernel's or of a design's own.
///
/// A design that lacks the call makes what it is a variant of, or nothing.
pub fn call(call: Call) {
    match call {
        Call::ENABLE => lazy_mmu_mode_enable(),
        Call::DISABLE => lazy_mmu_mode_disable(),
        Call::PAUSE => lazy_mmu_mode_pause(),
        Call::RESUME => lazy_mmu_mode_resume(),
        own => own_call(own, None),
    }
}

/// Makes `call`, which takes pages, for those of `range`.
pub fn call_with_ptes(call: Call, range: PteRange) {
    own_call(call, Some(&range));
}

/// Makes a call that is none of the four.
#[cold]
#[inline(never)]
fn own_call(call: Call, range: Option<&PteRange>) {
    current(|mut cur| call::call(&mut cur, call, range));
}

#[inline(always)]
fn make(call: Call) {
    if !current(|cur| cur.count(call)) {
        make_in_full(call);
    }
}

/// Makes `call` where more happens than that a counter moves, or somebody watches.
#[cold]
#[inline(never)]
fn make_in_full(call: Call) {
    in_full(call);
}

/// The inside of [`make_in_full`], for callers that are out of line themselves.
#[inline(always)]
pub(crate) fn in_full(call: Call) {
    current(|mut cur| {
        if cur.is_plain() {
            let state = counts::State::unpack(cur.state());
            let effects = state.step(cur.context(Token::DEFAULT), call);
            if !effects.warns() {
                if let Some(state) = effects.stored() {
                    cur.set_plain_state(state.pack());
                }
                return;
            }
        }
        call::call(&mut cur, call, None);
    });
}

impl TaskHost for &Current {
    #[inline(always)]
    fn design(&self) -> Design {
        Current::design(self)
    }

    #[inline(always)]
    fn state(&mut self) -> StateBits {
        Current::state(self)
    }

    #[inline(always)]
    fn set_state(&mut self, state: StateBits) {
        Current::set_state(self, state);
    }

    #[inline(always)]
    fn context(&mut self) -> Context {
        Current::context(self, Token::DEFAULT)
    }

    #[inline(always)]
    fn push_token(&mut self, token: Token) {
        self.with_tokens(|tokens| tokens.push(token));
    }

    #[inline(always)]
    fn pop_token(&mut self) -> Token {
        self.with_tokens(Tokens::pop)
    }

    #[inline(always)]
    fn hook(&mut self, hook: &'static HookInfo, range: Option<&PteRange>) {
        if let Some(arch) = self.arch() {
            arch.hook(hook, range);
        }
    }

    #[inline(always)]
    fn warn(&mut self, found: &Warn) {
        warn_current(self, found);
    }

    #[inline(always)]
    fn point(&mut self, point: Point) {
        Current::point(self, point);
    }

    #[inline(always)]
    fn note(&mut self, event: Event<'_>) {
        Current::note(self, event);
    }

    #[inline(always)]
    fn returned(&mut self, call: &'static CallInfo) {
        if let Some(arch) = self.arch() {
            arch.returned(call);
        }
    }

    #[inline(always)]
    fn is_active(&mut self) -> bool {
        Current::is_active(self)
    }
}
