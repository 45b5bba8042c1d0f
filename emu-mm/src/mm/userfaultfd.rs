//! Moving pages between two mappings of a process.
//!
//! Models `UFFDIO_MOVE`, `move_pages_ptes()` and `move_present_ptes()` of mm/userfaultfd.c (v7.3).

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::{Ptep, Table};
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pfn, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::huge_memory::split_folio;
use super::internal::{Folios, folio_in_table};
use super::ptes::pages;
use super::vma::{VmFlags, vm_get_page_prot};
use super::{Errno, VmAreaStruct};

/// A move, and how far it came.
#[derive(Debug)]
pub struct MovePages<'m> {
    /// The address space.
    pub mm: &'m MmStruct,
    /// The mapping that the pages go to.
    pub dst_vma: &'m VmAreaStruct,
    /// What others do with the pages.
    pub folios: &'m Folios,
    /// Addresses without a page are skipped: `UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES`.
    pub allow_src_holes: bool,
}

/// Moves the pages of `src_start..src_end` to the addresses from `dst_start` on and returns how
/// many pages of addresses it got through.
///
/// Fidelity: changed: `move_pages()` of mm/userfaultfd.c v7.3; the levels above are one step, and
/// huge pages are left out.
///
/// # Errors
/// With the pages that it got through: `EEXIST`: there is a page already; `ENOENT`: there is none
/// to move; `EBUSY`: somebody else uses the page.
pub fn move_pages(
    moves: &MovePages<'_>,
    dst_start: VirtAddr,
    src_start: VirtAddr,
    src_end: VirtAddr,
) -> Result<u64, (u64, Errno)> {
    let (mut src, mut dst) = (src_start, dst_start);
    while src < src_end {
        match move_pages_ptes(moves, dst, src, pages(src, src_end)) {
            Ok(moved) => (src, dst) = (src.add_pages(moved), dst.add_pages(moved)),
            Err(Errno::EAGAIN) => {}
            Err(errno) => return Err((pages(src_start, src), errno)),
        }
    }
    Ok(pages(src_start, src_end))
}

/// Moves what lies at `src_addr`, and present pages behind it up to `len` in all; returns how many.
///
/// Fidelity: changed: mm/userfaultfd.c v7.3; no page is the zero page or in the swap cache, nobody
/// waits for a folio's lock or a migration entry, and each entry that cannot move is `EBUSY`, of
/// which the kernel has -EFAULT and -EAGAIN too.
fn move_pages_ptes(
    moves: &MovePages<'_>,
    dst_addr: VirtAddr,
    src_addr: VirtAddr,
    len: u64,
) -> Result<u64, Errno> {
    let mm = moves.mm;
    let dst = mm.pte_alloc_kernel(dst_addr);
    let hole = if moves.allow_src_holes { Ok(1) } else { Err(Errno::ENOENT) };
    let Some(src) = mm.pte_offset_kernel(src_addr) else { return hole };
    let look = |addr: VirtAddr, table: &Table| {
        let _ptl = mm.pte_offset_map_lock(addr);
        pgtable::ptep_get(mm, addr, table.ptep(addr.pte_index()))
    };
    let orig_dst = look(dst_addr, &dst);
    if !orig_dst.is_none() {
        return Err(Errno::EEXIST);
    }
    let orig_src = look(src_addr, &src);
    if orig_src.is_none() {
        return hole;
    }
    if !orig_src.is_present() {
        return move_swap_pte(mm, dst_addr, src_addr, &dst, &src, orig_src);
    }
    let large = {
        let ptl = mm.pte_offset_map_lock(src_addr).ok_or(Errno::EAGAIN)?;
        if orig_src != pgtable::ptep_get(mm, src_addr, ptl.ptep(src_addr)) {
            return Err(Errno::EAGAIN);
        }
        let normal = !orig_src.has(Pte::SPECIAL);
        if !normal || !moves.folios.page_anon_exclusive(orig_src.pfn()) {
            return Err(Errno::EBUSY);
        }
        folio_in_table(&ptl, src_addr, orig_src).1 > 1
    };
    if large {
        return split_folio(mm, src_addr, moves.folios).map(|()| 0);
    }
    let ptls = double_pt_lock(mm, dst_addr, src_addr).ok_or(Errno::EAGAIN)?;
    move_present_ptes(moves, &ptls, Pair { dst_addr, src_addr, len, orig_dst, orig_src })
}

/// Both page tables, locked once where they are one.
struct TwoLocks {
    dst: Option<PteLock>,
    src: PteLock,
}

impl TwoLocks {
    fn dst(&self, addr: VirtAddr) -> Ptep<'_> {
        self.dst.as_ref().unwrap_or(&self.src).ptep(addr)
    }
}

/// Locks both tables, the one with the lower address first; none where one is gone.
///
/// Fidelity: changed: mm/userfaultfd.c v7.3 goes by the addresses of the locks.
fn double_pt_lock(mm: &MmStruct, dst_addr: VirtAddr, src_addr: VirtAddr) -> Option<TwoLocks> {
    let table = |addr: VirtAddr| addr.get() >> emu_arch::hw::addr::PMD_SHIFT;
    if table(dst_addr) == table(src_addr) {
        return Some(TwoLocks { dst: None, src: mm.pte_offset_map_lock(src_addr)? });
    }
    if table(dst_addr) < table(src_addr) {
        let dst = Some(mm.pte_offset_map_lock(dst_addr)?);
        return Some(TwoLocks { dst, src: mm.pte_offset_map_lock(src_addr)? });
    }
    let src = mm.pte_offset_map_lock(src_addr)?;
    Some(TwoLocks { dst: Some(mm.pte_offset_map_lock(dst_addr)?), src })
}

