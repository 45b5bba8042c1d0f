//! An operation among the hits of an arm64 kernel as moves.

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::VirtAddr;
use emu_arch::kernel::{Prot, PteArgs, Step};
use emu_input::InputError;
use lazy_mmu::design::Call;
use lazy_mmu::trace::PteOp;

use super::effects::{DSB, ISB_, PENDING, SWITCH};
use crate::moves::{Act, Compared, Effect, Reduced};
use crate::runs::{self, Place, Runs};
use crate::sites;
use crate::trace::{Event, MISMATCH, Operation, Task, Trace, is_mark};

/// The functions whose sections are over entries of the kernel.
pub(super) const KERNEL: [&str; 9] = [
    "vmap_small_pages_range_noflush",
    "vmap_range_noflush",
    "vmap_pages_range_noflush",
    "__vunmap_range_noflush",
    "vunmap_p4d_range",
    "__apply_to_page_range",
    "update_range_prot",
    "change_memory_common",
    "__change_memory_common",
];

/// Where the barriers of a leave hook stand when `lazy_mmu_mode_disable()` is out of line.
const DISABLE: &str = "lazy_mmu_mode_disable";

/// The address of the first kernel entry.
const KERNEL_PAGES: u64 = 0xffff_8000_0800_0000;
/// The address of the first user entry.
const USER_PAGES: u64 = 0x1000_0000_0000;

/// The moves of an operation.
pub(super) fn reduce(trace: &Trace<'_>, op: &Operation<'_, '_>) -> Result<Reduced, InputError> {
    let mut reducer = Reducer {
        out: Reduced::default(),
        runs: Runs::new(trace),
        tasks: BTreeMap::new(),
        pages: 0,
        has_barrier: trace.has(SWITCH_HIT),
        storing: trace.events.iter().filter(|e| e.name == "store").map(|e| e.args).collect(),
    };
    if !trace.events.iter().any(|event| matches!(event.name, "set_PENDING" | "dsb(ishst)")) {
        let why =
            "kprobes do not show the primitives of arm64: give the hits of the plugin, --hits";
        reducer.out.leave_out_from(0, why);
        return Ok(reducer.out);
    }
    if op.events.iter().any(|event| event.name == MISMATCH) {
        let why = "the switches among the hits are not those of the trace";
        reducer.out.leave_out_from(0, why);
        return Ok(reducer.out);
    }
    for (at, event) in op.events.iter().enumerate() {
        reducer.event(op.events, at, event)?;
    }
    reducer.end();
    Ok(reducer.out)
}

/// The barrier of a switch, as hits name it.
const SWITCH_HIT: &str = "dsb(ish)";

struct Reducer<'t> {
    out: Reduced,
    runs: Runs,
    tasks: BTreeMap<Task, State<'t>>,
    /// How many pages have got an address.
    pages: u64,
    /// The barrier of a switch is among the hits.
    has_barrier: bool,
    /// The functions whose stores are among the hits.
    storing: BTreeSet<&'t str>,
}

/// A task as the hits show it.
#[derive(Clone, Debug, Default)]
struct State<'t> {
    depth: u32,
    /// The functions that have begun the sections, the outermost first.
    begun: Vec<&'t str>,
    /// The outermost section is over entries of the kernel.
    kernel: bool,
    /// `TIF_LAZY_MMU_PENDING` is set.
    pending: bool,
    /// A section began before the trace: until its barriers nothing is known.
    unknown: bool,
    /// The task has written a marker or begun a section: it is known whether it is in one.
    known: bool,
    last: Option<usize>,
    /// The last move is a store.
    store: bool,
    /// The last move may go on.
    open: bool,
}

