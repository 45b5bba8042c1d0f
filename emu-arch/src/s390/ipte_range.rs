//! The cache of one CPU: entries of a hinted range that are on their way into memory.
//!
//! Models `struct ipte_range` and the lowcore's `lazy_mmu_count` of arch/s390/mm/lazy_mmu.c, the
//! proposal v6.

use std::ops::Range;

use crate::backend::{At, Hw, RangeHint, Slot};
use crate::hw::effect::ArchEffect;
use crate::hw::leading;
use crate::hw::pte::Pte;

/// How many entries one IPTE instruction invalidates at most.
///
/// Fidelity: same as what arch/s390/mm/lazy_mmu.c in the proposal v6 relies on.
pub const IPTE_RANGE_MAX: usize = 256;

/// That many entries are invalidated on all CPUs by one instruction.
pub const IPTE_RANGE: ArchEffect = ArchEffect::delayable("ipte_range");
/// An entry was put into the cache, which now holds that many.
const CACHED: ArchEffect = ArchEffect::deferral("ipte_range.cache=");

/// A slot of the cache that holds nothing; no entry has this bit.
const PTE_POISON: Pte = Pte(1 << 63);
const _: () = assert!(PTE_POISON.0 >> Pte::BITS != 0, "no entry is poison");

/// Tells whether hardware may go by `pte`: `_PAGE_INVALID` is clear.
///
/// Fidelity: changed: arch/s390/include/asm/pgtable.h in the proposal v6 has the bit; here it is
/// that of an entry which maps nothing or is old, as `pte_mkold()` sets it. The fault that makes an
/// old entry young is left out.
#[inline]
pub(super) const fn is_valid(pte: Pte) -> bool {
    const MASK: u64 = Pte::PRESENT | Pte::YOUNG | Pte::PROTNONE;
    pte.0 & MASK == Pte::PRESENT | Pte::YOUNG
}

/// What s390 keeps per CPU.
///
/// Fidelity: changed: arch/s390/mm/lazy_mmu.c in the proposal v6, with 512 entries to a table in
/// place of 256, the lowcore's count beside the range, and indices in place of pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IpteRange {
    /// `lazy_mmu_count`: how many sections were entered and not left.
    pub(super) lazy_mmu_count: i32,
    /// `mm` and `base_addr`, where a range is latched.
    base: Option<At>,
    /// `base_pte`, and how many entries there are up to `base_end`: none without a range.
    base_pte: Slot,
    nr: u16,
    /// `start_pte` and `end_pte`: what was touched; nothing if they are equal.
    start: usize,
    end: usize,
    /// The entries by their place in the range, poison where none is cached; long enough for the
    /// range.
    cache: Vec<Pte>,
    /// How many of them are not poison.
    cached: u16,
}

impl IpteRange {
    /// How many entries are cached.
    #[must_use]
    pub fn cached(&self) -> u16 {
        self.cached
    }

    /// The place of an entry in the latched range, if a section is open and it is in there.
    ///
    /// Fidelity: same as `is_lazy_mmu_active()` of arch/s390/include/asm/pgtable.h and
    /// `this_ipte_range()` of arch/s390/mm/lazy_mmu.c in the proposal v6.
    #[inline]
    fn index(&self, slot: Slot) -> Option<usize> {
        let index = slot.0.wrapping_sub(self.base_pte.0);
        (self.lazy_mmu_count != 0 && index < u64::from(self.nr)).then_some(index as usize)
    }

    /// Latches a range.
    pub(super) fn latch(&mut self, range: RangeHint) {
        (self.base, self.base_pte, self.nr) = (Some(range.at), range.slot, range.nr);
        let nr = usize::from(range.nr).max(self.cache.len());
        self.cache.resize(nr, PTE_POISON);
    }

    /// The latched range, if any.
    pub(super) fn range(&self) -> Option<RangeHint> {
        self.base.map(|at| RangeHint { at, nr: self.nr, slot: self.base_pte })
    }

    /// The cached entry of the range.
    #[inline]
    pub(super) fn ptep_get(&self, slot: Slot) -> Option<Pte> {
        // Most reads find an empty cache.
        if self.cached == 0 {
            return None;
        }
        self.index(slot).and_then(|index| self.get(index))
    }

    /// Caches an entry of the range; returns how many are cached now.
    #[inline]
    pub(super) fn set_pte(&mut self, slot: Slot, pte: Pte) -> Option<u16> {
        self.update(slot, PTE_POISON, |_| Some(pte)).ok().and_then(|(_, cached)| cached)
    }

