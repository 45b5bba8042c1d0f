//! What is deferred, over a record: counted from the effects that defer work and those that do it.
//!
//! An update that joins a batch is an effect that assigns the batch's new size. An effect that the
//! mode can delay is done to the batch where it is done for all that waits, or in a hook, a switch
//! or a TLB flush; in another primitive and for fewer entries it is that primitive's own.
//! `tests/it/views/` compares the last count with what the machine says is left.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::backend::Facts;
use emu_arch::hw::effect::{ArchEffect, Kind};
use lazy_mmu::trace::{Event, PteOp, Recorded};

use super::span::begins_step;

/// Whose work it is that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// The batch of a CPU.
    Cpu(u8),
    /// The flag of a task.
    Task(u8),
}

/// How much waits from an event on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level<'r> {
    /// The number of the event.
    pub seq: u32,
    /// Whose it is.
    pub owner: Owner,
    /// What holds it, by the kernel's name.
    pub what: &'r str,
    /// How many.
    pub n: u32,
}

/// One batch.
#[derive(Clone, Copy, Debug)]
struct Batch<'r> {
    what: &'r str,
    n: u32,
    /// More than one counter counts what is in it.
    mixed: bool,
}

/// Counts along a record.
#[derive(Clone, Debug)]
pub struct Pending<'r> {
    effects: &'static [ArchEffect],
    per_cpu: bool,
    batches: BTreeMap<Owner, Batch<'r>>,
    /// The step under way does more than its own update: a hook or a switch.
    at_large: bool,
    /// The step under way has added to a batch.
    joined: bool,
    /// The tasks that are in interrupt.
    interrupted: BTreeSet<u8>,
}

impl<'r> Pending<'r> {
    /// At the beginning of a record of an architecture with `facts`.
    #[must_use]
    pub const fn new(facts: &'static Facts) -> Self {
        let per_cpu = facts.defers_per_cpu();
        Self {
            effects: facts.effects,
            per_cpu,
            batches: BTreeMap::new(),
            at_large: false,
            joined: false,
            interrupted: BTreeSet::new(),
        }
    }

    /// How much waits now, of whom.
    pub fn now(&self) -> impl Iterator<Item = (Owner, &'r str, u32)> + '_ {
        let waits = self.batches.iter().filter(|(_, batch)| batch.n > 0);
        waits.map(|(owner, batch)| (*owner, batch.what, batch.n))
    }

    /// Goes behind the event; what waits from then on, where the event changed it.
    #[inline]
    pub fn event(&mut self, seen: &Recorded<'r>) -> Option<Level<'r>> {
        self.joined &= !begins_step(&seen.event);
        match seen.event {
            Event::Hook(_) | Event::Switch { .. } => self.at_large = true,
            Event::Call(_) => self.at_large = false,
            Event::Context { by_arch: false, preempt_count, .. } => {
                self.at_large = false;
                if preempt_count.in_interrupt() {
                    self.interrupted.insert(seen.task);
                } else {
                    self.interrupted.remove(&seen.task);
                }
            }
            Event::Pte(pte) => self.at_large = flushes(pte.op),
            Event::Effect { name, n } => return self.effect(seen, name, n),
            // What goes on is the step that was under way; only hooks are left by others.
            Event::Back => self.at_large = true,
            Event::Context { by_arch: true, .. }
            | Event::Section(_)
            | Event::Store(_)
            | Event::Warn { .. }
            | Event::Return { .. }
            | Event::Away
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => {}
        }
        None
    }

    fn effect(&mut self, seen: &Recorded<'r>, name: &'r str, n: Option<u32>) -> Option<Level<'r>> {
        let owner = if self.per_cpu { Owner::Cpu(seen.cpu) } else { Owner::Task(seen.task) };
        let level = |what, n| Level { seq: seen.seq as u32, owner, what, n };
        if let (Some(what), Some(n)) = (name.strip_suffix('='), n) {
            let fresh = Batch { what, n: 0, mixed: false };
            let batch = self.batches.entry(owner).or_insert(fresh);
            if batch.n == 0 {
                *batch = Batch { n, ..fresh };
            } else {
                // A second counter beside the first one counts something that joins it.
                batch.mixed |= batch.what != what;
                batch.n = if batch.mixed { batch.n + 1 } else { n };
            }
            self.joined = true;
            return Some(level(batch.what, batch.n));
        }
        let batch = self.batches.get_mut(&owner).filter(|batch| batch.n > 0)?;
        let of = self.effects.iter().find(|known| known.name == name)?;
        // A primitive that does its own update at once says that of one, as many do in interrupt;
        // calls in a queue may be fewer than the updates in them.
        let own = u32::from(self.interrupted.contains(&seen.task) && !self.joined);
        let whole = n.is_some_and(|n| n > own && n >= batch.n || batch.mixed && n > 1);
        if of.kind != Kind::Delayable || !whole && !self.at_large {
            return None;
        }
        batch.n = 0;
        Some(level(batch.what, 0))
    }
}

/// Tells whether the primitive is a TLB flush, before which a batch is completed.
const fn flushes(op: PteOp) -> bool {
    matches!(op, PteOp::flush_tlb_range | PteOp::tlb_flush | PteOp::flush_tlb_batched_pending)
}
