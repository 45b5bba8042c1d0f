//! The generic API under the kernel's names: the shell around a design.
//!
//! Models include/linux/pgtable.h (v7.0). A call reads the task's state, asks the design what to
//! do, and does it effect by effect: store, hook, warn. Where nobody watches (no architecture, no
//! record, the default design) only the counters move and nothing is allocated.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::design::{Call, Check, Effect, LazyMmuDesign, LazyMmuState, Warn, counts};
use crate::sched::{Current, OnWarn, current};
use crate::trace::Event;

/// Begins a section: page table updates of the current task may be batched until the matching
/// [`lazy_mmu_mode_disable`]. Sections nest.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_enable() {
    call(Call::Enable);
}

/// Ends a section: all updates of the section have taken effect on return, at any depth.
///
/// Has no effect if the design ignores calls in interrupt or while paused.
#[inline]
pub fn lazy_mmu_mode_disable() {
    call(Call::Disable);
}

/// Suspends the mode: earlier updates have taken effect on return, later ones take effect at once,
/// until the matching [`lazy_mmu_mode_resume`].
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_pause() {
    call(Call::Pause);
}

/// Ends a pause.
///
/// Has no effect if the design ignores calls in interrupt.
#[inline]
pub fn lazy_mmu_mode_resume() {
    call(Call::Resume);
}

/// Makes `call`; the four functions of the API by value.
#[inline(always)]
pub fn call(call: Call) {
    current(|cur| {
        if cur.is_plain() {
            let state = counts::State::unpack(cur.state());
            let effects = state.step(cur.context(), call);
            if !effects.warns() {
                if let Some(state) = effects.stored() {
                    cur.set_plain_state(state.pack());
                }
                return;
            }
        }
        apply(cur, call);
    });
}

/// Makes `call` effect by effect, with somebody watching.
#[inline(never)]
fn apply(cur: &Current, call: Call) {
    cur.note(Event::Call(call));
    for effect in cur.design().step(cur.state(), cur.context(), call).iter() {
        match effect {
            Effect::Store(state) => {
                cur.set_state(state);
                cur.note(Event::Store(state));
            }
            Effect::Hook(hook) => {
                cur.note(Event::Hook(hook));
                if let Some(arch) = cur.arch() {
                    arch.hook(hook);
                }
            }
            Effect::Warn(found) => {
                warn(cur, &found);
                if found.check == Check::VmBugOn {
                    break;
                }
            }
        }
    }
    let (active, state) = (cur.is_active(), cur.state());
    cur.note(Event::Return { call, active, state });
}

/// Reports what a sanity check found, by the caller's policy.
#[cold]
pub(crate) fn warn(cur: &Current, found: &Warn) {
    /// The checks that have printed, as the kernel keeps a flag per check.
    static PRINTED: Mutex<BTreeSet<Warn>> = Mutex::new(BTreeSet::new());

    cur.note(Event::from(found));
    match cur.on_warn() {
        OnWarn::Panic if !std::thread::panicking() => panic!("WARNING: {found}"),
        OnWarn::PrintOnce if !crate::sched::recording() => {
            if PRINTED.lock().insert(*found) {
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
