//! What mm code does above the last level and beside the page tables: entries that map huge pages,
//! accessed bits of those that point to tables, locks that are not a table's, effects of arch code.

use std::rc::Rc;

use lazy_mmu::design::{Check, Warn};
use lazy_mmu::trace::Event;
use lazy_mmu::{machine_api, sched};

use super::inner::MmStruct;
use crate::backend::Level;
use crate::hw::addr::{PAGE_SHIFT, PUD_SHIFT, VirtAddr};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;
use crate::hw::table::Table;
use crate::kernel::{Lock, LockOp, Step, TaskOp};

/// A lock that is held.
///
/// Fidelity: changed: include/linux/spinlock.h and include/linux/mutex.h v7.3, as a guard.
#[must_use = "the lock is released when the value is dropped"]
#[derive(Debug)]
pub struct LockGuard {
    mm: MmStruct,
    lock: Lock,
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.mm.do_step(&Step::Lock(self.lock, LockOp::Unlock));
    }
}

/// The address as the key of the entry of `level` that covers it.
const fn key(level: Level, addr: VirtAddr) -> (u8, u64) {
    let order = level.order(4);
    (order, addr.get() >> (order as u32 + PAGE_SHIFT))
}

impl MmStruct {
    /// Takes `lock`: `spin_lock()` or `mutex_lock()`.
    pub fn lock(&self, lock: Lock) -> LockGuard {
        self.do_step(&Step::Lock(lock, LockOp::Lock));
        LockGuard { mm: self.clone(), lock }
    }

    /// Takes `lock` unless somebody has it: `spin_trylock()`.
    #[must_use]
    pub fn try_lock(&self, lock: Lock) -> Option<LockGuard> {
        let held = self.machine().locks.borrow().contains_key(&lock.key());
        (!held).then(|| self.lock(lock))
    }

    /// Takes the lock of the table of pmd entries that maps `addr`, unless somebody has it:
    /// `spin_trylock(pmd_lockptr())`.
    #[must_use]
    pub fn pmd_trylock(&self, addr: VirtAddr) -> Option<LockGuard> {
        self.try_lock(Lock::Pmd { mm: self.id(), addr })
    }

    /// The running task does what is no page table primitive.
    pub(super) fn do_step(&self, step: &Step) {
        self.machine().code.step(self.machine(), step);
    }

    /// The running task may sleep here: `might_sleep()`.
    pub fn might_sleep(&self) {
        self.do_step(&Step::Task(TaskOp::MightSleep));
    }

    /// The running task may sleep here, in the architecture's own code.
    pub fn arch_might_sleep(&self) {
        self.do_step(&Step::Task(TaskOp::ArchMightSleep));
    }

    /// Arch code outside of the primitives has an effect of its own.
    pub fn arch_effect(&self, effect: ArchEffect) {
        self.machine().effect_watched(effect);
    }

    /// A check of mm code, whose condition is `cond`, found something or not; a `BUG_ON()` that did
    /// ends the task.
    pub fn warn(&self, check: Check, cond: &'static str, found: bool) {
        match (found, check) {
            (false, _) => {}
            (true, Check::BugOn) => self.machine().bug(cond),
            (true, check) => sched::warn(Warn { check, cond }),
        }
    }

    /// Notes that the running task calls the kernel's function `name`, which changes nothing that
    /// is emulated.
    pub fn note(&self, name: &'static str) {
        if sched::recording() {
            let preempt_count = sched::preempt_count();
            machine_api::note_event(Event::Context { name, preempt_count, by_arch: false });
        }
    }

    /// The entry of `level` that maps a huge page at `addr`, if there is one: `pmd_leaf()`.
    #[must_use]
    pub fn leaf(&self, level: Level, addr: VirtAddr) -> Option<Pte> {
        self.0.leaves.borrow().get(&key(level, addr)).copied()
    }

    /// Has the entry of `level` map a huge page at `addr`, or nothing where `pte` is none; no
    /// effect is caused or recorded.
    pub fn put_leaf(&self, level: Level, addr: VirtAddr, pte: Pte) {
        let mut leaves = self.0.leaves.borrow_mut();
        if pte.is_none() {
            leaves.remove(&key(level, addr));
        } else {
            leaves.insert(key(level, addr), pte);
        }
    }

    /// Has the entry of `level` map a huge page at `addr`: `set_pmd()` or `set_pud()`.
    pub fn set_leaf(&self, level: Level, addr: VirtAddr, pte: Pte) {
        self.put_leaf(level, addr, pte);
        crate::pgtable::set_table(self, addr, level, pte.is_valid());
    }

    /// A page table that nothing points to yet.
    #[must_use]
    pub fn new_table(&self) -> Rc<Table> {
        self.machine().new_table()
    }

    /// Has the entry above the last level point to `table`, in place of what it maps:
    /// `pmd_populate_kernel()`.
    pub fn pmd_populate(&self, addr: VirtAddr, table: Rc<Table>) {
        self.put_leaf(Level::Pmd, addr, Pte::NONE);
        self.link(addr, table);
        crate::pgtable::set_table(self, addr, Level::Pmd, true);
    }

    /// Tells whether the pmd entry at `addr` is there, and what it is: `pmd_present()`,
    /// `pmd_trans_huge()`.
    #[must_use]
    pub fn pmd(&self, addr: VirtAddr) -> Pmd {
        match self.leaf(Level::Pmd, addr) {
            Some(pte) => Pmd::Huge(pte),
            None if self.has_table(addr) => Pmd::Table,
            None => Pmd::None,
        }
    }

    /// Tells whether the pmd entry at `addr`, which points to a table, is young; nothing makes it
    /// young again.
    #[must_use]
    pub fn pmd_young(&self, addr: VirtAddr) -> bool {
        !self.0.old_pmds.borrow().contains(&key(Level::Pmd, addr).1)
    }

    /// Clears the accessed bit of a pmd entry and returns whether it was set; the entry of a table
    /// is young until the first time.
    ///
    /// Fidelity: same as arch/x86/mm/pgtable.c and arch/arm64/include/asm/pgtable.h v7.3: an atomic
    /// operation on memory, without arm64's `VM_WARN_ON()` for a table on a CPU without FEAT_HAFT,
    /// which the machine does not have. Others do more; only the walks of reclaim never come there.
    #[must_use]
    pub fn pmdp_test_and_clear_young(&self, addr: VirtAddr) -> bool {
        self.note("pmdp_test_and_clear_young");
        match self.pmd(addr) {
            Pmd::None => false,
            Pmd::Table => self.0.old_pmds.borrow_mut().insert(key(Level::Pmd, addr).1),
            Pmd::Huge(pte) => {
                self.put_leaf(Level::Pmd, addr, pte.without(Pte::YOUNG));
                pte.has(Pte::YOUNG)
            }
        }
    }
}

/// What a pmd entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pmd {
    /// Empty.
    None,
    /// It points to a page table.
    Table,
    /// It maps a huge page.
    Huge(Pte),
}

const _: () = assert!(Level::Pud.order(4) as u32 + PAGE_SHIFT == PUD_SHIFT, "orders are of pages");
