//! The generic layer of the Linux kernel's lazy MMU mode, in userspace.
//!
//! Between `lazy_mmu_mode_enable()` and `lazy_mmu_mode_disable()` a kernel may batch page table
//! updates. This crate has the generic API under the kernel's names, every API design as a pure
//! transition function, the current task as a thread-local, and a record of what was called.
//!
//! | kernel | here |
//! |---|---|
//! | include/linux/pgtable.h | [`pgtable`], [`section`] |
//! | include/linux/sched.h | [`sched`] |
//! | include/linux/preempt.h | [`preempt`] |
//! | include/linux/mm_types_task.h | [`design`] |
//! | asm/pgtable.h | [`arch`] |
//!
//! Tests pin what code does with [`assert_hooks!`], with feature `insta`.

#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The output of the attributes says `::lazy_mmu`, in this crate too.
#[expect(
    unused_extern_crates,
    reason = "for attributes inside of this crate, of which there are none yet"
)]
extern crate self as lazy_mmu;

pub mod design;
pub mod preempt;
pub mod trace;

pub mod arch;
pub mod call;
pub mod sched;

pub mod pgtable;
pub mod section;
pub mod snapshot;

pub mod attributes;

pub mod panics;

mod annotated;
mod ptes;

#[cfg(feature = "insta")]
#[cfg_attr(docsrs, doc(cfg(feature = "insta")))]
pub use insta;
/// Runs the function inside a section: enables the mode first and disables it on every way out.
///
/// See [`attributes`].
pub use lazy_mmu_macros::lazy_mmu;
/// Runs the function inside a pause: pauses the mode first and resumes it on every way out.
///
/// See [`attributes`].
pub use lazy_mmu_macros::lazy_mmu_paused;

pub use pgtable::{
    lazy_mmu_mode_disable, lazy_mmu_mode_enable, lazy_mmu_mode_enable_with_ptes,
    lazy_mmu_mode_pause, lazy_mmu_mode_resume,
};
pub use ptes::{PteRange, PteRangePart};
pub use sched::{OnWarn, in_interrupt, is_lazy_mmu_mode_active, record_hooks};
pub use section::{LazyMmuPause, LazyMmuSection, with_lazy_mmu, with_lazy_mmu_paused};
pub use trace::Record;

/// What the attributes expand to; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::annotated::{
        Site, mention, never, paused_section, per_poll, per_poll_paused, pte_range, section,
        section_with_ptes,
    };
}
