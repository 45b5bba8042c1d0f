//! The page table primitives: which function of the backend each reaches, what is recorded, and
//! what the tracker is shown. One row each.

use lazy_mmu::trace::{Event, PteEvent, PteOp};

use super::Host;
use crate::backend::{Access, At, Backend, Level};
use crate::hazard::Trigger;
use crate::hw::pte::Pte;
use crate::tracker::Tracker;

/// What software takes entries for after a primitive has changed them.
#[derive(Clone, Copy)]
pub(crate) enum Latest {
    /// Those of consecutive pages, the first of which this is.
    Pages(Pte),
    /// Empty ones.
    Empty,
    /// What this makes of what they were, on which the primitive depends.
    From(fn(Pte) -> Pte),
}

/// The entries that a primitive works on.
#[derive(Clone, Copy)]
struct Entries<P> {
    at: At,
    ptep: P,
    nr: u16,
}

/// The primitives that change entries, one row each:
///
/// * name, arguments, and where a scenario takes each argument from (`new`: the entry that the line
///   describes, `relaxed`, `started`: see `step.rs`; `nr`: the number of pages);
/// * in brackets, how many entries it changes and what software takes them for afterwards;
/// * what the backend `$b` does on the host `$k` to the page at `$at`, whose entry is `$ptep`.
macro_rules! for_each_primitive {
    ($callback:ident) => {
        $callback! {
            /// Writes the entry of one page that was not present.
            set_pte_at(pte: Pte = new) [1, Latest::Pages(pte)]
                = |b, k, at, ptep| b.set_ptes(k, at, ptep, pte, 1);
            /// Writes the entries of `nr` consecutive pages that were not present, 1 to 512, in one
            /// table.
            set_ptes(pte: Pte = new, nr: u16 = nr) [nr, Latest::Pages(pte)]
                = |b, k, at, ptep| b.set_ptes(k, at, ptep, pte, nr);
            /// Writes an entry without the checks of [`set_pte_at`]: what arch code uses.
            set_pte(pte: Pte = new) [1, Latest::Pages(pte)]
                = |b, k, at, ptep| b.set_pte(k, at, ptep, pte);
            /// Empties an entry and returns what it was.
            ptep_get_and_clear() -> Pte [1, Latest::From(|_| Pte::NONE)]
                = |b, k, at, ptep| b.pte_update(k, at, ptep, |_| Pte::NONE);
            /// Empties an entry.
            pte_clear() [1, Latest::Empty] = |b, k, at, ptep| b.pte_clear(k, at, ptep);
            /// Takes the permission to write from an entry.
            ptep_set_wrprotect() [1, Latest::From(|was| was.without(Pte::WRITE))]
                = |b, k, at, ptep| b.ptep_set_wrprotect(k, at, ptep);
            /// Takes the permission to write from `nr` consecutive entries, 1 to 512, in one table.
            wrprotect_ptes(nr: u16 = nr) [nr, Latest::From(|was| was.without(Pte::WRITE))]
                = |b, k, at, ptep| for n in 0..nr {
                    let ptep = k.ptep_add(ptep, n);
                    b.ptep_set_wrprotect(k, at.add_pages(n), ptep);
                };
            /// Clears the accessed bit of an entry and returns whether it was set.
            ptep_test_and_clear_young() -> bool [1, Latest::From(|was| was.without(Pte::YOUNG))]
                = |b, k, at, ptep| b.ptep_test_and_clear_young(k, at, ptep);
            /// Begins the change of an entry's protection and returns what it was.
            ptep_modify_prot_start() -> Pte, kept as started
                [1, Latest::From(if B::FACTS.prot_start_reads { |was| was } else { |_| Pte::NONE })]
                = |b, k, at, ptep| b.ptep_modify_prot_start(k, at, ptep);
            /// Ends the change of an entry's protection: it becomes `pte`.
            ptep_modify_prot_commit(pte: Pte = started) [1, Latest::Pages(pte)]
                = |b, k, at, ptep| b.ptep_modify_prot_commit(k, at, ptep, pte);
            /// Gives more permissions to a present entry and returns whether it differed from
            /// `pte`: it becomes `pte`, or on arm64 and powerpc keeps what it has beside.
            ptep_set_access_flags(pte: Pte = relaxed) -> bool [1, Latest::Pages(pte)]
                = |b, k, at, ptep| b.ptep_set_access_flags(k, at, ptep, pte);
            /// Changes nothing of an entry, so that its translation is invalidated where that is
            /// what a change comes to: powerpc's `pte_update()` with no bit to clear or set.
            pte_update() -> Pte [1, Latest::From(|was| was)]
                = |b, k, at, ptep| b.pte_update(k, at, ptep, |pte| pte);
            /// Has the translation by an entry invalidated and leaves the entry: powerpc's arch
            /// code alone; nothing elsewhere.
            hpte_need_flush() [1, Latest::From(|was| was)]
                = |b, k, at, ptep| b.hpte_need_flush(k, at, ptep);
        }
    };
}
pub(crate) use for_each_primitive;

