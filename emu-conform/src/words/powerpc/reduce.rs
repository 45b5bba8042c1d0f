//! An operation of a powerpc trace as moves.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::VirtAddr;
use emu_arch::kernel::{Prot, PteArgs, Step};
use emu_input::InputError;
use lazy_mmu::trace::PteOp;

use super::batch::{HashBit, active, inlined};
use super::effects::BATCHED;
use crate::moves::{Act, Counter, Reduced, Seen, Store};
use crate::pairs::Pairs;
use crate::runs::{self, Place, Runs};
use crate::sites::{self, Site};
use crate::spaces::Spaces;
use crate::trace::{Event, Operation, Task, Trace, is_mark};

/// Events that are part of a call: behind one of them it may go on.
pub(super) const INSIDE: [&str; 5] =
    ["hpte_need_flush", "flush_tlb_pending", "flush_hash_range", "flush_hash_page", "hcall_entry"];

/// The moves of an operation.
pub(super) fn reduce(trace: &Trace<'_>, op: &Operation<'_, '_>) -> Result<Reduced, InputError> {
    let sites = trace.events.iter().filter_map(|event| sites::kind(event.name));
    let shows: BTreeSet<Counter> = sites.map(|(counter, _)| counter).collect();
    let mut born = sites::born(op.events)?;
    // A task that is in a section as the trace begins is left out until the section ends, as it is
    // not known what waits in the batch.
    let inside = born.iter_mut().filter(|(_, born)| born.enable > 0);
    let unknown = inside.map(|(task, born)| {
        born.enable = 0;
        (*task, Unknown::Section)
    });
    let mut unknown: BTreeMap<Task, Unknown> = unknown.collect();
    // So is one that is in a section, and of which no store was seen.
    if !trace.events.iter().any(|event| active(event.name)) {
        let mut seen: BTreeSet<Task> = born.keys().copied().collect();
        for event in op.events.iter().filter(|event| !event.in_interrupt()) {
            let Some(enabled) = event.number_of("en")? else { continue };
            if seen.insert(event.task()) && enabled > 0 {
                unknown.insert(event.task(), Unknown::Section);
            }
        }
    }
    let mut reducer = Reducer {
        out: Reduced { born, shows: shows.into_iter().collect(), ..Reduced::default() },
        runs: Runs::new(trace),
        tasks: BTreeMap::new(),
        spaces: Spaces::default(),
        pairs: Pairs::new(op),
        hashes: HashBit::of(trace),
        unknown,
        pending: BTreeMap::new(),
        has_active: trace.events.iter().any(|event| active(event.name)),
        has_pending: trace.has("flush_tlb_pending"),
    };
    reducer.first_spaces(op.events);
    for event in op.events {
        reducer.event(event)?;
    }
    reducer.end();
    Ok(reducer.out)
}

/// How far a task is whose section began before the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Section,
    /// Its last call, to the end.
    Leave,
}

pub(super) struct Reducer<'t> {
    pub(super) out: Reduced,
    pub(super) runs: Runs,
    pub(super) tasks: BTreeMap<Task, State<'t>>,
    pub(super) spaces: Spaces,
    pub(super) pairs: Pairs,
    pub(super) hashes: HashBit,
    pub(super) unknown: BTreeMap<Task, Unknown>,
    /// By CPU, what `__flush_tlb_pending()` was told to flush: its task, how many, its line.
    pub(super) pending: BTreeMap<u16, (Task, u64, u32)>,
    /// The mode is a word of the batch: up to v6.19.
    pub(super) has_active: bool,
    /// The event of `__flush_tlb_pending()` is there.
    pub(super) has_pending: bool,
}

/// A task as the trace shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct State<'t> {
    /// The pointer to its address space, as last seen.
    pub(super) mm: Option<&'t str>,
    /// The event of `ptep_modify_prot_start()` was seen; the next one tells whether the entry was
    /// hashed.
    pub(super) started: Option<(Event<'t>, u64)>,
    /// The pointer to the address space of the entry whose protection changes.
    pub(super) changing: Option<&'t str>,
    /// `enable_count`, as last seen.
    pub(super) enabled: Option<u64>,
    /// Whether the entry whose protection changes was in the hash table, by what followed.
    pub(super) hashed: bool,
    /// The last move.
    pub(super) last: Option<usize>,
    /// The last move may go on.
    pub(super) open: bool,
    /// In a section, by `ppc64_tlb_batch.active`.
    pub(super) active: bool,
    /// What was flushed before `active = 0`.
    pub(super) leaving: Option<Vec<Seen>>,
    /// What joins the batch once that is flushed.
    pub(super) joins: Option<Seen>,
}

