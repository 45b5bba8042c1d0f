//! Calling a function for each entry of a range.
//!
//! Models `apply_to_page_range()` and `apply_to_existing_page_range()` of mm/memory.c (v7.3) down
//! to the loop over the entries of one table. The tables of a process are locked, the kernel's are
//! not.

use std::rc::Rc;

use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::{Ptep, Table};
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, pgtable};
use lazy_mmu::lazy_mmu;

/// Whether tables are put where there are none, and empty entries visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// `apply_to_page_range()`
    Yes,
    /// `apply_to_existing_page_range()`
    No,
}

/// A page table, locked or not.
enum Mapped {
    Locked(PteLock),
    /// Of the kernel.
    Unlocked(Rc<Table>),
}

impl Mapped {
    fn ptep(&self, addr: VirtAddr) -> Ptep<'_> {
        match self {
            Self::Locked(ptl) => ptl.ptep(addr),
            Self::Unlocked(table) => table.ptep(addr.pte_index()),
        }
    }
}

/// Calls `visit` for the entries of `addr..end`, in a section for each table.
///
/// Fidelity: changed: mm/memory.c v7.3; the levels above the last table are one step, and page
/// tables that the kernel's other address spaces lack are not synchronised.
///
/// # Errors
/// The first error that `visit` returns; the entries behind are not visited.
pub fn apply_to_page_range<E>(
    mm: &MmStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
    create: Create,
    mut visit: impl FnMut(&MmStruct, VirtAddr, Ptep<'_>) -> Result<(), E>,
) -> Result<(), E> {
    while addr != end {
        let next = addr.pmd_addr_end(end);
        let table = match (create, mm.id()) {
            (Create::Yes, 0) => Some(Mapped::Unlocked(mm.pte_alloc_kernel(addr))),
            (Create::Yes, _) => Some(Mapped::Locked(mm.pte_alloc_map_lock(addr))),
            (Create::No, 0) => mm.pte_offset_kernel(addr).map(Mapped::Unlocked),
            (Create::No, _) => mm.pte_offset_map_lock(addr).map(Mapped::Locked),
        };
        if let Some(table) = table {
            apply_to_ptes(&table, mm, addr, next, create, &mut visit)?;
        }
        addr = next;
    }
    Ok(())
}

/// The section of `apply_to_pte_range()`.
///
/// Fidelity: same as mm/memory.c v7.3; without a callback the kernel's section is empty.
#[lazy_mmu(name = "apply_to_pte_range", with_ptes(mm, addr, end, table.ptep(addr)))]
fn apply_to_ptes<E>(
    table: &Mapped,
    mm: &MmStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
    create: Create,
    visit: &mut impl FnMut(&MmStruct, VirtAddr, Ptep<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut ptep = table.ptep(addr);
    while addr != end {
        if create == Create::Yes || !pgtable::ptep_get(mm, addr, ptep).is_none() {
            visit(mm, addr, ptep)?;
        }
        (addr, ptep) = (addr.add_pages(1), ptep.add(1));
    }
    Ok(())
}
