//! What a request of a step does to the machine beside memory: to the record, the tracker and the
//! preempt count.

use lazy_mmu::design::{Check, Warn};
use lazy_mmu::machine_api::change_preempt_count;
use lazy_mmu::trace::Event;

use super::exec::Reach;
use super::state::Request;
use crate::backend::Backend;
use crate::hazard::Hazard;
use crate::kernel::ContextOp;
use crate::tracker::{Now, Tracker};

impl<B: Backend> Reach<'_, B> {
    /// Appends to the record, if one is written.
    pub(super) fn note(&mut self, event: Event<'_>) {
        if let Some(record) = &mut self.seen.record {
            record.push(self.local.cpu, self.local.task.pid, event);
        }
    }

    /// Appends to the requests, if anyone wants them.
    pub(super) fn request(&mut self, request: Request) {
        if let Some(requests) = &mut self.seen.requests {
            requests.push(request);
        }
    }

    /// Calls `look` with the tracker and notes what it finds.
    pub(super) fn track(&mut self, look: impl FnOnce(&mut Tracker, Now)) {
        let now = Now {
            cpu: self.local.cpu,
            task: self.local.task.pid,
            preempt_count: self.local.task.preempt_count,
            seq: self.seen.record.as_ref().map_or(0, |record| record.len() as u32),
        };
        look(&mut self.local.memory.tracker, now);
        for (hazard, cause) in self.local.memory.take_found() {
            self.seen.hazards.push(hazard);
            if hazard.has_event() {
                self.note(Event::Hazard { name: hazard.id(), cause });
            }
        }
    }

    /// Changes the preempt count and records it.
    pub(super) fn change_context(&mut self, op: ContextOp, by_arch: bool) -> Option<Warn> {
        let (ContextOp { name, what, add }, layout) = (op, self.world.setup.layout);
        let found = change_preempt_count(&mut self.local.task.preempt_count, layout, what, add);
        let preempt_count = self.local.task.preempt_count.read(layout);
        self.note(Event::Context { name, preempt_count, by_arch });
        found
    }

    /// Notes what a sanity check has found.
    pub(super) fn warn(&mut self, found: Warn) {
        self.note(Event::from(&found));
        self.seen.warning.get_or_insert(found.cond);
        if found.check == Check::BugOn {
            self.seen.bug.get_or_insert(found.cond);
        }
        self.track(|tracker, _| tracker.report(Hazard::ApiWarning, None));
    }
}
