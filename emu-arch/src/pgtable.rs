//! The page table primitives under the kernel's names, on the emulated machine.
//!
//! Models the functions of include/linux/pgtable.h and asm/pgtable.h (v7.0) that mm code calls:
//! each is recorded and handed to the backend of the machine's architecture.
//!
//! Fidelity: changed: include/linux/pgtable.h v7.0: every primitive takes `mm` and `addr`, also those
//! that the kernel passes a `vma` or the pointer alone.

use lazy_mmu::trace::{PteEvent, PteOp};
use lazy_mmu::{machine_api, sched};

use crate::Arch;
use crate::backend::{Access, Level};
use crate::hw::addr::VirtAddr;
use crate::hw::pte::Pte;
use crate::hw::table::Ptep;
use crate::machine::{ArchCode, MmStruct, Primitives};

/// Records a use of `op`, where a record is written.
#[inline]
fn note(mm: &MmStruct, op: PteOp, addr: VirtAddr, pte: Pte, nr: u16) {
    if sched::recording() {
        machine_api::note_pte(PteEvent { op, mm: mm.id(), addr: addr.get(), pte: pte.0, nr });
    }
}

/// The arch code that does what a primitive on `mm` asks.
#[inline(always)]
fn code(mm: &MmStruct) -> &dyn ArchCode {
    &*mm.machine().code
}

/// Does the primitive `$name`, which makes the change `$change`; costs one test where nobody sees it.
macro_rules! change {
    ($name:ident($($arg:ident),*), $change:expr) => {{
        let Change { mm, addr, ptep, .. } = $change;
        if mm.machine().seen() {
            $change.seen_by(PteOp::$name, || {
                Primitives::<true>::$name(code(mm), mm, addr, ptep, $($arg),*)
            })
        } else {
            Primitives::<false>::$name(code(mm), mm, addr, ptep, $($arg),*)
        }
    }};
}

/// What software takes entries for after a primitive has changed them.
#[derive(Clone, Copy)]
enum Latest {
    /// Those of consecutive pages, the first of which this is.
    Pages(Pte),
    /// Empty ones.
    Empty,
    /// What this makes of what they were, on which the primitive depends.
    From(fn(Pte) -> Pte),
}

/// The entries that a primitive changes.
#[derive(Clone, Copy)]
struct Change<'a> {
    mm: &'a MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'a>,
    nr: u16,
    latest: Latest,
}

impl Change<'_> {
    /// Does `work` of the primitive `op`, recorded, and with the tracker told of each entry before and
    /// after.
    #[inline(never)]
    fn seen_by<R>(self, op: PteOp, work: impl FnOnce() -> R) -> R {
        let Self { mm, addr, ptep, nr, latest } = self;
        let shown = if let Latest::Pages(pte) = latest { pte } else { ptep.read() };
        note(mm, op, addr, shown, nr);
        if !mm.machine().tracking.get() {
            return work();
        }
        let at = |n: u16| mm.at(addr.add_pages(u64::from(n)));
        let (mut one, mut several) = ([Pte::NONE], Vec::new());
        let before = if nr == 1 {
            &mut one[..]
        } else {
            several.resize(usize::from(nr), Pte::NONE);
            &mut several[..]
        };
        (0..nr).zip(&mut *before).for_each(|(n, before)| *before = ptep.add(n).read());
        // Elsewhere a primitive finds what software believes.
        if matches!(latest, Latest::From(_)) && mm.machine().arch == Arch::XenPv {
            mm.machine().track(|tracker, _| {
                (0..nr)
                    .zip(&*before)
                    .for_each(|(n, before)| tracker.read_to_change(at(n), *before));
            });
        }
        let value = work();
        mm.machine().track(|tracker, now| {
            // The last entry first, as records have it.
            for (n, before) in (0..nr).zip(before).rev() {
                tracker.changed(now, at(n), *before, ptep.add(n).read(), |was| match latest {
                    Latest::Pages(pte) => pte.advance_pfn(u64::from(n)),
                    Latest::Empty => Pte::NONE,
                    Latest::From(change) => change(was),
                });
            }
        });
        value
    }
}

/// `op` has read an entry and found it to be `pte`, while somebody looks.
#[inline(never)]
fn read_seen(mm: &MmStruct, op: PteOp, addr: VirtAddr, pte: Pte) {
    note(mm, op, addr, pte, 1);
    // A lockless reader knows that the value may be old.
    if op != PteOp::ptep_get_lockless {
        mm.machine().track(|tracker, _| tracker.read(mm.at(addr), pte));
    }
}

/// Writes the entry of one page that was not present.
#[inline]
pub fn set_pte_at(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    let latest = Latest::Pages(pte);
    change!(set_pte_at(pte), Change { mm, addr, ptep, nr: 1, latest });
}

/// Writes the entries of `nr` consecutive pages that were not present, 1 to 512, in one table.
#[inline]
pub fn set_ptes(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte, nr: u16) {
    let latest = Latest::Pages(pte);
    change!(set_ptes(pte, nr), Change { mm, addr, ptep, nr, latest });
}

