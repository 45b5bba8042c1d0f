//! Locks: page table locks, the lock of the kernel's page tables, and a mutex.
//!
//! A spin lock keeps preemption off, as on a kernel without PREEMPT_RT. Who holds what is checked;
//! a lock that is held elsewhere cannot be waited for and is reported.

use lazy_mmu::design::{Check, Warn};

use super::Host;
use super::task::check_sleep;
use crate::hazard::Trigger;
use crate::hw::addr::{PMD_SHIFT, PUD_SHIFT, VirtAddr};
use crate::kernel::ContextOp;

/// A lock.
///
/// Fidelity: changed: include/linux/spinlock.h and include/linux/mutex.h v7.0: who holds it, and
/// what taking it does to the preempt count; nobody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Lock {
    /// The lock of the page table of address space `mm` that maps `addr`: `pte_lockptr()`.
    Pte {
        /// The address space.
        mm: u8,
        /// Any address that the table maps.
        addr: VirtAddr,
    },
    /// The lock of the table of pmd entries of address space `mm` that maps `addr`:
    /// `pmd_lockptr()`.
    Pmd {
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
            // Above every number of a page table.
            Self::Pmd { mm, addr } => (mm, 1 << 63 | addr.get() >> PUD_SHIFT),
            Self::InitMm => (u8::MAX, 0),
            Self::Mutex => (u8::MAX, 1),
        }
    }
}

/// What a task does to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockOp {
    /// `spin_lock()` or `mutex_lock()`.
    Lock,
    /// `spin_unlock()` or `mutex_unlock()`.
    Unlock,
}

impl LockOp {
    /// The kernel's name of the operation on `lock`.
    #[must_use]
    pub const fn name(self, lock: Lock) -> &'static str {
        match (lock, self) {
            (Lock::Mutex, Self::Lock) => "mutex_lock",
            (Lock::Mutex, Self::Unlock) => "mutex_unlock",
            (Lock::Pte { .. } | Lock::Pmd { .. } | Lock::InitMm, Self::Lock) => "spin_lock",
            (Lock::Pte { .. } | Lock::Pmd { .. } | Lock::InitMm, Self::Unlock) => "spin_unlock",
        }
    }
}

/// What lockdep and the spin lock checks report.
const WRONG_OWNER: Warn = Warn { check: Check::DebugLocksWarnOn, cond: "lock->owner != current" };

/// The current task takes `lock`.
pub(crate) fn lock<H: Host>(host: &mut H, lock: Lock) {
    enter(host, lock, LockOp::Lock);
    if lock == Lock::Mutex {
        check_sleep(host);
    }
    let pid = host.pid();
    if host.set_lock_owner(lock.key(), Some(pid)).is_some() {
        host.warn(WRONG_OWNER);
    }
}

/// The current task releases `lock`; updates of what it protects must be done.
pub(crate) fn unlock<H: Host>(host: &mut H, lock: Lock) {
    enter(host, lock, LockOp::Unlock);
    let pid = host.pid();
    if host.set_lock_owner(lock.key(), None) != Some(pid) {
        host.warn(WRONG_OWNER);
    }
    let (mm, addr) = match lock {
        Lock::Mutex | Lock::Pmd { .. } => return,
        Lock::Pte { mm, addr } => (mm, Some(addr)),
        Lock::InitMm => (0, None),
    };
    host.exercise(if mm == 0 { Trigger::KernelUnlock } else { Trigger::Unlock });
    host.track(|tracker, _| tracker.unlocked(mm, addr));
}

/// Does to the preempt count what `op` does, and records it.
fn enter<H: Host>(host: &mut H, lock: Lock, op: LockOp) {
    let name = op.name(lock);
    match ContextOp::by_name(name) {
        Some(change) => host.change_context(change),
        None => host.note_context(name),
    }
}
