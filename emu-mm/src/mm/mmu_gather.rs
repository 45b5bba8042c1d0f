//! Pages that wait for a TLB flush before they are freed: `struct mmu_gather`.
//!
//! Models mm/mmu_gather.c and include/asm-generic/tlb.h (v6.12 to v7.3): how many pages fit, what
//! range the flush covers, and that nothing is freed before the flush, but on s390, which keeps no
//! pages (`CONFIG_MMU_GATHER_NO_GATHER`).

use emu_arch::hw::addr::PAGE_SHIFT;
use emu_arch::{MmStruct, VirtAddr, pgtable};

/// Slots that need no memory: `MMU_GATHER_BUNDLE`.
pub const MMU_GATHER_BUNDLE: u32 = 8;
/// Slots of each further batch, a page of memory: `MAX_GATHER_BATCH` with pages of 4 KiB.
pub const MAX_GATHER_BATCH: u32 = 510;
/// Further batches at most: `MAX_GATHER_BATCH_COUNT`.
pub const MAX_GATHER_BATCH_COUNT: u32 = 10_000 / MAX_GATHER_BATCH;

/// Pages and a range of addresses that wait for a TLB flush.
///
/// Fidelity: changed: include/asm-generic/tlb.h v7.0 keeps the pages; their number is enough here.
#[derive(Debug)]
pub struct MmuGather<'m> {
    mm: &'m MmStruct,
    fullmm: bool,
    /// `CONFIG_MMU_GATHER_NO_GATHER`
    no_gather: bool,
    /// Dirty pages of a file wait for the flush to leave the reverse map.
    delayed_rmap: bool,
    /// The batch that is being filled, 0 for the slots that need no memory.
    batch: u32,
    /// Its free slots.
    free: u32,
    /// Addresses whose entries changed since the last flush, in pages; none if `start >= end`.
    start: u64,
    end: u64,
    /// Entries recorded since the beginning, and those of them before the last flush.
    entries: u64,
    flushed: u64,
    /// Pages taken since the beginning, and those of them that were freed.
    pages: u64,
    freed: u64,
}

impl<'m> MmuGather<'m> {
    /// Begins to gather for a part of an address space: `tlb_gather_mmu()`.
    ///
    /// Fidelity: same as mm/mmu_gather.c v7.0.
    #[must_use]
    pub fn tlb_gather_mmu(mm: &'m MmStruct) -> Self {
        Self {
            mm,
            fullmm: false,
            no_gather: mm.facts().mmu_gather_no_gather,
            delayed_rmap: false,
            batch: 0,
            free: MMU_GATHER_BUNDLE,
            start: u64::MAX,
            end: 0,
            entries: 0,
            flushed: 0,
            pages: 0,
            freed: 0,
        }
    }

    /// Begins to gather for an address space that goes away: `tlb_gather_mmu_fullmm()`.
    ///
    /// Fidelity: same as mm/mmu_gather.c v7.0.
    #[must_use]
    pub fn tlb_gather_mmu_fullmm(mm: &'m MmStruct) -> Self {
        Self { fullmm: true, ..Self::tlb_gather_mmu(mm) }
    }

