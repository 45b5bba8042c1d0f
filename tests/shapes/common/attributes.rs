//! Attributes of the function: above, below, inside; and lints that it silences or expects.

use std::panic::Location;

use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

/// Docs above.
#[lazy_mmu]
/// Docs below.
#[doc = "More."]
#[doc(alias = "zap")]
pub fn documented() {}

#[inline]
#[lazy_mmu]
pub fn inline_above(x: u8) -> u8 {
    x
}

#[lazy_mmu]
#[inline(always)]
pub fn inline_below(x: u8) -> u8 {
    x
}

#[cold]
#[lazy_mmu]
#[inline(never)]
pub fn cold() {}

#[track_caller]
#[lazy_mmu]
pub fn track_caller_above() -> u32 {
    Location::caller().line()
}

#[lazy_mmu]
#[track_caller]
pub fn track_caller_below() -> u32 {
    Location::caller().line()
}

#[must_use]
#[lazy_mmu]
pub fn must_use_above() -> u8 {
    1
}

#[lazy_mmu]
#[must_use = "it is a number"]
pub fn must_use_below() -> u8 {
    1
}

#[lazy_mmu]
#[unsafe(export_name = concat!("lazy_mmu_", env!("CARGO_PKG_NAME")))]
pub fn export_name() {}

#[lazy_mmu]
#[unsafe(link_section = ".text.lazy_mmu_shapes")]
pub fn link_section() {}

#[cfg(target_arch = "x86_64")]
#[lazy_mmu]
#[target_feature(enable = "sse2")]
pub fn target_feature_below(x: u8) -> u8 {
    x
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[lazy_mmu]
/// # Safety
/// Needs SSE2.
pub unsafe fn target_feature_above(x: u8) -> u8 {
    x
}

#[lazy_mmu]
#[deprecated(note = "an example")]
pub fn deprecated() {}

#[cfg(not(any()))]
#[lazy_mmu]
pub fn cfg_true() {}

#[lazy_mmu]
#[cfg(any())]
pub fn cfg_false() -> Missing {}

#[cfg_attr(not(any()), lazy_mmu)]
pub fn cfg_attr_true() -> bool {
    lazy_mmu::is_lazy_mmu_mode_active()
}

#[cfg_attr(any(), lazy_mmu)]
pub fn cfg_attr_false() -> bool {
    lazy_mmu::is_lazy_mmu_mode_active()
}

#[lazy_mmu]
#[cfg_attr(not(any()), inline)]
#[rustfmt::skip]
pub  fn  skipped_by_rustfmt ( )  { }

#[lazy_mmu]
#[expect(dead_code)]
fn expected_dead() {}

#[expect(dead_code)]
#[lazy_mmu]
fn expected_dead_above(x: u8) -> u8 {
    x
}

#[lazy_mmu]
#[expect(unused_variables, unused_mut)]
pub fn expected_unused(x: u8) {
    let mut y = 1;
}

#[lazy_mmu]
#[expect(unreachable_code)]
pub fn expected_unreachable() -> u8 {
    return 1;
    2
}

#[lazy_mmu]
#[expect(unused_must_use)]
pub fn expected_must_use() {
    must_use_above();
}

#[lazy_mmu]
#[expect(clippy::needless_return)]
pub fn expected_clippy() -> u8 {
    return 1;
}

#[lazy_mmu]
#[expect(non_snake_case)]
pub fn expectedName() {}

#[lazy_mmu]
#[expect(unconditional_recursion)]
pub fn expected_recursion() {
    expected_recursion()
}

#[lazy_mmu]
#[allow(unused_assignments)]
pub fn allowed() -> u8 {
    let mut x = 1;
    x = 2;
    x
}

#[lazy_mmu]
pub fn inner_attribute() {
    #![allow(unused_variables)]
    let x = 1;
}

#[lazy_mmu]
pub fn inner_expect() {
    #![expect(unused_variables)]
    let x = 1;
}

#[lazy_mmu]
pub fn inner_docs() {
    //! Docs inside.
    //!
    //! Two paragraphs.
    #![allow(dead_code)]
    /*! And a block. */
    fn unused() {}
}

#[lazy_mmu]
pub fn inner_attribute_alone() {
    #![allow(unused)]
}

#[lazy_mmu]
#[lazy_mmu_paused]
pub fn both() {}

#[lazy_mmu_paused]
#[inline]
#[lazy_mmu(name = "other")]
pub fn both_the_other_way() {}

#[lazy_mmu()]
pub fn empty_arguments() {}

#[lazy_mmu(name = "a name")]
pub fn named() {}

#[lazy_mmu(crate = ::lazy_mmu, name = "a name")]
pub fn facade_by_path() {}

#[lazy_mmu(skip)]
pub const fn skipped() {}

#[lazy_mmu(allow_future)]
pub fn future() -> impl std::future::Future<Output = u8> {
    async { 1 }
}

#[lazy_mmu(with_ptes(mm, addr, addr + (nr << 12), ptep))]
pub fn with_ptes(mm: &u32, addr: u64, nr: u64, ptep: &mut *mut u64) -> u64 {
    *ptep = std::ptr::null_mut();
    addr + nr + u64::from(*mm)
}

#[::lazy_mmu::lazy_mmu]
pub fn by_absolute_path() {}

/// The attribute under another name.
pub mod renamed {
    use lazy_mmu::lazy_mmu as section;

    #[section]
    pub fn renamed() {}
}

/// Everything is documented.
pub mod documented_all {
    #![deny(missing_docs)]
    use lazy_mmu::lazy_mmu;

    /// Documented.
    #[lazy_mmu]
    pub fn documented() {}
}

/// Nothing is unsafe.
pub mod safe {
    #![forbid(unsafe_code)]
    use lazy_mmu::{lazy_mmu, lazy_mmu_paused};

    #[lazy_mmu]
    pub fn section() {}

    #[lazy_mmu_paused]
    pub fn pause() {}

    #[lazy_mmu(per_poll)]
    pub async fn polled() {}
}

/// Warnings cannot be silenced.
pub mod forbidding {
    #![forbid(warnings, unused, clippy::all)]
    use lazy_mmu::lazy_mmu;

    #[lazy_mmu]
    pub fn section(x: u8) -> u8 {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[lazy_mmu]
    #[test]
    fn test_below() {
        assert!(lazy_mmu::is_lazy_mmu_mode_active());
    }

    #[test]
    #[lazy_mmu]
    fn test_above() -> Result<(), std::fmt::Error> {
        assert!(lazy_mmu::is_lazy_mmu_mode_active());
        Ok(())
    }

    #[test]
    fn the_caller_is_tracked() {
        assert_eq!([track_caller_above(), track_caller_below()], [line!(); 2]);
    }

    #[test]
    fn cfg_attr_decides() {
        assert_eq!([cfg_attr_true(), cfg_attr_false()], [true, false]);
    }
}
