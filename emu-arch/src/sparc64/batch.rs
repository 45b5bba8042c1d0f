//! The batch of delayed flushes: `struct tlb_batch`, one per CPU.
//!
//! Models arch/sparc/include/asm/tlbflush_64.h and arch/sparc/mm/tlb.c, v6.12 and v7.3.

use crate::backend::{At, Hw, Psize};
use crate::hw::addr::{PAGE_SHIFT, PAGE_SIZE, VirtAddr};
use crate::hw::effect::ArchEffect;

/// That many pages leave the TSB, which is in memory and the same for all CPUs.
pub const FLUSH_TSB_USER: ArchEffect = ArchEffect::delayable("flush_tsb_user");
/// One page leaves the TSB.
pub const FLUSH_TSB_USER_PAGE: ArchEffect = ArchEffect::delayable("flush_tsb_user_page()");
/// One page leaves the TLBs of the CPUs that the address space ran on.
pub const GLOBAL_FLUSH_TLB_PAGE: ArchEffect = ArchEffect::delayable("global_flush_tlb_page()");
/// That many pages leave the TLBs of the CPUs that the address space ran on.
pub const SMP_FLUSH_TLB_PENDING: ArchEffect = ArchEffect::delayable("smp_flush_tlb_pending");
/// A page joins the batch, which then holds that many.
const BATCHED: ArchEffect = ArchEffect::step("tlb_batch.tlb_nr=");

/// How many pages a batch holds before it is flushed.
///
/// Fidelity: same as arch/sparc/include/asm/tlbflush_64.h v7.0.
pub const TLB_BATCH_NR: usize = 192;

/// The bit of an entry of the batch that says that the page was executable, so that it must leave
/// the instruction TLB too.
const EXEC: u64 = 0x1;
const _: () = assert!(EXEC < PAGE_SIZE, "the address of a page does not have the bit");

/// Pages that are still in the TSB and in TLBs.
///
/// Fidelity: changed: arch/sparc/include/asm/tlbflush_64.h v6.12 and v7.3, with the lab's page
/// size. A slot whose page was flushed and that is flushed again is empty here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlbBatch {
    /// The mode is on; up to v6.19 only.
    pub(super) active: bool,
    hugepage_shift: u32,
    mm: u8,
    /// The array up to the kernel's `tlb_nr`.
    vaddrs: Vec<Option<Waiting>>,
}

/// A page that waits. The kernel has its address alone, and takes the rest from the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    /// The address, with [`EXEC`] in the lowest bit.
    vaddr: u64,
    mm: u8,
    hugepage_shift: u32,
}

impl TlbBatch {
    /// The number of pages that wait.
    #[must_use]
    pub fn tlb_nr(&self) -> usize {
        self.vaddrs.len()
    }

    /// Stores a page in slot `nr`, behind which nothing is from now on.
    #[inline]
    fn store(&mut self, nr: usize, page: Waiting) {
        if self.vaddrs.len() != nr {
            self.vaddrs.resize(nr, None);
        }
        self.vaddrs.push(Some(page));
    }

    /// The first `nr` pages, but for those that a flush does not find.
    fn found(&self, nr: usize, mm: u8, hugepage_shift: u32) -> Vec<Waiting> {
        let pages = self.vaddrs.iter().take(nr).flatten();
        pages
            .filter(|page| page.mm == mm && page.hugepage_shift == hugepage_shift)
            .copied()
            .collect()
    }
}

/// The shift of a page size.
///
/// Fidelity: changed: arch/sparc/mm v7.0 takes it from the huge entry, the lab from the region of
/// the address; a huge page (`REAL_HPAGE_SHIFT`) stands for the lab's largest size.
#[inline]
const fn hugepage_shift(psize: Psize) -> u32 {
    match psize {
        Psize::Page4K => PAGE_SHIFT,
        Psize::Page64K => 16,
        Psize::Page16M => 22,
    }
}

/// Flushes the page at `at` now if the mode is not `active`, else with the batch of this CPU; pages
/// of another address space that wait there are flushed either way.
///
/// `tlb_batch.tlb_nr=` comes between the read of `tlb_nr` and the stores that go by it: up to v6.19
/// a page that an interrupt adds in between is overwritten; from v7.0 on an interrupt may flush the
/// batch there.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v6.12 and v7.3, which differ in `active`.
#[inline]
pub(super) fn tlb_batch_add_one<H: Hw<PerCpu = TlbBatch>>(
    hw: &mut H,
    at: At,
    exec: bool,
    active: impl FnOnce(&mut H) -> bool,
) {
    hw.get_cpu();
    let mut nr = hw.per_cpu(|tb| tb.tlb_nr());
    if nr != 0 && hw.per_cpu(|tb| tb.mm != at.mm) {
        flush_tlb_pending(hw);
        nr = 0;
    }
    if active(hw) {
        let vaddr = at.addr.get() | if exec { EXEC } else { 0 };
        let shift = hugepage_shift(hw.slice_psize(at));
        if nr == 0 {
            hw.per_cpu(|tb| (tb.mm, tb.hugepage_shift) = (at.mm, shift));
        }
        if hw.per_cpu(|tb| tb.hugepage_shift != shift) {
            flush_tlb_pending(hw);
            // The address space was compared above; up to v6.19 an interrupt may have changed it.
            hw.per_cpu(|tb| tb.hugepage_shift = shift);
            nr = 0;
        }
        hw.effect(BATCHED.of(nr as u32 + 1));
        if nr >= hw.limit(TLB_BATCH_NR) {
            hw.overflow();
        }
        let page = Waiting { vaddr, mm: at.mm, hugepage_shift: shift };
        hw.per_cpu(|tb| tb.store(nr, page));
        hw.defer(at, 1);
        if nr + 1 >= hw.limit(TLB_BATCH_NR) {
            flush_tlb_pending(hw);
        }
    } else {
        hw.effect(FLUSH_TSB_USER_PAGE);
        hw.effect(GLOBAL_FLUSH_TLB_PAGE);
        hw.tlb_invalidate(at, 1);
    }
    hw.put_cpu();
}

