//! The page table primitives under the kernel's names, on the emulated machine.
//!
//! Models the functions of include/linux/pgtable.h and asm/pgtable.h (v7.0) that mm code calls:
//! each is recorded and handed to the backend of the machine's architecture.
//!
//! Fidelity: changed: include/linux/pgtable.h v7.0: every primitive takes `mm` and `addr`, also
//! those that the kernel passes a `vma` or the pointer alone.

use lazy_mmu::sched;

use crate::backend::{Access, Level};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::kernel::ptes::{for_each_other_primitive, for_each_primitive};
use crate::machine::{ArchCode, MmStruct, Primitives};

/// The arch code that does what a primitive on `mm` asks.
#[inline(always)]
fn code(mm: &MmStruct) -> &dyn ArchCode {
    &*mm.machine().code
}

/// Declares the primitives that change entries; each costs one test where nobody observes.
macro_rules! functions {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
        $(, kept as $keep:ident)? [$nr:expr, $latest:expr] =
        |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
        $($(#[$meta])*
        #[inline]
        pub fn $name(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_> $(, $arg: $type)*) $(-> $ret)? {
            if mm.machine().seen() {
                Primitives::<true>::$name(code(mm), mm, addr, ptep $(, $arg)*)
            } else {
                Primitives::<false>::$name(code(mm), mm, addr, ptep $(, $arg)*)
            }
        })*
    };
}

for_each_primitive!(functions);

/// Reads an entry through the accessor.
#[inline]
#[must_use]
pub fn ptep_get(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    if mm.machine().reads_plainly.get() & !sched::recording() {
        return ptep.read();
    }
    if mm.machine().seen() {
        Primitives::<true>::ptep_get(code(mm), mm, addr, ptep)
    } else {
        Primitives::<false>::ptep_get(code(mm), mm, addr, ptep)
    }
}

/// Reads an entry by its address, past the accessor: a raw `*ptep`.
#[inline]
#[must_use]
pub fn raw_read(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    if mm.machine().seen() { code(mm).raw_read(mm, addr, ptep) } else { ptep.read() }
}

/// Reads an entry without its lock; the reader knows that the value may be old.
#[inline]
#[must_use]
pub fn ptep_get_lockless(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    if mm.machine().seen() { code(mm).ptep_get_lockless(mm, addr, ptep) } else { ptep.read() }
}

/// Declares the primitives that take effect at once.
macro_rules! other_functions {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty),*);)*) => {
        $($(#[$meta])*
        pub fn $name(mm: &MmStruct, addr: VirtAddr $(, $arg: $type)*) {
            code(mm).$name(mm, addr $(, $arg)*);
        })*
    };
}

for_each_other_primitive!(other_functions);

/// The page tables of a child are complete: under Xen PV they are pinned from now on.
///
/// Fidelity: changed: include/asm-generic/mm_hooks.h v7.2, and asm/mmu_context.h of x86, takes the
/// parent too.
pub fn arch_dup_mmap(mm: &MmStruct) {
    code(mm).dup_mmap(mm);
}

/// The address space goes away: under Xen PV its page tables are pinned no more.
///
/// Fidelity: same as include/asm-generic/mm_hooks.h v7.2, and asm/mmu_context.h of x86.
pub fn arch_exit_mmap(mm: &MmStruct) {
    code(mm).exit_mmap(mm);
}

/// The caller flushes `pages` pages from `addr` on later, as a gather does or a fork at its end:
/// the lock of their table may be released before. Nothing is recorded.
pub fn flush_promised(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    mm.machine().track(|tracker, _| tracker.owned(mm.at(addr), pages));
}
