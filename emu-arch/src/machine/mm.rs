//! An address space: `struct mm_struct` with its page tables.
//!
//! The last level is a table of 512 entries, found by address; of the levels above only which
//! entries are set is kept, since nothing but their being set has an effect.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lazy_mmu::trace::PteOp;

use super::inner::{Inner, MmInner, MmStruct};
use crate::Kernel;
use crate::backend::{At, Facts, Level, Psize, slice};
use crate::hw::addr::{P4D_SHIFT, PMD_SHIFT, PUD_SHIFT, VirtAddr};
use crate::hw::pte::Pte;
use crate::hw::table::{Ptep, Table};
use crate::kernel::{Lock, LockOp, PteArgs, Step};

/// A page table whose lock is held: what `pte_offset_map_lock()` returns.
///
/// The lock keeps preemption off. When it is released, updates of the table must be done and its
/// translations flushed, or it is a hazard.
///
/// Fidelity: changed: `pte_offset_map_lock()` of mm/pgtable-generic.c v7.0, one value in place of
/// the pointer and the lock.
#[must_use = "the lock is released when the value is dropped"]
#[derive(Debug)]
pub struct PteLock {
    mm: MmStruct,
    table: Rc<Table>,
    /// An address that the table maps.
    addr: VirtAddr,
}

impl PteLock {
    fn new(mm: &MmStruct, table: Rc<Table>, addr: VirtAddr) -> Self {
        let lock = Lock::Pte { mm: mm.id(), addr };
        mm.machine().code.step(mm.machine(), &Step::Lock(lock, LockOp::Lock));
        Self { mm: mm.clone(), table, addr }
    }

    /// The entry of `addr`, which the table must map.
    #[inline]
    #[must_use]
    pub fn ptep(&self, addr: VirtAddr) -> Ptep<'_> {
        self.table.ptep(addr.pte_index())
    }
}

impl Drop for PteLock {
    /// `pte_unmap_unlock()`
    fn drop(&mut self) {
        let lock = Lock::Pte { mm: self.mm.id(), addr: self.addr };
        self.mm.machine().code.step(self.mm.machine(), &Step::Lock(lock, LockOp::Unlock));
    }
}

impl MmStruct {
    /// Does the primitive `op` as a scenario has it; its table is put there where there is none.
    pub fn step(&self, op: PteOp, args: &PteArgs) {
        let table = self.pte_table(args.addr);
        self.machine().code.pte(self, table.ptep(args.addr.pte_index()), op, args);
    }

    /// The address space number `id` of `machine`, with tables that are pinned, as those of a
    /// process that runs are, or not.
    pub(super) fn new(machine: Rc<Inner>, id: u8, pinned: bool) -> Self {
        Self(Rc::new(MmInner {
            machine,
            id,
            tables: RefCell::default(),
            uppers: RefCell::default(),
            leaves: RefCell::default(),
            old_pmds: RefCell::default(),
            slices: RefCell::default(),
            has_slices: Cell::new(false),
            pinned: Cell::new(pinned),
            batched: RefCell::default(),
        }))
    }