/// Flushes what waits on this CPU, if anything does: first from the TSB, lest a TLB is filled from
/// it again.
///
/// `tlb_nr` is read again for each part, and `mm` for all but the flush of a single page: an
/// interrupt may change both in between. What it adds behind the last read is forgotten.
///
/// Fidelity: same as arch/sparc/mm/tlb.c and `flush_tsb_user()` of arch/sparc/mm/tsb.c, v6.12 and
/// v7.3, with `CONFIG_SMP` and a valid context. A page is gone where both parts find it.
#[inline(never)]
pub(super) fn flush_tlb_pending(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    hw.get_cpu();
    let (any, mm) = hw.per_cpu(|tb| (tb.tlb_nr() != 0, tb.mm));
    if any {
        hw.effect_on(FLUSH_TSB_USER, |tb| tb.tlb_nr() as u32);
        let (nr, tsb_mm, shift) = hw.per_cpu(|tb| (tb.tlb_nr(), tb.mm, tb.hugepage_shift));
        let pages = hw.tracks().then(|| hw.per_cpu(|tb| tb.found(nr, tsb_mm, shift)));
        let tlb_mm = if nr == 1 {
            hw.effect(GLOBAL_FLUSH_TLB_PAGE);
            mm
        } else {
            hw.effect(SMP_FLUSH_TLB_PENDING.of(nr as u32));
            tsb_mm
        };
        let pages = pages.filter(|_| tlb_mm == tsb_mm).unwrap_or_default();
        invalidate(hw, &pages);
        hw.per_cpu(|tb| tb.vaddrs.clear());
        hw.complete();
    }
    hw.put_cpu();
}

/// The pages leave the TSB and the TLBs.
fn invalidate(hw: &mut impl Hw, pages: &[Waiting]) {
    // Neighbours at once.
    let follows = |page: &Waiting, next: &Waiting| {
        (next.vaddr & !EXEC).wrapping_sub(page.vaddr & !EXEC) == PAGE_SIZE
    };
    for run in pages.chunk_by(follows) {
        if let Ok(addr) = VirtAddr::page(run[0].vaddr & !EXEC) {
            hw.tlb_invalidate(At { mm: run[0].mm, addr }, run.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_finds_what_is_of_its_address_space_and_size() {
        let page = |vaddr, mm, hugepage_shift| Waiting { vaddr, mm, hugepage_shift };
        let mut tb = TlbBatch::default();
        tb.store(0, page(0x1000 | EXEC, 7, PAGE_SHIFT));
        tb.store(1, page(0x2000, 7, PAGE_SHIFT));
        tb.store(2, page(0x1_0000, 7, 16));
        tb.store(3, page(0x1000, 8, PAGE_SHIFT));
        assert_eq!(tb.found(4, 7, PAGE_SHIFT).len(), 2);
        assert_eq!(tb.found(1, 7, PAGE_SHIFT), [page(0x1000 | EXEC, 7, PAGE_SHIFT)]);
        assert_eq!(tb.found(4, 7, 16), [page(0x1_0000, 7, 16)]);
        assert_eq!(tb.found(4, 8, 16), []);
    }

    #[test]
    fn a_page_goes_by_the_number_that_was_read_before() {
        let page = |vaddr| Waiting { vaddr, mm: 1, hugepage_shift: PAGE_SHIFT };
        let mut tb = TlbBatch::default();
        (0..3).for_each(|nr| tb.store(nr, page(0x1000 + PAGE_SIZE * nr as u64)));
        // Two pages joined, and the outer one had read 1.
        tb.store(1, page(0x9000));
        assert_eq!(tb.vaddrs, [Some(page(0x1000)), Some(page(0x9000))]);
        // The batch was flushed, and the outer one had read 2.
        tb.vaddrs.clear();
        tb.store(2, page(0x9000));
        assert_eq!(tb.vaddrs, [None, None, Some(page(0x9000))]);
    }
}
