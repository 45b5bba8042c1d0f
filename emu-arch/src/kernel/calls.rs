//! What a call of the API is on a machine: the hooks that it reaches, and what it promises on
//! return.

use lazy_mmu::PteRange;
use lazy_mmu::design::{CallInfo, Hook, HookInfo, Role};

use super::{Fault, Host, hinted_range};
use crate::backend::Backend;
use crate::hazard::{Hazard, Trigger};
use crate::tracker::Tracker;

/// A call reaches the architecture: runs `hook`, or what an architecture without it runs instead.
/// `range` is the argument of the call.
pub fn hook<H: Host>(host: &mut H, hook: &HookInfo, range: Option<&PteRange>) {
    let backend = host.backend();
    host.exercise(Trigger::Hook);
    let own = Some(hook.hook) != hook.kernel()
        && backend.own_hook(host, hook.hook, range.and_then(hinted_range));
    match hook.kernel().filter(|_| !own) {
        Some(Hook::ENTER) => backend.enter(host),
        Some(Hook::LEAVE) => backend.leave(host),
        Some(Hook::FLUSH) => backend.flush(host),
        _ => {}
    }
    if hook.kernel() == Some(Hook::LEAVE) && host.has(Fault::LeaveLeaksPreempt) {
        host.preempt_disable();
    }
    if hook.kernel() == Some(Hook::ENTER) {
        host.track(Tracker::entered);
    }
}

/// A call is about to return: outside of interrupts, the end of a section and the beginning of a
/// pause promise that the task's updates are done, and the mode is off once everything is closed.
pub fn returned<H: Host>(host: &mut H, call: &CallInfo) {
    host.exercise(Trigger::Call);
    if host.preempt_count().in_interrupt() {
        return;
    }
    match call.role {
        Role::OpensSection => host.exercise(Trigger::Enable),
        Role::ClosesSection => {
            host.exercise(Trigger::Disable);
            host.must_be_done(Hazard::PendingAtDisable);
        }
        Role::OpensPause => {
            host.exercise(Trigger::Pause);
            host.must_be_done(Hazard::PendingAtPause);
        }
        Role::ClosesPause => host.exercise(Trigger::Resume),
        Role::Neither => {}
    }
    if host.took_bracket(call.role) {
        host.exercise(Trigger::LastClose);
        if host.task_lazy_mmu_mode_active() {
            host.report(Hazard::ModeLeftOn);
        }
    }
}
