//! Mapping the memory of a device into a process.
//!
//! Models `remap_pfn_range()` of mm/memory.c (v7.3) down to the loop over the entries of one table.

use emu_arch::hw::addr::VirtAddr;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pfn, Pte, pgtable};
use lazy_mmu::design::Check;
use lazy_mmu::lazy_mmu;

use crate::mm::Errno;
use crate::mm::ptes::entries;

/// Maps the frames from `pfn` on at `addr..end`, with the protection `prot`.
///
/// Fidelity: changed: mm/memory.c v7.3; the levels above the last table are one step.
///
/// # Errors
/// `EACCES`: a frame may not be mapped; what came before it stays mapped.
pub fn remap_pfn_range(
    mm: &MmStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
    mut pfn: Pfn,
    prot: u64,
) -> Result<(), Errno> {
    while addr != end {
        let next = addr.pmd_addr_end(end);
        let ptl = mm.pte_alloc_map_lock(addr);
        remap_locked_ptes(&ptl, mm, addr, next, pfn, prot)?;
        (pfn, addr) = (Pfn(pfn.0 + u64::from(entries(addr, next))), next);
    }
    Ok(())
}

/// The section of `remap_pte_range()`.
///
/// Fidelity: same as mm/memory.c v7.3.
#[lazy_mmu(name = "remap_pte_range", with_ptes(mm, addr, end, ptl.ptep(addr)))]
fn remap_locked_ptes(
    ptl: &PteLock,
    mm: &MmStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
    mut pfn: Pfn,
    prot: u64,
) -> Result<(), Errno> {
    let mut ptep = ptl.ptep(addr);
    while addr != end {
        let pte = pgtable::ptep_get(mm, addr, ptep);
        mm.warn(Check::BugOn, "!pte_none(ptep_get(pte))", !pte.is_none());
        if !pfn_modify_allowed(pfn) {
            return Err(Errno::EACCES);
        }
        pgtable::set_pte_at(mm, addr, ptep, Pte::new(pfn, prot | Pte::SPECIAL));
        (pfn, addr, ptep) = (Pfn(pfn.0 + 1), addr.add_pages(1), ptep.add(1));
    }
    Ok(())
}

/// Tells whether the frame may be mapped.
///
/// Fidelity: changed: arch/x86/mm/mmap.c v7.3 refuses frames beyond half of the physical address
/// space where the CPU has L1TF, others none; here a frame that an entry cannot hold.
const fn pfn_modify_allowed(pfn: Pfn) -> bool {
    pfn.0 >> Pfn::BITS == 0
}
