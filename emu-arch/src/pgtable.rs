//! The page table primitives under the kernel's names, on the emulated machine.
//!
//! Models the functions of include/linux/pgtable.h and asm/pgtable.h (v7.0) that mm code calls:
//! each is recorded and handed to the backend of the machine's architecture.
//!
//! Fidelity: changed: include/linux/pgtable.h v7.0: every primitive takes `mm` and `addr`, also those
//! that the kernel passes a `vma` or the pointer alone.

use lazy_mmu::sched;
use lazy_mmu::trace::{PteEvent, PteOp};

use crate::arch::on_backend;
use crate::backend::{Access, Backend, Level};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::machine::{Bus, MmStruct};

/// Records a use of `op`; costs one test where nothing is recorded.
#[inline]
fn note(mm: &MmStruct, op: PteOp, addr: VirtAddr, pte: Pte, nr: u16) {
    if sched::recording() {
        sched::note_pte(PteEvent { op, mm: mm.id(), addr: addr.get(), pte: pte.0, nr });
    }
}

/// Runs `$body` with the backend of `$mm`'s machine and the machine as the backend sees it.
macro_rules! backend {
    ($mm:expr, |$backend:ident, $hw:ident| $body:expr) => {
        on_backend!(&$mm.machine().backend, |$backend, cpus| {
            let $hw = &mut Bus { inner: $mm.machine(), cpus, mm: Some($mm) };
            $body
        })
    };
}

/// Does `op`, which changes `nr` entries from `ptep` on; `latest` tells what software then believes
/// each to be, from its number and from what it was, and `reads` whether the primitive depends on
/// what the entries were. Costs one test where no hazards are tracked.
#[inline(always)]
fn changing<R>(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
    reads: bool,
    latest: impl Fn(u16, Pte) -> Pte,
    op: impl FnOnce() -> R,
) -> R {
    if mm.machine().tracking.get() {
        return changing_tracked(mm, addr, ptep, nr, reads, latest, op);
    }
    op()
}

/// [`changing`], with the tracker told of each entry before and after.
#[inline(never)]
fn changing_tracked<R>(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    nr: u16,
    reads: bool,
    latest: impl Fn(u16, Pte) -> Pte,
    op: impl FnOnce() -> R,
) -> R {
    let at = |n: u16| mm.at(addr.add_pages(u64::from(n)));
    let before: Vec<Pte> = (0..nr).map(|n| ptep.add(n).read()).collect();
    if reads {
        mm.machine().track(|tracker, _| {
            (0..nr).zip(&before).for_each(|(n, before)| tracker.read_to_change(at(n), *before));
        });
    }
    let value = op();
    mm.machine().track(|tracker, now| {
        // The last entry first, as records have it.
        for (n, before) in (0..nr).zip(before).rev() {
            tracker.changed(now, at(n), before, ptep.add(n).read(), |was| latest(n, was));
        }
    });
    value
}

/// Does `op`, which makes the `nr` entries from `ptep` on those of the pages from `pte` on.
#[inline(always)]
fn writing<R>(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    nr: u16,
    op: impl FnOnce() -> R,
) -> R {
    changing(mm, addr, ptep, nr, false, |n, _| pte.advance_pfn(u64::from(n)), op)
}

/// Writes the entry of one page that was not present.
#[inline]
pub fn set_pte_at(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    note(mm, PteOp::set_pte_at, addr, pte, 1);
    writing(mm, addr, ptep, pte, 1, || {
        backend!(mm, |backend, hw| backend.set_ptes(hw, mm.at(addr), ptep, pte, 1))
    });
}

/// Writes the entries of `nr` consecutive pages that were not present, 1 to 512, in one table.
#[inline]
pub fn set_ptes(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte, nr: u16) {
    note(mm, PteOp::set_ptes, addr, pte, nr);
    writing(mm, addr, ptep, pte, nr, || {
        backend!(mm, |backend, hw| backend.set_ptes(hw, mm.at(addr), ptep, pte, nr))
    });
}

/// Writes an entry without the checks of [`set_pte_at`]: what arch code uses.
#[inline]
pub fn set_pte(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    note(mm, PteOp::set_pte, addr, pte, 1);
    writing(mm, addr, ptep, pte, 1, || {
        backend!(mm, |backend, hw| backend.set_pte(hw, mm.at(addr), ptep, pte))
    });
}

