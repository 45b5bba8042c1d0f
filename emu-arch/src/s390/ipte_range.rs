//! The cache of one CPU: entries of a hinted range that are on their way into memory.
//!
//! Models `struct ipte_range` and the lowcore's `lazy_mmu_count` of arch/s390/mm/lazy_mmu.c, the
//! proposal v6.

use std::ops::Range;

use super::pgtable::is_valid;
use crate::backend::{At, Hw, PteRange, Slot};
use crate::hw::addr::PTRS_PER_PTE;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// How many entries one IPTE instruction invalidates at most.
pub const IPTE_RANGE_MAX: usize = 256;

/// That many entries are invalidated on all CPUs by one instruction.
pub const IPTE_RANGE: Effect = Effect::delayable("ipte_range");
/// An entry was put into the cache, which now holds that many.
const CACHED: Effect = Effect::put_off("ipte_range.cache=");

/// A slot of the cache that holds nothing; no entry has this bit.
const PTE_POISON: Pte = Pte(1 << 63);

/// What s390 keeps per CPU.
///
/// Fidelity: changed: arch/s390/mm/lazy_mmu.c in the proposal v6, with 512 entries to a table in place
/// of 256, the lowcore's count beside the range, and indices in place of pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IpteRange {
    /// `lazy_mmu_count`: how many sections were entered and not left.
    pub(super) lazy_mmu_count: i32,
    /// `mm`, `base_addr`, `base_end` and `base_pte`, where a range is latched.
    pub(super) range: Option<PteRange>,
    /// `start_pte` and `end_pte`: what was touched; nothing if they are equal.
    start: usize,
    end: usize,
    /// The entries by their place in the range; behind the last one is poison.
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
        if self.lazy_mmu_count == 0 {
            return None;
        }
        let range = self.range?;
        let index = slot.0.wrapping_sub(range.slot.0);
        (index < u64::from(range.nr)).then_some(index as usize)
    }

    /// The cached entry of the range.
    #[inline]
    pub(super) fn ptep_get(&self, slot: Slot) -> Option<Pte> {
        self.index(slot).and_then(|index| self.get(index))
    }

    /// Caches an entry of the range; returns how many are cached now.
    #[inline]
    pub(super) fn set_pte(&mut self, slot: Slot, pte: Pte) -> Option<u16> {
        self.index(slot).map(|index| self.put(index, pte))
    }

    /// Has `new` change an entry of the range, which is `memory` if it is not cached. Returns what it
    /// was and, if it was changed, how many are cached now; or `new`, if it is not in the range.
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
        let old = self.get(index).unwrap_or(memory);
        Ok((old, new(old).map(|pte| self.put(index, pte))))
    }

    /// Forgets the range and what was touched of it. What an interrupt has put into a slot that was
    /// written already stays in the cache, as in the kernel: its places are returned.
    pub(super) fn drop_range(&mut self) -> Vec<usize> {
        (self.range, self.start, self.end) = (None, 0, 0);
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

    #[inline]
    fn put(&mut self, index: usize, pte: Pte) -> u16 {
        if index >= self.cache.len() {
            self.grow(index);
        }
        let slot = &mut self.cache[index];
        self.cached += u16::from(*slot == PTE_POISON);
        *slot = pte;
        if self.start == self.end {
            (self.start, self.end) = (index, index + 1);
        } else {
            (self.start, self.end) = (self.start.min(index), self.end.max(index + 1));
        }
        self.cached
    }

    fn grow(&mut self, index: usize) {
        self.cache.reserve(PTRS_PER_PTE - self.cache.len());
        self.cache.resize(index + 1, PTE_POISON);
    }

    /// The next slots that are all cached, of those touched from `from` on.
    fn next_run(&self, from: usize) -> Option<Range<usize>> {
        let cached = |index: &usize| self.cache[*index] != PTE_POISON;
        let start = (from.max(self.start)..self.end).find(cached)?;
        let end = (start..self.end).find(|index| !cached(index)).unwrap_or(self.end);
        Some(start..end)
    }

    /// Takes an entry out of the cache.
    #[inline]
    fn take(&mut self, index: usize) -> Option<Pte> {
        let pte = std::mem::replace(&mut self.cache[index], PTE_POISON);
        self.cached -= u16::from(pte != PTE_POISON);
        (pte != PTE_POISON).then_some(pte)
    }
}

/// Tells that an entry was cached, and how many are now.
#[inline]
pub(super) fn note_cached(hw: &mut impl Hw<PerCpu = IpteRange>, at: At, cached: u16) {
    hw.effect(CACHED.of(u32::from(cached)));
    hw.put_off(at, 1);
}

/// Writes what is cached, run by run. The range stays latched meanwhile: an interrupt may still put
/// something into a slot, and where that slot was written already it is not written again.
///
/// Fidelity: same as `leave_ipte_range()` of arch/s390/mm/lazy_mmu.c in the proposal v6.
pub(super) fn write_cached(hw: &mut impl Hw<PerCpu = IpteRange>, range: PteRange) {
    let mut from = 0;
    while let Some(run) = hw.per_cpu(|cpu| cpu.next_run(from)) {
        from = run.end;
        set_pte_range(hw, range, run);
    }
}

/// Writes a run: part by part of equal validity in memory, each invalidated by one instruction where
/// it is valid.
///
/// Fidelity: changed: `set_pte_range()` of arch/s390/mm/lazy_mmu.c in the proposal v6; a part also ends
/// after [`IPTE_RANGE_MAX`] entries, which is a whole table there, and each invalidation is global.
fn set_pte_range(hw: &mut impl Hw<PerCpu = IpteRange>, range: PteRange, run: Range<usize>) {
    let slot = |index: usize| Slot(range.slot.0 + index as u64);
    let mut start = run.start;
    while start < run.end {
        let valid = is_valid(hw.read_slot(slot(start)));
        let most = run.end.min(start + IPTE_RANGE_MAX);
        let differs = |index: &usize| is_valid(hw.read_slot(slot(*index))) != valid;
        let end = (start + 1..most).find(differs).unwrap_or(most);
        let nr = (end - start) as u32;
        if valid {
            hw.effect(IPTE_RANGE.of(nr));
            let addr = range.at.addr.add_pages(start as u64);
            hw.tlb_invalidate(At { addr, ..range.at }, nr);
        }
        for index in start..end {
            if let Some(pte) = hw.per_cpu(|cpu| cpu.take(index)) {
                hw.write_slot(slot(index), pte);
            }
        }
        start = end;
    }
}
