//! Probes at the stores to the counters of a task: `en15_FUNCTION`, `en16D_FUNCTION`, `pa1_...`.

use std::collections::BTreeMap;

use emu_arch::kernel::Step;
use emu_input::InputError;
use lazy_mmu::design::{Call, CallInfo};

use crate::moves::{Counter, Counters, Reduced};
use crate::trace::{Event, Task};

/// A store to a counter, which the probe shows before it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// The number of its line.
    pub(crate) line: u32,
    /// The counter.
    pub(crate) counter: Counter,
    /// What it was.
    pub(crate) old: u8,
    /// What is stored.
    pub(crate) new: u8,
    /// Both counters before the store.
    pub(crate) before: Counters,
}

impl Site {
    /// The site of an event, if it is one: its name has the counter, a number, `I` or `D` where the
    /// store is an increment or a decrement of memory, and the function.
    pub(crate) fn of(event: &Event<'_>) -> Result<Option<Self>, InputError> {
        let Some((counter, change)) = kind(event.name) else { return Ok(None) };
        let count = |key| event.number_of(key).map(|n| n.map_or(0, |n| n as u8));
        let before = Counters { enable: count("en")?, pause: count("pa")? };
        let key = if counter == Counter::Enable { "en" } else { "pa" };
        let old = event.needs(key)? as u8;
        let new = match change {
            Some(step) => old.wrapping_add(step),
            None => event.needs("new")? as u8,
        };
        Ok(Some(Self { line: event.line, counter, old, new, before }))
    }

    /// Whether the counter rises.
    pub(crate) const fn rises(self) -> bool {
        self.new.wrapping_sub(self.old) != u8::MAX
    }

    /// The call that stores so.
    pub(crate) fn step(self) -> Step {
        call(match (self.counter, self.rises()) {
            (Counter::Enable, true) => Call::ENABLE,
            (Counter::Enable, false) => Call::DISABLE,
            (Counter::Pause, true) => Call::PAUSE,
            (Counter::Pause, false) => Call::RESUME,
        })
    }
}

/// A call of the kernel as a step.
pub(crate) fn call(call: Call) -> Step {
    let found = CallInfo::KERNEL.iter().find(|info| info.call == call);
    Step::Call(found.unwrap_or(&CallInfo::KERNEL[0]), None)
}

/// The counter that the name of an event speaks of, and by how much it changes where the name says
/// so.
pub(crate) fn kind(name: &str) -> Option<(Counter, Option<u8>)> {
    let (counter, rest) = match (name.strip_prefix("en"), name.strip_prefix("pa")) {
        (Some(rest), _) => (Counter::Enable, rest),
        (_, Some(rest)) => (Counter::Pause, rest),
        (None, None) => return None,
    };
    let (number, function) = rest.split_once('_')?;
    let (number, change) = match (number.strip_suffix('I'), number.strip_suffix('D')) {
        (Some(number), _) => (number, Some(1)),
        (_, Some(number)) => (number, Some(u8::MAX)),
        (None, None) => (number, None),
    };
    let plain = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    (plain && !function.is_empty()).then_some((counter, change))
}

/// The stores to counters, each with its task. A site inside of a context switch is about the task
/// that goes, or the one that comes, by its direction.
fn stores(events: &[Event<'_>]) -> Result<Vec<(Task, Site)>, InputError> {
    let mut stores = Vec::new();
    let mut switches: BTreeMap<u16, (Task, Task)> = BTreeMap::new();
    for event in events {
        if let Some(switch) = crate::runs::switch(event)? {
            switches.insert(event.cpu, switch);
            continue;
        }
        let switch = switches.get(&event.cpu).copied().filter(|(prev, _)| *prev == event.task());
        if switch.is_none() {
            switches.remove(&event.cpu);
        }
        let Some(site) = Site::of(event)? else { continue };
        let task = match switch {
            Some((_, next)) if !site.rises() => next,
            Some((prev, _)) => prev,
            None => event.task(),
        };
        stores.push((task, site));
    }
    Ok(stores)
}

/// The counters with which each task begins: those of its first site.
pub(crate) fn born(events: &[Event<'_>]) -> Result<BTreeMap<Task, Counters>, InputError> {
    let mut born = BTreeMap::new();
    for (task, site) in stores(events)? {
        born.entry(task).or_insert(site.before);
    }
    Ok(born)
}

/// Each store shows both counters as the last one of the task left them.
pub(crate) fn agree(events: &[Event<'_>], out: &mut Reduced) -> Result<(), InputError> {
    let mut known: BTreeMap<Task, Counters> = BTreeMap::new();
    for (task, site) in stores(events)? {
        let Counters { enable, pause } = site.before;
        let mut after = site.before;
        match site.counter {
            Counter::Enable => after.enable = site.new,
            Counter::Pause => after.pause = site.new,
        }
        if let Some(last) = known.insert(task, after).filter(|last| *last != site.before) {
            out.breaks(site.line, || {
                let Counters { enable: was_enable, pause: was_pause } = last;
                format!(
                    "enable_count is {enable} and pause_count {pause}, and the last store left \
                     {was_enable} and {was_pause}"
                )
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sites() {
        assert_eq!(kind("en15_change_pte_range"), Some((Counter::Enable, None)));
        assert_eq!(kind("en16D_change_pte_range"), Some((Counter::Enable, Some(u8::MAX))));
        assert_eq!(kind("pa1_xen_start_context_switch"), Some((Counter::Pause, None)));
        assert_eq!(kind("end_page_writeback"), None);
        assert_eq!(kind("en_x"), None);
    }
}
