//! Why a function of mm/ did not do what it was to do: the kernel's error numbers.

use std::fmt::{self, Display, Formatter};

/// An error number of include/uapi/asm-generic/errno-base.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// Try again.
    EAGAIN,
    /// No permission.
    EACCES,
    /// Somebody uses it.
    EBUSY,
    /// Something is there already.
    EEXIST,
    /// Nothing is there.
    ENOENT,
    /// There is no room for the answer.
    ENOSPC,
}

impl Display for Errno {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "-{self:?}")
    }
}

impl std::error::Error for Errno {}
