//! Kernel eras: which API design belongs to which range of versions.
//!
//! An era is a range of versions with one API design, named after its last version. The code of an
//! architecture in an era is the business of its backend ([`Backend::in_kernel`]), which takes that
//! of the last version where it changed inside the range. What the rest of the kernel did in an era
//! is a fact of the [`Kernel`].
//!
//! Eras are mainline releases without what stable kernels have back-ported, but for `v6.12.y`.
//!
//! [`Backend::in_kernel`]: crate::backend::Backend::in_kernel

use std::fmt::{self, Display, Formatter};

use lazy_mmu::design::{Design, counts, counts_task, direct, with_ptes};
use lazy_mmu::preempt::Layout;

use crate::id::UnknownId;

macro_rules! eras {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $design:ident, $about:literal;)*) => {
        lazy_mmu::rows! {
            /// A kernel era; the order is that of the code.
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[non_exhaustive]
            pub enum Kernel, id, UnknownId::new("kernel") {
                $($(#[$meta])* $name = $id, $about;)*
            }
        }

        impl Kernel {
            /// The API design of the era.
            #[must_use]
            pub const fn design(self) -> Design {
                match self {
                    $(Self::$name => Design::of::<$design::State>(),)*
                }
            }
        }
    };
}

eras! {
    V6_0 = "v6.0", direct, "up to v6.0: powerpc sections can be preempted";
    V6_14 = "v6.14", direct, "v6.1 to v6.14: sparc64 is preemptible, Xen counts nesting";
    V6_12Y = "v6.12.y", direct, "stable v6.12 with fixes of v6.15, assumed since v6.12.24";
    V6_16 = "v6.16", direct, "v6.15, v6.16: nesting is forbidden; arm64 adopts the mode";
    V6_19 = "v6.19", direct, "v6.17 to v6.19: as v6.16";
    V7_0 = "v7.0", counts, "v7.0: nesting by counters in the task";
    V7_1 = "v7.1", counts, "v7.1: Xen hooks tolerate being called twice";
    V7_2 = "v7.2", counts_task, "v7.2: Xen uses the generic state alone";
    #[default]
    V7_3 = "v7.3", counts_task, "v7.3: another preempt count; the mode as in v7.2";
    S390V6 = "s390-v6", with_ptes, "the s390 proposal of July 2026 on top of v7.1";
}

impl Kernel {
    /// The era of a version as people and `uname -r` write it, such as `6.12`, `v7.1.13` or
    /// `7.3-rc7`, and a sentence that says so unless `text` is the id of the era.
    ///
    /// That v6.12.24 was the first with the fixes of v6.15 is an assumption: v6.12.117 was read.
    ///
    /// ```
    /// use emu_arch::Kernel;
    /// let era = |text| Kernel::of_version(text).map(|(kernel, _)| kernel);
    /// assert_eq!(era("6.12.107-amd64"), Ok(Kernel::V6_12Y));
    /// assert_eq!(era("7.1-rc2"), Ok(Kernel::V7_1));
    /// assert_eq!(Kernel::of_version("v7.1"), Ok((Kernel::V7_1, None)));
    /// ```
    ///
    /// # Errors
    /// `text` is no version, or one that is older than all eras.
    pub fn of_version(text: &str) -> Result<(Self, Option<String>), NoEra> {
        if let Ok(kernel) = text.parse() {
            return Ok((kernel, None));
        }
        let version = Version::parse(text);
        let version = version.ok_or_else(|| NoEra::Unknown(UnknownId::new("kernel", text)))?;
        if version.release < (6, 0) {
            return Err(NoEra::TooOld(text.to_owned()));
        }
        let back_ported = version.release == (6, 12) && version.stable >= V6_12Y_FROM;
        let not_older = |(_, release): &(Self, _)| *release >= version.release;
        let (kernel, why) = if back_ported {
            (Self::V6_12Y, "")
        } else if let Some((kernel, _)) = mainline().find(not_older) {
            let stable = ", without what its stable kernel has back-ported";
            (kernel, if version.stable > 0 { stable } else { "" })
        } else {
            (Self::default(), ", as it is newer")
        };
        // The era of one release begins with its name.
        let about = kernel.about();
        let about = about.split_once(": ").filter(|(id, _)| *id == kernel.id());
        let about = about.map_or(kernel.about(), |(_, about)| about);
        Ok((kernel, Some(format!("{text} is taken as {kernel}{why} ({about})"))))
    }

    /// Tells whether `design` is the one of this era; another one makes a pair that never existed.
    #[must_use]
    pub fn had(self, design: Design) -> bool {
        self.design() == design
    }

    /// Tells whether mapping and unmapping a table of vmalloc is a section.
    ///
    /// Fidelity: same as `vmap_pages_pte_range()` and `vunmap_pte_range()` of mm/vmalloc.c v6.12,
    /// without one, and v7.3; a section since v6.16, hence in all of the era v6.16.
    #[must_use]
    pub const fn vmalloc_is_section(self) -> bool {
        match self {
            Self::V6_0 | Self::V6_14 | Self::V6_12Y => false,
            Self::V6_16
            | Self::V6_19
            | Self::V7_0
            | Self::V7_1
            | Self::V7_2
            | Self::V7_3
            | Self::S390V6 => true,
        }
    }

    /// The layout of the preempt count; `separate` tells whether the architecture keeps the
    /// need-resched bit in another word, where it can.
    ///
    /// Fidelity: same as include/linux/preempt.h v7.2 and v7.3.
    #[must_use]
    pub const fn preempt_layout(self, separate: bool) -> Layout {
        match self {
            Self::V6_0
            | Self::V6_14
            | Self::V6_12Y
            | Self::V6_16
            | Self::V6_19
            | Self::V7_0
            | Self::V7_1
            | Self::V7_2
            | Self::S390V6 => Layout::V7_2,
            Self::V7_3 if separate => Layout::V7_3Separate,
            Self::V7_3 => Layout::V7_3,
        }
    }
}

/// The first release of stable v6.12 with the fixes of v6.15.
const V6_12Y_FROM: u16 = 24;

/// The eras of mainline, each with its last release.
fn mainline() -> impl Iterator<Item = (Kernel, (u16, u16))> {
    Kernel::ALL.into_iter().filter_map(|kernel| {
        let version = Version::parse(kernel.id())?;
        (version.stable == 0).then_some((kernel, version.release))
    })
}

/// A version of the kernel.
struct Version {
    release: (u16, u16),
    /// The number of the stable release: 0 for mainline, the highest for `y`.
    stable: u16,
}

impl Version {
    /// Reads a version, of which what follows the numbers does not count.
    fn parse(text: &str) -> Option<Self> {
        let numbers = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next()?;
        let mut parts = numbers.split('.');
        let release = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let stable = match parts.next() {
            None => 0,
            Some("y") => u16::MAX,
            Some(number) => number.parse().ok()?,
        };
        parts.next().is_none().then_some(Self { release, stable })
    }
}

/// Why a text names no era.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEra {
    /// It is no version.
    Unknown(UnknownId),
    /// It is older than all eras.
    TooOld(String),
}

