//! The generic layer of the Linux kernel's lazy MMU mode, in userspace.
//!
//! Between `lazy_mmu_mode_enable()` and `lazy_mmu_mode_disable()` a kernel may batch page table
//! updates. This crate has the generic API under the kernel's names, every API design as a pure
//! transition function, the current task as a thread-local, and a record of what was called.
//!
//! Annotate a function, run it, and read which hooks of the architecture it reaches:
//!
//! ```
//! use lazy_mmu::{lazy_mmu, lazy_mmu_paused, record_hooks};
//!
//! #[lazy_mmu]
//! fn zap(pages: &mut [u64]) {
//!     pages.fill(0);
//!     poison();
//! }
//!
//! #[lazy_mmu_paused]
//! fn poison() {}
//!
//! let ((), record) = record_hooks(|| zap(&mut [1, 2, 3]));
//! assert_eq!(
//!     record.to_string(),
//!     "\
//! zap:
//! lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
//!     poison:
//!     lazy_mmu_mode_pause()           -> arch_leave()  enable=1 pause=1
//!     lazy_mmu_mode_resume()          -> arch_enter()  enable=1 pause=0
//! lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
//! enable=0 pause=0, nothing pending
//! "
//! );
//! ```
//!
//! [`attributes`] describes the attributes and their arguments, [`sched::with_design`] runs code
//! under another API design, and [`design::LazyMmuDesign`] shows a design of one's own. In a test,
//! `assert_hooks!` (feature `insta`) compares a record with a snapshot.
//!
//! | kernel | here |
//! |---|---|
//! | include/linux/pgtable.h | [`pgtable`], [`section`] |
//! | include/linux/sched.h | [`sched`] |
//! | include/linux/preempt.h | [`preempt`] |
//! | include/linux/mm_types_task.h | [`design`] |
//! | asm/pgtable.h | [`arch`] |
//!
//! Beside the kernel's files, [`call`] executes a call on any task, and [`trace`] holds records.

#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(docsrs, feature(doc_cfg))]

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

#[doc(hidden)]
pub mod machine_api;
#[doc(hidden)]
pub mod registry;

mod annotated;
mod ptes;
mod rows;

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
        mention, never, paused_section, per_poll, per_poll_paused, pte_range, section,
        section_with_ptes,
    };
}
