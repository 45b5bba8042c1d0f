//! Copying page tables for a child.
//!
//! Models mm/memory.c (v7.3): `copy_page_range()` down to the loop over the entries of one table,
//! with its restarts.

use emu_arch::hw::SoftLeaf;
use emu_arch::hw::addr::VirtAddr;
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pte, pgtable};
use lazy_mmu::design::Check;
use lazy_mmu::lazy_mmu;

use crate::mm::internal::folio_pte_batch_flags;
use crate::mm::ptes::entries;
use crate::mm::vma::{VmFlags, vm_get_page_prot};
use crate::mm::{Resched, VmAreaStruct};

/// Progress at which a copy looks up: an empty entry is 1, any other 8.
const PROGRESS_MAX: u32 = 32;

/// The copy of an address space for a child, and what was written so far.
#[derive(Debug)]
pub struct PageCopy<'m> {
    /// The child's address space.
    pub dst_mm: &'m MmStruct,
    /// The parent's address space.
    pub src_mm: &'m MmStruct,
    /// When the copy must yield.
    pub resched: &'m Resched,
    /// Entries written to the child.
    pub copied: u64,
    /// Entries of the parent that lost their permission to write.
    pub wrprotected: u64,
}

/// Copies the entries of `addr..end` of the parent's mapping `vma`, if a child needs them.
///
/// Fidelity: changed: mm/memory.c v7.0; the levels above the last table are one look-up, and
/// `write_protect_seq` and the notifiers are left out.
pub fn copy_page_range(
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) {
    if !vma.vma_needs_copy() {
        return;
    }
    while let Some(table) = copy.src_mm.next_pte_table(addr, end) {
        addr = table.pmd_addr_end(end);
        copy_pte_range(copy, vma, table, addr);
    }
}

/// Copies the entries of `addr..end`, which one table maps: locks both tables, and again each time
/// the copy yields.
///
/// Fidelity: changed: mm/memory.c v7.3; the restarts for a page that must be copied (-EAGAIN) and
/// for the count of a swap entry (-EIO) are left out, and so are -EBUSY and -EHWPOISON.
fn copy_pte_range(copy: &mut PageCopy<'_>, vma: &VmAreaStruct, mut addr: VirtAddr, end: VirtAddr) {
    loop {
        let dst_ptl = copy.dst_mm.pte_alloc_map_lock(addr);
        let Some(src_ptl) = copy.src_mm.pte_offset_map_lock(addr) else { return };
        let start = addr;
        addr = copy_locked_ptes(&dst_ptl, &src_ptl, copy, vma, addr, end);
        // By `dup_mmap()`, when all is copied.
        pgtable::flush_promised(copy.src_mm, start, entries(start, addr).into());
        drop(src_ptl);
        drop(dst_ptl);
        copy.resched.cond_resched();
        if addr == end {
            return;
        }
    }
}

/// The section of `copy_pte_range()`; returns where it stopped.
///
/// Fidelity: same as mm/memory.c v7.0; waiters for the locks do not exist.
#[lazy_mmu(name = "copy_pte_range", with_ptes(copy.src_mm, addr, end, src_ptl.ptep(addr)))]
fn copy_locked_ptes(
    dst_ptl: &PteLock,
    src_ptl: &PteLock,
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    mut addr: VirtAddr,
    end: VirtAddr,
) -> VirtAddr {
    let mut progress = 0;
    let (mut dst_pte, mut src_pte) = (dst_ptl.ptep(addr), src_ptl.ptep(addr));
    while addr != end {
        if progress >= PROGRESS_MAX {
            progress = 0;
            if copy.resched.need_resched() {
                break;
            }
        }
        let mut pte = pgtable::ptep_get(copy.src_mm, addr, src_pte);
        let mut nr = 1;
        if pte.is_none() {
            progress += 1;
        } else if pte.is_present() || {
            progress += 8;
            copy_nonpresent_pte(copy, vma, dst_pte, src_pte, addr) == Nonpresent::Restored
        } {
            if !pte.is_present() {
                pte = pgtable::ptep_get(copy.src_mm, addr, src_pte);
                copy.src_mm.warn(Check::VmWarnOnOnce, "!pte_present(ptent)", !pte.is_present());
                progress -= 8;
            }
            nr = copy_present_ptes(copy, vma, dst_pte, src_pte, pte, addr, entries(addr, end));
            progress += 8 * u32::from(nr);
        }
        (dst_pte, src_pte) = (dst_pte.add(nr), src_pte.add(nr));
        addr = addr.add_pages(u64::from(nr));
    }
    addr
}

