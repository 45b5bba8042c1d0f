//! Proposed fixes of one bug: under Xen PV v7.2 and v7.3 a forked task is resumed by its first
//! switch, though nobody has paused it.
//!
//! Each is a change of the kernel's code that a search can look at, and no code of any kernel.

use lazy_mmu::design::{Design, StateBits};
use lazy_mmu::sched::TaskStruct;

use super::task::switched_out;
use crate::id::UnknownId;

lazy_mmu::rows! {
    /// A fix of the resume of a forked task that nobody paused (Xen PV v7.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Fix, id, UnknownId::new("fix") {
        /// `dup_task_struct()` clears `lazy_mmu_state`.
        ResetInFork = "reset-in-fork", "a fork clears the lazy MMU state of the child";
        /// The same, and the child begins paused, as a task that a switch has left.
        PausedAtBirth = "paused-at-birth", "a fork makes a child that is paused once";
        /// The switch keeps a thread flag of its own, as up to v6.19, and a child copies it clear.
        SwitchFlag = "switch-flag", "a switch resumes only a task that it has paused, by a flag";
    }
}

/// Bit of the thread flag of a task that a switch has paused.
const TIF_SWITCH_PAUSED: u32 = 27;

impl Fix {
    /// What a fork makes of the child `task` under `design`; `pauses` where the switch pauses the
    /// outgoing task.
    pub(crate) fn born(self, task: TaskStruct, design: Design, pauses: bool) -> TaskStruct {
        let fresh = TaskStruct { lazy_mmu_state: StateBits::default(), ..task };
        match self {
            Self::ResetInFork => fresh,
            Self::PausedAtBirth => switched_out(fresh, design, pauses),
            Self::SwitchFlag => task,
        }
    }

    /// The switch has paused `task`.
    pub(crate) fn paused(self, task: &mut TaskStruct) {
        if self == Self::SwitchFlag {
            task.flags |= 1 << TIF_SWITCH_PAUSED;
        }
    }

    /// Whether the switch resumes `task`.
    pub(crate) fn resumes(self, task: &mut TaskStruct) -> bool {
        let paused = task.flags >> TIF_SWITCH_PAUSED & 1 != 0;
        task.flags &= !(1 << TIF_SWITCH_PAUSED);
        self != Self::SwitchFlag || paused
    }
}