/// The primitives that take effect at once, whoever observes, one row each: name and arguments.
macro_rules! for_each_other_primitive {
    ($callback:ident) => {
        $callback! {
            /// Touches memory through the entry, as a CPU does.
            access(ptep: Ptep<'_>, access: Access);
            /// Writes the entry above the last level that covers `addr`: `set_pmd()` and its like.
            set_table(level: Level, valid: bool);
            /// Flushes `pages` pages from the TLBs: `flush_tlb_range()` and, for the kernel's
            /// pages, `flush_tlb_kernel_range()`. A record shows at most 1023.
            flush_tlb_range(pages: u64);
            /// Flushes the TLBs at the end of an `mmu_gather` over `pages` pages from `addr` on; on
            /// an architecture whose batch is the flush, it flushes the batch. A record shows at
            /// most 1023.
            tlb_flush(pages: u64);
            /// An `mmu_gather` takes the flush of `nr` pages from `addr` on upon itself.
            tlb_remove_tlb_entries(nr: u16);
            /// Reclaim defers the flush of `nr` pages from `addr` on, until someone asks for it.
            set_tlb_ubc_flush_pending(nr: u16);
            /// Flushes what reclaim has deferred, if anything: what whoever relies on flushed
            /// entries does after taking the lock of their table.
            flush_tlb_batched_pending();
            /// The page table that mapped the address is freed.
            pte_free();
            /// The page that the address mapped last is freed.
            __free_page();
            /// The address space is gone, and its number in translations may be used again.
            destroy_context();
        }
    };
}
pub(crate) use for_each_other_primitive;

/// Declares the primitives as functions of the kernel.
macro_rules! functions {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty = $from:ident),*) $(-> $ret:ty)?
        $(, kept as $keep:ident)? [$nr:expr, $latest:expr] =
        |$b:ident, $k:ident, $at:ident, $ptep:ident| $body:expr;)*) => {
        $($(#[$meta])*
        #[inline(always)]
        pub fn $name<B: Backend, H: Host<Backend = B, PerCpu = B::PerCpu>>(
            host: &mut H, $at: At, $ptep: H::Ptep $(, $arg: $type)*
        ) $(-> $ret)? {
            let $b = host.backend();
            let entries = Entries { at: $at, ptep: $ptep, nr: $nr };
            change(host, PteOp::$name, entries, || $latest, |$k| $body)
        })*
    };
}

for_each_primitive!(functions);

/// Does `work` of the primitive `op`; where somebody observes, it is recorded, and the tracker sees
/// each entry before and after.
#[inline(always)]
fn change<H: Host, R>(
    host: &mut H,
    op: PteOp,
    entries: Entries<H::Ptep>,
    latest: impl FnOnce() -> Latest,
    work: impl FnOnce(&mut H) -> R,
) -> R {
    if H::OBSERVED { observed(host, op, entries, latest(), work) } else { work(host) }
}

#[inline(never)]
fn observed<H: Host, R>(
    host: &mut H,
    op: PteOp,
    entries: Entries<H::Ptep>,
    latest: Latest,
    work: impl FnOnce(&mut H) -> R,
) -> R {
    let Entries { at, ptep, nr } = entries;
    let shown = if let Latest::Pages(pte) = latest { pte } else { host.read(ptep) };
    note(host, op, at, shown, nr);
    if !host.tracks_hazards() {
        return work(host);
    }
    let before = Snapshot::of(host, ptep, nr);
    updates(host);
    if matches!(latest, Latest::From(_)) && H::Backend::FACTS.updates_read_memory {
        host.exercise(Trigger::Read);
        host.track(|tracker, _| {
            (0..nr).for_each(|n| tracker.read(at.add_pages(n), before.at(n)));
        });
    }
    let value = work(host);
    let after = Snapshot::of(host, ptep, nr);
    let mut remade = false;
    host.track(|tracker, now| {
        tracker.primitive_returned(now);
        // The last entry first, as records have it.
        for n in (0..nr).rev() {
            let latest = |was| match latest {
                Latest::Pages(pte) => pte.advance_pfn(u64::from(n)),
                Latest::Empty => Pte::NONE,
                Latest::From(change) => change(was),
            };
            remade |= tracker.changed(now, at.add_pages(n), before.at(n), after.at(n), latest);
        }
    });
    if remade {
        host.exercise(Trigger::Remake);
    }
    value
}