/// Copies up to `max_nr` entries of one folio and returns how many.
///
/// Fidelity: changed: mm/memory.c v7.0; pages pinned for I/O, which a child gets a copy of at once,
/// do not exist.
#[inline]
fn copy_present_ptes(
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    dst_pte: Ptep<'_>,
    src_pte: Ptep<'_>,
    mut pte: Pte,
    addr: VirtAddr,
    max_nr: u16,
) -> u16 {
    let (src_mm, shared) = (copy.src_mm, vma.vm_flags.has(VmFlags::VM_SHARED));
    let ignored = Pte::WRITE | if shared { Pte::DIRTY } else { 0 };
    // Entries without a page, those of the zero page among them, go one by one.
    let max_nr = if pte.has(Pte::SPECIAL) { 1 } else { max_nr };
    let nr = folio_pte_batch_flags(src_mm, addr, src_pte, pte, max_nr, ignored);
    // One entry of the batch that may be written is enough.
    if (1..nr).any(|n| src_pte.add(n).read().has(Pte::WRITE)) {
        pte = pte.with(Pte::WRITE);
    }
    if vma.is_cow_mapping() && pte.has(Pte::WRITE) {
        pgtable::wrprotect_ptes(src_mm, addr, src_pte, nr);
        copy.wrprotected += u64::from(nr);
        pte = pte.without(Pte::WRITE);
    }
    // The child is not watched by userfaultfd.
    let pte = pte.without(Pte::YOUNG | Pte::UFFD | if shared { Pte::DIRTY } else { 0 });
    pgtable::set_ptes(copy.dst_mm, addr, dst_pte, pte, nr);
    copy.copied += u64::from(nr);
    nr
}

/// What became of an entry that is neither empty nor present.
#[derive(PartialEq, Eq)]
enum Nonpresent {
    /// The child has what it needs of it.
    Copied,
    /// `-ENOENT`: a device had the page to itself, and the parent has it back.
    Restored,
}

/// Copies an entry that is neither empty nor present; the parent's is weaker afterwards where both
/// have the page now.
///
/// Fidelity: changed: mm/memory.c v7.3; there is always room for the count of a swap entry
/// (`-EIO`), and no folio of a device-exclusive entry is locked by others (`-EBUSY`).
fn copy_nonpresent_pte(
    copy: &mut PageCopy<'_>,
    vma: &VmAreaStruct,
    dst_pte: Ptep<'_>,
    src_pte: Ptep<'_>,
    addr: VirtAddr,
) -> Nonpresent {
    let orig_pte = pgtable::ptep_get(copy.src_mm, addr, src_pte);
    let uffd = orig_pte.0 & Pte::UFFD;
    let readable = |leaf: SoftLeaf| leaf.pte(orig_pte.pfn()).with(uffd);
    let mut pte = orig_pte;
    match SoftLeaf::of(orig_pte) {
        // The swap entry is shared from now on.
        Some(SoftLeaf::Swap) => pte = orig_pte.without(Pte::CONT),
        Some(SoftLeaf::MigrationWrite | SoftLeaf::MigrationReadExclusive)
            if vma.is_cow_mapping() =>
        {
            pte = readable(SoftLeaf::MigrationRead);
        }
        Some(SoftLeaf::DevicePrivateWrite) if vma.is_cow_mapping() => {
            pte = readable(SoftLeaf::DevicePrivateRead);
        }
        Some(SoftLeaf::DeviceExclusive) => {
            restore_exclusive_pte(copy.src_mm, vma, addr, src_pte, orig_pte);
            return Nonpresent::Restored;
        }
        // `copy_pte_marker()`: the child is not watched.
        Some(SoftLeaf::UffdWpMarker) => return Nonpresent::Copied,
        Some(
            SoftLeaf::MigrationWrite
            | SoftLeaf::MigrationReadExclusive
            | SoftLeaf::MigrationRead
            | SoftLeaf::DevicePrivateWrite
            | SoftLeaf::DevicePrivateRead
            | SoftLeaf::HwPoison
            | SoftLeaf::PoisonMarker
            | SoftLeaf::GuardMarker,
        )
        | None => {}
    }
    if pte != orig_pte {
        pgtable::set_pte_at(copy.src_mm, addr, src_pte, pte);
    }
    pgtable::set_pte_at(copy.dst_mm, addr, dst_pte, pte.without(Pte::UFFD));
    copy.copied += 1;
    Nonpresent::Copied
}

/// Gives a page back to the process that a device had to itself.
///
/// Fidelity: changed: mm/memory.c v7.3; the page counts as exclusive and clean.
fn restore_exclusive_pte(
    mm: &MmStruct,
    vma: &VmAreaStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    orig_pte: Pte,
) {
    let write = if vma.vm_flags.has(VmFlags::VM_WRITE) { Pte::WRITE } else { 0 };
    let prot = vm_get_page_prot(vma.vm_flags) | write | orig_pte.0 & Pte::UFFD;
    pgtable::set_pte_at(mm, addr, ptep, Pte::new(orig_pte.pfn(), prot));
}
