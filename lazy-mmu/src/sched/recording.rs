//! What goes into the record of the thread, and who begins and ends one.

use std::mem::ManuallyDrop;

use super::current::{Current, current};
use super::scope::with;
use crate::preempt::PreemptCount;
use crate::trace::{Event, Record};

/// Tells whether a record is being written.
#[inline]
#[must_use]
pub fn recording() -> bool {
    current(|cur| cur.recording.get())
}

/// Records that the architecture did `name` to the hardware, to `n` things at once where given.
#[inline]
pub fn note_effect(name: &str, n: Option<u32>) {
    current(|cur| cur.note(Event::Effect { name, n }));
}

/// The number that the next event of the record will have; 0 where nothing is recorded.
#[inline]
#[must_use]
pub fn next_seq() -> u32 {
    current(|cur| if cur.recording.get() { cur.next_seq() } else { 0 })
}

/// The number of the current task, its preempt count and [`next_seq`]: what a tracker asks for at
/// each step.
#[inline]
#[must_use]
pub fn pid_count_and_seq() -> (u8, PreemptCount, u32) {
    current(|cur| {
        let seq = if cur.recording.get() { cur.next_seq() } else { 0 };
        (cur.pid.get(), cur.preempt_count.get(), seq)
    })
}

impl Current {
    fn next_seq(&self) -> u32 {
        self.record.borrow().as_ref().map_or(0, |record| record.len() as u32)
    }
}

/// Records something that the task does to itself, by the kernel's name of it.
pub fn note_context(name: &'static str) {
    current(|cur| {
        let preempt_count = cur.read_preempt_count();
        cur.note(Event::Context { name, preempt_count, by_arch: false });
    });
}

/// Records that something else happens inside the call that is under way.
pub fn note_away() {
    current(|cur| cur.note(Event::Away));
}

/// Records that the call goes on.
pub fn note_back() {
    current(|cur| cur.note(Event::Back));
}

/// Records that the CPU goes from the current task to task `next`.
pub fn note_switch(next: u8) {
    current(|cur| cur.note(Event::Switch { next }));
}

/// Records a hazard of the kind `name`, caused by the event number `cause`.
pub fn note_hazard(name: &str, cause: Option<u32>) {
    current(|cur| cur.note(Event::Hazard { name, cause }));
}

/// Appends an event to the record, where one is written.
#[inline]
pub fn note_event(event: Event<'_>) {
    current(|cur| cur.note(event));
}

/// Records a remark.
pub fn note(text: &str) {
    current(|cur| cur.note(Event::Note(text)));
}

/// Runs `f` and returns its value with the record of what it did.
///
/// Records nest: the inner one is a part of the outer one. Where `f` panics the events are kept by
/// the outer record, if there is one.
///
/// ```
/// use lazy_mmu::{lazy_mmu_mode_disable, lazy_mmu_mode_enable, record_hooks};
/// let ((), record) = record_hooks(|| {
///     lazy_mmu_mode_enable();
///     lazy_mmu_mode_disable();
/// });
/// assert_eq!(
///     record.to_string(),
///     "\
/// lazy_mmu_mode_enable()              -> arch_enter()  enable=1 pause=0
/// lazy_mmu_mode_disable()             -> arch_leave()  enable=0 pause=0
/// enable=0 pause=0, nothing pending
/// "
/// );
/// ```
pub fn record_hooks<R>(f: impl FnOnce() -> R) -> (R, Record) {
    let start = current(|cur| match &**cur.record.borrow() {
        Some(record) if record.design() == cur.design() => Ok(record.len()),
        _ => Err(()),
    });
    let take = |record| {
        current(|cur| {
            let old = cur.record.replace(ManuallyDrop::new(record));
            cur.refresh();
            ManuallyDrop::into_inner(old)
        })
    };
    if let Ok(start) = start {
        let value = f();
        let mut part =
            current(|cur| cur.record.borrow().as_ref().map(|record| record.since(start)))
                .unwrap_or_default();
        note_end(&mut part);
        return (value, part);
    }
    let (value, mut record) = with(take, Some(Record::new(current(Current::design))), || {
        let value = f();
        (value, take(None).unwrap_or_default())
    });
    note_end(&mut record);
    (value, record)
}

/// Appends the last line of a record: what is left.
fn note_end(record: &mut Record) {
    let pending = current(Current::arch).and_then(|arch| arch.pending());
    current(|cur| {
        let (cpu, pid) = (cur.cpu.get(), cur.pid.get());
        if let Some((n, what)) = pending {
            record.push(cpu, pid, Event::Pending { n, what });
        }
        let (state, preempt_count) = (cur.state(), cur.read_preempt_count());
        record.push(cpu, pid, Event::End { state, preempt_count });
    });
}
