//! Page tables as a value: the entries that are set, and what the tracker knows of them.

use std::collections::BTreeMap;

use emu_arch::backend::{At, Psize, Slot};
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::slice;
use emu_arch::tracker::Tracker;
use emu_arch::{Arch, Pte, VirtAddr};

use crate::scenario::{Step, entry};

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
    /// What reclaim has put off the flush of.
    pub(super) batched: Vec<(u8, VirtAddr, u16)>,
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
            batched: Vec::new(),
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

    /// Does what stands before a scenario with `step` in it: page sizes, and pages that are mapped and
    /// were used on `arch`.
    pub fn prepare(&mut self, step: &Step, arch: Arch) {
        let (Step::Pte(_, args) | Step::Map(args)) = *step else { return };
        if let Some(psize) = args.psize {
            self.slices.insert((args.mm, slice(args.addr)), psize);
        }
        if matches!(step, Step::Map(_)) {
            let pte = entry(args, args.pfn.unwrap_or_else(|| self.take_pfns(args.nr)));
            for n in 0..args.nr {
                let at = At { mm: args.mm, addr: args.addr.add_pages(u64::from(n)) };
                self.write(slot_of(at), arch.used(pte.advance_pfn(u64::from(n))));
            }
        }
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

    /// What software believes the entry of the page at `at` to be: what it last wrote, pending or not.
    #[must_use]
    pub fn believed(&self, at: At) -> Pte {
        self.tracker.latest(at).unwrap_or_else(|| self.entry(at))
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