/// Reads an entry through the accessor.
#[inline]
#[must_use]
pub fn ptep_get(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = backend!(mm, |backend, hw| backend.ptep_get(hw, mm.at(addr), ptep));
    note(mm, PteOp::ptep_get, addr, pte, 1);
    mm.machine().track(|tracker, _| tracker.read(mm.at(addr), pte));
    pte
}

/// Reads an entry by its address, past the accessor: a raw `*ptep`.
#[inline]
#[must_use]
pub fn raw_read(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = ptep.read();
    note(mm, PteOp::raw_read, addr, pte, 1);
    mm.machine().track(|tracker, _| tracker.read(mm.at(addr), pte));
    pte
}

/// Reads an entry without its lock; the reader knows that the value may be old.
#[inline]
#[must_use]
pub fn ptep_get_lockless(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = ptep.read();
    note(mm, PteOp::ptep_get_lockless, addr, pte, 1);
    pte
}

/// Empties an entry and returns what it was.
#[inline]
pub fn ptep_get_and_clear(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    note(mm, PteOp::ptep_get_and_clear, addr, ptep.read(), 1);
    changing(
        mm,
        addr,
        ptep,
        1,
        true,
        |_, _| Pte::NONE,
        || backend!(mm, |backend, hw| backend.pte_update(hw, mm.at(addr), ptep, |_| Pte::NONE)),
    )
}

/// Empties an entry.
#[inline]
pub fn pte_clear(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) {
    note(mm, PteOp::pte_clear, addr, ptep.read(), 1);
    changing(
        mm,
        addr,
        ptep,
        1,
        false,
        |_, _| Pte::NONE,
        || backend!(mm, |backend, hw| backend.pte_clear(hw, mm.at(addr), ptep)),
    );
}

/// Takes the permission to write from an entry.
#[inline]
pub fn ptep_set_wrprotect(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) {
    note(mm, PteOp::ptep_set_wrprotect, addr, ptep.read(), 1);
    changing(
        mm,
        addr,
        ptep,
        1,
        true,
        |_, was| was.without(Pte::WRITE),
        || backend!(mm, |backend, hw| backend.ptep_set_wrprotect(hw, mm.at(addr), ptep)),
    );
}

/// Takes the permission to write from `nr` consecutive entries, 1 to 512, in one table.
#[inline]
pub fn wrprotect_ptes(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, nr: u16) {
    note(mm, PteOp::wrprotect_ptes, addr, ptep.read(), nr);
    changing(
        mm,
        addr,
        ptep,
        nr,
        true,
        |_, was| was.without(Pte::WRITE),
        || {
            backend!(mm, |backend, hw| for n in 0..nr {
                let at = mm.at(addr.add_pages(u64::from(n)));
                backend.ptep_set_wrprotect(hw, at, ptep.add(n));
            })
        },
    );
}

