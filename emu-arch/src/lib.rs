//! Emulated architectures for the lazy MMU mode, and the machine they run on.
//!
//! | kernel | here |
//! |---|---|
//! | arch/arm64 | [`arm64`] |
//! | arch/powerpc | [`powerpc`] |
//! | arch/s390 | [`s390`] |
//! | arch/sparc | [`sparc64`] |
//! | arch/x86 | [`x86`] |
//! | arch/x86/xen | [`x86_xen`] |
//! | include/linux/pgtable.h, the page table primitives | [`pgtable`] |
//! | `struct mm_struct` | [`machine::MmStruct`] |
//! | the kernel around the architectures, written once | [`kernel`] |
//!
//! Run code on a machine:
//!
//! ```
//! use emu_arch::{Arch, Machine, VirtAddr, Pte, Pfn, pgtable};
//! use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks};
//!
//! let machine = Machine::new(Arch::ARM64);
//! let addr = VirtAddr::page(0xffff_8000_0800_0000).unwrap();
//! let mm = machine.init_mm();
//! let table = mm.pte_table(addr);
//! let ((), record) = machine.run(|| record_hooks(|| {
//!     lazy_mmu_mode_enable();
//!     pgtable::set_pte_at(mm, addr, table.ptep(addr.pte_index()), Pte::kernel(Pfn(1)));
//!     lazy_mmu_mode_disable();
//! }));
//! assert!(record.to_string().contains("dsb(ishst)"));
//! ```
//!
//! # An architecture of your own
//!
//! Implement [`Backend`]: its documentation is the contract, with the method that each primitive
//! reaches. `Arch::of::<B>()` is then an architecture like any other, for [`Machine::new`],
//! scenarios, comparisons, searches and workloads, and [`conformance::check`] says whether the
//! backend keeps the contract. [`Arch::register`] makes its id known to scenarios and to the
//! command.
//!
//! ```
//! use emu_arch::{Arch, At, Backend, Facts, HwOf, Kernel, Machine, conformance};
//!
//! /// An architecture with a software-managed TLB, which defers nothing.
//! #[derive(Clone, Copy, Debug)]
//! struct Mips;
//!
//! impl Backend for Mips {
//!     type PerCpu = ();
//!     const FACTS: Facts = Facts::new("mips", "delays nothing");
//!     fn in_kernel(_: Kernel) -> Self {
//!         Self
//!     }
//!     fn enter(self, _: &mut impl HwOf<Self>) {}
//!     fn leave(self, _: &mut impl HwOf<Self>) {}
//!     fn flush(self, _: &mut impl HwOf<Self>) {}
//!     fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
//!         hw.tlb_invalidate(at, pages);
//!     }
//! }
//!
//! assert!(conformance::check::<Mips>().holds());
//! assert_eq!(Machine::with_backend(Mips).arch(), Arch::of::<Mips>());
//! ```
//!
//! One that is to be part of the project has a folder beside the others and two lines below.

#![warn(clippy::wildcard_enum_match_arm)]

mod arch;
pub mod backend;
pub mod conformance;
mod era;
pub mod hazard;
pub mod hw;
mod id;
pub mod kernel;
pub mod machine;
pub mod pgtable;
pub mod replay;
#[doc(hidden)]
pub mod snapshot;
pub mod tracker;

pub mod arm64;
pub mod naive;
pub mod powerpc;
pub mod s390;
pub mod sparc64;
pub mod x86;
pub mod x86_xen;

#[doc(hidden)]
pub use lazy_mmu;

arch::architectures! {
    /// No batching: the oracle.
    NAIVE = naive::Naive;
    /// arm64: delays barriers.
    ARM64 = arm64::Arm64;
    /// powerpc book3s64 with the hash MMU: delays invalidations.
    POWERPC_HASH = powerpc::Hash;
    /// powerpc book3s64 with the radix MMU: delays nothing.
    POWERPC_RADIX = powerpc::Radix;
    /// sparc64: delays invalidations.
    SPARC64 = sparc64::Sparc64;
    /// x86 on bare metal: delays nothing.
    X86 = x86::X86;
    /// x86 Xen PV: delays the stores.
    XEN_PV = x86_xen::XenPv;
    /// s390, a proposal: delays the stores of a hinted range and their invalidations.
    S390 = s390::S390;
}

pub use arch::{Arch, RegisterError, effects};
pub use backend::{
    Access, At, Backend, Batch, Change, Deferred, Facts, Hook, Hw, HwOf, Level, RangeHint, Slot,
    write_ptes,
};
pub use era::{Kernel, NoEra};
pub use hw::addr::{Pfn, VirtAddr};
pub use hw::effect::ArchEffect;
pub use hw::pte::Pte;
pub use id::UnknownId;
pub use machine::{Machine, MmStruct};
