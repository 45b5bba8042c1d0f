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
//!
//! ```
//! use emu_arch::{Arch, Machine, VirtAddr, Pte, Pfn, pgtable};
//! use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks};
//!
//! let machine = Machine::new(Arch::ARM64);
//! let addr = VirtAddr::page(0xffff_8000_0800_0000).unwrap();
//! let table = machine.init_mm().pte_table(addr);
//! let ((), record) = machine.run(|| record_hooks(|| {
//!     lazy_mmu_mode_enable();
//!     pgtable::set_pte_at(machine.init_mm(), addr, table.ptep(addr.pte_index()), Pte::kernel(Pfn(1)));
//!     lazy_mmu_mode_disable();
//! }));
//! assert!(record.to_string().contains("dsb(ishst)"));
//! ```

#![warn(clippy::wildcard_enum_match_arm)]

mod arch;
pub mod backend;
mod era;
pub mod hazard;
pub mod hw;
mod id;
pub mod kernel;
pub mod machine;
pub mod pgtable;
pub mod replay;
pub mod tracker;

pub mod arm64;
pub mod naive;
pub mod powerpc;
pub mod s390;
pub mod sparc64;
pub mod x86;
pub mod x86_xen;

pub use arch::{Arch, effects};
pub use era::Kernel;
pub use hw::addr::{Pfn, VirtAddr};
pub use hw::effect::Effect;
pub use hw::pte::Pte;
pub use id::UnknownId;
pub use machine::{Machine, MmStruct};
