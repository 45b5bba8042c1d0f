//! Kernel eras: which API design belongs to which range of versions.
//!
//! An era is a range of versions with one API design, named after its last version. The code of an
//! architecture in an era is the business of its backend ([`Backend::in_kernel`]), which takes that
//! of the last version where it changed inside the range.
//!
//! [`Backend::in_kernel`]: crate::backend::Backend::in_kernel

use lazy_mmu::design::{Design, counts, counts_task, direct, with_ptes};

use crate::id::UnknownId;

macro_rules! eras {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $design:ident, $about:literal;)*) => {
        lazy_mmu::rows! {
            /// A kernel era.
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
    V6_16 = "v6.16", direct, "v6.15, v6.16: nesting is forbidden; arm64 adopts the mode";
    V6_19 = "v6.19", direct, "v6.17 to v6.19: as v6.16";
    #[default]
    V7_0 = "v7.0", counts, "v7.0: nesting by counters in the task";
    V7_1 = "v7.1", counts, "v7.1: Xen hooks tolerate being called twice";
    V7_2 = "v7.2", counts_task, "v7.2: Xen uses the generic state alone";
    S390V6 = "s390-v6", with_ptes, "the s390 proposal of July 2026 on top of v7.1";
}

impl Kernel {
    /// Tells whether `design` is the one of this era; another one makes a pair that never existed.
    #[must_use]
    pub fn had(self, design: Design) -> bool {
        self.design() == design
    }
}