/// The entries of a primitive at one moment; the first apart, since most primitives have no other.
struct Snapshot {
    first: Pte,
    rest: Vec<Pte>,
}

impl Snapshot {
    #[inline(always)]
    fn of<H: Host>(host: &mut H, ptep: H::Ptep, nr: u16) -> Self {
        let first = host.read(ptep);
        let rest = (1..nr).map(|n| host.read(host.ptep_add(ptep, n))).collect();
        Self { first, rest }
    }

    /// The entry number `n`.
    #[inline(always)]
    fn at(&self, n: u16) -> Pte {
        if n == 0 { self.first } else { self.rest[usize::from(n) - 1] }
    }
}

/// Records a use of `op`.
fn note<H: Host>(host: &mut H, op: PteOp, at: At, pte: Pte, nr: u16) {
    host.note(Event::Pte(PteEvent { op, mm: at.mm, addr: at.addr.get(), pte: pte.0, nr }));
}

/// Reads an entry through the accessor.
#[inline(always)]
pub fn ptep_get<H: Host>(host: &mut H, at: At, ptep: H::Ptep) -> Pte {
    let pte = host.backend().ptep_get(host, at, ptep);
    if H::OBSERVED {
        read(host, PteOp::ptep_get, at, pte);
    }
    pte
}

/// Reads an entry by its address, past the accessor: a raw `*ptep`.
#[inline(always)]
pub fn raw_read<H: Host>(host: &mut H, at: At, ptep: H::Ptep) -> Pte {
    let pte = host.read(ptep);
    if H::OBSERVED {
        read(host, PteOp::raw_read, at, pte);
    }
    pte
}

/// Reads an entry without its lock; the reader knows that the value may be old.
#[inline(always)]
pub fn ptep_get_lockless<H: Host>(host: &mut H, at: At, ptep: H::Ptep) -> Pte {
    let pte = host.read(ptep);
    if H::OBSERVED {
        note(host, PteOp::ptep_get_lockless, at, pte, 1);
    }
    pte
}

/// `op` has read an entry and found `pte`.
#[inline(never)]
fn read<H: Host>(host: &mut H, op: PteOp, at: At, pte: Pte) {
    note(host, op, at, pte, 1);
    host.exercise(Trigger::Read);
    host.track(|tracker, _| tracker.read(at, pte));
}

/// Software goes down from the root to the page table of `at`, through an entry of each level
/// above.
pub fn walk<H: Host>(host: &mut H, at: At) {
    host.track(|tracker, _| tracker.walked(at));
}

/// Touches memory through the entry, as a CPU does.
pub fn access<H: Host>(host: &mut H, at: At, ptep: H::Ptep, access: Access) {
    let op = match access {
        Access::Read => PteOp::read,
        Access::Write => PteOp::write,
    };
    let before = host.read(ptep);
    note(host, op, at, before, 1);
    host.backend().access(host, at, ptep, access);
    let after = host.read(ptep);
    let mut triggers = [None; 2];
    host.exercise(Trigger::Access);
    host.track(|tracker, now| triggers = tracker.access(now, at, before, after));
    triggers.into_iter().flatten().for_each(|trigger| host.exercise(trigger));
}

/// Writes the entry above the last level that covers `at`: `set_pmd()` and its like.
pub fn set_table<H: Host>(host: &mut H, at: At, level: Level, valid: bool) {
    let op = match level {
        Level::Pmd => PteOp::set_pmd,
        Level::Pud => PteOp::set_pud,
        Level::P4d => PteOp::set_p4d,
        Level::Pgd => PteOp::set_pgd,
    };
    let at = At { addr: at.addr.align_down(), ..at };
    note(host, op, at, Pte(u64::from(valid)), 1);
    updates(host);
    host.backend().set_table(host, at, level, valid);
    host.track(Tracker::primitive_returned);
}

/// An entry is about to be updated.
fn updates<H: Host>(host: &mut H) {
    if H::EXERCISES {
        let interrupted = host.preempt_count().in_interrupt();
        host.exercise(if interrupted { Trigger::InterruptUpdate } else { Trigger::Update });
    }
}

