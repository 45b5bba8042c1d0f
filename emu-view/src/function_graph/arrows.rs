//! The arrows of the tracer around what comes in the middle of a function.

/// Something comes.
pub(super) const INTERRUPTED: &str = "==========>";
/// The function goes on.
pub(super) const GOES_ON: &str = "<==========";
