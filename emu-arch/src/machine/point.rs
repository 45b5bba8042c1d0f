//! Points inside calls: where an interrupt or a preemption falls.
//!
//! A script waits for a point by name and then runs, on the stack of the call that it falls into.
//! When it ends, the task that it interrupted is put back and the call goes on.

use std::rc::Rc;

use lazy_mmu::arch::Point;
use lazy_mmu::machine_api;

use super::Machine;
use super::inner::Script;
use crate::kernel::point_name;

impl Machine {
    /// Runs `body`, and `script` at the point number `nth`, from 1, called `name` inside of it;
    /// tells whether there was one. The script returns the CPU on which the interrupted task goes
    /// on, if it is not the one that it was interrupted on.
    pub fn with_point(
        &self,
        name: &str,
        nth: u32,
        script: Rc<dyn Fn() -> Option<u8>>,
        body: impl FnOnce(),
    ) -> bool {
        let script = Script { name: name.to_owned(), passes: nth - 1, run: script };
        let outer = self.inner.script.replace(Some(script));
        machine_api::set_points(true);
        body();
        let fired = self.inner.script.replace(outer).is_none();
        machine_api::set_points(self.inner.script.borrow().is_some());
        fired
    }

    pub(super) fn at_point(&self, point: Point) {
        let here = match self.inner.script.borrow_mut().as_mut() {
            Some(script) if script.name == point_name(point) => {
                let here = script.passes == 0;
                script.passes = script.passes.saturating_sub(1);
                here
            }
            _ => false,
        };
        if !here {
            return;
        }
        let Some(script) = self.inner.script.take() else { return };
        let (cpu, task) = (self.cpu(), self.running(self.cpu()));
        machine_api::note_away();
        let back_on = (script.run)().unwrap_or(cpu);
        self.context_switch(back_on, task);
        machine_api::note_back();
    }
}
