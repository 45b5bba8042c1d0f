//! The list of architectures, and the backend that each one names.

use crate::backend::Backend;
use crate::hw::effect::Effect;
use crate::hw::hazard::Deferred;
use crate::hw::pte::Pte;
use crate::{Kernel, arm64, naive, powerpc, s390, sparc64, x86, x86_xen};

/// An architecture of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arch {
    /// No batching: the oracle.
    Naive,
    /// arm64: delays barriers.
    Arm64,
    /// powerpc book3s64 with the hash MMU: delays invalidations.
    PowerpcHash,
    /// powerpc book3s64 with the radix MMU: delays nothing.
    PowerpcRadix,
    /// sparc64: delays invalidations.
    Sparc64,
    /// x86 on bare metal: delays nothing.
    X86,
    /// x86 Xen PV: delays the stores.
    XenPv,
    /// s390, a proposal: delays the stores of a hinted range and their invalidations.
    S390,
}

impl Arch {
    /// Every architecture.
    pub const ALL: [Self; 8] = [
        Self::Naive,
        Self::Arm64,
        Self::PowerpcHash,
        Self::PowerpcRadix,
        Self::Sparc64,
        Self::X86,
        Self::XenPv,
        Self::S390,
    ];

    /// The id that the command line and snapshots use; never changes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Arm64 => "arm64",
            Self::PowerpcHash => "powerpc-hash",
            Self::PowerpcRadix => "powerpc-radix",
            Self::Sparc64 => "sparc64",
            Self::X86 => "x86",
            Self::XenPv => "xen-pv",
            Self::S390 => "s390",
        }
    }

    /// One line on what the architecture delays.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Naive => "delays nothing; the oracle for all others",
            Self::Arm64 => "delays the barriers after kernel page table writes",
            Self::PowerpcHash => "delays hash page table invalidations, 192 at most",
            Self::PowerpcRadix => "delays nothing, the counters move",
            Self::Sparc64 => "delays TSB and TLB invalidations, 192 at most",
            Self::X86 => "delays nothing, the counters move",
            Self::XenPv => "delays the stores, in a queue of hypercalls",
            Self::S390 => "delays the stores of a hinted range; only in s390-v6",
        }
    }

    /// What the architecture puts off, if anything.
    #[must_use]
    pub const fn defers(self) -> Option<Deferred> {
        match self {
            Self::Naive | Self::PowerpcRadix | Self::X86 => None,
            Self::XenPv | Self::S390 => Some(Deferred::Store),
            Self::Arm64 => Some(Deferred::Barriers),
            Self::PowerpcHash | Self::Sparc64 => Some(Deferred::Invalidation),
        }
    }

    /// Whether what is put off waits per CPU, not with the task.
    #[must_use]
    pub const fn defers_per_cpu(self) -> bool {
        !matches!(self, Self::Arm64)
    }

    /// Whether a per-CPU batch may be left at any time, since the context switch looks after it.
    #[must_use]
    pub const fn batch_may_be_preempted(self) -> bool {
        matches!(self, Self::XenPv)
    }

    /// Whether `ptep_modify_prot_start()` only reads, so that software goes on to see the entry.
    #[must_use]
    pub const fn prot_start_reads(self) -> bool {
        matches!(self, Self::XenPv)
    }

    /// What becomes of `pte` when the page is used: young, and hashed where the architecture hashes.
    #[must_use]
    pub fn used(self, pte: Pte) -> Pte {
        match (pte.is_present(), self) {
            (false, _) => pte,
            (true, Self::PowerpcHash) => pte.with(Pte::YOUNG | Pte::HASHPTE),
            (true, _) => pte.with(Pte::YOUNG),
        }
    }

    /// Tells whether the mode is of use: `arch_wants_lazy_mmu_mode()`, asked in v3 only.
    #[must_use]
    pub const fn wants_lazy_mmu_mode(self) -> bool {
        !matches!(self, Self::PowerpcRadix)
    }

    /// Finds an architecture by its id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.id() == id)
    }

    /// The version of its code that the architecture has in `kernel`, as its backend calls it; none
    /// where it does not have the mode yet.
    #[must_use]
    pub fn code(self, kernel: Kernel) -> Option<String> {
        kernel.has(self).ok()?;
        let code = self.with_backend(kernel, Name);
        code.split(' ').next().map(str::to_owned)
    }

    /// Hands the code of this architecture in `kernel` to `work`.
    pub fn with_backend<W: WithBackend>(self, kernel: Kernel, work: W) -> W::Output {
        match self {
            Self::Naive => work.with(naive::Naive),
            Self::Arm64 => {
                let new = kernel >= Kernel::V7_0;
                work.with(if new { arm64::Arm64::V7_0 } else { arm64::Arm64::V6_16 })
            }
            Self::PowerpcHash => work.with(match kernel {
                Kernel::V6_0 => powerpc::Hash::V6_0,
                Kernel::V6_14 | Kernel::V6_16 | Kernel::V6_19 => powerpc::Hash::V6_1,
                _ => powerpc::Hash::V7_0,
            }),
            Self::PowerpcRadix => work.with(powerpc::Radix),
            Self::Sparc64 => work.with(match kernel {
                Kernel::V6_0 => sparc64::Sparc64::V6_0,
                Kernel::V6_14 => sparc64::Sparc64::V6_6,
                Kernel::V6_16 | Kernel::V6_19 => sparc64::Sparc64::V6_15,
                _ => sparc64::Sparc64::V7_0,
            }),
            Self::X86 => work.with(x86::X86),
            Self::XenPv => work.with(match kernel {
                Kernel::V6_0 => x86_xen::XenPv::V6_0,
                Kernel::V6_14 => x86_xen::XenPv::V6_6,
                Kernel::V6_16 | Kernel::V6_19 => x86_xen::XenPv::V6_15,
                Kernel::V7_0 => x86_xen::XenPv::V7_0,
                Kernel::V7_1 | Kernel::S390V6 => x86_xen::XenPv::V7_1,
                Kernel::V7_2 => x86_xen::XenPv::V7_2,
            }),
            Self::S390 => work.with(s390::S390::default()),
        }
    }
}

/// Every effect that costs time and has a name of one word, to count it by.
pub const EFFECTS: [Effect; 19] = [
    arm64::DSB_ISHST,
    arm64::ISB,
    arm64::FLUSH_TLB_RANGE,
    powerpc::FLUSH_HASH_PAGE,
    powerpc::FLUSH_HASH_RANGE,
    powerpc::HASH_PAGE,
    powerpc::RADIX_TLB_FLUSH,
    sparc64::FLUSH_TSB_USER,
    sparc64::FLUSH_TSB_USER_PAGE,
    sparc64::GLOBAL_FLUSH_TLB_PAGE,
    sparc64::SMP_FLUSH_TLB_PENDING,
    x86::FLUSH_TLB_MM_RANGE,
    x86::FLUSH_TLB_KERNEL_RANGE,
    x86_xen::MMU_UPDATE_CALL,
    x86_xen::MMUEXT_OP_CALL,
    x86_xen::MULTICALL,
    s390::IPTE,
    s390::IPTE_RANGE,
    s390::TLB_FLUSH_MM_LAZY,
];

/// Work that can be done with whichever backend.
pub trait WithBackend {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<B: Backend + 'static>(self, backend: B) -> Self::Output;
}

/// Asks a backend for its name.
struct Name;

impl WithBackend for Name {
    type Output = String;

    fn with<B: Backend + 'static>(self, backend: B) -> String {
        format!("{backend:?}")
    }
}