impl<'t> Reducer<'t> {
    fn event(&mut self, all: &[Event<'t>], at: usize, e: &Event<'t>) -> Result<(), InputError> {
        let place = self.runs.place(e, &mut self.out);
        let task = e.task();
        if let Some((prev, next)) = runs::switch(e)? {
            self.switch(e, prev, next);
            return Ok(());
        }
        if is_mark(e) {
            let state = self.tasks.entry(task).or_default();
            state.known = true;
            if state.depth > 0 {
                self.out.breaks(e.line, || "a marker is written in a section".to_owned());
            }
        }
        if place == Place::Switch {
            if let (SWITCH_HIT, Some(last)) = (e.name, self.tasks.entry(task).or_default().last) {
                self.out.see(last, e.line, SWITCH);
            }
            return Ok(());
        }
        match e.name {
            "enable" | "disable" => self.section(e, e.name == "enable"),
            "store" => self.store(all, at, e)?,
            "set_PENDING" => self.sets_pending(e)?,
            "dsb(ishst)" => self.barrier(e, DSB),
            "isb" => self.barrier(e, ISB_),
            ">__switch_to" if !self.runs.shows_switches() => self.unseen_switch(e),
            _ => self.tasks.entry(task).or_default().open = false,
        }
        Ok(())
    }

    /// A switch whose tasks nobody has recorded, out of a section or not.
    fn unseen_switch(&mut self, e: &Event<'_>) {
        let state = self.tasks.entry(e.task()).or_default();
        if state.depth > 0 && !state.kernel {
            self.locked(e);
        } else if state.depth > 0 {
            let why = "a switch in a section, or after one whose end is missing, and the trace has \
                       no sched_switch";
            self.out.leave_out_from(e.line, why);
        } else {
            state.open = false;
        }
    }

    /// A switch in a section over entries of a user, which is under the lock of their table.
    fn locked(&mut self, e: &Event<'_>) {
        self.out.breaks(e.line, || "a switch in a section that holds a spin lock".to_owned());
    }

    fn switch(&mut self, e: &Event<'_>, prev: Task, next: Task) {
        self.out.count("switches");
        if self.tasks.get(&prev).is_some_and(|state| state.depth > 0 && !state.kernel) {
            self.locked(e);
        }
        let state = self.tasks.entry(prev).or_default();
        let (depth, pending) = (state.depth, state.pending);
        if depth > 0 {
            self.out.count("switches out of a section");
        }
        if depth > 0 && pending {
            self.out.count("switches with TIF_LAZY_MMU_PENDING");
        }
        let index = self.out.push(e.line, e.cpu, prev, Act::Switch(next));
        if !self.has_barrier {
            self.out.moves[index].compared = Compared::Not;
        }
        let state = self.tasks.entry(prev).or_default();
        (state.last, state.store, state.open) = (Some(index), false, true);
        self.runs.begin(e, (prev, next));
    }

    fn section(&mut self, e: &Event<'t>, on: bool) {
        let state = self.tasks.entry(e.task()).or_default();
        let known = std::mem::replace(&mut state.known, true);
        if !on && state.depth == 0 {
            state.unknown = true;
            if known {
                self.out.breaks(e.line, || "a section ends that did not begin".to_owned());
            }
            self.out.leave_out("the end of a section that the trace did not see begin");
            return;
        }
        state.unknown = false;
        if on && state.depth == 0 {
            state.kernel = KERNEL.contains(&e.args);
        }
        state.depth = if on { state.depth + 1 } else { state.depth - 1 };
        // None of the functions that begin a section calls itself.
        let within = on && state.begun.contains(&e.args);
        if on {
            state.begun.push(e.args);
        } else {
            state.begun.pop();
        }
        if within {
            let what = || format!("a section of {} begins, and the last one has not ended", e.args);
            self.out.breaks(e.line, what);
        }
        self.step(e, sites::call(if on { Call::ENABLE } else { Call::DISABLE }));
    }

    /// A store of an entry: of the kernel or of a user, by who began the section; valid if it sets
    /// PENDING, or if that is set already.
    fn store(&mut self, all: &[Event<'_>], at: usize, e: &Event<'_>) -> Result<(), InputError> {
        let task = e.task();
        let state = self.tasks.entry(task).or_default();
        if state.depth == 0 || state.unknown {
            self.out.leave_out("stores outside of sections");
            return Ok(());
        }
        let (kernel, pending) = (state.kernel, state.pending);
        let next = all[at + 1..].iter().find(|event| event.task() == task);
        let sets = next.is_some_and(|event| event.name == "set_PENDING");
        if kernel && !pending && !sets {
            self.out.count("stores of kernel entries that are not valid");
        }
        let valid = !kernel || pending || sets;
        self.set_pte(e, kernel || sets, valid)
    }

    fn set_pte(&mut self, e: &Event<'_>, kernel: bool, valid: bool) -> Result<(), InputError> {
        let first = if kernel { KERNEL_PAGES } else { USER_PAGES };
        let addr = VirtAddr::page(first + (self.pages << 12));
        self.pages += 1;
        let addr = addr.map_err(|error| e.wrong(e.text, format!("{error}")))?;
        let prot = (!valid).then_some(Prot::None);
        let args = PteArgs { addr, nr: 1, mm: u8::from(!kernel), prot, pfn: None, psize: None };
        self.step(e, Step::Pte(PteOp::set_pte_at, args));
        self.tasks.entry(e.task()).or_default().store = true;
        Ok(())
    }

    fn step(&mut self, e: &Event<'_>, step: Step) {
        let index = self.out.push(e.line, e.cpu, e.task(), Act::Step(step));
        let state = self.tasks.entry(e.task()).or_default();
        (state.last, state.store, state.open) = (Some(index), false, true);
    }

    fn sets_pending(&mut self, e: &Event<'_>) -> Result<(), InputError> {
        let state = self.tasks.entry(e.task()).or_default();
        if state.depth == 0 || state.unknown {
            return Ok(());
        }
        if !state.store {
            if self.storing.contains(e.args) {
                self.out.breaks(e.line, || "PENDING is set, and no entry is stored".to_owned());
            }
            self.out.assume("stores that set TIF_LAZY_MMU_PENDING and are not among the hits");
            self.set_pte(e, true, true)?;
        }
        let state = self.tasks.entry(e.task()).or_default();
        state.pending = true;
        if let Some(last) = state.last {
            self.out.see(last, e.line, PENDING);
        }
        Ok(())
    }

    fn barrier(&mut self, e: &Event<'_>, effect: Effect) {
        let state = self.tasks.entry(e.task()).or_default();
        let own = e.args == DISABLE || KERNEL.contains(&e.args);
        if !own || state.unknown {
            self.out.leave_out("barriers of TLB flushes, new tables and the fixmap");
            return;
        }
        state.pending &= effect != DSB;
        match state.last {
            Some(last) => self.out.see(last, e.line, effect),
            None => self.out.leave_out("barriers before any call"),
        }
    }

    /// The hits end: calls that are not done are beginnings.
    fn end(&mut self) {
        for state in self.tasks.values().filter(|state| state.open) {
            if let Some(last) = state.last {
                self.out.moves[last].cut();
            }
        }
    }
}
