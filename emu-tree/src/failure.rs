//! What went wrong in a guest while the emulated kernel ran.

use std::sync::OnceLock;

use crate::error::Error;

/// The first thing that went wrong.
static FAILED: OnceLock<Error> = OnceLock::new();

/// What went wrong in a guest, if anything did: what was computed since is not to be believed.
///
/// A transition or a primitive has no way to say so: it then does nothing.
#[must_use]
pub fn failure() -> Option<&'static Error> {
    FAILED.get()
}

/// Notes what went wrong.
pub(crate) fn fail(error: Error) {
    let _ = FAILED.set(error);
}
