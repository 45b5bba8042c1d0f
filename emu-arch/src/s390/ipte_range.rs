//! The cache of one CPU: entries of a hinted range that are on their way into memory.
//!
//! Models `struct ipte_range` and the lowcore's `lazy_mmu_count` of arch/s390/mm/lazy_mmu.c, sixth
//! version of the proposal (15 July 2026).

use crate::backend::{At, Hw, PteRange, Slot};
use crate::hw::addr::PTRS_PER_PTE;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// How many entries one IPTE instruction invalidates at most.
pub const IPTE_RANGE_MAX: usize = 256;

/// One entry is invalidated on all CPUs.
pub const IPTE: Effect = Effect::delayable("ipte()");
/// That many entries are invalidated on all CPUs by one instruction.
pub const IPTE_RANGE: Effect = Effect::delayable("ipte_range");
/// An entry was put into the cache, which now holds that many.
const CACHED: Effect = Effect::put_off("ipte_range.cache=");

/// What s390 keeps per CPU.
///
/// Fidelity: changed: arch/s390/mm/lazy_mmu.c of the proposal v6, with 512 entries to a table in place
/// of 256, and the lowcore's count beside the range; a slot that is not in the cache is `None` in
/// place of `PTE_POISON`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IpteRange {
    /// `lazy_mmu_count`: how many sections were entered.
    pub(super) lazy_mmu_count: u32,
    /// The range that was latched, if any.
    pub(super) range: Option<PteRange>,
    /// The cached entries, by their place in the range; empty unless something was cached.
    cache: Vec<Option<Pte>>,
    cached: u16,
}

impl IpteRange {
    /// The place of an entry in the latched range, if it is in there.
    #[inline]
    pub(super) fn index(&self, slot: Slot) -> Option<usize> {
        let range = self.range.filter(|_| self.lazy_mmu_count > 0)?;
        let index = slot.0.checked_sub(range.slot.0)? as usize;
        (index < usize::from(range.nr)).then_some(index)
    }

    /// The cached entry at `index`.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<Pte> {
        self.cache.get(index).copied().flatten()
    }

    /// Caches an entry; returns how many are cached now.
    #[inline]
    pub(super) fn put(&mut self, index: usize, pte: Pte) -> u16 {
        if self.cache.is_empty() {
            self.cache.resize(PTRS_PER_PTE, None);
        }
        self.cached += u16::from(self.cache[index].is_none());
        self.cache[index] = Some(pte);
        self.cached
    }

    /// How many entries are cached.
    #[must_use]
    pub fn cached(&self) -> u16 {
        self.cached
    }
}

/// Caches an entry of the latched range.
#[inline]
pub(super) fn cache(hw: &mut impl Hw<PerCpu = IpteRange>, at: At, index: usize, pte: Pte) {
    let cached = hw.per_cpu(|cpu| cpu.put(index, pte));
    hw.effect(CACHED.of(u32::from(cached)));
    hw.put_off(at, 1);
}

/// Writes what is cached: for each run of cached entries, and in it for each run of equal validity in
/// memory, one range invalidation if valid, then the stores. The range is dropped.
///
/// Fidelity: same as `arch_leave_lazy_mmu_mode()` of arch/s390/mm/lazy_mmu.c in the proposal v6, with
/// every invalidation global.
pub(super) fn apply(hw: &mut impl Hw<PerCpu = IpteRange>) {
    let (range, cached, mut cache) = hw.per_cpu(|cpu| {
        (cpu.range.take(), std::mem::take(&mut cpu.cached), std::mem::take(&mut cpu.cache))
    });
    let Some(range) = range.filter(|_| cached > 0) else { return };
    let slot = |index: usize| Slot(range.slot.0 + index as u64);
    let mut start = 0;
    while start < usize::from(range.nr) {
        if cache[start].is_none() {
            start += 1;
            continue;
        }
        let valid = hw.read_slot(slot(start)).is_present();
        let mut end = start + 1;
        while end < usize::from(range.nr)
            && end - start < IPTE_RANGE_MAX
            && cache[end].is_some()
            && hw.read_slot(slot(end)).is_present() == valid
        {
            end += 1;
        }
        let at = At { addr: range.at.addr.add_pages(start as u64), ..range.at };
        if valid {
            hw.effect(IPTE_RANGE.of((end - start) as u32));
            hw.tlb_invalidate(at, (end - start) as u32);
        }
        for (index, entry) in (start..end).zip(&mut cache[start..end]) {
            if let Some(pte) = entry.take() {
                hw.write_slot(slot(index), pte);
            }
        }
        start = end;
    }
    hw.settle();
    // Given back poisoned, for its memory.
    hw.per_cpu(|cpu| cpu.cache = cache);
}
