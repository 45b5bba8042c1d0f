//! What is dropped inside of a section, and what after it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lazy_mmu::sched::note;
use lazy_mmu::{lazy_mmu, lazy_mmu_paused, lazy_mmu_section};

/// Notes when it is dropped.
pub struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        note(&format!("drop {}", self.0));
    }
}

/// A page table lock.
pub struct PteLock(u8);

impl PteLock {
    /// Takes the lock.
    pub fn lock(&self) -> PteLockGuard<'_> {
        note("lock");
        PteLockGuard(self)
    }
}

/// Unlocks when it is dropped.
pub struct PteLockGuard<'a>(&'a PteLock);

impl PteLockGuard<'_> {
    fn nr(&self) -> u8 {
        self.0.0
    }
}

impl Drop for PteLockGuard<'_> {
    fn drop(&mut self) {
        note("unlock");
    }
}

/// The cases by name; each is run on its own.
pub const CASES: &[(&str, fn())] = &[
    ("return", || ignore(returns(Noisy("argument"), Noisy("_ argument")))),
    ("question-mark", || ignore(question(Noisy("argument"), None))),
    ("lock-as-argument", || ignore(lock_as_argument(PteLock(1).lock()))),
    ("lock-by-reference", || {
        let lock = PteLock(1);
        let mut guard = lock.lock();
        ignore(lock_by_reference(&mut guard));
    }),
    ("lock-in-pattern", || ignore(lock_in_pattern((PteLock(1).lock(), 1)))),
    ("lock-consumed", || ignore(lock_consumed(PteLock(1).lock()))),
    ("lock-as-local", || ignore(lock_as_local(&PteLock(1)))),
    ("lock-as-tail-temporary", || ignore(lock_as_tail_temporary(&PteLock(1)))),
    ("lock-as-returned-temporary", || ignore(lock_as_returned_temporary(&PteLock(1)))),
    ("lock-in-pause", || ignore(lock_in_pause(&PteLock(1)))),
    ("lock-around-block", || ignore(lock_around_block(&PteLock(1)))),
    ("panic", || {
        let caught = catch_unwind(AssertUnwindSafe(|| panics(Noisy("argument"))));
        assert!(caught.is_err());
    }),
    ("extern-c", || ignore(extern_c(Box::new(Noisy("argument"))))),
    ("extern-c-unwind-panic", || {
        let caught =
            catch_unwind(AssertUnwindSafe(|| extern_c_unwind(Box::new(Noisy("argument")))));
        assert!(caught.is_err());
    }),
    ("both-attributes", both),
    ("both-attributes-reversed", both_reversed),
    ("with-ptes", || with_ptes(&1, 0x1000, 2)),
];

fn ignore<T>(_: T) {}

#[lazy_mmu]
fn returns(x: Noisy, _: Noisy) -> Noisy {
    let _local = Noisy("local");
    if x.0 == "argument" {
        return Noisy("value");
    }
    x
}

#[lazy_mmu]
fn question(_x: Noisy, y: Option<u8>) -> Option<Noisy> {
    let _local = Noisy("local");
    y?;
    Some(Noisy("value"))
}

#[lazy_mmu]
fn lock_as_argument(ptl: PteLockGuard<'_>) -> u8 {
    ptl.nr()
}

#[lazy_mmu]
fn lock_by_reference(ptl: &mut PteLockGuard<'_>) -> u8 {
    ptl.nr()
}

#[lazy_mmu]
fn lock_in_pattern((_ptl, x): (PteLockGuard<'_>, u8)) -> u8 {
    x
}

#[lazy_mmu]
fn lock_consumed(ptl: PteLockGuard<'_>) -> u8 {
    let nr = ptl.nr();
    drop(ptl);
    nr
}

#[lazy_mmu]
fn lock_as_local(lock: &PteLock) -> u8 {
    let ptl = lock.lock();
    ptl.nr()
}

#[lazy_mmu]
fn lock_as_tail_temporary(lock: &PteLock) -> u8 {
    let _local = Noisy("local");
    lock.lock().nr()
}

#[lazy_mmu]
fn lock_as_returned_temporary(lock: &PteLock) -> u8 {
    return lock.lock().nr();
}

#[lazy_mmu_paused]
fn lock_in_pause(lock: &PteLock) -> u8 {
    let ptl = lock.lock();
    ptl.nr()
}

fn lock_around_block(lock: &PteLock) -> u8 {
    let ptl = lock.lock();
    lazy_mmu_section! {
        let _local = Noisy("local");
        ptl.nr()
    }
}

#[lazy_mmu]
fn panics(_x: Noisy) {
    let _local = Noisy("local");
    std::panic::resume_unwind(Box::new("not printed"));
}

#[lazy_mmu]
extern "C" fn extern_c(_x: Box<Noisy>) -> u8 {
    let _local = Noisy("local");
    1
}

#[lazy_mmu]
extern "C-unwind" fn extern_c_unwind(_x: Box<Noisy>) {
    let _local = Noisy("local");
    std::panic::resume_unwind(Box::new("not printed"));
}

#[lazy_mmu]
#[lazy_mmu_paused]
fn both() {}

#[lazy_mmu_paused]
#[lazy_mmu]
fn both_reversed() {}

#[lazy_mmu(with_ptes(mm, addr, addr + nr * 4096, std::ptr::null::<u64>()))]
fn with_ptes(mm: &u8, addr: u64, nr: u64) {
    note(&format!("{nr} entries of mm {mm} at {addr:#x}"));
}

/// Unwinds out of `extern "C"`, which aborts the process.
#[lazy_mmu]
pub extern "C" fn aborts() {
    std::panic::resume_unwind(Box::new("not printed"));
}
