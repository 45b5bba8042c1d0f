//! What of a tree is an architecture.

use std::sync::OnceLock;

use emu_arch::Arch;

use super::guest::ArchGuest;

/// What is taken from a tree for an architecture.
pub(super) struct Recipe {
    /// The id of the lab's own backend.
    pub(super) id: &'static str,
    /// The files, those of what others use first.
    pub(super) files: &'static [&'static str],
    /// The definitions that cannot be missing; what they use comes along.
    pub(super) roots: &'static [&'static str],
    /// Our C before the types of the tree, behind them, and behind its functions.
    pub(super) shims: [&'static str; 3],
    /// A member of the batch that trees before v7.0 have: their code is not run.
    pub(super) before: (&'static str, &'static str),
    /// Where the guest of this process is.
    pub(super) guest: &'static OnceLock<ArchGuest>,
    /// The architecture that runs it.
    pub(super) arch: fn() -> Arch,
}
