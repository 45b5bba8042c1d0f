//! The batch of delayed invalidations: `struct ppc64_tlb_batch`, one per CPU.
//!
//! Models arch/powerpc/include/asm/book3s/64/tlbflush-hash.h and
//! arch/powerpc/mm/book3s64/hash_tlb.c, v7.0 (313a05a15a1b).

use crate::backend::{At, Hw, Psize};
use crate::hw::addr::{PAGE_SIZE, VirtAddr};
use crate::hw::effect::ArchEffect;

/// One page leaves the hash page table and the TLBs.
pub const FLUSH_HASH_PAGE: ArchEffect = ArchEffect::delayable("flush_hash_page()");
/// That many pages leave the hash page table and the TLBs.
pub const FLUSH_HASH_RANGE: ArchEffect = ArchEffect::delayable("flush_hash_range");
/// An entry joined the batch, which now holds that many.
const BATCHED: ArchEffect = ArchEffect::deferral("ppc64_tlb_batch.index=");

/// How many entries a batch holds before it is flushed.
///
/// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to v7.0.
pub const PPC64_TLB_BATCH_NR: usize = 192;

/// A segment size of the hash MMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Ssize {
    /// `MMU_SEGSIZE_256M`
    #[default]
    Seg256M,
    /// `MMU_SEGSIZE_1T`
    Seg1T,
}

impl Ssize {
    /// The segment size at `addr`: small below 1 TiB of user space, large elsewhere.
    ///
    /// Fidelity: same as `user_segment_size()` and `mmu_kernel_ssize` of
    /// arch/powerpc/include/asm/book3s/64/mmu-hash.h v7.0, on a CPU with 1 TiB segments.
    pub(super) const fn of(addr: VirtAddr) -> Self {
        const SID_SHIFT_1T: u32 = 40;
        if addr.is_kernel() || addr.get() >> SID_SHIFT_1T != 0 {
            Self::Seg1T
        } else {
            Self::Seg256M
        }
    }
}

/// Pages whose hash page table entries are still to be invalidated.
///
/// Fidelity: changed: arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to v7.0, with
/// addresses in place of virtual page numbers and without the slots, which no effect depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ppc64TlbBatch {
    /// The mode is on; up to v6.19 only.
    pub(super) active: bool,
    mm: u8,
    psize: Psize,
    ssize: Ssize,
    /// The pages; the kernel's `index` is its length, at most [`PPC64_TLB_BATCH_NR`].
    pages: Vec<VirtAddr>,
}

impl Ppc64TlbBatch {
    /// The number of pages that wait.
    #[must_use]
    pub fn index(&self) -> usize {
        self.pages.len()
    }

    /// Tells whether pages wait that do not go with one at `at`.
    #[inline]
    fn differs(&self, at: At, psize: Psize, ssize: Ssize) -> bool {
        !self.pages.is_empty() && (self.mm != at.mm || self.psize != psize || self.ssize != ssize)
    }

    /// Appends a page that goes with those that wait; returns how many wait now.
    #[inline]
    fn append_alike(&mut self, at: At, psize: Psize, ssize: Ssize) -> Option<usize> {
        (!self.differs(at, psize, ssize)).then(|| self.append(at, psize, ssize))
    }

    /// Appends a page; returns how many wait now.
    #[inline]
    fn append(&mut self, at: At, psize: Psize, ssize: Ssize) -> usize {
        if self.pages.is_empty() {
            (self.mm, self.psize, self.ssize) = (at.mm, psize, ssize);
        }
        self.pages.push(at.addr);
        self.pages.len()
    }
}

/// Sees to it that the translation of `at`, whose entry was hashed, goes away: now if the mode is
/// not `active`, else with the batch of this CPU.
///
/// Fidelity: same as `hpte_need_flush()` of arch/powerpc/mm/book3s64/hash_tlb.c v7.0, and with
/// another `active` of v6.0 and v6.19; huge pages are left out.
#[inline]
pub(super) fn hpte_need_flush<H: Hw<PerCpu = Ppc64TlbBatch>>(
    hw: &mut H,
    at: At,
    active: impl FnOnce(&mut H) -> bool,
) {
    hw.get_cpu();
    if active(hw) {
        let (psize, ssize) = (hw.slice_psize(at), Ssize::of(at.addr));
        let index = match hw.per_cpu(|batch| batch.append_alike(at, psize, ssize)) {
            Some(index) => index,
            None => {
                flush_pending(hw);
                hw.per_cpu(|batch| batch.append(at, psize, ssize))
            }
        };
        hw.effect(BATCHED.of(index as u32));
        hw.defer(at, 1);
        if index >= hw.limit(PPC64_TLB_BATCH_NR) {
            flush_pending(hw);
        }
    } else {
        hw.effect(FLUSH_HASH_PAGE);
        hw.tlb_invalidate(at, 1);
    }
    hw.put_cpu();
}

/// Invalidates what waits on this CPU, if anything does.
///
/// Fidelity: same as `__flush_tlb_pending()` of arch/powerpc/mm/book3s64/hash_tlb.c v7.0 and the
/// test for an empty batch in its callers; whether only the local CPU is told, and what
/// `flush_hash_range()` does on bare metal and under a hypervisor, are left out.
#[inline(never)]
pub(super) fn flush_pending(hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>) {
    let index = hw.per_cpu(|batch| batch.index());
    match index {
        0 => return,
        1 => hw.effect(FLUSH_HASH_PAGE),
        n => hw.effect(FLUSH_HASH_RANGE.of(n as u32)),
    }
    if hw.tracks() {
        let (mm, pages) = hw.per_cpu(|batch| (batch.mm, batch.pages.clone()));
        // Neighbours at once.
        for run in pages.chunk_by(|page, next| next.get().wrapping_sub(page.get()) == PAGE_SIZE) {
            hw.tlb_invalidate(At { mm, addr: run[0] }, run.len() as u32);
        }
    }
    hw.per_cpu(|batch| batch.pages.clear());
    hw.complete();
}