/// Flushes `pages` pages from the TLBs: `flush_tlb_range()` and, for the kernel's pages,
/// `flush_tlb_kernel_range()`. A record shows at most 1023.
pub fn flush_tlb_range<H: Host>(host: &mut H, at: At, pages: u64) {
    flush(host, PteOp::flush_tlb_range, at, pages, |host, pages| {
        host.backend().flush_tlb_range(host, at, pages);
    });
}

/// Flushes the TLBs at the end of an `mmu_gather` over `pages` pages from `at` on. A record shows
/// at most 1023.
pub fn tlb_flush<H: Host>(host: &mut H, at: At, pages: u64) {
    flush(host, PteOp::tlb_flush, at, pages, |host, pages| {
        host.backend().tlb_flush(host, at, pages);
    });
}

fn flush<H: Host>(host: &mut H, op: PteOp, at: At, pages: u64, work: impl FnOnce(&mut H, u32)) {
    /// The largest number of pages that an event holds.
    const NR_MAX: u64 = 1023;
    note(host, op, at, Pte::NONE, pages.min(NR_MAX) as u16);
    work(host, u32::try_from(pages).unwrap_or(u32::MAX));
    flushed(host, at, pages);
}

/// A TLB flush of `pages` pages from `at` on was asked for.
fn flushed<H: Host>(host: &mut H, at: At, pages: u64) {
    host.exercise(Trigger::Flush);
    host.track(|tracker, _| tracker.flushed(at, pages));
}

/// An `mmu_gather` takes the flush of `nr` pages from `at` on upon itself.
///
/// Fidelity: changed: include/asm-generic/tlb.h v7.3; the caller keeps the range, and flushes it
/// with [`tlb_flush`].
pub fn tlb_remove_tlb_entries<H: Host>(host: &mut H, at: At, nr: u16) {
    note(host, PteOp::tlb_remove_tlb_entries, at, Pte::NONE, nr);
    flush_promised(host, at, nr.into());
}

/// The caller flushes `pages` pages from `at` on later, as a gather does or a fork at its end: the
/// lock of their table may be released before. Nothing is recorded.
pub fn flush_promised<H: Host>(host: &mut H, at: At, pages: u64) {
    host.track(|tracker, _| tracker.owned(at, pages));
}

/// Reclaim defers the flush of `nr` pages from `at` on, until someone asks for it.
///
/// Fidelity: changed: mm/rmap.c v7.3 of x86 and arm64 (the wait alone); flushed at reclaim's end.
pub fn set_tlb_ubc_flush_pending<H: Host>(host: &mut H, at: At, nr: u16) {
    note(host, PteOp::set_tlb_ubc_flush_pending, at, Pte::NONE, nr);
    host.push_batched(at, nr);
    flush_promised(host, at, nr.into());
}

/// Flushes what reclaim has deferred, if anything: what whoever relies on flushed entries does
/// after taking the lock of their table.
///
/// Fidelity: changed: mm/rmap.c v7.3 flushes the whole address space.
pub fn flush_tlb_batched_pending<H: Host>(host: &mut H, at: At) {
    note(host, PteOp::flush_tlb_batched_pending, at, Pte::NONE, 1);
    for (addr, nr) in host.take_batched(at.mm) {
        let at = At { addr, ..at };
        host.backend().flush_tlb_range(host, at, nr.into());
        flushed(host, at, nr.into());
    }
}

/// The page table that mapped `at` is freed.
///
/// Fidelity: changed: include/asm-generic/pgalloc.h v7.3; nothing uses the page again.
pub fn pte_free<H: Host>(host: &mut H, at: At) {
    note(host, PteOp::pte_free, at, Pte::NONE, 1);
    host.exercise(Trigger::TableFree);
    host.track(|tracker, _| tracker.table_freed(at));
}

/// The page that `at` mapped last is freed.
///
/// Fidelity: changed: mm/page_alloc.c v7.3; nothing uses the page again.
pub fn __free_page<H: Host>(host: &mut H, at: At) {
    note(host, PteOp::__free_page, at, Pte::NONE, 1);
    host.exercise(Trigger::PageFree);
    host.track(|tracker, _| tracker.page_freed(at));
}

/// The address space of `at` is gone.
///
/// Fidelity: changed: arch/powerpc/mm/book3s64/mmu_context.c v7.3; its number stays unused.
pub fn destroy_context<H: Host>(host: &mut H, at: At) {
    note(host, PteOp::destroy_context, at, Pte::NONE, 1);
    host.exercise(Trigger::ContextFree);
    host.track(|tracker, _| tracker.context_destroyed(at.mm));
}
