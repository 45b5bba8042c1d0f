//! Sections and pauses as values: guards, closure forms, and what the attributes expand to.
//!
//! A guard cannot leave its thread, since a section belongs to the task that began it. The raw
//! calls of [`crate::pgtable`] stay available: misuse must be expressible.

use std::marker::PhantomData;

use crate::pgtable::{
    lazy_mmu_mode_disable, lazy_mmu_mode_enable, lazy_mmu_mode_pause, lazy_mmu_mode_resume,
};

/// A section: the mode is enabled when it is made and disabled when it is dropped.
///
/// ```compile_fail
/// let section = lazy_mmu::LazyMmuSection::new();
/// std::thread::spawn(move || drop(section)); // a guard cannot leave its thread
/// ```
#[must_use = "the section ends when the guard is dropped"]
#[derive(Debug)]
pub struct LazyMmuSection(pub(crate) PhantomData<*const ()>);

impl LazyMmuSection {
    /// Calls [`lazy_mmu_mode_enable`].
    #[inline]
    #[expect(clippy::new_without_default, reason = "a section is begun, not defaulted")]
    pub fn new() -> Self {
        lazy_mmu_mode_enable();
        Self(PhantomData)
    }
}

impl Drop for LazyMmuSection {
    /// Calls [`lazy_mmu_mode_disable`].
    #[inline]
    fn drop(&mut self) {
        lazy_mmu_mode_disable();
    }
}

/// A pause: the mode is paused when it is made and resumed when it is dropped.
#[must_use = "the pause ends when the guard is dropped"]
#[derive(Debug)]
pub struct LazyMmuPause(pub(crate) PhantomData<*const ()>);

impl LazyMmuPause {
    /// Calls [`lazy_mmu_mode_pause`].
    #[inline]
    #[expect(clippy::new_without_default, reason = "a pause is begun, not defaulted")]
    pub fn new() -> Self {
        lazy_mmu_mode_pause();
        Self(PhantomData)
    }
}

impl Drop for LazyMmuPause {
    /// Calls [`lazy_mmu_mode_resume`].
    #[inline]
    fn drop(&mut self) {
        lazy_mmu_mode_resume();
    }
}

/// Runs `f` inside a section.
#[inline]
pub fn with_lazy_mmu<R>(f: impl FnOnce() -> R) -> R {
    let _section = LazyMmuSection::new();
    f()
}

/// Runs `f` inside a pause.
#[inline]
pub fn with_lazy_mmu_paused<R>(f: impl FnOnce() -> R) -> R {
    let _pause = LazyMmuPause::new();
    f()
}
