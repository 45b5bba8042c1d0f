//! Snapshot assertions over records, with insta (feature `insta`).
//!
//! A snapshot of a record shows a change of behaviour as a diff in review. Its text is the tree, so
//! what a person reads and what a test pins are the same.

/// Asserts that what `body` does matches a snapshot, and returns the value of `body`.
///
/// Three forms, as of `insta::assert_snapshot!`: with a name, which may be any expression that
/// gives text, with the text in place, and without a name, where insta makes one of the test
/// function's. Nothing may follow the text in place.
///
/// The form with the text in place cannot stand inside a recorded body, where `cargo insta accept`
/// would overwrite the wrong text; it panics there.
///
/// ```
/// use lazy_mmu::{assert_hooks, with_lazy_mmu};
/// let pages = assert_hooks!(with_lazy_mmu(|| 3), @r"
/// lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
/// lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
/// enable=0 pause=0, nothing pending
/// ");
/// assert_eq!(pages, 3);
/// ```
#[cfg(feature = "insta")]
#[cfg_attr(docsrs, doc(cfg(feature = "insta")))]
#[macro_export]
macro_rules! assert_hooks {
    ($name:expr, $body:expr $(,)?) => {{
        let (value, record) = $crate::record_hooks(|| $body);
        $crate::snapshot::settings().bind(|| {
            $crate::insta::assert_snapshot!($name, record);
        });
        value
    }};
    ($body:expr, @ $text:literal $(,)?) => {{
        $crate::snapshot::refuse_nested();
        let (value, record) = $crate::record_hooks(|| $body);
        $crate::insta::assert_snapshot!(record, @$text);
        value
    }};
    ($body:expr $(,)?) => {{
        let (value, record) = $crate::record_hooks(|| $body);
        $crate::snapshot::settings().bind(|| {
            $crate::insta::assert_snapshot!(record);
        });
        value
    }};
}

/// Asserts that what a body does matches a snapshot: with feature `insta` only.
///
/// Without the feature each use is an error with the lines that Cargo.toml needs:
///
/// ```toml
/// [dev-dependencies]
/// lazy-mmu = { path = "../lazymmu/lazy-mmu", features = ["insta"] }
/// ```
#[cfg(not(feature = "insta"))]
#[macro_export]
macro_rules! assert_hooks {
    ($($body:tt)*) => {
        ::core::compile_error!(
            "assert_hooks! needs feature `insta` of lazy-mmu; enable it in Cargo.toml:\n\
             [dev-dependencies]\n\
             lazy-mmu = { path = \"../lazymmu/lazy-mmu\", features = [\"insta\"] }"
        )
    };
}

/// The settings of the caller, without the expression, which goes stale.
#[cfg(feature = "insta")]
#[doc(hidden)]
#[must_use]
pub fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings
}

/// Panics inside a recorded body.
#[cfg(feature = "insta")]
#[doc(hidden)]
pub fn refuse_nested() {
    assert!(
        !crate::sched::recording(),
        "assert_hooks! with the text in place cannot stand inside a recorded body: give it a name"
    );
}
