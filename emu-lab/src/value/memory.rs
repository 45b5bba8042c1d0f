//! Page tables as a value: the entries that are set, and what the tracker knows of them.

use std::collections::BTreeMap;

use emu_arch::backend::{At, Psize, Slot};
use emu_arch::hw::hazard::Hazard;
use emu_arch::tracker::Tracker;
use emu_arch::{Arch, Pte, VirtAddr};

/// Memory and what all CPUs share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The entries that are not empty.
    ptes: BTreeMap<u64, Pte>,
    /// What is pending, latest, cached.
    pub(super) tracker: Tracker,
    /// Who holds which lock.
    pub(super) locks: BTreeMap<(u8, u64), u8>,
    /// What callers hold between `ptep_modify_prot_start()` and its commit.
    pub(super) started: BTreeMap<(u8, VirtAddr), Pte>,
    /// The page sizes of slices, where not 4 KiB.
    pub(super) slices: BTreeMap<(u8, u64), Psize>,
    /// The page frame of the next entry that names none.
    pub(super) next_pfn: u64,
}

impl Memory {
    /// Empty page tables of `arch`.
    #[must_use]
    pub fn new(arch: Arch) -> Self {
        Self {
            ptes: BTreeMap::new(),
            tracker: Tracker::new(arch),
            locks: BTreeMap::new(),
            started: BTreeMap::new(),
            slices: BTreeMap::new(),
            next_pfn: 0x1000,
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

    /// The entry in memory of the page at `at`.
    #[must_use]
    pub fn entry(&self, at: At) -> Pte {
        self.read(slot_of(at))
    }

    /// Takes the hazards that the tracker has found, each with the event that caused it.
    pub(super) fn take_found(&mut self) -> Vec<(Hazard, Option<u32>)> {
        self.tracker.take_found()
    }
}

/// The place of the entry that maps `at`. Neighbours in a table are neighbours here, and the low bits
/// are the index in the table.
pub(super) fn slot_of(at: At) -> Slot {
    const PAGES: u64 = (1 << 52) - 1;
    Slot(u64::from(at.mm) << 52 | at.addr.get() >> 12 & PAGES)
}
