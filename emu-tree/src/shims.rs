//! The C of ours that surrounds the user's: one file for each purpose in shims/.

/// The part of every guest that talks to us.
pub(crate) const RUNTIME: &str = include_str!("shims/runtime.c");
/// What the headers of a kernel take for granted.
pub(crate) const KERNEL: &str = include_str!("shims/kernel.h");
/// Runs the calls of a design.
pub(crate) const DESIGN: &str = include_str!("shims/design.c");
/// What the code of an architecture takes for granted.
pub(crate) const ARCH_HEAD: &str = include_str!("shims/arch.h");
/// Runs the operations of an architecture.
pub(crate) const ARCH: &str = include_str!("shims/arch.c");
/// sparc64: before the types of the tree, behind them, and the operations.
pub(crate) const SPARC64: [&str; 3] = [
    include_str!("shims/sparc64.c"),
    include_str!("shims/sparc64_hw.c"),
    include_str!("shims/sparc64_ops.c"),
];
/// What a KUnit test takes from kunit/test.h.
pub(crate) const KUNIT_HEAD: &str = include_str!("shims/kunit.h");
/// Runs the suites of a KUnit file.
pub(crate) const KUNIT_DRIVER: &str = include_str!("shims/kunit.c");
