//! What is put in place while something runs, and put back whatever happens: a task, a design, an
//! architecture, a policy for warnings.

use std::mem::ManuallyDrop;
use std::rc::Rc;

use super::current::{OnWarn, current, current_task};
use super::machine::swap_current;
use super::task::TaskStruct;
use crate::arch::Arch;
use crate::design::Design;

/// Runs `f` with `new` in place, which `set` exchanges for what was there; that is back in place
/// afterwards even when `f` panics.
pub(super) fn with<T, R>(set: impl Fn(T) -> T, new: T, f: impl FnOnce() -> R) -> R {
    let _back = Restore(Some(set(new)), |old| drop(set(old)));
    f()
}

/// Runs `f` as `task` and returns the task as `f` left it, with the previous task back in place
/// even when `f` panics.
pub fn with_task<R>(task: TaskStruct, f: impl FnOnce() -> R) -> (R, TaskStruct) {
    with(swap_current, task, || {
        let value = f();
        (value, current_task())
    })
}

/// Runs `f` in a kernel built with `design`, as a fresh task.
///
/// ```
/// use lazy_mmu::design::Design;
/// let rfc = Design::by_id("count-enabled-rfc").unwrap();
/// lazy_mmu::sched::with_design(rfc, || {
///     lazy_mmu::lazy_mmu_mode_pause();
///     lazy_mmu::lazy_mmu_mode_resume();
///     assert!(lazy_mmu::is_lazy_mmu_mode_active(), "the mail's resume always turns it on");
/// });
/// ```
pub fn with_design<R>(design: Design, f: impl FnOnce() -> R) -> R {
    let set = |design| {
        current(|cur| {
            let old = cur.design.replace(design);
            cur.refresh();
            old
        })
    };
    with_task(TaskStruct::default(), || with(set, design, f)).0
}

/// Runs `f` on `arch`: its hooks are called from now on.
pub fn with_arch<R>(arch: Rc<dyn Arch>, f: impl FnOnce() -> R) -> R {
    let set = |arch| {
        current(|cur| {
            let old = cur.arch.replace(ManuallyDrop::new(arch));
            cur.refresh();
            ManuallyDrop::into_inner(old)
        })
    };
    with(set, Some(arch), f)
}

/// Runs `f` with `policy` for the sanity checks of the emulated kernel.
pub fn with_on_warn<R>(policy: OnWarn, f: impl FnOnce() -> R) -> R {
    let set = |policy| current(|cur| cur.on_warn.replace(policy));
    with(set, policy, f)
}

/// Puts something back when dropped, so that a panic leaves nothing installed.
struct Restore<T, F: Fn(T)>(Option<T>, F);

impl<T, F: Fn(T)> Drop for Restore<T, F> {
    fn drop(&mut self) {
        if let Some(old) = self.0.take() {
            (self.1)(old);
        }
    }
}
