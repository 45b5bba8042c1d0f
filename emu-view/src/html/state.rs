//! The state behind each row: of tasks, batches, page tables and translations, as the record tells.

use std::collections::BTreeMap;

use emu_arch::Pte;
use lazy_mmu::trace::{Event, PteEvent, PteOp, Recorded, task_name};
use serde::Serialize;

use super::fold::Fold;
use crate::view::{Lane, Owner, Pending, Step, View};

/// The most pages that a state shows, the latest.
const PAGES_MAX: usize = 8;

/// A table of rows with as many cells each.
type Rows<const N: usize> = Vec<[String; N]>;

/// What is known behind a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct State {
    /// Task, where it runs, its state, its preempt count.
    tasks: Rows<4>,
    /// Owner, batch, how much waits.
    batches: Rows<3>,
    /// Page, its entry as last written, by which step.
    pages: Rows<3>,
    /// Page, its last access through a translation, its last invalidation.
    translations: Rows<3>,
}

#[derive(Clone, Debug, Default)]
struct Task {
    cpu: Option<u8>,
    state: String,
    count: String,
}

#[derive(Clone, Debug, Default)]
struct Page {
    entry: String,
    by: String,
    accessed: String,
    flushed: String,
    /// When it was last of interest.
    seq: u32,
}

/// The index of the state behind each row, and the states.
pub(super) fn states(view: &View<'_>, folds: &[Fold]) -> (Vec<usize>, Vec<State>) {
    let mut now = Now { view, tasks: BTreeMap::new(), pages: BTreeMap::new() };
    let mut pending = Pending::new(view.arch.facts());
    let mut events = view.record.events().peekable();
    let (mut indices, mut states) = (Vec::new(), Vec::<State>::new());
    for fold in folds {
        for at in fold.first..=fold.last {
            now.step(at);
        }
        let end = u64::from(view.steps[fold.last].end);
        while let Some(seen) = events.next_if(|seen| seen.seq < end) {
            pending.event(&seen);
            now.event(&seen);
        }
        let state = now.state(&pending);
        if states.last() != Some(&state) {
            states.push(state);
        }
        indices.push(states.len() - 1);
    }
    (indices, states)
}

/// What is known so far.
struct Now<'v, 'r> {
    view: &'v View<'r>,
    tasks: BTreeMap<u8, Task>,
    pages: BTreeMap<Key, Page>,
}

impl Now<'_, '_> {
    fn step(&mut self, at: usize) {
        let step = &self.view.steps[at];
        let Lane { cpu, task } = self.view.lanes[step.lane];
        for other in self.tasks.values_mut().filter(|other| other.cpu == Some(cpu)) {
            other.cpu = None;
        }
        self.tasks.entry(task).or_default().cpu = Some(cpu);
        if let Some(Event::Pte(pte)) = step.event.filter(|_| !step.goes_on) {
            self.pte(at, step, &pte);
        }
    }

    fn event(&mut self, seen: &Recorded<'_>) {
        let design = self.view.record.design();
        let now = self.tasks.entry(seen.task).or_default();
        match seen.event {
            Event::Store(state) => now.state = design.show(state),
            Event::Return { active, state, .. } => {
                let mode = if active { "active" } else { "not active" };
                now.state = format!("{}, mode {mode}", design.show(state));
            }
            Event::Context { preempt_count, .. } => now.count = preempt_count.to_string(),
            Event::Switch { next } => {
                now.cpu = None;
                self.tasks.entry(next).or_default().cpu = Some(seen.cpu);
            }
            Event::Section(_)
            | Event::Call(_)
            | Event::Hook(_)
            | Event::Effect { .. }
            | Event::Pte(_)
            | Event::Warn { .. }
            | Event::Away
            | Event::Back
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => {}
        }
    }

