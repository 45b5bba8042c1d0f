//! The counters with which tasks begin in a Xen PV trace.

use std::collections::{BTreeMap, BTreeSet};

use emu_input::InputError;

use super::queue::Queue;
use crate::moves::Counters;
use crate::runs;
use crate::sites;
use crate::trace::{Event, Task};

/// The counters with which each task begins: those of its first store, where stores are probed.
pub(super) fn born(
    events: &[Event<'_>],
    has_sites: bool,
) -> Result<BTreeMap<Task, Counters>, InputError> {
    if !has_sites {
        return hooked(events);
    }
    let mut born = sites::born(events)?;
    for task in queueing(events, &born)? {
        born.insert(task, Counters { enable: 1, pause: 0 });
    }
    Ok(born)
}

/// The tasks that begin in a section where the hooks are all that is seen: their first one is a
/// leave, outside of switches.
fn hooked(events: &[Event<'_>]) -> Result<BTreeMap<Task, Counters>, InputError> {
    let mut first = BTreeMap::new();
    let mut switches: BTreeMap<u16, Task> = BTreeMap::new();
    for event in events {
        if let Some((prev, _)) = runs::switch(event)? {
            switches.insert(event.cpu, prev);
        } else if switches.get(&event.cpu) != Some(&event.task()) {
            switches.remove(&event.cpu);
            let enable = u8::from(event.name == "xen_leave_lazy_mmu");
            if enable == 1 || event.name == "xen_enter_lazy_mmu" {
                first.entry(event.task()).or_insert(Counters { enable, pause: 0 });
            }
        }
    }
    Ok(first)
}

/// The tasks of which no store to a counter was seen, and which are in a section: the entries that
/// they store are queued, or their switch leaves the mode.
fn queueing(
    events: &[Event<'_>],
    born: &BTreeMap<Task, Counters>,
) -> Result<BTreeSet<Task>, InputError> {
    let mut tasks = BTreeSet::new();
    let mut switches: BTreeMap<u16, Task> = BTreeMap::new();
    let mut stores: BTreeSet<Task> = BTreeSet::new();
    for event in events.iter().filter(|event| !event.in_interrupt()) {
        let task = event.task();
        if let Some((prev, _)) = runs::switch(event)? {
            switches.insert(event.cpu, prev);
        } else if switches.get(&event.cpu) == Some(&task) {
            if event.name == "xen_leave_lazy_mmu" {
                tasks.insert(task);
            }
        } else {
            switches.remove(&event.cpu);
            if event.name == "xen_mmu_set_pte" {
                stores.insert(task);
            } else if !Queue::is_about(event) {
                stores.remove(&task);
            } else if Queue::joins(event) && stores.contains(&task) {
                tasks.insert(task);
            }
        }
    }
    tasks.retain(|task| !born.contains_key(task));
    Ok(tasks)
}
