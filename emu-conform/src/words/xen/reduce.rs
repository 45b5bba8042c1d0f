//! An operation of a Xen PV trace as moves.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::VirtAddr;
use emu_arch::kernel::{Prot, PteArgs, Step};
use emu_input::InputError;
use lazy_mmu::design::Call;
use lazy_mmu::trace::PteOp;

use super::born::born;
use super::effects::CALL;
use super::queue::Queue;
use crate::moves::{Act, BUG, Counter, Reduced, Store};
use crate::pairs::Pairs;
use crate::runs::{self, Place, Runs};
use crate::sites::{self, Site};
use crate::spaces::Spaces;
use crate::trace::{BUG_EVENT, Event, Operation, Task, Trace, is_mark};

/// The address of the first page whose address the trace does not have.
const UNNAMED: u64 = 0x3000_0000_0000;

/// The moves of an operation.
pub(super) fn reduce(trace: &Trace<'_>, op: &Operation<'_, '_>) -> Result<Reduced, InputError> {
    let sites = trace.events.iter().filter_map(|event| sites::kind(event.name));
    let shows: BTreeSet<Counter> = sites.map(|(counter, _)| counter).collect();
    let has_sites = trace.events.iter().any(|event| sites::kind(event.name).is_some());
    let born = born(op.events, has_sites)?;
    let mut reducer = Reducer {
        out: Reduced { born, shows: shows.into_iter().collect(), ..Reduced::default() },
        events: op.events,
        has_sites,
        pairs: Pairs::new(op),
        has_enter: trace.has("xen_enter_lazy_mmu") || trace.has("xen_leave_lazy_mmu"),
        has_leave: trace.has("xen_leave_lazy_mmu"),
        has_issue: trace.has("xen_mc_issue"),
        runs: Runs::new(trace),
        cpus: BTreeMap::new(),
        tasks: BTreeMap::new(),
        spaces: Spaces::default(),
        unnamed: 0,
    };
    for (at, event) in op.events.iter().enumerate() {
        reducer.event(at, event)?;
    }
    reducer.end();
    if !has_sites && !reducer.has_enter {
        reducer.out.assume("operations without a section, as no counter and no hook is probed");
    }
    Ok(reducer.out)
}

pub(super) struct Reducer<'a, 't> {
    pub(super) out: Reduced,
    pub(super) pairs: Pairs,
    pub(super) events: &'a [Event<'t>],
    /// The stores of counters are probed: v7.0 and later.
    pub(super) has_sites: bool,
    /// The enter hook is a function that leaves an event: up to v7.1.
    pub(super) has_enter: bool,
    /// So does the leave hook.
    pub(super) has_leave: bool,
    /// The event `xen_mc_issue` is there.
    pub(super) has_issue: bool,
    pub(super) runs: Runs,
    pub(super) cpus: BTreeMap<u16, Cpu>,
    pub(super) tasks: BTreeMap<Task, State>,
    pub(super) spaces: Spaces,
    pub(super) unnamed: u64,
}

/// A CPU as the trace shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Cpu {
    pub(super) queue: Queue,
    /// The queue was not empty as the trace began: what waits in it is not known before its first
    /// flush.
    pub(super) unknown: bool,
    /// The queue's first event was seen.
    pub(super) seen: bool,
    /// The leave hook ran in the switch that is under way.
    pub(super) leaves: bool,
    /// The stack of the task that came is being set.
    pub(super) stack: bool,
    /// The last move.
    pub(super) last: Option<usize>,
    /// The line of an update that was queued, behind which `xen_mc_issue` comes.
    pub(super) issues: Option<u32>,
}

/// A task as the trace shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The probe of a store was hit; the store itself comes after it.
    pub(super) site: Option<Site>,
    /// The event of a primitive was seen, not yet what queues its update: that comes after it.
    pub(super) held: Option<Held>,
    /// A counter was stored, and the hook was not seen to have run.
    pub(super) waits: Option<Waits>,
    /// The hook whose event must come next, and the line of the store before it.
    pub(super) due: Option<(&'static str, u32)>,
    pub(super) depth: u8,
    /// The last move, until an event shows that it was done.
    pub(super) open: Option<usize>,
    /// The call was left in its middle.
    pub(super) left: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) line: u32,
    pub(super) args: PteArgs,
    pub(super) op: PteOp,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    pub(super) index: usize,
    pub(super) point: &'static str,
    /// The hook's first instruction was seen.
    pub(super) entered: bool,
}

