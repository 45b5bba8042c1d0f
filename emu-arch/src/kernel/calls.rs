//! What a call of the API is on a machine: the hooks that it reaches, and what it promises on return.

use lazy_mmu::PteRange;
use lazy_mmu::design::{Call, Hook};

use super::{Fault, Host, hinted_range};
use crate::backend::Backend;
use crate::hazard::{Hazard, Trigger};
use crate::tracker::Tracker;

/// A call reaches the architecture: runs `hook`, with the range that came with the call.
pub fn hook<H: Host>(host: &mut H, hook: Hook, hint: Option<&PteRange>) {
    let backend = host.backend();
    host.exercise(Trigger::Hook);
    match hook {
        Hook::Enter => backend.enter(host),
        Hook::Leave => {
            backend.leave(host);
            if host.has(Fault::LeaveLeaksPreempt) {
                host.preempt_disable();
            }
        }
        Hook::Flush => backend.flush(host),
        Hook::EnterWithPtes => match hint.and_then(hinted_range) {
            Some(range) => backend.enter_with_ptes(host, range),
            None => backend.enter(host),
        },
    }
    if matches!(hook, Hook::Enter | Hook::EnterWithPtes) {
        host.track(Tracker::entered);
    }
}

/// A call is about to return: outside of interrupts, a disable and a pause promise that the task's
/// updates are done.
pub fn returned<H: Host>(host: &mut H, call: Call) {
    host.exercise(Trigger::Call);
    if host.in_interrupt() {
        return;
    }
    match call {
        Call::Enable | Call::EnableWithPtes => host.exercise(Trigger::Enable),
        Call::Disable => {
            host.exercise(Trigger::Disable);
            host.must_be_done(Hazard::PendingAtDisable);
        }
        Call::Pause => {
            host.exercise(Trigger::Pause);
            host.must_be_done(Hazard::PendingAtPause);
        }
        Call::Resume => host.exercise(Trigger::Resume),
    }
}
