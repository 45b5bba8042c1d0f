//! Page tables as a value: the entries that are set, and what the tracker knows of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::backend::{At, Facts, Psize, Slot, slice};
use crate::hazard::Hazard;
use crate::hw::addr::VirtAddr;
use crate::hw::limits::FIRST_PFN;
use crate::hw::page_map::Page;
use crate::hw::pte::Pte;
use crate::kernel::PteArgs;
use crate::tracker::Tracker;

/// Memory and what all CPUs share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The entries that are not empty.
    ptes: BTreeMap<u64, Pte>,
    /// What is pending, latest, cached.
    pub(super) tracker: Tracker,
    /// Who holds which lock.
    locks: BTreeMap<(u8, u64), u8>,
    /// What callers hold between `ptep_modify_prot_start()` and its commit.
    started: BTreeMap<(u8, VirtAddr), Pte>,
    /// What reclaim has deferred the flush of.
    pub(super) batched: Vec<(u8, VirtAddr, u16)>,
    /// The page sizes of slices, where not 4 KiB.
    pub(super) slices: BTreeMap<(u8, u64), Psize>,
    /// The page frame of the next entry that names none.
    pub(super) next_pfn: u64,
}

impl Memory {
    /// Empty page tables of the architecture with these facts.
    pub(super) fn empty(facts: &'static Facts) -> Self {
        Self {
            ptes: BTreeMap::new(),
            tracker: Tracker::new(facts),
            locks: BTreeMap::new(),
            started: BTreeMap::new(),
            batched: Vec::new(),
            slices: BTreeMap::new(),
            next_pfn: FIRST_PFN,
        }
    }

    /// The entry at `slot`.
    pub(super) fn read(&self, slot: Slot) -> Pte {
        self.ptes.get(&slot.0).copied().unwrap_or(Pte::NONE)
    }

    /// Makes the entry at `slot` be `pte`.
    pub(super) fn write(&mut self, slot: Slot, pte: Pte) {
        if pte == Pte::NONE {
            self.ptes.remove(&slot.0);
        } else {
            self.ptes.insert(slot.0, pte);
        }
    }

    /// Empties the entries at `slots`.
    pub(super) fn clear(&mut self, slots: RangeInclusive<u64>) {
        self.ptes.retain(|slot, _| !slots.contains(slot));
    }

    /// Sets the page size of the slice that `args` speak of, where they give one.
    pub fn set_slice_psize(&mut self, args: &PteArgs) {
        if let Some(psize) = args.psize {
            self.slices.insert((args.mm, slice(args.addr)), psize);
        }
    }

    /// Whether task `pid` holds a lock.
    pub(super) fn holds_lock(&self, pid: u8) -> bool {
        self.locks.values().any(|owner| *owner == pid)
    }

    /// Makes `owner` the holder of the lock `key` and returns who was.
    pub(super) fn set_lock_owner(&mut self, key: (u8, u64), owner: Option<u8>) -> Option<u8> {
        match owner {
            Some(pid) => self.locks.insert(key, pid),
            None => self.locks.remove(&key),
        }
    }

    /// Sets what the caller keeps between `ptep_modify_prot_start()` and its commit, and returns
    /// what was kept.
    pub(super) fn set_started(&mut self, at: At, pte: Option<Pte>) -> Option<Pte> {
        match pte {
            Some(pte) => self.started.insert((at.mm, at.addr), pte),
            None => self.started.remove(&(at.mm, at.addr)),
        }
    }

    /// Takes all that reclaim has deferred the flush of in address space `mm`.
    pub(super) fn take_batched(&mut self, mm: u8) -> Vec<(VirtAddr, u16)> {
        let (taken, rest) =
            std::mem::take(&mut self.batched).into_iter().partition(|(of, ..)| *of == mm);
        self.batched = rest;
        let taken: Vec<(u8, VirtAddr, u16)> = taken;
        taken.into_iter().map(|(_, addr, nr)| (addr, nr)).collect()
    }

    /// The next `nr` page frames.
    pub(super) fn take_pfns(&mut self, nr: u16) -> u64 {
        self.next_pfn += u64::from(nr);
        self.next_pfn - u64::from(nr)
    }

    /// The entry in memory of the page at `at`.
    #[must_use]
    pub fn entry(&self, at: At) -> Pte {
        self.read(slot_of(at))
    }

    /// Whether an update of the page at `at` is pending.
    #[must_use]
    pub fn is_pending(&self, at: At) -> bool {
        self.tracker.is_pending(at)
    }

    /// Whether any update is pending.
    #[must_use]
    pub(crate) fn has_pending(&self) -> bool {
        self.tracker.has_pending()
    }

    /// What software believes the entry of the page at `at` to be: what it last wrote, pending or
    /// not.
    #[must_use]
    pub fn believed(&self, at: At) -> Pte {
        self.tracker.latest(at).unwrap_or_else(|| self.entry(at))
    }

    /// Takes the hazards that the tracker has found, each with the event that caused it.
    pub(super) fn take_found(&mut self) -> Vec<(Hazard, Option<u32>)> {
        self.tracker.take_found()
    }
}

/// The place of the entry that maps `at`. Neighbours in a table are neighbours here, and the low
/// bits are the index in the table.
pub(crate) fn slot_of(at: At) -> Slot {
    Slot(Page::new(at.mm, at.addr).number())
}
