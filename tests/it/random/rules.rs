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
    /// A task may fork: on Xen PV from v7.2 on the mode of the child is broken for good, which has
    /// tests of its own.
    pub(super) forks: bool,
    /// A TLB flush waits for the end of the section, as the stores do.
    pub(super) defers_flushes: bool,
}

impl Rules {
    pub(super) fn of(arch: Arch, kernel: Kernel) -> Self {
        let counts = kernel >= Kernel::V7_0;
        // Xen PV is the only one that a nested section brings down, but for the versions that
        // count.
        let nests =
            counts || arch != Arch::XEN_PV || matches!(kernel, Kernel::V6_14 | Kernel::V6_12Y);
        let since = |of, first| arch == of && kernel > first;
        let holds_cpu = since(Arch::POWERPC_HASH, Kernel::V6_0)
            || since(Arch::SPARC64, Kernel::V6_14)
            || arch == Arch::S390;
        Self {
            arch,
            kernel,
            counts,
            nests,
            pauses_nested: counts || arch != Arch::XEN_PV,
            holds_cpu,
            rewrites: arch != Arch::XEN_PV,
            defers_stores: arch.facts().defers_stores(),
            forks: arch != Arch::XEN_PV || !matches!(kernel, Kernel::V7_2 | Kernel::V7_3),
            defers_flushes: arch == Arch::XEN_PV,
        }
    }
}
