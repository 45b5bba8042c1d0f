//! What an emulated machine does to the current task: switches, CPUs, points inside calls.

use super::current::{current, current_task};
use super::task::TaskStruct;
use crate::arch::Point;
use crate::design::Role;

/// Puts `next` in the place of the current task and returns the one that was there: the content of
/// a context switch.
pub fn swap_current(next: TaskStruct) -> TaskStruct {
    let prev = current_task();
    current(|cur| {
        cur.pid.set(next.pid);
        cur.preempt_count.set(next.preempt_count);
        cur.flags.set(next.flags);
        cur.tokens.set(next.tokens);
        cur.open.set(next.open);
        cur.set_state(next.lazy_mmu_state);
    });
    prev
}

/// The current task has made a call of the role; tells whether it was one that closes and left no
/// section and no pause open.
#[must_use]
pub fn took_bracket(role: Role) -> bool {
    current(|cur| {
        let mut open = cur.open.get();
        let closed = open.took(role);
        cur.open.set(open);
        closed
    })
}

/// Sets the number of the CPU in the records from now on, 0 to 31.
pub fn set_cpu(cpu: u8) {
    current(|cur| cur.cpu.set(cpu));
}

/// Returns whether anyone sees an effect: a record is written, or points are on.
#[inline]
#[must_use]
pub fn watched() -> bool {
    current(|cur| cur.watched.get())
}

/// Calls the architecture at each point inside a call from now on, or no longer.
pub fn set_points(on: bool) {
    current(|cur| {
        cur.points.set(on);
        cur.watched.set(on || cur.recording.get());
    });
}

/// Calls the architecture at `point`, where points are on.
#[inline]
pub fn point(point: Point) {
    current(|cur| cur.point(point));
}
