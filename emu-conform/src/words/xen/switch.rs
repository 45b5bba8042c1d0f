//! Context switches in a Xen PV trace, and where the trace ends.

use emu_input::InputError;

use super::reduce::{Reducer, Waits};
use crate::moves::Act;
use crate::runs;
use crate::sites::Site;
use crate::trace::{Event, Task};

impl Reducer<'_, '_> {
    /// A `sched_switch`, the event at index `at`.
    pub(super) fn switch(
        &mut self,
        at: usize,
        e: &Event<'_>,
        (prev, next): (Task, Task),
    ) -> Result<(), InputError> {
        self.out.count("switches");
        if let Some(site) = self.tasks.entry(prev).or_default().site {
            if self.was_stored(at, e, site)? {
                self.stored(prev, e.cpu);
            } else {
                self.out.count("switches between a probe and its store");
            }
        }
        let state = self.tasks.entry(prev).or_default();
        let (depth, held, waits) = (state.depth, state.held.is_some(), state.waits);
        if depth > 0 {
            self.out.count("switches out of a section");
        }
        if held && depth > 0 {
            self.out.count("switches between the event of a store and the queue");
        }
        let cpu = self.cpus.entry(e.cpu).or_default();
        cpu.leaves = false;
        if depth > 0 && cpu.queue.updates > 0 {
            self.out.count("switches with updates queued");
        }
        if let Some(waits) = waits {
            self.waiting(at, e, prev, waits);
        }
        let index = self.out.push(e.line, e.cpu, prev, Act::Switch(next));
        self.cpus.entry(e.cpu).or_default().last = Some(index);
        self.runs.begin(e, (prev, next));
        if !self.has_sites {
            // The flag with which such a task was switched out is the switch's affair.
            self.first(e.line, e.cpu, next);
        }
        Ok(())
    }

    /// The counter was stored, and the hook was not seen to have run: the call is left between the
    /// two, unless what the switch does shows that the mode was on.
    fn waiting(&mut self, at: usize, e: &Event<'_>, prev: Task, waits: Waits) {
        let on = waits.entered && self.in_switch(at, e.cpu).any(|x| x.name == "xen_leave_lazy_mmu");
        let has_hook = self.has_enter || waits.point == "arch_leave";
        self.tasks.entry(prev).or_default().waits = None;
        if on || !has_hook {
            return;
        }
        if let Act::Step(step) = self.out.moves[waits.index].act {
            self.out.count("switches between counter and hook");
            self.out.moves[waits.index].act = Act::Until(step, waits.point);
            let state = self.tasks.entry(prev).or_default();
            (state.left, state.open) = (true, None);
        }
    }

    /// The events behind index `at` that belong to the switch there.
    fn in_switch(&self, at: usize, cpu: u16) -> impl Iterator<Item = &Event<'_>> {
        let prev = self.events[at].task();
        let here = self.events[at + 1..].iter().filter(move |x| x.cpu == cpu);
        here.take_while(move |x| x.task() == prev && x.name != "sched_switch")
    }

    /// Whether the store whose probe was hit was done before the task was switched out: by the
    /// counters that the switch shows, or by whether the way back enters the mode.
    fn was_stored(&self, at: usize, e: &Event<'_>, site: Site) -> Result<bool, InputError> {
        for x in self.in_switch(at, e.cpu) {
            if let Some(pause) = Site::of(x)?.filter(|pause| pause.rises()) {
                return Ok(pause.before.enable == site.new);
            }
        }
        let task = e.task();
        let behind = &self.events[at + 1..];
        let mut back = None;
        for (index, x) in behind.iter().enumerate() {
            if runs::switch(x)?.is_some_and(|(_, next)| next == task) {
                back = Some((index, x.cpu));
                break;
            }
        }
        let Some((index, cpu)) = back else { return Ok(true) };
        for x in behind[index + 1..].iter().filter(|x| x.cpu == cpu) {
            if x.task() == task {
                return Ok(!site.rises());
            }
            if x.name == "xen_enter_lazy_mmu" {
                return Ok(site.rises());
            }
        }
        Ok(true)
    }

    /// The trace ends: calls that are not done are beginnings.
    pub(super) fn end(&mut self) {
        self.pairs.end(&mut self.out);
        let open = self.tasks.values().filter_map(|state| state.open).collect::<Vec<_>>();
        for index in open {
            self.out.moves[index].cut();
        }
        for (cpu, state) in &self.cpus {
            let switching = self.runs.is_switching(*cpu);
            if let Some(last) = state.last.filter(|_| switching) {
                self.out.moves[last].cut();
            }
        }
        let held = self.tasks.values().filter(|state| state.held.is_some() || state.site.is_some());
        for _ in 0..held.count() {
            self.out.leave_out("calls at the end of the trace");
        }
    }
}
