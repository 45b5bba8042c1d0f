//! The records of several threads as one.
//!
//! A host thread is a task. Threads that run side by side interleave differently each time, so
//! their records are put one behind the other, in the order in which the threads were named: what
//! each task did is the same in every run.
//!
//! ```
//! use emu_lab::threads::record_threads;
//! use lazy_mmu::with_lazy_mmu;
//! let record = record_threads([|| with_lazy_mmu(|| ()), || with_lazy_mmu(|| ())]);
//! assert_eq!(record.hooks().count(), 4);
//! ```

use std::collections::BTreeMap;
use std::thread;

use lazy_mmu::sched::{self, TaskStruct};
use lazy_mmu::{Record, record_hooks};
use parking_lot::Mutex;

/// Runs each of `bodies` on a thread of its own, as task 1 and up, at most 200, and returns what
/// all of them did.
///
/// # Panics
/// Where a body panics, after all threads have ended.
pub fn record_threads<F: FnOnce() + Send, const N: usize>(bodies: [F; N]) -> Record {
    const { assert!(N <= 200, "a record numbers at most 200 tasks") };
    let records = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for (pid, body) in (1u8..).zip(bodies) {
            let records = &records;
            scope.spawn(move || {
                let task = TaskStruct { pid, ..TaskStruct::default() };
                let (((), record), _) = sched::with_task(task, || record_hooks(body));
                records.lock().insert(pid, record);
            });
        }
    });
    let mut all = Record::new(sched::design());
    for record in records.into_inner().values() {
        record.events().for_each(|seen| all.push(seen.cpu, seen.task, seen.event));
    }
    all
}
