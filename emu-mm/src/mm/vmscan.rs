//! Looking for pages that were used, for the multi-generational LRU.
//!
//! Models mm/vmscan.c (v7.3): `walk_pmd_range()` with `walk_pte_range()` and
//! `walk_pmd_range_locked()`, which only architectures have whose hardware sets the accessed bit
//! ([`Facts::hw_pte_young`](emu_arch::Facts::hw_pte_young)), and `lru_gen_look_around()`, which all
//! have. A page that was used moves to the youngest generation, which is a number here.

use emu_arch::hw::addr::{PMD_SHIFT, PMD_SIZE, PUD_SHIFT, VirtAddr};
use emu_arch::hw::table::Ptep;
use emu_arch::machine::{Pmd, PteLock};
use emu_arch::{MmStruct, Pte, pgtable};
use lazy_mmu::lazy_mmu;

use super::VmAreaStruct;
use super::internal::folio_pte_batch;
use super::ptes::{entries, pages, test_and_clear_young_ptes};

/// Pages that are looked at around one: `MIN_LRU_BATCH` with 64 bits.
pub const MIN_LRU_BATCH: u64 = 64;

/// The walk over an address space, and what it has found.
///
/// Fidelity: changed: `struct lru_gen_mm_walk` of include/linux/mmzone.h v7.3 and the `struct
/// mm_walk` around it; every page belongs to the node and the group that are looked at, and the
/// Bloom filter lets all tables through.
#[derive(Debug)]
pub struct LruGenMmWalk<'w> {
    /// The address space.
    pub mm: &'w MmStruct,
    /// Its mappings, in order.
    pub vmas: &'w [VmAreaStruct],
    /// The mapping that the walk is in.
    vma: usize,
    /// Entries that were young.
    pub young: u64,
    /// Tables that were left out, since somebody had their lock.
    pub contended: u64,
    /// The entries above are looked at too: `!force_scan`.
    clears_pmds: bool,
}

impl<'w> LruGenMmWalk<'w> {
    /// A walk that has found nothing yet.
    #[must_use]
    pub const fn new(mm: &'w MmStruct, vmas: &'w [VmAreaStruct]) -> Self {
        Self { mm, vmas, vma: 0, young: 0, contended: 0, clears_pmds: true }
    }

    /// A walk that leaves the entries above alone: `force_scan`.
    #[must_use]
    pub const fn of_ptes(mm: &'w MmStruct, vmas: &'w [VmAreaStruct]) -> Self {
        Self { clears_pmds: false, ..Self::new(mm, vmas) }
    }

    /// `!walk->force_scan && should_clear_pmd_young()`
    fn clears_pmds(&self) -> bool {
        self.clears_pmds && self.mm.facts().hw_nonleaf_pmd_young
    }

    /// The part of the next mapping that lies behind `end`, in the `1 << shift` bytes around
    /// `start`: where it has one, the walk is in that mapping now.
    ///
    /// Fidelity: changed: `get_next_vma()` of mm/vmscan.c v7.3; no mapping is skipped.
    fn get_next_vma(
        &mut self,
        start: VirtAddr,
        end: VirtAddr,
        shift: u32,
    ) -> Option<(VirtAddr, VirtAddr)> {
        let room = (start.get() >> shift) + 1;
        let vma = self.vmas.get(self.vma + 1)?;
        if end.get() >> shift >= room || vma.vm_start.get() >> shift >= room {
            return None;
        }
        self.vma += 1;
        let limit = VirtAddr::page(room << shift).unwrap_or(vma.vm_end);
        Some((vma.vm_start.max(end), vma.vm_end.min(limit)))
    }
}

/// Looks at the pages of all mappings: `walk_mm()`.
///
/// Fidelity: changed: mm/vmscan.c v7.3; the levels above are one step, and no mapping is skipped.
pub fn walk_mm(walk: &mut LruGenMmWalk<'_>) {
    let vmas = walk.vmas;
    let mut at = VirtAddr::default();
    while let Some(vma) = vmas.iter().position(|vma| vma.vm_end > at) {
        at = walk_vma(walk, vma, vmas[vma].vm_start.max(at));
    }
}

