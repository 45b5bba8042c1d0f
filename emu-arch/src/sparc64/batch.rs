//! The batch of delayed flushes: `struct tlb_batch`, one per CPU.
//!
//! Models arch/sparc/include/asm/tlbflush_64.h and arch/sparc/mm/tlb.c, v7.0 (dacd24ec4965).

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
/// A page joined the batch, which now holds that many.
const BATCHED: ArchEffect = ArchEffect::deferral("tlb_batch.tlb_nr=");

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
/// Fidelity: changed: arch/sparc/include/asm/tlbflush_64.h v7.0, with the lab's page size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlbBatch {
    /// The mode is on; up to v6.19 only.
    pub(super) active: bool,
    hugepage_shift: u32,
    mm: u8,
    /// The pages, with [`EXEC`] in the lowest bit; the kernel's `tlb_nr` is its length, at most
    /// [`TLB_BATCH_NR`].
    vaddrs: Vec<u64>,
}

impl TlbBatch {
    /// The number of pages that wait.
    #[must_use]
    pub fn tlb_nr(&self) -> usize {
        self.vaddrs.len()
    }

    /// Tells whether pages of another address space wait.
    #[inline]
    fn is_of_another(&self, mm: u8) -> bool {
        !self.vaddrs.is_empty() && self.mm != mm
    }

    /// Appends a page unless pages of another address space or size wait; returns how many wait
    /// now.
    #[inline]
    fn append_alike(&mut self, mm: u8, vaddr: u64, hugepage_shift: u32) -> Option<usize> {
        let alike = self.mm == mm && self.hugepage_shift == hugepage_shift;
        (alike || self.vaddrs.is_empty()).then(|| self.append(mm, vaddr, hugepage_shift))
    }

    /// Appends a page; returns how many wait now.
    #[inline]
    fn append(&mut self, mm: u8, vaddr: u64, hugepage_shift: u32) -> usize {
        if self.vaddrs.is_empty() {
            (self.mm, self.hugepage_shift) = (mm, hugepage_shift);
        }
        self.vaddrs.push(vaddr);
        self.vaddrs.len()
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
/// Fidelity: same as arch/sparc/mm/tlb.c v7.0, and with another `active` of v6.14 and v6.19. The
/// kernel looks for another address space before it asks for the mode, on which the answer does not
/// depend; here a page that goes with those that wait joins in one step, which no interrupt splits.
#[inline]
pub(super) fn tlb_batch_add_one<H: Hw<PerCpu = TlbBatch>>(
    hw: &mut H,
    at: At,
    exec: bool,
    active: impl FnOnce(&mut H) -> bool,
) {
    hw.get_cpu();
    if active(hw) {
        let vaddr = at.addr.get() | if exec { EXEC } else { 0 };
        let shift = hugepage_shift(hw.slice_psize(at));
        let nr = match hw.per_cpu(|tb| tb.append_alike(at.mm, vaddr, shift)) {
            Some(nr) => nr,
            None => {
                flush_tlb_pending(hw);
                hw.per_cpu(|tb| tb.append(at.mm, vaddr, shift))
            }
        };
        hw.effect(BATCHED.of(nr as u32));
        hw.defer(at, 1);
        if nr >= hw.limit(TLB_BATCH_NR) {
            flush_tlb_pending(hw);
        }
    } else {
        if hw.per_cpu(|tb| tb.is_of_another(at.mm)) {
            flush_tlb_pending(hw);
        }
        hw.effect(FLUSH_TSB_USER_PAGE);
        hw.effect(GLOBAL_FLUSH_TLB_PAGE);
        hw.tlb_invalidate(at, 1);
    }
    hw.put_cpu();
}

/// Flushes what waits on this CPU, if anything does: first from the TSB, lest a TLB is filled from
/// it again.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v7.0 with `CONFIG_SMP` and a valid context.
#[inline(never)]
pub(super) fn flush_tlb_pending(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    let nr = hw.per_cpu(|batch| batch.tlb_nr()) as u32;
    match nr {
        0 => return,
        1 => {
            hw.effect(FLUSH_TSB_USER.of(1));
            hw.effect(GLOBAL_FLUSH_TLB_PAGE);
        }
        nr => {
            hw.effect(FLUSH_TSB_USER.of(nr));
            hw.effect(SMP_FLUSH_TLB_PENDING.of(nr));
        }
    }
    if hw.tracks() {
        let (mm, vaddrs) = hw.per_cpu(|batch| (batch.mm, batch.vaddrs.clone()));
        // Neighbours at once.
        let follows =
            |page: &u64, next: &u64| (next & !EXEC).wrapping_sub(page & !EXEC) == PAGE_SIZE;
        for run in vaddrs.chunk_by(follows) {
            if let Ok(addr) = VirtAddr::page(run[0] & !EXEC) {
                hw.tlb_invalidate(At { mm, addr }, run.len() as u32);
            }
        }
    }
    hw.per_cpu(|batch| batch.vaddrs.clear());
    hw.complete();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_decides_whose_batch_it_is() {
        let mut tb = TlbBatch::default();
        assert!(!tb.is_of_another(7), "an empty batch is nobody's");
        assert_eq!(tb.append_alike(7, 0x1000 | EXEC, PAGE_SHIFT), Some(1));
        assert_eq!(tb.append_alike(7, 0x2000, PAGE_SHIFT), Some(2));
        assert_eq!(tb.append_alike(7, 0x1_0000, 16), None, "another page size");
        assert_eq!(tb.append_alike(8, 0x1000, PAGE_SHIFT), None, "another address space");
        assert!(tb.is_of_another(8) && !tb.is_of_another(7));
        assert_eq!(tb.vaddrs, [0x1001, 0x2000]);
        tb.vaddrs.clear();
        assert_eq!(tb.append_alike(8, 0x1_0000, 16), Some(1));
        assert_eq!((tb.mm, tb.hugepage_shift), (8, 16));
    }
}
