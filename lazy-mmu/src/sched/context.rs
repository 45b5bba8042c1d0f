//! The context of the current task: preemption, bottom halves, interrupts.
//!
//! Models the changes of the preempt count in include/linux/preempt.h and kernel/sched/core.c
//! (v7.2 and v7.3).

use super::current::{Current, current};
use super::warn::warn_current;
use crate::design::{Check, Warn};
use crate::preempt::{Counted, Layout, PreemptCount};
use crate::trace::Event;

impl Current {
    fn change_context(&self, name: &'static str, what: Counted, add: bool, by_arch: bool) {
        let (layout, mut count) = (self.layout.get(), self.preempt_count.get());
        let found = change_preempt_count(&mut count, layout, what, add);
        self.set_preempt_count(count);
        self.note(Event::Context { name, preempt_count: count.read(layout), by_arch });
        if let Some(found) = found {
            warn_current(self, &found);
        }
    }
}

/// Changes `count` by one of `what` and returns what the kernel reports of it. A count that lacks
/// what is taken off stays as it is.
///
/// Fidelity: changed: `preempt_count_add()` and `preempt_count_sub()` of kernel/sched/core.c and
/// `__nmi_enter()`, `__nmi_exit()` of include/linux/hardirq.h, v7.2 and v7.3 with
/// `CONFIG_DEBUG_PREEMPT`; what is taken off must be in each field. kernel/softirq.c takes softirqs
/// and bottom halves off without a check, so that for those the report is the lab's own.
#[must_use]
pub fn change_preempt_count(
    count: &mut PreemptCount,
    layout: Layout,
    what: Counted,
    add: bool,
) -> Option<Warn> {
    use Check::{BugOn, DebugLocksWarnOn};
    let was = *count;
    let (check, cond) = match (what, add) {
        (Counted::Nmi, true) => {
            let full = was.0 & layout.nmi_mask() == layout.nmi_mask();
            let cond = match layout {
                Layout::V7_2 if full => "in_nmi() == NMI_MASK",
                Layout::V7_3 if full => "__this_cpu_read(nmi_nesting) >= 15",
                Layout::V7_2 | Layout::V7_3 | Layout::V7_3Separate => {
                    count.add(layout, what);
                    return None;
                }
            };
            (BugOn, cond)
        }
        (Counted::Nmi, false) if count.sub(layout, what) => return None,
        // It asks for the field of NMIs alone.
        (Counted::Nmi, false) if was.0 & layout.nmi_mask() != 0 => return None,
        (Counted::Nmi, false) => (BugOn, "!in_nmi()"),
        (_, true) => {
            count.add(layout, what);
            if u32::from(count.preempt_depth()) < PreemptCount::PREEMPT_MASK - 10 {
                return None;
            }
            (DebugLocksWarnOn, "(preempt_count() & PREEMPT_MASK) >= PREEMPT_MASK - 10")
        }
        (_, false) if count.sub(layout, what) => return None,
        (Counted::Preempt, false) if was.in_interrupt() => {
            (DebugLocksWarnOn, "(val < PREEMPT_MASK) && !(preempt_count() & PREEMPT_MASK)")
        }
        (_, false) => match layout {
            Layout::V7_2 => (DebugLocksWarnOn, "val > preempt_count()"),
            Layout::V7_3 | Layout::V7_3Separate => (DebugLocksWarnOn, "pc - uval > pc"),
        },
    };
    Some(Warn { check, cond })
}

macro_rules! context_changes {
    ($($(#[$meta:meta])* $name:ident = $how:literal $what:ident;)*) => {
        /// Every change that a task makes: its kernel name, what is counted, and whether it is one
        /// more.
        pub const CONTEXT_CHANGES: &[(&str, Counted, bool)] =
            &[$((stringify!($name), Counted::$what, $how)),*];

        $($(#[$meta])*
        pub fn $name() {
            current(|cur| {
                cur.change_context(stringify!($name), Counted::$what, $how, false);
            });
        })*
    };
}

context_changes! {
    /// Keeps the task on its CPU until the matching `preempt_enable()`.
    preempt_disable = true Preempt;
    /// Ends the innermost `preempt_disable()`.
    preempt_enable = false Preempt;
    /// Takes a spin lock: keeps the task on its CPU until the matching `spin_unlock()`.
    spin_lock = true Preempt;
    /// Releases the innermost spin lock.
    spin_unlock = false Preempt;
    /// Disables bottom halves, which counts as interrupt.
    local_bh_disable = true BottomHalves;
    /// Ends the innermost `local_bh_disable()`.
    local_bh_enable = false BottomHalves;
    /// A softirq begins on top of the current context.
    softirq_enter = true Softirq;
    /// The softirq ends.
    softirq_exit = false Softirq;
    /// A hard interrupt begins on top of the current context (`irq_enter()`).
    hardirq_enter = true Hardirq;
    /// The hard interrupt ends (`irq_exit()`).
    hardirq_exit = false Hardirq;
    /// A non-maskable interrupt begins on top of the current context.
    nmi_enter = true Nmi;
    /// The non-maskable interrupt ends.
    nmi_exit = false Nmi;
}

/// Changes the preempt count of the current task by one of `what`, under the kernel's `name` of the
/// change.
pub fn change_context(name: &'static str, what: Counted, add: bool) {
    current(|cur| cur.change_context(name, what, add, false));
}

/// `preempt_disable()` by a hook, a primitive or a context switch of the architecture: records show
/// it as their effect.
pub fn arch_preempt_disable() {
    let name = "preempt_disable";
    current(|cur| cur.change_context(name, Counted::Preempt, true, true));
}

/// `preempt_enable()` by the architecture.
pub fn arch_preempt_enable() {
    let name = "preempt_enable";
    current(|cur| cur.change_context(name, Counted::Preempt, false, true));
}

/// Turns preemption off for a few lines of arch code, which records do not show.
///
/// Fidelity: same as `get_cpu()` of include/linux/smp.h v7.0 and v7.3, without the CPU's number.
#[inline]
pub fn get_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.wrapping_add(1))));
}

/// Ends the innermost [`get_cpu`].
#[inline]
pub fn put_cpu() {
    current(|cur| cur.preempt_count.set(PreemptCount(cur.preempt_count.get().0.saturating_sub(1))));
}