/// Clears the accessed bit of an entry and tells whether it was set.
#[inline]
pub fn ptep_test_and_clear_young(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> bool {
    note(mm, PteOp::ptep_test_and_clear_young, addr, ptep.read(), 1);
    changing(
        mm,
        addr,
        ptep,
        1,
        true,
        |_, was| was.without(Pte::YOUNG),
        || backend!(mm, |backend, hw| backend.ptep_test_and_clear_young(hw, mm.at(addr), ptep)),
    )
}

/// Begins the change of an entry's protection and returns what it was.
#[inline]
pub fn ptep_modify_prot_start(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    note(mm, PteOp::ptep_modify_prot_start, addr, ptep.read(), 1);
    changing(
        mm,
        addr,
        ptep,
        1,
        true,
        |_, was| if mm.machine().arch.prot_start_reads() { was } else { Pte::NONE },
        || backend!(mm, |backend, hw| backend.ptep_modify_prot_start(hw, mm.at(addr), ptep)),
    )
}

/// Ends the change of an entry's protection: it becomes `pte`.
#[inline]
pub fn ptep_modify_prot_commit(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    note(mm, PteOp::ptep_modify_prot_commit, addr, pte, 1);
    writing(mm, addr, ptep, pte, 1, || {
        backend!(mm, |backend, hw| backend.ptep_modify_prot_commit(hw, mm.at(addr), ptep, pte))
    });
}

/// Gives more permissions to a present entry and tells whether it was another one than `pte`: it
/// becomes `pte`, or on arm64 and powerpc keeps what it has beside.
#[inline]
pub fn ptep_set_access_flags(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) -> bool {
    note(mm, PteOp::ptep_set_access_flags, addr, pte, 1);
    writing(mm, addr, ptep, pte, 1, || {
        backend!(mm, |backend, hw| backend.ptep_set_access_flags(hw, mm.at(addr), ptep, pte))
    })
}

/// Touches memory through the entry, as a CPU does.
#[inline]
pub fn access(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, access: Access) {
    let op = match access {
        Access::Read => PteOp::read,
        Access::Write => PteOp::write,
    };
    note(mm, op, addr, ptep.read(), 1);
    let before = ptep.read();
    backend!(mm, |backend, hw| backend.access(hw, mm.at(addr), ptep, access));
    let after = ptep.read();
    mm.machine().track(|tracker, now| tracker.access(now, mm.at(addr), before, after));
}

/// Writes the entry above the last level that covers `addr`: `set_pmd()` and its like.
pub fn set_table(mm: &MmStruct, level: Level, addr: VirtAddr, valid: bool) {
    let op = match level {
        Level::Pmd => PteOp::set_pmd,
        Level::Pud => PteOp::set_pud,
        Level::P4d => PteOp::set_p4d,
        Level::Pgd => PteOp::set_pgd,
    };
    note(mm, op, addr.align_down(), Pte(u64::from(valid)), 1);
    backend!(mm, |backend, hw| backend.set_table(hw, mm.at(addr.align_down()), level, valid));
}

/// Flushes `pages` pages from the TLBs: `flush_tlb_range()` and, for the kernel's pages,
/// `flush_tlb_kernel_range()`. A record shows at most 1023.
pub fn flush_tlb_range(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    flushing(mm, PteOp::flush_tlb_range, addr, pages, |nr| {
        backend!(mm, |backend, hw| backend.flush_tlb_range(hw, mm.at(addr), nr));
    });
}

/// Flushes the TLBs at the end of an `mmu_gather` over `pages` pages from `addr` on; goes on to do
/// what is queued, where the queue is the flush. A record shows at most 1023.
pub fn tlb_flush(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    flushing(mm, PteOp::tlb_flush, addr, pages, |nr| {
        backend!(mm, |backend, hw| backend.tlb_flush(hw, mm.at(addr), nr));
    });
}

/// Does `flush`, which flushes that many pages from `addr` on.
fn flushing(mm: &MmStruct, op: PteOp, addr: VirtAddr, pages: u64, flush: impl FnOnce(u32)) {
    /// The largest number of pages that an event holds.
    const NR_MAX: u64 = 1023;
    note(mm, op, addr, Pte::NONE, pages.min(NR_MAX) as u16);
    flush(u32::try_from(pages).unwrap_or(u32::MAX));
    mm.machine().track(|tracker, _| tracker.flushed(mm.at(addr), pages));
}

/// An `mmu_gather` takes the flush of `nr` pages from `addr` on upon itself.
///
/// Fidelity: changed: include/asm-generic/tlb.h v7.0; the caller keeps the range, and flushes it with
/// [`tlb_flush`].
pub fn tlb_remove_tlb_entries(mm: &MmStruct, addr: VirtAddr, nr: u16) {
    note(mm, PteOp::tlb_remove_tlb_entries, addr, Pte::NONE, nr);
    flush_promised(mm, addr, nr.into());
}

/// The caller flushes `pages` pages from `addr` on later, as a gather does or a fork at its end: the
/// lock of their table may be released before. Nothing is recorded.
pub fn flush_promised(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    mm.machine().track(|tracker, _| tracker.owned(mm.at(addr), pages));
}

/// Reclaim puts off the flush of `nr` pages from `addr` on, until someone asks for it.
///
/// Fidelity: changed: mm/rmap.c v7.0 flushes at the latest when reclaim is done with its pages.
pub fn set_tlb_ubc_flush_pending(mm: &MmStruct, addr: VirtAddr, nr: u16) {
    note(mm, PteOp::set_tlb_ubc_flush_pending, addr, Pte::NONE, nr);
    mm.set_batched(addr, nr);
    flush_promised(mm, addr, nr.into());
}

/// Flushes what reclaim has put off, if anything: what whoever relies on flushed entries does after
/// taking the lock of their table.
///
/// Fidelity: changed: mm/rmap.c v7.0 flushes the whole address space.
pub fn flush_tlb_batched_pending(mm: &MmStruct, addr: VirtAddr) {
    note(mm, PteOp::flush_tlb_batched_pending, addr, Pte::NONE, 1);
    for (addr, nr) in mm.take_batched() {
        backend!(mm, |backend, hw| backend.flush_tlb_range(hw, mm.at(addr), nr.into()));
        mm.machine().track(|tracker, _| tracker.flushed(mm.at(addr), nr.into()));
    }
}