/// The first pages of a batch, with their entries as they were seen.
struct Pair {
    dst_addr: VirtAddr,
    src_addr: VirtAddr,
    len: u64,
    orig_dst: Pte,
    orig_src: Pte,
}

/// Moves present pages as long as they can be, and flushes the range that they left before the
/// locks are released.
///
/// Fidelity: changed: mm/userfaultfd.c v7.3, which tests again under the locks that the page is
/// small and exclusive.
fn move_present_ptes(moves: &MovePages<'_>, ptls: &TwoLocks, pair: Pair) -> Result<u64, Errno> {
    let (mm, Pair { dst_addr, src_addr, len, orig_dst, orig_src }) = (moves.mm, pair);
    let len = pages(dst_addr, dst_addr.pmd_addr_end(dst_addr.add_pages(len)));
    let src_end = src_addr.pmd_addr_end(src_addr.add_pages(len));
    // `is_pte_pages_stable()`
    let src_now = pgtable::ptep_get(mm, src_addr, ptls.src.ptep(src_addr));
    let dst_now = pgtable::ptep_get(mm, dst_addr, ptls.dst(dst_addr));
    if (src_now, dst_now) != (orig_src, orig_dst) {
        return Err(Errno::EAGAIN);
    }
    if moves.folios.folio_maybe_dma_pinned(orig_src.pfn()) {
        return Err(Errno::EBUSY);
    }
    let (moved, err) = move_locked_ptes(ptls, moves, dst_addr, src_addr, src_end, orig_src);
    if moved > 0 {
        pgtable::flush_tlb_range(mm, src_addr, moved);
    }
    if moved > 0 { Ok(moved) } else { err.map(|()| 0) }
}

/// The section of `move_present_ptes()`; returns how many pages moved.
///
/// Fidelity: same as mm/userfaultfd.c v7.3, for a mapping that is not watched for all accesses.
#[lazy_mmu(name = "move_present_ptes")]
fn move_locked_ptes(
    ptls: &TwoLocks,
    moves: &MovePages<'_>,
    mut dst_addr: VirtAddr,
    mut src_addr: VirtAddr,
    src_end: VirtAddr,
    first: Pte,
) -> (u64, Result<(), Errno>) {
    let (mm, mut moved, mut pfn) = (moves.mm, 0, first.pfn());
    let prot = vm_get_page_prot(moves.dst_vma.vm_flags);
    let write = moves.dst_vma.vm_flags.has(VmFlags::VM_WRITE);
    loop {
        let orig = pgtable::ptep_get_and_clear(mm, src_addr, ptls.src.ptep(src_addr));
        // Somebody came in between the test and the clear.
        if moves.folios.folio_maybe_dma_pinned(pfn) {
            pgtable::set_pte_at(mm, src_addr, ptls.src.ptep(src_addr), orig);
            return (moved, Err(Errno::EBUSY));
        }
        let flags = prot | orig.0 & Pte::DIRTY | if write { Pte::WRITE } else { 0 };
        pgtable::set_pte_at(mm, dst_addr, ptls.dst(dst_addr), Pte::new(pfn, flags | Pte::YOUNG));
        (moved, src_addr) = (moved + 1, src_addr.add_pages(1));
        if src_addr == src_end {
            return (moved, Ok(()));
        }
        dst_addr = dst_addr.add_pages(1);
        match check_ptes_for_batched_move(moves, ptls, dst_addr, src_addr) {
            Some(next) => pfn = next,
            None => return (moved, Ok(())),
        }
    }
}

/// The page at `src_addr`, if it can move to `dst_addr` in the same section.
///
/// Fidelity: same as mm/userfaultfd.c v7.3.
fn check_ptes_for_batched_move(
    moves: &MovePages<'_>,
    ptls: &TwoLocks,
    dst_addr: VirtAddr,
    src_addr: VirtAddr,
) -> Option<Pfn> {
    if !pgtable::ptep_get(moves.mm, dst_addr, ptls.dst(dst_addr)).is_none() {
        return None;
    }
    let pte = pgtable::ptep_get(moves.mm, src_addr, ptls.src.ptep(src_addr));
    let pfn = pte.pfn();
    let normal = pte.is_present() && !pte.has(Pte::SPECIAL) && moves.folios.folio_trylock(pfn);
    let small = normal && folio_in_table(&ptls.src, src_addr, pte).1 == 1;
    (small && moves.folios.page_anon_exclusive(pfn)).then_some(pfn)
}

/// Moves an entry of swap space, outside of any section.
///
/// Fidelity: same as `move_swap_pte()` of mm/userfaultfd.c v7.3, for a page that is in no cache;
/// the kernel compares both entries again under the locks.
fn move_swap_pte(
    mm: &MmStruct,
    dst_addr: VirtAddr,
    src_addr: VirtAddr,
    dst: &Table,
    src: &Table,
    orig_src: Pte,
) -> Result<u64, Errno> {
    if SoftLeaf::of(orig_src) != Some(SoftLeaf::Swap) || !orig_src.has(Pte::CONT) {
        return Err(Errno::EBUSY);
    }
    let ptls = double_pt_lock(mm, dst_addr, src_addr).ok_or(Errno::EAGAIN)?;
    let pte = pgtable::ptep_get_and_clear(mm, src_addr, src.ptep(src_addr.pte_index()));
    pgtable::set_pte_at(mm, dst_addr, dst.ptep(dst_addr.pte_index()), pte);
    drop(ptls);
    Ok(1)
}
