//! The sanity checks of the emulated kernel.

use super::unknown::UnknownName;

crate::rows! {
    /// The macro that a sanity check of the kernel is written with.
    ///
    /// The first three exist only under `CONFIG_DEBUG_VM`, the fourth under `CONFIG_DEBUG_PREEMPT`
    /// and the like; the emulated kernels have them on. A check that reports once finds the same
    /// things later: a record has them, marked, and a kernel is silent.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Check, name, UnknownName::new("a check") {
        /// Reports the first time only; execution goes on.
        VmWarnOnOnce = "VM_WARN_ON_ONCE";
        /// Reports each time; execution goes on.
        VmWarnOn = "VM_WARN_ON";
        /// The rest of the call does not happen.
        VmBugOn = "VM_BUG_ON";
        /// What the preempt count checks are written with: the first that reports turns all others
        /// off (`debug_locks_off()`); execution goes on.
        DebugLocksWarnOn = "DEBUG_LOCKS_WARN_ON";
        /// The kernel stops here.
        BugOn = "BUG_ON";
        /// Reports the first time only, whatever the configuration; execution goes on.
        WarnOnOnce = "WARN_ON_ONCE";
        /// Reports each time, whatever the configuration; execution goes on.
        WarnOn = "WARN_ON";
    }
}

impl Check {
    /// Tells whether the rest of the call does not happen where the check finds something.
    #[must_use]
    pub const fn ends_call(self) -> bool {
        matches!(self, Self::VmBugOn | Self::BugOn)
    }

    /// What the kernel remembers of a report on `cond`, so as not to make it again until it boots;
    /// none where it reports each time.
    #[must_use]
    pub const fn reports_once(self, cond: &str) -> Option<&str> {
        match self {
            Self::VmWarnOnOnce | Self::WarnOnOnce => Some(cond),
            Self::DebugLocksWarnOn => Some("debug_locks"),
            Self::VmWarnOn | Self::WarnOn | Self::VmBugOn | Self::BugOn => None,
        }
    }
}

/// A sanity check of the emulated kernel that found something: data in the record, never a panic
/// of ours unless the caller asked for one.
///
/// Displays like the line of kernel code that fires:
/// `VM_WARN_ON_ONCE(state->enable_count == U8_MAX)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warn {
    /// The macro of the check.
    pub check: Check,
    /// The condition that was true, as the kernel or the mail has it.
    pub cond: &'static str,
}

impl Warn {
    /// A check written with `VM_WARN_ON_ONCE`.
    #[must_use]
    pub const fn once(cond: &'static str) -> Self {
        Self { check: Check::VmWarnOnOnce, cond }
    }

    /// A check written with `VM_WARN_ON`.
    #[must_use]
    pub const fn each_time(cond: &'static str) -> Self {
        Self { check: Check::VmWarnOn, cond }
    }

    /// A check written with `VM_BUG_ON`.
    #[must_use]
    pub const fn bug(cond: &'static str) -> Self {
        Self { check: Check::VmBugOn, cond }
    }
}

impl std::fmt::Display for Warn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.check, self.cond)
    }
}
