//! Kernel eras: which API design and which backend code belong together.
//!
//! An era is a range of versions with one API design, named after its last version; its backends are
//! those of that version, though some of them changed inside the range.

use lazy_mmu::design::Design;

use crate::Arch;

/// A kernel era.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kernel {
    /// Up to v6.0: powerpc sections can be preempted.
    V6_0,
    /// v6.1 to v6.14: Xen counts nesting from v6.6 on; sparc64 sections can be preempted.
    V6_14,
    /// v6.15 and v6.16: nesting is forbidden; arm64 adopts the mode in v6.16.
    V6_16,
    /// v6.17 to v6.19: as v6.16.
    V6_19,
    /// v7.0: nesting is supported, by counters in the task.
    #[default]
    V7_0,
    /// v7.1: as v7.0, with Xen hooks that tolerate being called twice.
    V7_1,
    /// v7.2: Xen uses the generic state alone.
    V7_2,
    /// The s390 proposal of July 2026, sixth version.
    S390V6,
}

impl Kernel {
    /// Every era, in the order of time.
    pub const ALL: [Self; 8] = [
        Self::V6_0,
        Self::V6_14,
        Self::V6_16,
        Self::V6_19,
        Self::V7_0,
        Self::V7_1,
        Self::V7_2,
        Self::S390V6,
    ];

    /// The id that the command line and snapshots use; never changes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::V6_0 => "v6.0",
            Self::V6_14 => "v6.14",
            Self::V6_16 => "v6.16",
            Self::V6_19 => "v6.19",
            Self::V7_0 => "v7.0",
            Self::V7_1 => "v7.1",
            Self::V7_2 => "v7.2",
            Self::S390V6 => "s390-v6",
        }
    }

    /// One line on what the era brought.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::V6_0 => "up to v6.0: powerpc sections can be preempted",
            Self::V6_14 => "v6.1 to v6.14: sparc64 is preemptible, Xen counts nesting",
            Self::V6_16 => "v6.15, v6.16: nesting is forbidden; arm64 adopts the mode",
            Self::V6_19 => "v6.17 to v6.19: as v6.16",
            Self::V7_0 => "v7.0: nesting by counters in the task",
            Self::V7_1 => "v7.1: Xen hooks tolerate being called twice",
            Self::V7_2 => "v7.2: Xen uses the generic state alone",
            Self::S390V6 => "the s390 proposal of July 2026 on top of v7.1",
        }
    }

    /// Finds an era by its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kernel| kernel.id() == id)
    }

    /// The API design of the era.
    #[must_use]
    pub fn design(self) -> Design {
        let id = match self {
            Self::V6_0 | Self::V6_14 | Self::V6_16 | Self::V6_19 => "direct",
            Self::V7_0 | Self::V7_1 => "counts",
            Self::V7_2 => "counts-task",
            Self::S390V6 => "with-ptes",
        };
        Design::by_id(id).expect("every era's design is in the list")
    }

    /// The default kernel, or the first that has `arch` where that one has it not.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let default = Self::default();
        let has = |kernel: &Self| kernel.has(arch).is_ok();
        if has(&default) { default } else { Self::ALL.into_iter().find(has).unwrap_or(default) }
    }

    /// Tells why `arch` does not have the mode in this era, if so.
    ///
    /// # Errors
    /// A sentence that says since when the architecture has the mode.
    pub fn has(self, arch: Arch) -> Result<(), &'static str> {
        match arch {
            Arch::S390 if self != Self::S390V6 => {
                Err("s390 has the mode in the proposal only: --kernel s390-v6")
            }
            Arch::Arm64 if self < Self::V6_16 => Err("arm64 has the mode since v6.16"),
            _ => Ok(()),
        }
    }

    /// Tells whether `design` is the one of this era; another one makes a pair that never existed.
    #[must_use]
    pub fn had(self, design: Design) -> bool {
        self.design() == design
    }
}
