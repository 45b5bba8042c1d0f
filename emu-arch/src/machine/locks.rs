//! Locks: page table locks, the lock of the kernel's page tables, and a mutex.
//!
//! A spin lock keeps preemption off, as on a kernel without PREEMPT_RT. Who holds what is checked;
//! a lock that is held elsewhere cannot be waited for and is reported.

use std::cell::RefCell;
use std::collections::BTreeMap;

use lazy_mmu::design::{Check, Warn};
use lazy_mmu::{machine_api, sched};

use super::Machine;
use crate::hw::addr::{PMD_SHIFT, VirtAddr};

/// A lock.
///
/// Fidelity: changed: include/linux/spinlock.h and include/linux/mutex.h v7.0: who holds it, and what
/// taking it does to the preempt count; nobody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lock {
    /// The lock of the page table of address space `mm` that maps `addr`: `pte_lockptr()`.
    Pte {
        /// The address space.
        mm: u8,
        /// Any address that the table maps.
        addr: VirtAddr,
    },
    /// `init_mm.page_table_lock`
    InitMm,
    /// A mutex: whoever waits for it sleeps.
    Mutex,
}

impl Lock {
    /// The lock itself, whichever address of its table was given.
    #[must_use]
    pub const fn key(self) -> (u8, u64) {
        match self {
            Self::Pte { mm, addr } => (mm, addr.get() >> PMD_SHIFT),
            Self::InitMm => (u8::MAX, 0),
            Self::Mutex => (u8::MAX, 1),
        }
    }
}

/// Who holds which lock.
#[derive(Debug, Default)]
pub(super) struct Locks(RefCell<BTreeMap<(u8, u64), u8>>);

/// What lockdep and the spin lock checks report.
pub const WRONG_OWNER: Warn =
    Warn { check: Check::DebugLocksWarnOn, cond: "lock->owner != current" };

impl Machine {
    /// The running task takes `lock`.
    pub fn lock(&self, lock: Lock) {
        if lock == Lock::Mutex {
            machine_api::note_context("mutex_lock");
            self.check_sleep();
        } else {
            sched::spin_lock();
        }
        let mut held = self.inner.locks.0.borrow_mut();
        let before = held.insert(lock.key(), self.running(self.cpu()));
        drop(held);
        if before.is_some() {
            sched::warn(WRONG_OWNER);
        }
    }

    /// The running task releases `lock`; updates of what it protects must be done.
    pub fn unlock(&self, lock: Lock) {
        if lock == Lock::Mutex {
            machine_api::note_context("mutex_unlock");
        } else {
            sched::spin_unlock();
        }
        let owner = self.inner.locks.0.borrow_mut().remove(&lock.key());
        if owner != Some(self.running(self.cpu())) {
            sched::warn(WRONG_OWNER);
        }
        match lock {
            Lock::Mutex => {}
            Lock::Pte { mm, addr } => {
                self.inner.track(|tracker, _| tracker.unlocked(mm, Some(addr)));
            }
            Lock::InitMm => self.inner.track(|tracker, _| tracker.unlocked(0, None)),
        }
    }
}