    fn pte(&mut self, at: usize, step: &Step<'_>, pte: &PteEvent) {
        let by = format!("step {}: {}", at + 1, pte.op.name());
        let faulted = step.details.iter().any(|detail| detail.text == "page fault");
        for n in 0..u64::from(pte.nr.max(1)) {
            let key = (pte.mm, pte.addr + n * 4096, level(pte.op));
            let known = self.pages.contains_key(&key);
            let entry = Pte(pte.pte);
            if is_flush(pte.op) {
                if let Some(page) = self.pages.get_mut(&key) {
                    page.flushed.clone_from(&by);
                }
                continue;
            }
            if !known && self.pages.len() > 4 * PAGES_MAX {
                self.forget();
            }
            let page = self.pages.entry(key).or_default();
            page.seq = step.seq;
            if matches!(pte.op, PteOp::read | PteOp::write) {
                page.accessed = format!("{by}{}", if faulted { ", page fault" } else { "" });
            } else if !reads(pte.op) {
                let gone = entry.is_none() || pte.op == PteOp::ptep_get_and_clear;
                page.entry = match gone {
                    true => "none".to_owned(),
                    false => format!("pfn {:#x} {}", entry.pfn().0 + n, entry.flags_text()),
                };
                page.by.clone_from(&by);
            }
        }
    }

    /// Forgets the page that is longest of no interest.
    fn forget(&mut self) {
        let oldest = self.pages.iter().min_by_key(|(_, page)| page.seq).map(|(key, _)| *key);
        oldest.and_then(|key| self.pages.remove(&key));
    }

    fn state(&self, pending: &Pending<'_>) -> State {
        let tasks = self.tasks.iter().map(|(task, now)| {
            let place = now.cpu.map_or("not running".to_owned(), |cpu| format!("CPU {cpu}"));
            [task_name(*task).to_string(), place, now.state.clone(), now.count.clone()]
        });
        let batches = pending.now().map(|(owner, what, n)| {
            let owner = match owner {
                Owner::Cpu(cpu) => format!("CPU {cpu}"),
                Owner::Task(task) => format!("task {}", task_name(task)),
            };
            [owner, what.to_owned(), n.to_string()]
        });
        let mut latest: Vec<_> = self.pages.iter().collect();
        latest.sort_by_key(|(key, page)| (std::cmp::Reverse(page.seq), **key));
        latest.truncate(PAGES_MAX);
        latest.sort_by_key(|(key, _)| **key);
        let name = |(mm, addr, level): &Key| match mm {
            0 | 1 => format!("{level}{addr:#x}"),
            mm => format!("{level}mm={mm} {addr:#x}"),
        };
        let written = latest.iter().filter(|(_, page)| !page.by.is_empty());
        let used = latest.iter().filter(|(_, page)| !page.accessed.is_empty());
        State {
            tasks: tasks.collect(),
            batches: batches.collect(),
            pages: written.map(|(key, p)| [name(key), p.entry.clone(), p.by.clone()]).collect(),
            translations: used
                .map(|(key, p)| [name(key), p.accessed.clone(), p.flushed.clone()])
                .collect(),
        }
    }
}

/// Tells whether the primitive invalidates translations.
const fn is_flush(op: PteOp) -> bool {
    matches!(
        op,
        PteOp::flush_tlb_range
            | PteOp::tlb_flush
            | PteOp::tlb_remove_tlb_entries
            | PteOp::set_tlb_ubc_flush_pending
            | PteOp::flush_tlb_batched_pending
    )
}

/// An entry: the address space, the address, and the level unless it is that of a page.
type Key = (u8, u64, &'static str);

/// The level of the entry that the primitive writes.
fn level(op: PteOp) -> &'static str {
    let upper = [
        (PteOp::set_pmd, "pmd "),
        (PteOp::set_pud, "pud "),
        (PteOp::set_p4d, "p4d "),
        (PteOp::set_pgd, "pgd "),
    ];
    upper.into_iter().find(|(known, _)| *known == op).map_or("", |(_, level)| level)
}

/// Tells whether the primitive only reads the entry.
const fn reads(op: PteOp) -> bool {
    matches!(op, PteOp::ptep_get | PteOp::ptep_get_lockless | PteOp::raw_read)
}