/// Looks at the pages of mapping `vma` from `start` on, up to where a table of pmd entries ends,
/// and returns where the walk goes on: the mappings behind that the last page table maps too were
/// looked at.
pub(crate) fn walk_vma(walk: &mut LruGenMmWalk<'_>, vma: usize, start: VirtAddr) -> VirtAddr {
    walk.vma = vma;
    let end = walk.vmas[vma].vm_end;
    let limit = VirtAddr::page(((start.get() >> PUD_SHIFT) + 1) << PUD_SHIFT);
    let next = limit.map_or(end, |limit| limit.min(end));
    walk_pmd_range(walk, start, next);
    VirtAddr::page(next.get().next_multiple_of(PMD_SIZE)).unwrap_or(next)
}

/// Looks at the tables of `start..end`, which one table of pmd entries maps, in two passes: the
/// first without the lock of that table.
///
/// Fidelity: same as mm/vmscan.c v7.3, but that a walk goes on with the mappings behind only
/// within one page table.
fn walk_pmd_range(walk: &mut LruGenMmWalk<'_>, start: VirtAddr, end: VirtAddr) {
    let clears_pmds = walk.clears_pmds();
    let (mut later, mut addr): (Vec<VirtAddr>, _) = (Vec::new(), start);
    while addr < end {
        let next = addr.pmd_addr_end(end);
        match walk.mm.pmd(addr) {
            Pmd::None => {}
            Pmd::Huge(pmd) if pmd.has(Pte::YOUNG) => batch_pmd(walk, &mut later, addr),
            Pmd::Huge(_) => {}
            // A table that nobody has used since the last walk.
            Pmd::Table if clears_pmds && !walk.mm.pmd_young(addr) => {}
            Pmd::Table => {
                if clears_pmds {
                    batch_pmd(walk, &mut later, addr);
                }
                walk_pte_range(walk, addr, next);
            }
        }
        addr = next;
    }
    walk_pmd_range_locked(walk, &later);
}

/// Puts the pmd entry of `addr` on the list for the pass with the lock, which comes at once where
/// the list would be too long.
///
/// Fidelity: same as the first half of `walk_pmd_range_locked()` of mm/vmscan.c v7.3, which keeps
/// the list as a bitmap.
fn batch_pmd(walk: &mut LruGenMmWalk<'_>, later: &mut Vec<VirtAddr>, addr: VirtAddr) {
    let index = |addr: &VirtAddr| addr.get() >> PMD_SHIFT;
    if later.first().is_some_and(|first| index(&addr) - index(first) > MIN_LRU_BATCH) {
        // This one first.
        later.insert(0, addr);
        walk_pmd_range_locked(walk, later);
        later.clear();
    } else {
        later.push(addr);
    }
}

/// Clears the accessed bits of the pmd entries of `later`, unless somebody has their lock.
///
/// Fidelity: same as the second half of `walk_pmd_range_locked()` of mm/vmscan.c v7.3.
fn walk_pmd_range_locked(walk: &mut LruGenMmWalk<'_>, later: &[VirtAddr]) {
    let Some(first) = later.first() else { return };
    let Some(_ptl) = walk.mm.pmd_trylock(*first) else { return };
    clear_locked_pmds(walk, later);
}

/// The section of `walk_pmd_range_locked()`.
///
/// Fidelity: same as mm/vmscan.c v7.3, which reads the entries past the accessor.
#[lazy_mmu(name = "walk_pmd_range_locked")]
fn clear_locked_pmds(walk: &mut LruGenMmWalk<'_>, later: &[VirtAddr]) {
    for &addr in later {
        match walk.mm.pmd(addr) {
            Pmd::None => {}
            Pmd::Table => {
                if walk.clears_pmds() {
                    let _ = walk.mm.pmdp_test_and_clear_young(addr);
                }
            }
            Pmd::Huge(_) => {
                walk.young += u64::from(walk.mm.pmdp_test_and_clear_young(addr));
            }
        }
    }
}

/// Looks at the entries of `start..end`, which one table maps, unless somebody has its lock.
///
/// Fidelity: same as mm/vmscan.c v7.3.
fn walk_pte_range(walk: &mut LruGenMmWalk<'_>, start: VirtAddr, end: VirtAddr) {
    match walk.mm.pte_offset_map_trylock(start) {
        Some(Some(ptl)) => walk_locked_ptes(&ptl, walk, start, end),
        Some(None) => walk.contended += 1,
        None => {}
    }
}