impl Reducer<'_, '_> {
    fn event(&mut self, at: usize, e: &Event<'_>) -> Result<(), InputError> {
        let task = e.task();
        self.issues(e);
        let mut place = self.runs.place(e, &mut self.out);
        if place == Place::First && is_mark(e) {
            self.out.born.entry(task).or_default().enable = 0;
        }
        if place == Place::First {
            self.first(e.line, e.cpu, task);
        }
        if is_mark(e) {
            self.mark(e);
        }
        if self.is_stack_switch(e) {
            place = Place::Switch;
        }
        if let Some(switch) = runs::switch(e)? {
            return self.switch(at, e, switch);
        }
        if place != Place::Switch && !e.in_interrupt() {
            self.before(e);
        }
        if let Some(site) = Site::of(e)? {
            self.site(e, site, place);
        } else if Queue::is_about(e) {
            self.queue(e, place)?;
        } else if matches!(
            e.name,
            "xen_enter_lazy_mmu" | "xen_leave_lazy_mmu" | "xen_flush_lazy_mmu"
        ) {
            self.hook(e, place);
        } else if e.in_interrupt() {
            if e.name.starts_with("xen_mmu_") {
                self.out.leave_out("page table updates in interrupts");
            }
        } else if let Some(held) = self.primitive(e)? {
            self.overdue(task);
            self.pairs.see(e, held.op, held.args.at(), &mut self.out);
            let state = self.tasks.entry(task).or_default();
            state.waits = None;
            state.open = None;
            state.held = Some(held);
        } else if e.name == BUG_EVENT {
            self.push_effect(e, BUG);
        } else if place != Place::Switch && !e.name.starts_with("xen_") {
            self.tasks.entry(task).or_default().open = None;
        }
        Ok(())
    }

    /// Whatever queues an update issues it, with interrupts off from one to the other.
    fn issues(&mut self, e: &Event<'_>) {
        let issue = e.name == "xen_mc_issue";
        if !self.has_issue || e.name.starts_with("xen_mc_") {
            let joins = self.has_issue && Queue::joins(e);
            let issues = &mut self.cpus.entry(e.cpu).or_default().issues;
            *issues = joins.then_some(e.line).or(issues.filter(|_| !issue));
        } else if let Some(line) = self.cpus.entry(e.cpu).or_default().issues.take() {
            self.out.breaks(line, || "an update is queued, and no xen_mc_issue follows".to_owned());
        }
    }

    /// Whether `event` is about the stack of a task that comes: what a switch does at last, when
    /// the events carry the name of that task.
    fn is_stack_switch(&mut self, e: &Event<'_>) -> bool {
        let stack = &mut self.cpus.entry(e.cpu).or_default().stack;
        *stack |= e.name == "xen_mc_entry" && e.args.contains("(stack_switch)");
        let is = *stack && Queue::is_about(e);
        *stack &= !(e.name == "xen_mc_flush" && e.args.starts_with("flushing"));
        is
    }

    /// A task that writes a marker is in no section.
    fn mark(&mut self, e: &Event<'_>) {
        let state = self.tasks.entry(e.task()).or_default();
        if state.depth > 0 || state.site.is_some_and(|site| site.new > 0) {
            self.out.breaks(e.line, || "a marker is written in a section".to_owned());
        }
    }

    /// A task that is in a section as it is first seen running made its `enable`s before.
    pub(super) fn first(&mut self, line: u32, cpu: u16, task: Task) {
        let enable =
            self.out.born.get_mut(&task).map_or(0, |born| std::mem::take(&mut born.enable));
        for _ in 0..enable {
            self.out.prepare(line, cpu, task, Act::Step(sites::call(Call::ENABLE)));
        }
        self.tasks.entry(task).or_default().depth = enable;
    }

    /// Before an event of a task that is none of a switch: what the probes have shown has happened
    /// by now.
    fn before(&mut self, e: &Event<'_>) {
        let (task, unknown) = (e.task(), self.cpus.get(&e.cpu).is_some_and(|cpu| cpu.unknown));
        self.stored(task, e.cpu);
        if std::mem::take(&mut self.tasks.entry(task).or_default().left) {
            let index = self.out.push(e.line, e.cpu, task, Act::Rest);
            self.cpus.entry(e.cpu).or_default().last = Some(index);
            self.tasks.entry(task).or_default().open = Some(index);
        }
        let Some(held) = self.tasks.entry(task).or_default().held else { return };
        let about_queue = Queue::is_about_update(e);
        // Where it is not known what waits, the update may be the one that fills the queue.
        let fills = unknown && Queue::is_about(e) && !Queue::joins(e);
        if e.name == "xen_mc_batch" || fills {
            return;
        }
        self.tasks.entry(task).or_default().held = None;
        let table = matches!(held.op, PteOp::set_pmd | PteOp::set_pud | PteOp::set_p4d);
        if !about_queue && table {
            self.out.leave_out("entries of tables that are not pinned");
            return;
        }
        let index = self.out.push(held.line, e.cpu, task, Act::Step(Step::Pte(held.op, held.args)));
        if !about_queue && held.op == PteOp::set_pte {
            self.out.see(index, held.line, CALL.of(1));
            self.out.count("stores of their own");
        }
        if unknown {
            self.out.moves.pop();
            self.out.leave_out("calls before the first flush of a queue that was not empty");
            return;
        }
        self.cpus.entry(e.cpu).or_default().last = Some(index);
        self.tasks.entry(task).or_default().open = Some(index);
    }

