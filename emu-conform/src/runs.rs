//! Which task runs on which CPU, and which events belong to a context switch.

use std::collections::{BTreeMap, BTreeSet};

use emu_input::InputError;

use crate::moves::{Act, Reduced};
use crate::trace::{Event, Task, Trace, is_mark};

/// The CPUs of an operation as its events show them.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// The trace has `sched_switch`.
    shown: bool,
    running: BTreeMap<u16, Task>,
    /// CPUs of which nothing was seen but a marker, which anyone may have put there.
    marked: BTreeSet<u16>,
    /// CPUs that may have been switching as the trace began: no other event was seen of them.
    begins: BTreeSet<u16>,
    /// The task that goes and the one that comes, until the first event of the latter.
    switching: BTreeMap<u16, (Task, Task)>,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first event of this CPU.
    First,
    /// What a task does.
    Task,
    /// What a context switch does: between `sched_switch` and the first event of the next task,
    /// all events carry the name of the one that goes.
    Switch,
}

impl Runs {
    /// The CPUs of an operation of `trace`.
    pub(crate) fn new(trace: &Trace<'_>) -> Self {
        let shown = trace.has("sched_switch");
        let (marked, begins) = (BTreeSet::new(), BTreeSet::new());
        Self { shown, running: BTreeMap::new(), marked, begins, switching: BTreeMap::new() }
    }

    /// Says where `event` stands. A task that runs without having been switched in is a
    /// contradiction of the trace with itself.
    pub(crate) fn place(&mut self, event: &Event<'_>, out: &mut Reduced) -> Place {
        let (cpu, task) = (event.cpu, event.task());
        if let Some((prev, _)) = self.switching.get(&cpu) {
            if *prev == task && event.name != "sched_switch" {
                return Place::Switch;
            }
            self.switching.remove(&cpu);
        }
        let only_marked = self.marked.remove(&cpu);
        let begins = if may_be_of_switch(event.name) {
            self.begins.contains(&cpu) || !self.running.contains_key(&cpu)
        } else {
            false
        };
        let in_switch = self.begins.contains(&cpu);
        if begins {
            self.begins.insert(cpu);
        } else {
            self.begins.remove(&cpu);
        }
        let before = self.running.insert(cpu, task);
        if before.is_none() && is_mark(event) {
            self.marked.insert(cpu);
        }
        match before {
            None => Place::First,
            Some(running) if running != task && (only_marked || in_switch) => Place::First,
            Some(running) if running != task && !self.shown => {
                out.prepare(event.line, cpu, running, Act::Switch(task));
                out.assume("switches, as the trace has no sched_switch");
                Place::Task
            }
            Some(running) if running != task => {
                out.breaks(event.line, || {
                    let (was, is) = (running.pid(), task.pid());
                    format!("task {is} runs on CPU {cpu}, where {was} ran, without a sched_switch")
                });
                Place::Task
            }
            Some(_) => Place::Task,
        }
    }

    /// Whether the trace has `sched_switch`.
    pub(crate) const fn shows_switches(&self) -> bool {
        self.shown
    }

    /// Whether a switch of `cpu` was not seen to end.
    pub(crate) fn is_switching(&self, cpu: u16) -> bool {
        self.switching.contains_key(&cpu)
    }

    /// The tasks of a `sched_switch`, which begins here.
    pub(crate) fn begin(&mut self, event: &Event<'_>, switch: (Task, Task)) {
        self.switching.insert(event.cpu, switch);
        self.running.insert(event.cpu, switch.1);
    }
}

/// Whether a context switch has events of that name.
fn may_be_of_switch(name: &str) -> bool {
    let names = ["xen_mc_", "xen_start_context", "xen_end_context", "xen_enter", "xen_leave", "pa"];
    names.iter().any(|first| name.starts_with(first)) || name == "xen_flush_lazy_mmu"
}

/// The task that goes and the one that comes, of a `sched_switch`.
pub(crate) fn switch(event: &Event<'_>) -> Result<Option<(Task, Task)>, InputError> {
    if event.name != "sched_switch" {
        return Ok(None);
    }
    let task = |pid: u64| Task::new(pid as u32, event.cpu);
    if let Some((prev, next)) =
        event.args.split_once(" ==> ").filter(|_| event.text_of("next_pid").is_none())
    {
        // trace-cmd writes `COMM:PID [PRIO] STATE ==> COMM:PID [PRIO]`.
        let pid = |part: &str| {
            let who = part.split_once(" [").map_or(part, |(who, _)| who);
            who.rsplit_once(':').and_then(|(_, pid)| pid.parse().ok())
        };
        let wrong = |part| event.wrong(part, "expected COMM:PID of sched_switch");
        let prev = pid(prev).ok_or_else(|| wrong(prev))?;
        return Ok(Some((task(prev), task(pid(next).ok_or_else(|| wrong(next))?))));
    }
    Ok(Some((task(event.needs("prev_pid")?), task(event.needs("next_pid")?))))
}