    /// Has `new` change an entry of the range, which is `memory` if it is not cached. Returns what
    /// it was and, if it was changed, how many are cached now; or `new`, if it is not in the range.
    #[inline]
    pub(super) fn update<F>(
        &mut self,
        slot: Slot,
        memory: Pte,
        new: F,
    ) -> Result<(Pte, Option<u16>), F>
    where
        F: FnOnce(Pte) -> Option<Pte>,
    {
        let Some(index) = self.index(slot) else { return Err(new) };
        // There is room for the whole range since it was latched.
        let Some(cache) = self.cache.get_mut(index) else { return Err(new) };
        let poison = *cache == PTE_POISON;
        let old = if poison { memory } else { *cache };
        let Some(pte) = new(old) else { return Ok((old, None)) };
        *cache = pte;
        // Stored only where they change: an entry is often changed twice, and the next one follows.
        if poison {
            self.cached += 1;
        }
        if index < self.start || self.start == self.end {
            self.start = index;
        }
        if index >= self.end {
            self.end = index + 1;
        }
        Ok((old, Some(self.cached)))
    }

    /// Forgets the range and what was touched of it. What an interrupt has put into a slot that was
    /// written already stays in the cache, as in the kernel: its places are returned.
    pub(super) fn drop_range(&mut self) -> Vec<usize> {
        (self.base, self.base_pte, self.nr) = (None, Slot::default(), 0);
        (self.start, self.end) = (0, 0);
        if self.cached == 0 {
            self.cache.clear();
            return Vec::new();
        }
        (0..self.cache.len()).filter(|index| self.get(*index).is_some()).collect()
    }

    #[inline]
    fn get(&self, index: usize) -> Option<Pte> {
        self.cache.get(index).copied().filter(|pte| *pte != PTE_POISON)
    }

    /// The next slots that are all cached, of those touched from `from` on.
    fn next_run(&self, from: usize) -> Option<Range<usize>> {
        let from = from.max(self.start);
        let touched = self.cache.get(from..self.end)?;
        let start = touched.iter().position(|pte| *pte != PTE_POISON)?;
        let start = from + start;
        let run = leading(&self.cache[start..self.end], |pte| *pte != PTE_POISON);
        Some(start..start + run)
    }

    /// Takes a run of entries out of the cache and tells whether all are still there; poison stands
    /// for those that are gone, which only a section that began and ended inside of this one's
    /// leave can have taken.
    fn take(&mut self, run: Range<usize>) -> ([Pte; IPTE_RANGE_MAX], bool) {
        let wanted = run.len();
        let mut taken = [PTE_POISON; IPTE_RANGE_MAX];
        let run = run.start.min(self.cache.len())..run.end.min(self.cache.len());
        let nr = run.len();
        taken[..nr].swap_with_slice(&mut self.cache[run]);
        let there = taken[..nr].iter().filter(|pte| **pte != PTE_POISON).count();
        self.cached -= there as u16;
        (taken, there == wanted)
    }
}

/// Tells that an entry was cached, and how many are now.
#[inline]
pub(super) fn note_cached(hw: &mut impl Hw<PerCpu = IpteRange>, at: At, cached: u16) {
    if hw.watched() {
        note_cached_in_full(hw, at, cached);
    }
}

#[cold]
#[inline(never)]
fn note_cached_in_full(hw: &mut impl Hw<PerCpu = IpteRange>, at: At, cached: u16) {
    hw.effect(CACHED.of(u32::from(cached)));
    hw.defer(at, 1);
}

/// Writes what is cached, run by run. The range stays latched meanwhile: an interrupt may still put
/// something into a slot, and where that slot was written already it is not written again.
///
/// Fidelity: same as `leave_ipte_range()` of arch/s390/mm/lazy_mmu.c in the proposal v6.
pub(super) fn write_cached(hw: &mut impl Hw<PerCpu = IpteRange>, range: RangeHint) {
    let mut from = 0;
    while let Some(run) = hw.per_cpu(|cpu| cpu.next_run(from)) {
        from = run.end;
        set_pte_range(hw, range, run);
    }
}

/// Writes a run: part by part of equal validity in memory, each invalidated by one instruction
/// where it is valid.
///
/// Fidelity: changed: `set_pte_range()` of arch/s390/mm/lazy_mmu.c in the proposal v6; a part also
/// ends after [`IPTE_RANGE_MAX`] entries, which is a whole table there, and each invalidation is
/// global.
fn set_pte_range(hw: &mut impl Hw<PerCpu = IpteRange>, range: RangeHint, run: Range<usize>) {
    let mut start = run.start;
    while start < run.end {
        let slot = Slot(range.slot.0 + start as u64);
        let valid = is_valid(hw.read_slot(slot));
        let most = (run.end - start).min(IPTE_RANGE_MAX);
        let nr = hw.count_slots(slot, most, |pte| is_valid(pte) == valid);
        if valid {
            hw.effect(IPTE_RANGE.of(nr as u32));
            let addr = range.at.addr.add_pages(start as u64);
            hw.tlb_invalidate(At { addr, ..range.at }, nr as u32);
        }
        let (ptes, complete) = hw.per_cpu(|cpu| cpu.take(start..start + nr));
        if complete {
            hw.write_slots(slot, &ptes[..nr]);
        } else {
            let there = (0..).zip(&ptes[..nr]).filter(|(_, pte)| **pte != PTE_POISON);
            there.for_each(|(n, pte)| hw.write_slot(Slot(slot.0 + n), *pte));
        }
        start += nr;
    }
}