    /// The kernel of the machine.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.machine().kernel
    }

    /// The number of the address space in records; 0 is `init_mm`.
    #[inline]
    #[must_use]
    pub fn id(&self) -> u8 {
        self.0.id
    }

    #[inline]
    pub(crate) fn at(&self, addr: VirtAddr) -> At {
        At { mm: self.0.id, addr }
    }

    #[inline]
    pub(crate) fn machine(&self) -> &Inner {
        &self.0.machine
    }

    /// The page table that maps `addr`; one is put there where there is none, and no effect is
    /// caused or recorded.
    #[must_use]
    pub fn pte_table(&self, addr: VirtAddr) -> Rc<Table> {
        let key = addr.get() >> PMD_SHIFT;
        let mut tables = self.0.tables.borrow_mut();
        let table = tables.entry(key).or_insert_with(|| {
            let uppers = [P4D_SHIFT, PUD_SHIFT].map(|shift| (shift, addr.get() >> shift));
            self.0.uppers.borrow_mut().extend(uppers);
            self.0.machine.new_table()
        });
        Rc::clone(table)
    }

    /// Has `table` map what lies under the pmd entry of `addr`.
    pub(super) fn link(&self, addr: VirtAddr, table: Rc<Table>) {
        self.0.tables.borrow_mut().insert(addr.get() >> PMD_SHIFT, table);
    }

    /// Tells whether the pmd entry of `addr` points to a page table.
    pub(super) fn has_table(&self, addr: VirtAddr) -> bool {
        self.0.tables.borrow().contains_key(&(addr.get() >> PMD_SHIFT))
    }

    /// The page table that maps `addr`, locked unless somebody has the lock:
    /// `pte_offset_map_rw_nolock()` and `spin_trylock()`. None where there is no table, and none in
    /// some where its lock is held.
    #[must_use]
    pub fn pte_offset_map_trylock(&self, addr: VirtAddr) -> Option<Option<PteLock>> {
        let table = self.pte_offset_kernel(addr)?;
        let lock = Lock::Pte { mm: self.id(), addr };
        let held = self.machine().locks.borrow().contains_key(&lock.key());
        Some((!held).then(|| PteLock::new(self, table, addr)))
    }

    /// The page table that maps `addr`, locked; none where the address space has none there.
    #[must_use]
    pub fn pte_offset_map_lock(&self, addr: VirtAddr) -> Option<PteLock> {
        self.pte_offset_kernel(addr).map(|table| PteLock::new(self, table, addr))
    }

    /// The page table that maps `addr`, locked, with the levels above it filled in where they are
    /// missing: `pte_alloc_map_lock()` and the allocations on the way there.
    ///
    /// Fidelity: changed: include/linux/mm.h v7.0; the levels above are known by whether they are
    /// set.
    pub fn pte_alloc_map_lock(&self, addr: VirtAddr) -> PteLock {
        PteLock::new(self, self.pte_alloc_kernel(addr), addr)
    }

    /// The page table that maps `addr`, put there where it is missing: `pte_alloc_kernel()`, which
    /// takes no lock.
    #[must_use]
    pub fn pte_alloc_kernel(&self, addr: VirtAddr) -> Rc<Table> {
        if let Some(table) = self.pte_offset_kernel(addr) {
            return table;
        }
        let new_table = |level| {
            self.machine().code.alloc_table(self, level);
            crate::pgtable::set_table(self, addr, level, true);
        };
        for (level, shift) in [(Level::P4d, P4D_SHIFT), (Level::Pud, PUD_SHIFT)] {
            if self.0.uppers.borrow_mut().insert((shift, addr.get() >> shift)) {
                new_table(level);
            }
        }
        new_table(Level::Pmd);
        self.walk(addr);
        self.pte_table(addr)
    }

    /// The level of the entry that points to each table but the root, in the order of a walk:
    /// address by address, a table before those below it.
    pub(super) fn table_levels(&self) -> Vec<Level> {
        let (mut levels, mut last) = (Vec::new(), [None; 2]);
        for key in self.0.tables.borrow().keys() {
            let uppers = [(Level::P4d, P4D_SHIFT), (Level::Pud, PUD_SHIFT)];
            for ((level, shift), last) in uppers.into_iter().zip(&mut last) {
                let upper = Some(key >> (shift - PMD_SHIFT));
                if *last != upper {
                    (*last, _) = (upper, levels.push(level));
                }
            }
            levels.push(Level::Pmd);
        }
        levels
    }

    /// Whether the page tables are pinned: read-only for a guest of Xen PV, so that the hypervisor
    /// does each update. Nothing else asks.
    #[inline]
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.0.pinned.get()
    }

    pub(super) fn set_pinned(&self, pinned: bool) {
        self.0.pinned.set(pinned);
    }

    /// The page table that maps `addr`, if there is one: `pte_offset_kernel()`, which takes no
    /// lock.
    #[must_use]
    pub fn pte_offset_kernel(&self, addr: VirtAddr) -> Option<Rc<Table>> {
        self.walk(addr);
        self.0.tables.borrow().get(&(addr.get() >> PMD_SHIFT)).cloned()
    }

    /// Software goes down from the root to the page table that maps `addr`.
    fn walk(&self, addr: VirtAddr) {
        self.machine().track(|tracker, _| tracker.walked(self.at(addr)));
    }

    /// The first address of `addr..end` that a page table maps: what a walk over the levels above
    /// finds when it skips the entries that are not set.
    #[must_use]
    pub fn next_pte_table(&self, addr: VirtAddr, end: VirtAddr) -> Option<VirtAddr> {
        if addr >= end {
            return None;
        }
        let keys = addr.get() >> PMD_SHIFT..=(end.get() - 1) >> PMD_SHIFT;
        let tables = self.0.tables.borrow();
        let (key, _) = tables.range(keys).next()?;
        VirtAddr::new(key << PMD_SHIFT).ok().map(|table| table.max(addr))
    }

    /// What is known of the architecture of the machine.
    #[must_use]
    pub fn facts(&self) -> &'static Facts {
        self.0.machine.facts
    }

    /// How many page tables the address space has.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.0.tables.borrow().len()
    }

    /// Sets the page size of the slice that `addr` lies in (powerpc hash): 256 MiB below 4 GiB, 1
    /// TiB above.
    pub fn set_slice_psize(&self, addr: VirtAddr, psize: Psize) {
        self.0.slices.borrow_mut().insert(slice(addr), psize);
        self.0.has_slices.set(true);
    }

    /// The page size of the slice that `addr` lies in: 4 KiB unless set.
    #[inline]
    pub(super) fn slice_psize(&self, addr: VirtAddr) -> Psize {
        if !self.0.has_slices.get() {
            return Psize::default();
        }
        let slices = self.0.slices.borrow();
        slices.get(&slice(addr)).copied().unwrap_or_default()
    }

    pub(crate) fn push_batched(&self, addr: VirtAddr, nr: u16) {
        self.0.batched.borrow_mut().push((addr, nr));
    }

    pub(crate) fn take_batched(&self) -> Vec<(VirtAddr, u16)> {
        self.0.batched.take()
    }

    /// Puts an entry that was used before into memory, as it is after an access: young, and hashed
    /// where the architecture hashes; no effect is caused or recorded.
    pub fn populate(&self, ptep: Ptep<'_>, pte: Pte) {
        ptep.write(self.machine().code.used(pte));
    }

    /// Puts the entries that `args` describe into memory, each as after an access; no effect is
    /// caused or recorded.
    pub fn populate_pages(&self, args: &PteArgs) {
        let pfn = args.pfn.unwrap_or_else(|| self.machine().take_pfns(args.nr));
        let (pte, table) = (args.entry(pfn), self.pte_table(args.addr));
        for n in 0..args.nr {
            let addr = args.addr.add_pages(u64::from(n));
            self.populate(table.ptep(addr.pte_index()), pte.advance_pfn(u64::from(n)));
        }
    }
}
