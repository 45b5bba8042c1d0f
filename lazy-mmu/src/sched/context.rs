//! The context of the current task: preemption, bottom halves, interrupts.
//!
//! Models the changes of the preempt count in include/linux/preempt.h and kernel/sched/core.c
//! (v7.0).

use super::current::{Current, current};
use super::warn::warn_current;
use crate::design::{Check, Warn};
use crate::preempt::PreemptCount;
use crate::trace::Event;

impl Current {
    fn change_context(&self, name: &'static str, offset: u32, add: bool, by_arch: bool) {
        let mut count = self.preempt_count.get();
        let fits = if add { count.add(offset) } else { count.sub(offset) };
        self.set_preempt_count(count);
        self.note(Event::Context { name, preempt_count: count, by_arch });
        if !fits {
            warn_current(self, &bad_preempt_count(count, offset, add));
        }
    }
}

/// What the kernel reports where the preempt count cannot change as asked; it then stays as it is.
///
/// Fidelity: changed: the checks of `preempt_count_add()` and `preempt_count_sub()` in
/// kernel/sched/core.c v7.0 and of `__nmi_enter()`, with every field guarded where the kernel lets
/// a full one spill into the next.
#[must_use]
pub fn bad_preempt_count(count: PreemptCount, offset: u32, add: bool) -> Warn {
    let (check, cond) = match (offset, add) {
        (PreemptCount::NMI_OFFSET, true) => (Check::BugOn, "in_nmi() == NMI_MASK"),
        (PreemptCount::NMI_OFFSET, false) => (Check::BugOn, "!in_nmi()"),
        (_, true) => {
            (Check::DebugLocksWarnOn, "(preempt_count() & PREEMPT_MASK) >= PREEMPT_MASK - 10")
        }
        (PreemptCount::PREEMPT_OFFSET, false) if count.0 > 0 => {
            (Check::DebugLocksWarnOn, "(val < PREEMPT_MASK) && !(preempt_count() & PREEMPT_MASK)")
        }
        (_, false) => (Check::DebugLocksWarnOn, "val > preempt_count()"),
    };
    Warn { check, cond }
}

macro_rules! context_changes {
    ($($(#[$meta:meta])* $name:ident = $how:literal $offset:ident;)*) => {
        /// Every change that a task makes: its kernel name, the offset, and whether it is added.
        pub const CONTEXT_CHANGES: &[(&str, u32, bool)] =
            &[$((stringify!($name), PreemptCount::$offset, $how)),*];

        $($(#[$meta])*
        pub fn $name() {
            current(|cur| {
                cur.change_context(stringify!($name), PreemptCount::$offset, $how, false);
            });
        })*
    };
}

context_changes! {
    /// Keeps the task on its CPU until the matching `preempt_enable()`.
    preempt_disable = true PREEMPT_OFFSET;
    /// Ends the innermost `preempt_disable()`.
    preempt_enable = false PREEMPT_OFFSET;
    /// Takes a spin lock: keeps the task on its CPU until the matching `spin_unlock()`.
    spin_lock = true PREEMPT_OFFSET;
    /// Releases the innermost spin lock.
    spin_unlock = false PREEMPT_OFFSET;
    /// Disables bottom halves, which counts as interrupt.
    local_bh_disable = true SOFTIRQ_DISABLE_OFFSET;
    /// Ends the innermost `local_bh_disable()`.
    local_bh_enable = false SOFTIRQ_DISABLE_OFFSET;
    /// A softirq begins on top of the current context.
    softirq_enter = true SOFTIRQ_OFFSET;
    /// The softirq ends.
    softirq_exit = false SOFTIRQ_OFFSET;
    /// A hard interrupt begins on top of the current context (`irq_enter()`).
    hardirq_enter = true HARDIRQ_OFFSET;
    /// The hard interrupt ends (`irq_exit()`).
    hardirq_exit = false HARDIRQ_OFFSET;
    /// A non-maskable interrupt begins on top of the current context.
    nmi_enter = true NMI_OFFSET;
    /// The non-maskable interrupt ends.
    nmi_exit = false NMI_OFFSET;
}

/// Changes the preempt count of the current task by `offset`, under the kernel's `name` of the
/// change.
pub fn change_context(name: &'static str, offset: u32, add: bool) {
    current(|cur| cur.change_context(name, offset, add, false));
}

/// `preempt_disable()` by a hook, a primitive or a context switch of the architecture: records show
/// it as their effect.
pub fn arch_preempt_disable() {
    let name = "preempt_disable";
    current(|cur| cur.change_context(name, PreemptCount::PREEMPT_OFFSET, true, true));
}

/// `preempt_enable()` by the architecture.
pub fn arch_preempt_enable() {
    let name = "preempt_enable";
    current(|cur| cur.change_context(name, PreemptCount::PREEMPT_OFFSET, false, true));
}

/// Turns preemption off for a few lines of arch code, which records do not show.
///
/// Fidelity: same as `get_cpu()` of include/linux/smp.h v7.0, without the number of the CPU.
#[inline]
pub fn get_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.wrapping_add(1))));
}

/// Ends the innermost [`get_cpu`].
#[inline]
pub fn put_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.saturating_sub(1))));
}