    /// The address space.
    #[must_use]
    pub const fn mm(&self) -> &'m MmStruct {
        self.mm
    }

    /// Entries whose change was recorded since the beginning.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Pages freed so far.
    #[must_use]
    pub const fn freed(&self) -> u64 {
        self.freed
    }

    /// Pages that wait for a flush.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.pages - self.freed
    }

    /// Records that the entries of `nr` pages from `addr` on changed.
    ///
    /// Fidelity: same as `tlb_flush_pte_range()` and `tlb_remove_tlb_entries()` of
    /// include/asm-generic/tlb.h v7.0.
    #[inline]
    pub fn tlb_flush_pte_range(&mut self, addr: VirtAddr, nr: u16) {
        let start = addr.get() >> PAGE_SHIFT;
        if start < self.start {
            self.start = start;
        }
        let end = start + u64::from(nr);
        if end > self.end {
            self.end = end;
        }
        self.entries += u64::from(nr);
    }

    /// A dirty page of a file was found: tells whether it stays in the reverse map until the TLBs
    /// are flushed, for which the caller must see before it releases the lock.
    ///
    /// Fidelity: same as include/asm-generic/tlb.h v6.12 to v7.3 with `CONFIG_SMP`; up to v6.1 the
    /// flush was forced on every architecture, and no page was delayed.
    #[inline]
    pub fn tlb_delay_rmap(&mut self) -> bool {
        self.delayed_rmap = !self.no_gather;
        self.delayed_rmap
    }

    /// The pages that waited for a flush leave the reverse map.
    ///
    /// Fidelity: same as mm/mmu_gather.c v6.12 to v7.3; the reverse map itself is left out.
    pub fn tlb_flush_rmaps(&mut self) {
        self.delayed_rmap = false;
    }

    /// Takes `nr` pages of one folio and tells whether the gather is full now.
    ///
    /// Fidelity: same as `__tlb_remove_folio_pages_size()` of mm/mmu_gather.c v6.12 to v7.3, and of
    /// arch/s390/include/asm/tlb.h, which frees the pages at once.
    #[inline]
    #[must_use = "a full gather must be flushed"]
    pub fn __tlb_remove_folio_pages(&mut self, nr: u16) -> bool {
        if self.no_gather {
            self.pages += u64::from(nr);
            self.freed = self.pages;
            return false;
        }
        // A folio with several pages takes a second slot, for their number.
        self.free -= if nr == 1 { 1 } else { 2 };
        self.pages += u64::from(nr);
        // There must always be room for a folio with several pages.
        self.free <= 1 && !self.tlb_next_batch()
    }

    /// Begins the next batch and tells whether there is one: none but the first while pages wait
    /// to leave the reverse map.
    ///
    /// Fidelity: same as mm/mmu_gather.c v6.12 to v7.3; memory for a batch is always there.
    fn tlb_next_batch(&mut self) -> bool {
        let delayed = self.delayed_rmap && self.batch > 0;
        if delayed || self.batch == MAX_GATHER_BATCH_COUNT {
            return false;
        }
        (self.batch, self.free) = (self.batch + 1, MAX_GATHER_BATCH);
        true
    }

    /// Tells the machine that the flush of what was gathered is on its way, so that a lock may be
    /// released before it.
    pub(super) fn promise_flush(&self) {
        if self.start < self.end {
            let start = VirtAddr::page(self.start << PAGE_SHIFT).unwrap_or_default();
            pgtable::flush_promised(self.mm, start, self.end - self.start);
        }
    }

    /// Flushes the TLBs, if any entry changed since the last flush.
    ///
    /// The flush covers the whole range that was recorded; for an address space that goes away, the
    /// entries that were.
    ///
    /// Fidelity: changed: mm/mmu_gather.c v7.0; an architecture may know a better flush for an
    /// address space that goes away.
    pub fn tlb_flush_mmu_tlbonly(&mut self) {
        if self.start >= self.end {
            return;
        }
        let pages = if self.fullmm { self.entries - self.flushed } else { self.end - self.start };
        let start = VirtAddr::page(self.start << PAGE_SHIFT).unwrap_or_default();
        pgtable::tlb_flush(self.mm, start, pages);
        (self.start, self.end, self.flushed) = (u64::MAX, 0, self.entries);
    }

    /// Flushes the TLBs and frees the pages.
    ///
    /// Fidelity: same as mm/mmu_gather.c v7.0.
    pub fn tlb_flush_mmu(&mut self) {
        self.tlb_flush_mmu_tlbonly();
        self.freed = self.pages;
        (self.batch, self.free) = (0, MMU_GATHER_BUNDLE);
    }

    /// Ends the gathering: what waits is flushed and freed.
    ///
    /// Fidelity: changed: mm/mmu_gather.c v7.3; no other gather works on the address space, for
    /// which the kernel flushes all of it.
    pub fn tlb_finish_mmu(&mut self) {
        self.tlb_flush_mmu();
    }
}

#[cfg(test)]
mod tests {
    use emu_arch::{Arch, Machine};

    use super::*;

    #[test]
    fn is_full_after_all_batches() {
        let machine = Machine::new(Arch::NAIVE);
        let mut tlb = MmuGather::tlb_gather_mmu(machine.init_mm());
        let mut pages = 1;
        while !tlb.__tlb_remove_folio_pages(1) {
            pages += 1;
        }
        // One slot of each batch stays free, for the number of a folio's pages.
        assert_eq!(pages, 7 + 19 * 509);
        tlb.tlb_finish_mmu();
        assert_eq!((tlb.freed(), tlb.waiting()), (pages, 0));
    }
}
