//! What a correct program may do on an architecture in an era: the contract of the mode as a value.

use emu_arch::{Arch, Kernel};

/// The contract on one architecture in one era.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) arch: Arch,
    pub(super) kernel: Kernel,
    /// The generic layer counts: v7.0 and later.
    pub(super) counts: bool,
    /// Sections may be nested.
    pub(super) nests: bool,
    /// A pause inside of a nested section is one. Under Xen PV up to v6.14 it leaves one level; see
    /// scenarios/bugs/xen-nested-paused.scn.
    pub(super) pauses_nested: bool,
    /// A task in a section has preemption off.
    pub(super) holds_cpu: bool,
    /// An entry may be changed again before its section is over.
    pub(super) rewrites: bool,
    /// Memory has the old entry until the section is over.
    pub(super) defers_stores: bool,
    /// A TLB flush waits for the end of the section, as the stores do.
    pub(super) defers_flushes: bool,
}

impl Rules {
    pub(super) fn of(arch: Arch, kernel: Kernel) -> Self {
        let counts = kernel >= Kernel::V7_0;
        // Xen PV is the only one that a nested section brings down, but for the versions that count.
        let nests = counts || arch != Arch::XenPv || kernel == Kernel::V6_14;
        let holds_cpu = match arch {
            Arch::PowerpcHash => kernel > Kernel::V6_0,
            Arch::Sparc64 => kernel > Kernel::V6_14,
            Arch::S390 => true,
            _ => false,
        };
        Self {
            arch,
            kernel,
            counts,
            nests,
            pauses_nested: counts || arch != Arch::XenPv,
            holds_cpu,
            rewrites: arch != Arch::XenPv,
            defers_stores: matches!(arch, Arch::XenPv | Arch::S390),
            defers_flushes: arch == Arch::XenPv,
        }
    }
}