/// The section of `walk_pte_range()`, which goes on with the mappings behind that the same table
/// maps.
///
/// Fidelity: same as mm/vmscan.c v7.3.
#[lazy_mmu(name = "walk_pte_range")]
fn walk_locked_ptes(
    ptl: &PteLock,
    walk: &mut LruGenMmWalk<'_>,
    mut start: VirtAddr,
    mut end: VirtAddr,
) {
    loop {
        let mut addr = start;
        while addr != end {
            let (nr, young) = look_at_pte(walk.mm, ptl.ptep(addr), addr, end);
            (addr, walk.young) = (addr.add_pages(nr.into()), walk.young + young);
        }
        if end.get().is_multiple_of(PMD_SIZE) {
            return;
        }
        match walk.get_next_vma(start, end, PMD_SHIFT) {
            Some(next) => (start, end) = next,
            None => return,
        }
    }
}

/// Looks at the entry of `addr` and those of the same folio behind it up to `end`, makes them old,
/// and returns how many they are and how many count as young.
///
/// Fidelity: same as the body of the loops of `walk_pte_range()` and `lru_gen_look_around()`,
/// mm/vmscan.c v7.3, with `get_pte_pfn()`.
fn look_at_pte(mm: &MmStruct, ptep: Ptep<'_>, addr: VirtAddr, end: VirtAddr) -> (u16, u64) {
    let pte = pgtable::ptep_get(mm, addr, ptep);
    if !pte.is_present() || pte.has(Pte::SPECIAL) || !pte.has(Pte::YOUNG) {
        return (1, 0);
    }
    let nr = folio_pte_batch(mm, addr, ptep, pte, entries(addr, end));
    let young = test_and_clear_young_ptes(mm, addr, ptep, nr);
    (nr, if young { nr.into() } else { 0 })
}

/// Reclaim has found a page of `vma` by the reverse map, at `addr`, and holds the lock `ptl` of its
/// table: looks at that page and at up to 64 around it, and returns how many were young.
///
/// Fidelity: changed: mm/vmscan.c v7.3; the lock is never contended and the mapping never special,
/// for which the kernel has no section.
pub fn lru_gen_look_around(
    ptl: &PteLock,
    mm: &MmStruct,
    vma: &VmAreaStruct,
    addr: VirtAddr,
) -> u64 {
    let ptep = ptl.ptep(addr);
    if !test_and_clear_young_ptes(mm, addr, ptep, 1) {
        return 0;
    }
    let (start, end) = window(vma, addr);
    let around = if pages(start, end) == 1 { 0 } else { look_around(ptl, mm, start, end) };
    1 + around
}

/// The pages around `addr`: in its mapping and its table, and [`MIN_LRU_BATCH`] at most.
///
/// Fidelity: same as `lru_gen_look_around()` of mm/vmscan.c v7.3.
fn window(vma: &VmAreaStruct, addr: VirtAddr) -> (VirtAddr, VirtAddr) {
    let table = VirtAddr::page(addr.get() / PMD_SIZE * PMD_SIZE).unwrap_or(addr);
    let (start, end) = (table.max(vma.vm_start), addr.pmd_addr_end(vma.vm_end));
    let (before, behind) = (pages(start, addr), pages(addr, end));
    let half = MIN_LRU_BATCH / 2;
    let from = |addr: VirtAddr, back: u64| start.add_pages(pages(start, addr) - back);
    if before + behind <= MIN_LRU_BATCH {
        (start, end)
    } else if before < half {
        (start, start.add_pages(MIN_LRU_BATCH))
    } else if behind < half {
        (from(end, MIN_LRU_BATCH), end)
    } else {
        (from(addr, half), addr.add_pages(half))
    }
}

/// The section of `lru_gen_look_around()`.
///
/// Fidelity: same as mm/vmscan.c v7.3.
#[lazy_mmu(name = "lru_gen_look_around")]
fn look_around(ptl: &PteLock, mm: &MmStruct, mut addr: VirtAddr, end: VirtAddr) -> u64 {
    let mut found = 0;
    while addr != end {
        let (nr, young) = look_at_pte(mm, ptl.ptep(addr), addr, end);
        (addr, found) = (addr.add_pages(nr.into()), found + young);
    }
    found
}
