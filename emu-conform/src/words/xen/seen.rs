//! What the queue of a Xen PV trace says that calls have done.

use emu_input::InputError;

use super::effects::{CALL, QUEUED};
use super::queue::{Queue, Said};
use super::reduce::Reducer;
use crate::moves::{Compared, Effect};
use crate::runs::Place;
use crate::trace::Event;

impl Reducer<'_, '_> {
    /// Follows an event about the queue.
    pub(super) fn queue(&mut self, e: &Event<'_>, place: Place) -> Result<(), InputError> {
        let cpu = self.cpus.entry(e.cpu).or_default();
        if !cpu.seen && matches!(e.name, "xen_mc_entry" | "xen_mc_extend_args" | "xen_mc_flush") {
            cpu.unknown = Queue::was_filled(e)?;
            cpu.queue.begins = e.name == "xen_mc_entry";
            cpu.seen = e.name != "xen_mc_flush" || e.args.starts_with("flushing");
            if cpu.unknown {
                // The call that queues this update came before the first flush.
                if let Some(last) = cpu.last.take() {
                    self.out.moves[last].compared = Compared::Not;
                }
            }
        }
        let flushes = e.name == "xen_mc_flush" && e.args.starts_with("flushing");
        if flushes && place != Place::Switch {
            self.tasks.entry(e.task()).or_default().waits = None;
        }
        let cpu = self.cpus.entry(e.cpu).or_default();
        if cpu.unknown {
            if flushes {
                (cpu.unknown, cpu.queue) = (false, Queue::default());
                self.out.leave_out("the first flush of a queue that was not empty");
            }
            return Ok(());
        }
        let said = cpu.queue.follow(e)?;
        if let Some((line, what)) = cpu.queue.broken.take() {
            self.out.breaks(line, || what);
        }
        match said {
            _ if e.in_interrupt() => {}
            Said::Queued => self.push_effect(e, QUEUED),
            Said::Flushed(0) if e.args.starts_with("flushing 0 ") => {}
            Said::Flushed(0) => self.out.leave_out("hypercalls for TLBs, pins and switches"),
            Said::Flushed(updates) => {
                self.leaves(e, place);
                self.push_effect(e, CALL.of(updates));
            }
            Said::Other => {}
        }
        Ok(())
    }

    /// A switch flushes updates in the leave hook, where that is a function; and a leave hook that
    /// is due flushes behind its event.
    fn leaves(&mut self, e: &Event<'_>, place: Place) {
        if !self.has_leave {
            return;
        }
        if place == Place::Switch {
            if !self.cpus.entry(e.cpu).or_default().leaves {
                let what = "updates are flushed in a switch, and no xen_leave_lazy_mmu";
                self.out.breaks(e.line, || what.to_owned());
            }
        } else if self.tasks.entry(e.task()).or_default().due.is_some() {
            self.overdue(e.task());
        }
    }

    /// The kernel did `effect` at the last move of a CPU.
    pub(super) fn push_effect(&mut self, e: &Event<'_>, effect: Effect) {
        match self.cpus.entry(e.cpu).or_default().last {
            Some(last) => self.out.see(last, e.line, effect),
            None => self.out.leave_out("updates before any call"),
        }
    }
}
