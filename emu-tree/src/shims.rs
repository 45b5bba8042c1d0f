//! The C of ours that surrounds the user's: one file for each purpose in shims/.

/// The part of every guest that talks to us.
pub(crate) const RUNTIME: &str = include_str!("shims/runtime.c");
/// What the headers of a kernel take for granted.
pub(crate) const KERNEL: &str = include_str!("shims/kernel.h");
/// Runs the calls of a design.
pub(crate) const DESIGN: &str = include_str!("shims/design.c");
/// What a KUnit test takes from kunit/test.h.
pub(crate) const KUNIT_HEAD: &str = include_str!("shims/kunit.h");
/// Runs the suites of a KUnit file.
pub(crate) const KUNIT_DRIVER: &str = include_str!("shims/kunit.c");
