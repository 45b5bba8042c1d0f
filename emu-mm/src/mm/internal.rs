//! Folios without `struct page`: what a frame number says of the memory behind it, and batches.
//!
//! Models `folio_pte_batch_flags()` of mm/internal.h (v7.0). The lab keeps no array of pages.
//! Instead two rules on frame numbers stand in for it: frames from [`ANON_FRAMES`] on hold
//! anonymous memory, all others pages of files; and frames that follow each other belong to one
//! folio, so that whoever hands out frames leaves a gap between two folios.

use std::collections::BTreeSet;

use emu_arch::hw::addr::{PAGE_SHIFT, PTRS_PER_PTE};
use emu_arch::hw::table::Ptep;
use emu_arch::machine::PteLock;
use emu_arch::{MmStruct, Pfn, Pte, VirtAddr, pgtable};

/// The first frame of anonymous memory.
pub const ANON_FRAMES: Pfn = Pfn(1 << 36);

/// Differences between two entries that never keep them out of one batch.
pub const FPB_IGNORED: u64 = Pte::YOUNG | Pte::HASHPTE;

/// Tells whether the frame holds anonymous memory: `folio_test_anon()`.
///
/// Fidelity: changed: include/linux/page-flags.h v7.0 asks the folio.
#[inline]
#[must_use]
pub const fn folio_test_anon(pfn: Pfn) -> bool {
    pfn.0 >= ANON_FRAMES.0
}

/// Tells whether more than one page of the folio may be mapped from `ptep` on, where `max_nr`
/// entries may be looked at: `folio_test_large()`.
///
/// Fidelity: changed: include/linux/page-flags.h v7.0 asks the folio; nothing is recorded, since
/// the kernel reads no entry for this.
#[inline]
fn folio_test_large(ptep: Ptep<'_>, pte: Pte, max_nr: u16) -> bool {
    // Equal frames leave none in the difference, which is one test of the entries as they are.
    max_nr > 1 && Pte(ptep.add(1).read().0 ^ pte.advance_pfn(1).0).pfn() == Pfn(0)
}

/// How many entries from `ptep` on, whose first is `pte`, map consecutive pages of one folio and
/// are equal but for [`FPB_IGNORED`] and the bits of `ignored`: 1 to `max_nr`.
///
/// Fidelity: changed: `folio_pte_batch_flags()` of mm/internal.h v7.0 with the bits that may differ
/// in place of the flags that say which may not; the folio ends where frames stop following each
/// other.
#[inline]
#[must_use]
pub fn folio_pte_batch_flags(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    max_nr: u16,
    ignored: u64,
) -> u16 {
    if folio_test_large(ptep, pte, max_nr) {
        batch_of_large_folio(mm, addr, ptep, pte, max_nr, ignored)
    } else {
        1
    }
}

/// The loop of [`folio_pte_batch_flags`], apart from the path of a folio of one page.
#[inline(never)]
fn batch_of_large_folio(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    max_nr: u16,
    ignored: u64,
) -> u16 {
    let ignored = ignored | FPB_IGNORED;
    let expected = pte.without(ignored);
    let mut nr = 1;
    while nr < max_nr {
        let next = pgtable::ptep_get(mm, addr.add_pages(u64::from(nr)), ptep.add(nr));
        if next.without(ignored) != expected.advance_pfn(u64::from(nr)) {
            break;
        }
        nr += 1;
    }
    nr
}

/// A batch that dirty and write-protected entries do not end either.
///
/// Fidelity: same as `folio_pte_batch()` of mm/internal.h v7.0.
#[inline]
#[must_use]
pub fn folio_pte_batch(
    mm: &MmStruct,
    addr: VirtAddr,
    ptep: Ptep<'_>,
    pte: Pte,
    max_nr: u16,
) -> u16 {
    folio_pte_batch_flags(mm, addr, ptep, pte, max_nr, Pte::DIRTY | Pte::WRITE)
}

/// `pte`, young and dirty if any of the `nr` entries from `ptep` on is: `FPB_MERGE_YOUNG_DIRTY`.
///
/// Fidelity: same as `folio_pte_batch_flags()` of mm/internal.h v7.3, which has read them.
#[must_use]
pub fn merge_young_dirty(ptep: Ptep<'_>, pte: Pte, nr: u16) -> Pte {
    (1..nr).fold(pte, |pte, n| pte.with(ptep.add(n).read().0 & (Pte::YOUNG | Pte::DIRTY)))
}

/// What others do with pages: by frames, since there is no `struct page`.
///
/// Fidelity: changed: include/linux/mm_types.h v7.3 counts references and mappings and has a lock
/// for each folio; here a folio is as its first page in the range is.
#[derive(Clone, Debug, Default)]
pub struct Folios {
    /// Somebody has locked them: `folio_trylock()` fails.
    pub locked: BTreeSet<Pfn>,
    /// Devices work with them: `folio_maybe_dma_pinned()`; they cannot be split either.
    pub pinned: BTreeSet<Pfn>,
    /// Other processes map them: `folio_maybe_mapped_shared()`, and not `PageAnonExclusive()`.
    pub shared: BTreeSet<Pfn>,
}

impl Folios {
    /// `folio_trylock()`
    #[must_use]
    pub fn folio_trylock(&self, pfn: Pfn) -> bool {
        !self.locked.contains(&pfn)
    }

    /// `folio_maybe_dma_pinned()`
    #[must_use]
    pub fn folio_maybe_dma_pinned(&self, pfn: Pfn) -> bool {
        self.pinned.contains(&pfn)
    }

    /// `folio_maybe_mapped_shared()`
    #[must_use]
    pub fn folio_maybe_mapped_shared(&self, pfn: Pfn) -> bool {
        self.shared.contains(&pfn)
    }

    /// `PageAnonExclusive()`
    #[must_use]
    pub fn page_anon_exclusive(&self, pfn: Pfn) -> bool {
        folio_test_anon(pfn) && !self.shared.contains(&pfn)
    }
}

/// The entries of the folio that `pte`, the entry of `addr`, maps a page of: the first of them, and
/// how many there are.
///
/// Fidelity: changed: `folio_nr_pages()` of include/linux/mm.h v7.3 asks the folio, of which other
/// tables may map parts.
#[must_use]
pub fn folio_in_table(ptl: &PteLock, addr: VirtAddr, pte: Pte) -> (VirtAddr, u16) {
    let index = addr.pte_index();
    let first = VirtAddr::page(addr.get() - (u64::from(index) << PAGE_SHIFT)).unwrap_or(addr);
    let maps = |n: u16| {
        let there = ptl.ptep(first.add_pages(n.into())).read();
        let frame = pte.pfn().0.wrapping_add(u64::from(n)).wrapping_sub(u64::from(index));
        there.is_present() && there.pfn().0 == frame
    };
    let before = (0..index).rev().take_while(|n| maps(*n)).count() as u16;
    let behind = (index + 1..PTRS_PER_PTE as u16).take_while(|n| maps(*n)).count() as u16;
    (first.add_pages((index - before).into()), before + 1 + behind)
}