    /// The store that a probe has shown was done.
    pub(super) fn stored(&mut self, task: Task, cpu: u16) {
        let state = self.tasks.entry(task).or_default();
        let Some(site) = state.site.take() else { return };
        let index = self.out.push(site.line, cpu, task, Act::Step(site.step()));
        self.out.moves[index].stores.push(Store { task, counter: site.counter, value: site.new });
        self.cpus.entry(cpu).or_default().last = Some(index);
        self.overdue(task);
        let state = self.tasks.entry(task).or_default();
        state.open = Some(index);
        let (on, off) = match site.counter {
            Counter::Enable => {
                state.depth = site.new;
                if site.new == 0 {
                    self.pairs.section_ends(task, &mut self.out);
                }
                (site.old == 0, site.new == 0)
            }
            // A pause is a leave, where the mode was on.
            Counter::Pause => (site.new == 0 && state.depth > 0, site.old == 0 && state.depth > 0),
        };
        let (point, hook) = match (on, off) {
            (true, _) => ("arch_enter", "xen_enter_lazy_mmu"),
            (_, true) => ("arch_leave", "xen_leave_lazy_mmu"),
            (false, false) => return,
        };
        state.due = Some((hook, site.line));
        if site.counter == Counter::Enable {
            state.waits = Some(Waits { index, point, entered: false });
        }
    }

    /// Where hooks are probed, each store that calls one is followed by its event.
    pub(super) fn overdue(&mut self, task: Task) {
        let due = self.tasks.entry(task).or_default().due.take();
        if let Some((hook, line)) = due.filter(|_| self.has_enter) {
            self.out.breaks(line, || format!("no {hook} follows the store of the counter"));
        }
    }

    fn site(&mut self, e: &Event<'_>, site: Site, place: Place) {
        if place != Place::Switch {
            self.tasks.entry(e.task()).or_default().site = Some(site);
            return;
        }
        let Some(last) = self.cpus.entry(e.cpu).or_default().last else { return };
        if let Act::Switch(next) = self.out.moves[last].act {
            let task = if site.rises() { e.task() } else { next };
            let store = Store { task, counter: site.counter, value: site.new };
            self.out.moves[last].stores.push(store);
        }
    }

    /// A hook's first instruction: it has done nothing yet.
    fn hook(&mut self, e: &Event<'_>, place: Place) {
        if place == Place::Switch {
            self.cpus.entry(e.cpu).or_default().leaves |= e.name == "xen_leave_lazy_mmu";
            return;
        }
        let task = e.task();
        if self.has_sites {
            if e.name != "xen_flush_lazy_mmu" {
                let due = self.tasks.entry(task).or_default().due.take();
                if due.is_none_or(|(hook, _)| hook != e.name) {
                    let what = || format!("{} without a store of the counter before it", e.name);
                    self.out.breaks(e.line, what);
                }
            }
            let waits = self.tasks.entry(task).or_default().waits.as_mut();
            if let Some(waits) = waits.filter(|_| e.name == "xen_enter_lazy_mmu") {
                waits.entered = true;
            }
            return;
        }
        let state = self.tasks.entry(task).or_default();
        let call = match e.name {
            "xen_enter_lazy_mmu" => Call::ENABLE,
            "xen_leave_lazy_mmu" => Call::DISABLE,
            _ => return,
        };
        let up = call == Call::ENABLE;
        state.depth = if up { state.depth + 1 } else { state.depth.saturating_sub(1) };
        let index = self.out.push(e.line, e.cpu, task, Act::Step(sites::call(call)));
        state.open = Some(index);
        self.cpus.entry(e.cpu).or_default().last = Some(index);
    }

    /// The primitive that an event begins, if it begins one.
    fn primitive(&mut self, e: &Event<'_>) -> Result<Option<Held>, InputError> {
        let (op, prot) = match e.name {
            "xen_mmu_ptep_modify_prot_start" => (PteOp::ptep_modify_prot_start, None),
            "xen_mmu_ptep_modify_prot_commit" => {
                (PteOp::ptep_modify_prot_commit, Some(Prot::ReadOnly))
            }
            "xen_mmu_set_pte" => (PteOp::set_pte, None),
            "xen_mmu_set_pmd" => (PteOp::set_pmd, None),
            "xen_mmu_set_pud" => (PteOp::set_pud, None),
            "xen_mmu_set_p4d" => (PteOp::set_p4d, None),
            _ => return Ok(None),
        };
        let named = matches!(op, PteOp::ptep_modify_prot_start | PteOp::ptep_modify_prot_commit);
        let (mm, addr) = if named {
            (self.spaces.number(e, e.word_after("mm ")?, &mut self.out), e.hex_after("addr ")?)
        } else {
            self.unnamed += u64::from(op == PteOp::set_pte);
            (1, UNNAMED + (self.unnamed << 12))
        };
        let page = VirtAddr::page(addr & !0xfff);
        let addr = page.map_err(|error| e.wrong(e.args, format!("{error}")))?;
        let mm = if addr.is_kernel() { 0 } else { mm };
        let args = PteArgs { addr, nr: 1, mm, prot, pfn: None, psize: None };
        if named {
            self.out.prepare(
                e.line,
                e.cpu,
                e.task(),
                Act::Map(PteArgs { prot: None, ..args }, true),
            );
        }
        Ok(Some(Held { line: e.line, args, op }))
    }
}
