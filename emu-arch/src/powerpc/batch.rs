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
/// An entry joins the batch, which then holds that many.
const INDEX: &str = "ppc64_tlb_batch.index=";
/// From v7.0 on no interrupt touches the batch.
pub(super) const JOINED: ArchEffect = ArchEffect::deferral(INDEX);
/// Up to v6.19 an interrupt may have joined at the same place.
pub(super) const JOINED_V6_19: ArchEffect = ArchEffect::step(INDEX);

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
/// Fidelity: changed: arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.12 and v7.3, with
/// addresses in place of virtual page numbers and without the slots, which no effect depends on. A
/// slot whose page was flushed and that is flushed again is empty here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ppc64TlbBatch {
    /// The mode is on; up to v6.19 only.
    pub(super) active: bool,
    mm: u8,
    size: Size,
    /// The array up to the kernel's `index`, with the sizes that each page has; the kernel keeps
    /// those of the first one alone.
    pages: Vec<Option<(At, Size)>>,
}

/// What finds an entry of the hash page table beside the virtual page number: the size of the page
/// and of its segment.
type Size = (Psize, Ssize);

impl Ppc64TlbBatch {
    /// The number of pages that wait.
    #[must_use]
    pub fn index(&self) -> usize {
        self.pages.len()
    }

    /// Stores a page in slot `i`, behind which nothing is from now on.
    #[inline]
    fn store(&mut self, i: usize, at: At, size: Size) {
        if self.pages.len() != i {
            self.pages.resize(i, None);
        }
        self.pages.push(Some((at, size)));
    }
}

/// The sizes of the page at `at`. A kernel with pages of 4 KiB has one size for all entries but
/// huge ones, for which it asks the slice; those have 16 MiB.
///
/// Fidelity: changed: `hpte_need_flush()` of arch/powerpc/mm/book3s64/hash_tlb.c and
/// `pte_pagesize_index()` of arch/powerpc/include/asm/book3s/64/hash-4k.h, v6.12 and v7.3: each
/// entry in a slice of 16 MiB pages stands for a huge one, and those of 16 GiB are left out.
#[inline]
fn size(hw: &impl Hw, at: At) -> Size {
    let psize = match hw.slice_psize(at) {
        Psize::Page4K | Psize::Page64K => Psize::Page4K,
        Psize::Page16M => Psize::Page16M,
    };
    (psize, Ssize::of(at.addr))
}

/// Sees to it that the translation of `at`, whose entry was hashed, goes away: now if the mode is
/// not `active`, else with the batch of this CPU.
///
/// What `joined` records comes between the read of `index` and the stores that go by it: a page
/// that an interrupt adds in between, up to v6.19, is overwritten.
///
/// Fidelity: same as `hpte_need_flush()` of arch/powerpc/mm/book3s64/hash_tlb.c v6.12 and v7.3,
/// which differ in `active`.
#[inline]
pub(super) fn hpte_need_flush<H: Hw<PerCpu = Ppc64TlbBatch>>(
    hw: &mut H,
    at: At,
    joined: ArchEffect,
    active: impl FnOnce(&mut H) -> bool,
) {
    hw.get_cpu();
    let mut i = hw.per_cpu(|batch| batch.index());
    if active(hw) {
        let size = size(hw, at);
        if i != 0 && hw.per_cpu(|batch| (batch.mm, batch.size) != (at.mm, size)) {
            flush_pending(hw);
            i = 0;
        }
        if i == 0 {
            hw.per_cpu(|batch| (batch.mm, batch.size) = (at.mm, size));
        }
        hw.effect(joined.of(i as u32 + 1));
        if i >= hw.limit(PPC64_TLB_BATCH_NR) {
            hw.overflow();
        }
        hw.per_cpu(|batch| batch.store(i, at, size));
        hw.defer(at, 1);
        if i + 1 >= hw.limit(PPC64_TLB_BATCH_NR) {
            flush_pending(hw);
        }
    } else {
        hw.effect(FLUSH_HASH_PAGE);
        hw.tlb_invalidate(at, 1);
    }
    hw.put_cpu();
}

/// Invalidates what waits on this CPU, if anything does. What an interrupt adds meanwhile, up to
/// v6.19, is forgotten.
///
/// Fidelity: same as `__flush_tlb_pending()` of arch/powerpc/mm/book3s64/hash_tlb.c v6.12 and v7.3
/// and the test for an empty batch in its callers, of which `hpte_need_flush()` asks its own count;
/// whether only the local CPU is told, and what
/// `flush_hash_range()` does on bare metal and under a hypervisor, are left out.
#[inline(never)]
pub(super) fn flush_pending(hw: &mut impl Hw<PerCpu = Ppc64TlbBatch>) {
    let (i, first, size) =
        hw.per_cpu(|batch| (batch.index(), batch.pages.first().copied().flatten(), batch.size));
    match i {
        0 => return,
        1 => {
            hw.effect(FLUSH_HASH_PAGE);
            invalidate(hw, &[first], size);
        }
        n => {
            hw.effect(FLUSH_HASH_RANGE.of(n as u32));
            if hw.tracks() {
                // Read by the flush itself; nobody looks at the batch before it is empty.
                let (mut pages, size) =
                    hw.per_cpu(|batch| (std::mem::take(&mut batch.pages), batch.size));
                pages.truncate(n);
                invalidate(hw, &pages, size);
                hw.per_cpu(|batch| batch.pages = pages);
            }
        }
    }
    hw.per_cpu(|batch| batch.pages.clear());
    hw.complete();
}

/// The pages leave the hash page table, but for those that are not found by `size`.
fn invalidate(hw: &mut impl Hw, pages: &[Option<(At, Size)>], size: Size) {
    // Neighbours at once.
    let follows = |page: &Option<(At, Size)>, next: &Option<(At, Size)>| {
        let next = next.filter(|(_, next)| *next == size);
        page.zip(next).is_some_and(|((page, of), (next, _))| {
            of == size
                && next.mm == page.mm
                && next.addr.get().wrapping_sub(page.addr.get()) == PAGE_SIZE
        })
    };
    for run in pages.chunk_by(follows) {
        if let Some((first, _)) = run[0].filter(|(_, of)| *of == size) {
            hw.tlb_invalidate(first, run.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_by_the_index_that_was_read_before() {
        let at = |page: u64| At { mm: 1, addr: VirtAddr::page(page << 12).unwrap() };
        let (mut batch, size) = (Ppc64TlbBatch::default(), Size::default());
        let pages = |batch: &Ppc64TlbBatch| -> Vec<_> {
            batch.pages.iter().map(|page| page.map(|(at, _)| at.addr.get() >> 12)).collect()
        };
        batch.store(0, at(1), size);
        batch.store(1, at(2), size);
        // Two pages joined, and the outer one had read 1.
        batch.store(2, at(3), size);
        batch.store(1, at(4), size);
        assert_eq!(pages(&batch), [Some(1), Some(4)]);
        // The batch was flushed, and the outer one had read 2.
        batch.pages.clear();
        batch.store(2, at(5), size);
        assert_eq!(pages(&batch), [None, None, Some(5)]);
    }
}
