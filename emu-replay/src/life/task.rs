//! A process or a thread: which address space it has, and what it is about to do.

use crate::strace::Call;

/// A process or a thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    /// The process that a thread belongs to.
    pub(super) tgid: u32,
    /// The number of its address space.
    pub(super) mm: usize,
    /// The call that it has begun.
    pub(super) began: Option<Call>,
    /// The child of the call that it has begun, once that has a line of its own.
    pub(super) child: Option<u32>,
    /// What it has begun is done already.
    pub(super) is_done: bool,
    /// It has called nothing since its `execve()`.
    pub(super) is_fresh: bool,
    /// It is stopped by a signal.
    pub(super) is_stopped: bool,
}

impl Task {
    pub(super) const fn new(tgid: u32, mm: usize) -> Self {
        let (is_done, is_fresh, is_stopped) = (false, false, false);
        Self { tgid, mm, began: None, child: None, is_done, is_fresh, is_stopped }
    }

    /// Whether it is about to make a child that has had no line yet.
    pub(super) const fn is_cloning(&self) -> bool {
        matches!(self.began, Some(Call::Clone(_))) && self.child.is_none()
    }
}
