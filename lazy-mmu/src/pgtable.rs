//! The generic API under the kernel's names: the shell around a design.
//!
//! Models include/linux/pgtable.h (v7.0). A call reads the task's state, asks the design what to
//! do, and does it effect by effect: store, hook, warn. Where nobody watches (no architecture, no
//! record, the default design) only the counters move and nothing is allocated.
//!
//! Fidelity: changed: include/linux/pgtable.h v7.0 (5ab246749569): a call is a transition of the design
//! that is in force, and what a check does is configured.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::arch::Point;
use crate::design::{
    Call, Check, Context, Effect, Hook, LazyMmuDesign, LazyMmuState, Token, Warn, counts,
};
use crate::ptes::PteRange;
use crate::sched::{Current, OnWarn, Tokens, current};
use crate::trace::Event;

/// Begins a section: page table updates of the current task may be batched until the matching
/// [`lazy_mmu_mode_disable`]. Sections nest.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_enable() {
    make(Call::Enable);
}

/// Begins a section that will mostly touch the entries of `hint`: the s390 proposal.
///
/// A hint never changes what the section means. A design without the call makes a plain
/// [`lazy_mmu_mode_enable`] of it; a nested one counts and drops the hint.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_enable_with_ptes(hint: PteRange) {
    if !current(|cur| cur.count(Call::EnableWithPtes)) {
        enable_with_ptes_in_full(hint);
    }
}

/// Makes the call where somebody watches or more happens than that a counter moves.
#[cold]
#[inline(never)]
fn enable_with_ptes_in_full(hint: PteRange) {
    let hinted = current(|cur| !cur.is_plain() && cur.design().has_range_hint());
    if !hinted {
        make_in_full(Call::Enable);
        return;
    }
    let outer = current(|cur| cur.replace_hint(Some(hint)));
    make_in_full(Call::EnableWithPtes);
    current(|cur| cur.replace_hint(outer));
}

/// Ends a section: all updates of the section have taken effect on return, at any depth; under the
/// design `sketch` at the outermost one only.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_disable() {
    make(Call::Disable);
}

/// Suspends the mode: earlier updates have taken effect on return, later ones take effect at once,
/// until the matching [`lazy_mmu_mode_resume`].
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_pause() {
    make(Call::Pause);
}

/// Ends a pause.
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_resume() {
    make(Call::Resume);
}

/// `__task_lazy_mmu_mode_pause(current)` of v7.2: pause without the question for interrupts. For
/// arch code that switches tasks, which makes the task that it means current.
pub fn task_lazy_mmu_mode_pause() {
    current(|cur| {
        cur.note(Event::Effect { name: "__task_lazy_mmu_mode_pause()", n: None });
        run(cur, Call::Pause, Context::default());
    });
}

/// `__task_lazy_mmu_mode_resume(current)` of v7.2: resume without the question for interrupts.
pub fn task_lazy_mmu_mode_resume() {
    current(|cur| {
        cur.note(Event::Effect { name: "__task_lazy_mmu_mode_resume()", n: None });
        run(cur, Call::Resume, Context::default());
    });
}

/// Makes `call`: the four functions of the API by value.
pub fn call(call: Call) {
    match call {
        Call::Enable => lazy_mmu_mode_enable(),
        Call::Disable => lazy_mmu_mode_disable(),
        Call::Pause => lazy_mmu_mode_pause(),
        Call::Resume => lazy_mmu_mode_resume(),
        Call::EnableWithPtes => lazy_mmu_mode_enable_with_ptes(PteRange::default()),
    }
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
    current(|cur| {
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
        apply_raw(cur, call);
    });
}

/// Makes `call` for a caller that keeps no token.
fn apply_raw(cur: &Current, call: Call) {
    if !cur.design().has_tokens() {
        apply(cur, call, Token::DEFAULT);
        return;
    }
    match call {
        Call::Enable | Call::EnableWithPtes => {
            let token = apply(cur, call, Token::DEFAULT);
            cur.with_tokens(|tokens| tokens.push(token));
        }
        Call::Disable => {
            let token = cur.with_tokens(Tokens::pop);
            apply(cur, call, token);
        }
        Call::Pause | Call::Resume => {
            apply(cur, call, Token::DEFAULT);
        }
    }
}

/// Makes `call` effect by effect, with somebody watching; returns what the call returns.
fn apply(cur: &Current, call: Call, token: Token) -> Token {
    cur.note(Event::Call(call));
    let token = run(cur, call, cur.context(token));
    if let Some(arch) = cur.arch() {
        arch.returned(call);
    }
    let (active, state) = (cur.is_active(), cur.state());
    cur.note(Event::Return { call, active, state });
    token
}

/// Does the effects of `call`, in order.
fn run(cur: &Current, call: Call, cx: Context) -> Token {
    let mut dead = false;
    cur.design().each(cur.state(), cx, call, &mut |effect| match effect {
        _ if dead => {}
        Effect::Store(state) => {
            cur.point(Point::Store);
            cur.set_state(state);
            cur.note(Event::Store(state));
        }
        Effect::Hook(Hook::Enter) if call == Call::EnableWithPtes => {
            cur.point(Point::Hook(Hook::EnterWithPtes));
            cur.note(Event::Hook(Hook::EnterWithPtes));
            if let (Some(arch), Some(hint)) = (cur.arch(), cur.replace_hint(None)) {
                arch.enter_with_ptes(&hint);
            }
        }
        Effect::Hook(hook) => {
            cur.point(Point::Hook(hook));
            cur.note(Event::Hook(hook));
            if let Some(arch) = cur.arch() {
                arch.hook(hook);
            }
        }
        Effect::Warn(found) => {
            warn(cur, &found);
            dead = found.check == Check::VmBugOn;
        }
    })
}

/// Reports what a sanity check found, by the caller's policy.
#[cold]
pub(crate) fn warn(cur: &Current, found: &Warn) {
    /// The checks that have printed, as the kernel keeps a flag per check.
    static PRINTED: Mutex<BTreeSet<Warn>> = Mutex::new(BTreeSet::new());

    cur.note(Event::from(found));
    if let Some(arch) = cur.arch().filter(|_| found.check != Check::BugOn) {
        arch.warned(found);
    }
    match cur.on_warn() {
        OnWarn::Panic if !std::thread::panicking() => panic!("WARNING: {found}"),
        OnWarn::PrintOnce if !crate::sched::recording() => {
            if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(*found) {
                print(found);
            }
        }
        OnWarn::Record | OnWarn::PrintOnce | OnWarn::Panic => {}
    }
}

#[expect(clippy::print_stderr, reason = "the policy that the caller chose")]
fn print(found: &Warn) {
    eprintln!("WARNING: {found}");
}