impl Display for NoEra {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::TooOld(text) => {
                let newest = Kernel::default();
                write!(f, "expected a kernel from {} to {newest}, found {text}", Kernel::V6_0)
            }
        }
    }
}

impl std::error::Error for NoEra {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which era a version is taken as and what the note says besides.
    #[track_caller]
    fn check_era(text: &str, expected: Kernel, why: &str) {
        let (kernel, note) = Kernel::of_version(text).expect("it is a version");
        let note = note.expect("it is no id");
        let begins = format!("{text} is taken as {expected}{why} (");
        assert_eq!((kernel, note.starts_with(&begins)), (expected, true), "{note}");
    }

    #[test]
    fn any_version_has_an_era() {
        let stable = ", without what its stable kernel has back-ported";
        check_era("6.0", Kernel::V6_0, "");
        check_era("6.1", Kernel::V6_14, "");
        check_era("6.12", Kernel::V6_14, "");
        check_era("v6.12", Kernel::V6_14, "");
        check_era("6.12.23", Kernel::V6_14, stable);
        check_era("6.12.24", Kernel::V6_12Y, "");
        check_era("6.12.107+deb13-amd64", Kernel::V6_12Y, "");
        check_era("6.12.y", Kernel::V6_12Y, "");
        check_era("v6.15.3", Kernel::V6_16, stable);
        check_era("v7.1.13", Kernel::V7_1, stable);
        check_era("7.1.y", Kernel::V7_1, stable);
        check_era("7.3-rc7", Kernel::V7_3, "");
        check_era("8.0", Kernel::V7_3, ", as it is newer");
        for kernel in Kernel::ALL {
            assert_eq!(Kernel::of_version(kernel.id()), Ok((kernel, None)));
        }
        let refused = |text: &str| Kernel::of_version(text).expect_err("no era").to_string();
        assert_eq!(refused("5.15.200"), "expected a kernel from v6.0 to v7.3, found 5.15.200");
        for text in ["", "v", "7", "7.", "7.x", "7.1.2.3", "-7.1", "7.1.z", "99999.1"] {
            assert_eq!(refused(text), format!("no kernel {text:?}"));
        }
    }
}