/// Writes an entry without the checks of [`set_pte_at`]: what arch code uses.
#[inline]
pub fn set_pte(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    let latest = Latest::Pages(pte);
    change!(set_pte(pte), Change { mm, addr, ptep, nr: 1, latest });
}

/// Reads an entry through the accessor.
#[inline]
#[must_use]
pub fn ptep_get(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    if mm.machine().reads_plainly.get() & !sched::recording() {
        return ptep.read();
    }
    if !mm.machine().seen() {
        return Primitives::<false>::ptep_get(code(mm), mm, addr, ptep);
    }
    let pte = Primitives::<true>::ptep_get(code(mm), mm, addr, ptep);
    read_seen(mm, PteOp::ptep_get, addr, pte);
    pte
}

/// Reads an entry by its address, past the accessor: a raw `*ptep`.
#[inline]
#[must_use]
pub fn raw_read(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = ptep.read();
    if mm.machine().seen() {
        read_seen(mm, PteOp::raw_read, addr, pte);
    }
    pte
}

/// Reads an entry without its lock; the reader knows that the value may be old.
#[inline]
#[must_use]
pub fn ptep_get_lockless(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let pte = ptep.read();
    if mm.machine().seen() {
        read_seen(mm, PteOp::ptep_get_lockless, addr, pte);
    }
    pte
}

/// Empties an entry and returns what it was.
#[inline]
pub fn ptep_get_and_clear(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let latest = Latest::From(|_| Pte::NONE);
    change!(ptep_get_and_clear(), Change { mm, addr, ptep, nr: 1, latest })
}

/// Empties an entry.
#[inline]
pub fn pte_clear(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) {
    let latest = Latest::Empty;
    change!(pte_clear(), Change { mm, addr, ptep, nr: 1, latest });
}

/// Takes the permission to write from an entry.
#[inline]
pub fn ptep_set_wrprotect(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) {
    let latest = Latest::From(|was| was.without(Pte::WRITE));
    change!(ptep_set_wrprotect(), Change { mm, addr, ptep, nr: 1, latest });
}

/// Takes the permission to write from `nr` consecutive entries, 1 to 512, in one table.
#[inline]
pub fn wrprotect_ptes(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, nr: u16) {
    let latest = Latest::From(|was| was.without(Pte::WRITE));
    change!(wrprotect_ptes(nr), Change { mm, addr, ptep, nr, latest });
}

/// Clears the accessed bit of an entry and tells whether it was set.
#[inline]
pub fn ptep_test_and_clear_young(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> bool {
    let latest = Latest::From(|was| was.without(Pte::YOUNG));
    change!(ptep_test_and_clear_young(), Change { mm, addr, ptep, nr: 1, latest })
}

/// Begins the change of an entry's protection and returns what it was.
#[inline]
pub fn ptep_modify_prot_start(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>) -> Pte {
    let reads = mm.machine().arch.prot_start_reads();
    let latest = Latest::From(if reads { |was| was } else { |_| Pte::NONE });
    change!(ptep_modify_prot_start(), Change { mm, addr, ptep, nr: 1, latest })
}

/// Ends the change of an entry's protection: it becomes `pte`.
#[inline]
pub fn ptep_modify_prot_commit(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) {
    let latest = Latest::Pages(pte);
    change!(ptep_modify_prot_commit(pte), Change { mm, addr, ptep, nr: 1, latest });
}

/// Gives more permissions to a present entry and tells whether it was another one than `pte`: it
/// becomes `pte`, or on arm64 and powerpc keeps what it has beside.
#[inline]
pub fn ptep_set_access_flags(mm: &MmStruct, addr: VirtAddr, ptep: Ptep<'_>, pte: Pte) -> bool {
    let latest = Latest::Pages(pte);
    change!(ptep_set_access_flags(pte), Change { mm, addr, ptep, nr: 1, latest })
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
    Primitives::<true>::access(code(mm), mm, addr, ptep, access);
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
    code(mm).set_table(mm, level, addr.align_down(), valid);
}

/// Flushes `pages` pages from the TLBs: `flush_tlb_range()` and, for the kernel's pages,
/// `flush_tlb_kernel_range()`. A record shows at most 1023.
pub fn flush_tlb_range(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    flushing(mm, PteOp::flush_tlb_range, addr, pages, |nr| {
        code(mm).flush_tlb_range(mm, addr, nr);
    });
}

/// Flushes the TLBs at the end of an `mmu_gather` over `pages` pages from `addr` on; goes on to do
/// what is queued, where the queue is the flush. A record shows at most 1023.
pub fn tlb_flush(mm: &MmStruct, addr: VirtAddr, pages: u64) {
    flushing(mm, PteOp::tlb_flush, addr, pages, |nr| {
        code(mm).tlb_flush(mm, addr, nr);
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
        code(mm).flush_tlb_range(mm, addr, nr.into());
        mm.machine().track(|tracker, _| tracker.flushed(mm.at(addr), nr.into()));
    }
}