impl<'t> Reducer<'t> {
    /// The first address space that each task is seen with.
    fn first_spaces(&mut self, events: &[Event<'t>]) {
        for event in events {
            let key = if event.name == "hash_page_mm" { "ea" } else { "addr" };
            let user = event.text_of(key).is_some_and(|addr| !addr.starts_with("0xc"));
            if let Some(mm) = event.text_of("mm").filter(|_| user) {
                self.tasks.entry(event.task()).or_default().mm.get_or_insert(mm);
            }
        }
    }

    fn event(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        let task = e.task();
        let place = self.runs.place(e, &mut self.out);
        self.pending(e);
        if is_mark(e) {
            self.mark(e);
        }
        if let Some((prev, next)) = runs::switch(e)? {
            self.out.count("switches");
            if self.tasks.get(&prev).is_some_and(|state| state.active) {
                self.out.count("switches out of a section");
            }
            let index = self.out.push(e.line, e.cpu, prev, Act::Switch(next));
            self.tasks.entry(next).or_default().last = Some(index);
            self.runs.begin(e, (prev, next));
            return Ok(());
        }
        if place == Place::Switch {
            return Ok(());
        }
        if let Some(unknown) = self.unknown.get_mut(&task) {
            let site = Site::of(e)?;
            let inside = INSIDE.contains(&e.name);
            match *unknown {
                Unknown::Section if site.is_some_and(|site| site.new == 0) => {
                    *unknown = Unknown::Leave;
                }
                Unknown::Leave if !inside => drop(self.unknown.remove(&task)),
                Unknown::Section | Unknown::Leave => {}
            }
            if self.unknown.contains_key(&task) {
                self.out.leave_out("events of a section that the trace did not see begin");
                return Ok(());
            }
        }
        if !e.name.starts_with("hcall") {
            self.started(e)?;
        }
        self.act(e)?;
        if !INSIDE.contains(&e.name) {
            let state = self.tasks.entry(task).or_default();
            // What an event begins is open until the next one.
            let began = state.last.is_some_and(|last| self.out.moves[last].line == e.line);
            state.open = began;
        }
        Ok(())
    }

    /// Each event that shows the counter shows what the last store made of it.
    fn counts(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        if self.has_active || e.in_interrupt() {
            return Ok(());
        }
        let Some(enabled) = e.number_of("en")? else { return Ok(()) };
        let state = self.tasks.entry(e.task()).or_default();
        let known = state.enabled.replace(Site::of(e)?.map_or(enabled, |site| site.new.into()));
        let before = Site::of(e)?.map_or(enabled, |site| site.before.enable.into());
        if let Some(known) = known.filter(|known| *known != before) {
            let what = || format!("enable_count is {before}, and the last store made it {known}");
            self.out.breaks(e.line, what);
        }
        Ok(())
    }

    /// A task that writes a marker is in no section.
    fn mark(&mut self, e: &Event<'t>) {
        self.unknown.remove(&e.task());
        let state = self.tasks.entry(e.task()).or_default();
        let enabled = state.enabled.replace(0);
        if enabled.is_some_and(|enabled| enabled > 0) || state.active {
            self.out.breaks(e.line, || "a marker is written in a section".to_owned());
        }
    }

    fn act(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        self.counts(e)?;
        if let Some(site) = Site::of(e)? {
            if site.counter == Counter::Enable && site.new == 0 {
                self.pairs.section_ends(e.task(), &mut self.out);
            }
            let index = self.step(e, site.step());
            let store = Store { task: e.task(), counter: site.counter, value: site.new };
            self.out.moves[index].stores.push(store);
            return Ok(());
        }
        if active(e.name) {
            return self.active(e);
        }
        let args = |this: &mut Self, mm| this.args(e, "addr", mm);
        match e.name {
            "modify_start" => {
                let addr = e.needs("addr")?;
                self.tasks.entry(e.task()).or_default().started = Some((*e, addr));
            }
            "modify_commit" => self.commits(e)?,
            "hpte_need_flush" => self.need_flush(e)?,
            "set_ptes" if from(e) == "ptep_modify_prot_commit" => {}
            "set_ptes" => {
                let args = args(self, e.text_of("mm"))?;
                // As many as a table has, and not beyond the last address.
                let room = ((u64::MAX - args.addr.get()) >> 12).clamp(1, 512);
                let args = PteArgs { nr: e.needs("nr")?.clamp(1, room) as u16, ..args };
                self.step(e, Step::Pte(PteOp::set_ptes, args));
            }
            "set_access_flags" => {
                let mm = self.tasks.entry(e.task()).or_default().mm;
                let args = PteArgs { prot: Some(Prot::ReadWrite), ..args(self, mm)? };
                self.map(e, args, false);
                self.step(e, Step::Pte(PteOp::ptep_set_access_flags, args));
            }
            "hash_page_mm" => self.sees_mm(e, "ea"),
            "hash_page_4K" => self.hashes(e)?,
            "exit_mmap_ret" => {
                if let Some(mm) = self.tasks.entry(e.task()).or_default().mm {
                    self.spaces.gone(mm);
                }
            }
            "hash__tlb_flush" => {
                let zero = VirtAddr::default();
                let args = PteArgs { addr: zero, nr: 1, mm: 1, prot: None, pfn: None, psize: None };
                self.step(e, Step::Pte(PteOp::tlb_flush, args));
            }
            "flush_tlb_pending" => self.flush_pending(e)?,
            "flush_hash_range" | "flush_hash_page" => self.flush(e)?,
            _ => {}
        }
        Ok(())
    }

    /// `ptep_modify_prot_commit()`
    fn commits(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        let state = self.tasks.entry(e.task()).or_default();
        let mm = state.changing.take().or(state.mm);
        let hashed = state.hashed;
        if self.hashes.old(e)?.is_some_and(|old| old && !hashed) {
            let what = "the old entry was in the hash table, and no hpte_need_flush";
            self.out.breaks(e.line, || what.to_owned());
        }
        let args = PteArgs { prot: Some(Prot::ReadOnly), ..self.args(e, "addr", mm)? };
        self.pairs.see(e, PteOp::ptep_modify_prot_commit, args.at(), &mut self.out);
        self.step(e, Step::Pte(PteOp::ptep_modify_prot_commit, args));

        Ok(())
    }

    /// A step of the task of an event.
    pub(super) fn step(&mut self, e: &Event<'t>, step: Step) -> usize {
        let index = self.out.push(e.line, e.cpu, e.task(), Act::Step(step));
        let state = self.tasks.entry(e.task()).or_default();
        (state.last, state.open) = (Some(index), true);
        index
    }

    fn map(&mut self, e: &Event<'t>, args: PteArgs, used: bool) {
        self.out.prepare(e.line, e.cpu, e.task(), Act::Map(PteArgs { prot: None, ..args }, used));
    }

    /// The page that `key=` of an event speaks of, in the address space at `mm`.
    fn args(&mut self, e: &Event<'t>, key: &str, mm: Option<&str>) -> Result<PteArgs, InputError> {
        let addr = e.needs(key)? & !0xfff;
        let kernel = addr >> 60 == 0xc || addr >> 63 != 0;
        let addr = if kernel { addr } else { addr & (VirtAddr::TASK_SIZE - 1) };
        let addr = VirtAddr::page(addr).map_err(|error| e.wrong(e.args, format!("{error}")))?;
        let mm = if kernel {
            0
        } else {
            self.spaces.number(e, mm.unwrap_or("one that was not seen"), &mut self.out)
        };
        Ok(PteArgs { addr, nr: 1, mm, prot: None, pfn: None, psize: None })
    }

    fn sees_mm(&mut self, e: &Event<'t>, key: &str) {
        let user = e.text_of(key).is_some_and(|addr| !addr.starts_with("0xc"));
        if let Some(mm) = e.text_of("mm").filter(|_| user) {
            self.tasks.entry(e.task()).or_default().mm = Some(mm);
        }
    }

    /// What began with `ptep_modify_prot_start()` goes on: `e` tells whether the entry was hashed.
    fn started(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        let Some((start, addr)) = self.tasks.entry(e.task()).or_default().started.take() else {
            return Ok(());
        };
        let hashed = e.name == "hpte_need_flush" && e.needs("addr")? == addr;
        let state = self.tasks.entry(e.task()).or_default();
        let mm = e.text_of("mm").filter(|_| hashed).or(state.mm);
        (state.changing, state.hashed) = (mm, hashed);
        let args = self.args(&start, "addr", mm)?;
        self.pairs.see(&start, PteOp::ptep_modify_prot_start, args.at(), &mut self.out);
        self.map(&start, args, hashed);
        self.step(&start, Step::Pte(PteOp::ptep_modify_prot_start, args));
        Ok(())
    }

    fn need_flush(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        self.sees_mm(e, "addr");
        let caller = from(e);
        if caller != "ptep_modify_prot_start" {
            let op = inlined(caller).unwrap_or_else(|| {
                self.out.assume("hpte_need_flush from a function that the table does not have");
                PteOp::ptep_modify_prot_start
            });
            let args = self.args(e, "addr", e.text_of("mm"))?;
            self.map(e, args, true);
            self.step(e, Step::Pte(op, args));
            if op == PteOp::ptep_modify_prot_start {
                // pte_update() leaves an entry, which may be used again.
                let commit = Step::Pte(PteOp::ptep_modify_prot_commit, args);
                self.out.prepare(e.line, e.cpu, e.task(), Act::Step(commit));
            }
        }
        let state = self.tasks.entry(e.task()).or_default();
        let batched = match e.number_of("en").ok().flatten() {
            Some(enabled) if !self.has_active => {
                enabled > 0 && e.number_of("pa")?.unwrap_or(0) == 0 && !e.in_interrupt()
            }
            _ => state.active || state.enabled.is_some_and(|enabled| enabled > 0),
        };
        if batched {
            self.note(e, BATCHED);
        }
        Ok(())
    }

    /// `__hash_page_4K()`: the page is used.
    fn hashes(&mut self, e: &Event<'t>) -> Result<(), InputError> {
        let mm = self.tasks.entry(e.task()).or_default().mm;
        let args = self.args(e, "ea", mm)?;
        self.map(e, args, false);
        self.out.prepare(e.line, e.cpu, e.task(), Act::Step(Step::Pte(PteOp::read, args)));
        Ok(())
    }
}

/// The function that called the one of an event: `from=FUNCTION+0x..`.
pub(super) fn from<'t>(e: &Event<'t>) -> &'t str {
    e.text_of("from").and_then(|text| text.split('+').next()).unwrap_or("")
}
