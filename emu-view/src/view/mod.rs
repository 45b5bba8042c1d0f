//! The view model: a record as lanes, steps, spans, counts of what waits, and flows.
//!
//! A view is a pure function of the record, of the facts of its architecture, and of the lines that
//! it came from. Each format is a renderer of it; those that must be fast, or must lose nothing,
//! follow the record itself with [`Spans`] and [`Pending`], of which the view is made.
//!
//! ```
//! use emu_arch::Arch;
//! use emu_lab::scenario::{Setup, parse, run};
//! use emu_view::view::View;
//!
//! let scenario = parse("enable\nset_pte_at 0xffff800008000000\ndisable")?;
//! let outcome = run(&scenario, Setup { arch: Arch::ARM64, ..Setup::default() });
//! let view = View::of(&outcome.record, Arch::ARM64, &|seq| outcome.line_of(seq));
//! assert_eq!((view.lanes.len(), view.steps.len(), view.levels.len()), (1, 3, 2));
//! # Ok::<(), emu_input::InputError>(())
//! ```

mod pending;
mod span;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use emu_arch::Arch;
use lazy_mmu::Record;
use lazy_mmu::design::{Design, StateBits};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::{Event, Recorded, call_text, effect_text, task_name};

pub use pending::{Level, Owner, Pending};
pub use span::{Kind, Mark, Spans, begins_step};
pub use why::about;

/// A task on a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// The CPU.
    pub cpu: u8,
    /// The task.
    pub task: u8,
}

impl Lane {
    /// `CPU 0`, or `CPU 0, task A`.
    #[must_use]
    pub fn name(self) -> String {
        match self.task {
            0 => format!("CPU {}", self.cpu),
            task => format!("CPU {}, task {}", self.cpu, task_name(task)),
        }
    }
}

/// What a detail of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A hook.
    Hook,
    /// An effect of the architecture.
    Effect,
    /// A `WARN_ON()`.
    Warning,
    /// A `BUG_ON()`.
    Bug,
    /// A hazard.
    Hazard,
    /// A remark of whoever drives the run.
    Note,
}

/// One thing that happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The number of the event.
    pub seq: u32,
    /// What it is.
    pub tone: Tone,
    /// What happens.
    pub text: String,
}

/// A line of the tree, with what happens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'r> {
    /// The number of its first event.
    pub seq: u32,
    /// The number of the first event behind it.
    pub end: u32,
    /// The index of its lane.
    pub lane: usize,
    /// How many brackets of the task are open around it.
    pub depth: usize,
    /// What begins it: none where it is a remark, or the rest of another step.
    pub event: Option<Event<'r>>,
    /// What is called; that of the step that goes on.
    pub text: String,
    /// The step goes on that was left.
    pub goes_on: bool,
    /// Something else happens inside of it.
    pub left: bool,
    /// What happens.
    pub details: Vec<Detail>,
    /// The state behind it, where it stored one or returned, and the task whose it is: a switch
    /// changes that of two.
    pub state: Option<(u8, StateBits)>,
    /// The preempt count of its task behind it, where it changed.
    pub preempt_count: Option<PreemptCount>,
    /// What arch code is told behind it, where it returned.
    pub active: Option<bool>,
    /// The line of the scenario.
    pub line: Option<u32>,
}

/// Something that is open from one step to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What.
    pub kind: Kind,
    /// The task.
    pub task: u8,
    /// The index of its first step.
    pub begin: usize,
    /// The index of its last step.
    pub end: usize,
    /// How many spans of the task are open around it, steps not counted.
    pub depth: usize,
}

/// From a cause to its victim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The index of the step that caused it, where one did.
    pub cause: Option<usize>,
    /// The index of the step that suffers.
    pub victim: usize,
    /// The number of the event.
    pub seq: u32,
    /// The hazard, the `BUG_ON()` or the warning.
    pub what: String,
    /// Which of them it is.
    pub tone: Tone,
}

/// A record, as views show it.
#[derive(Clone, Debug)]
pub struct View<'r> {
    /// The record.
    pub record: &'r Record,
    /// The architecture.
    pub arch: Arch,
    /// The reader sees numbers of steps, so that sentences may name them.
    pub numbered: bool,
    /// The tasks on their CPUs, in order.
    pub lanes: Vec<Lane>,
    /// The steps in order.
    pub steps: Vec<Step<'r>>,
    /// The brackets in the order of their beginnings.
    pub spans: Vec<Span>,
    /// How much waits, at each change.
    pub levels: Vec<Level<'r>>,
    /// What goes wrong.
    pub flows: Vec<Flow>,
    /// What is left at the end, as the record says or, where it does not, as is counted.
    pub left: Vec<(u32, &'r str)>,
}

impl<'r> View<'r> {
    /// The view of `record`, seen on `arch`; `line_of` tells the line that an event belongs to.
    #[must_use]
    pub fn of(record: &'r Record, arch: Arch, line_of: &dyn Fn(u32) -> Option<u32>) -> Self {
        let lanes = record.events().map(|seen| Lane { cpu: seen.cpu, task: seen.task });
        let lanes: Vec<Lane> = lanes.collect::<BTreeSet<_>>().into_iter().collect();
        let view = Self {
            record,
            arch,
            numbered: true,
            lanes,
            steps: Vec::new(),
            spans: Vec::new(),
            levels: Vec::new(),
            flows: Vec::new(),
            left: Vec::new(),
        };
        let mut builder = Builder {
            view,
            line_of,
            design: record.design(),
            open: BTreeMap::new(),
            under: BTreeMap::new(),
            away: Vec::new(),
            ended: false,
        };
        let mut spans = Spans::new(record.design());
        let mut pending = Pending::new(arch.facts());
        for seen in record.events() {
            spans.event(&seen, |mark| builder.mark(&seen, mark));
            builder.event(&seen);
            builder.view.levels.extend(pending.event(&seen));
        }
        spans.end(|mark| builder.end(mark));
        if !builder.ended {
            builder.view.left = pending.now().map(|(_, what, n)| (n, what)).collect();
        }
        builder.view
    }

    /// The index of the step that event `seq` belongs to.
    #[must_use]
    pub fn step_of(&self, seq: u32) -> Option<usize> {
        self.steps.partition_point(|step| step.seq <= seq).checked_sub(1)
    }

    /// The task of a step.
    #[must_use]
    pub fn task(&self, step: &Step<'_>) -> u8 {
        self.lanes[step.lane].task
    }
}

/// A view in the making.
struct Builder<'r, 'l> {
    view: View<'r>,
    line_of: &'l dyn Fn(u32) -> Option<u32>,
    design: Design,
    /// The indices of the open spans of each task.
    open: BTreeMap<u8, Vec<usize>>,
    /// The index of the step under way, by task.
    under: BTreeMap<u8, usize>,
    /// Steps inside which something else happens.
    away: Vec<usize>,
    /// The record says itself what is left.
    ended: bool,
}

impl<'r> Builder<'r, '_> {
    /// Begins a step with the event, or adds the event to the step under way.
    fn event(&mut self, seen: &Recorded<'r>) {
        let text = call_text(self.design, &seen.event).filter(|_| begins_step(&seen.event));
        if let Some(text) = text {
            self.begin(seen, text, Some(seen.event));
        }
        match seen.event {
            Event::Section(name) => self.begin(seen, format!("{name}:"), None),
            Event::Note(text) => self.begin(seen, format!("# {text}"), None),
            Event::Away => {
                let Some(step) = self.step(seen) else { return };
                step.left = true;
                self.away.extend(self.under.get(&seen.task));
            }
            Event::Back => self.back(seen),
            Event::Hook(hook) => {
                let info = self.design.hook_info(hook);
                let text = info.map_or_else(|| hook.to_string(), |info| info.short.to_owned());
                self.add(seen, Tone::Hook, text);
            }
            Event::Effect { name, n } => self.add(seen, Tone::Effect, effect_text(name, n)),
            Event::Warn { check, cond, again } => self.warn(seen, check, cond, again),
            Event::Hazard { name, cause } => {
                self.add(seen, Tone::Hazard, name.to_owned());
                self.flow(seen, cause, name.to_owned(), Tone::Hazard);
            }
            Event::Store(state) => self.set(seen, |step| step.state = Some((seen.task, state))),
            Event::Return { active, state, .. } => self.set(seen, |step| {
                (step.active, step.state) = (Some(active), Some((seen.task, state)));
            }),
            Event::Context { name, preempt_count, by_arch } => {
                if by_arch {
                    self.add(seen, Tone::Effect, format!("{name}()"));
                }
                self.set(seen, |step| step.preempt_count = Some(preempt_count));
            }
            Event::Pending { n, what } => self.view.left.push((n, what)),
            Event::End { .. } => self.ended = true,
            Event::Call(_) | Event::Pte(_) | Event::Switch { .. } => {}
        }
        if let Some(step) = self.step(seen).filter(|step| step.end <= seen.seq as u32) {
            step.end = seen.seq as u32 + 1;
        }
    }

    fn begin(&mut self, seen: &Recorded<'r>, text: String, event: Option<Event<'r>>) {
        let lane = Lane { cpu: seen.cpu, task: seen.task };
        let seq = seen.seq as u32;
        let open = self.open.get(&seen.task).map_or(0, Vec::len);
        // A bracket stands where its first and its last step stand.
        let (opens, closes) = Kind::of(self.design, &seen.event);
        let own = usize::from(opens.is_some() || closes.is_some());
        self.under.insert(seen.task, self.view.steps.len());
        if let Some(Event::Switch { next }) = event {
            // What the switch does for the other task belongs to it as well.
            self.under.insert(next, self.view.steps.len());
        }
        self.view.steps.push(Step {
            seq,
            end: seq + 1,
            lane: self.view.lanes.binary_search(&lane).unwrap_or(0),
            depth: open.saturating_sub(own),
            event,
            text,
            goes_on: false,
            left: false,
            details: Vec::new(),
            state: None,
            preempt_count: None,
            active: None,
            line: (self.line_of)(seq),
        });
    }

    /// The step goes on that was left.
    fn back(&mut self, seen: &Recorded<'r>) {
        let task = |at: &usize| self.view.lanes[self.view.steps[*at].lane].task;
        let last = self.away.iter().rposition(|at| task(at) == seen.task);
        let from = last.map(|at| self.away.remove(at));
        let (text, depth, event) = from.map_or((String::new(), 0, None), |from| {
            let step = &self.view.steps[from];
            (step.text.clone(), step.depth, step.event)
        });
        self.begin(seen, text, event);
        if let Some(step) = self.step(seen) {
            (step.goes_on, step.depth) = (true, depth);
        }
    }

    fn step(&mut self, seen: &Recorded<'r>) -> Option<&mut Step<'r>> {
        let at = *self.under.get(&seen.task)?;
        self.view.steps.get_mut(at)
    }

    fn set(&mut self, seen: &Recorded<'r>, set: impl FnOnce(&mut Step<'r>)) {
        self.step(seen).map(set);
    }

    fn add(&mut self, seen: &Recorded<'r>, tone: Tone, text: String) {
        let seq = seen.seq as u32;
        self.set(seen, |step| step.details.push(Detail { seq, tone, text }));
    }

    fn warn(&mut self, seen: &Recorded<'r>, check: &str, cond: &str, again: bool) {
        let tone = if check.ends_with("BUG_ON") { Tone::Bug } else { Tone::Warning };
        let text = format!("{check}({cond}){}", if again { ", again" } else { "" });
        self.add(seen, tone, text.clone());
        self.flow(seen, None, text, tone);
    }

    fn flow(&mut self, seen: &Recorded<'r>, cause: Option<u32>, what: String, tone: Tone) {
        let Some(victim) = self.under.get(&seen.task).copied() else { return };
        let cause = cause.and_then(|cause| self.view.step_of(cause));
        self.view.flows.push(Flow { cause, victim, seq: seen.seq as u32, what, tone });
    }

    fn mark(&mut self, seen: &Recorded<'r>, mark: Mark) {
        match mark {
            Mark::Begin(Kind::Step) | Mark::GoesOn | Mark::End { kind: Kind::Step, .. } => {}
            Mark::Begin(kind) => {
                let begin = self.view.steps.len();
                let open = self.open.entry(seen.task).or_default();
                let depth = open.len();
                open.push(self.view.spans.len());
                self.view.spans.push(Span { kind, task: seen.task, begin, end: begin, depth });
            }
            Mark::End { .. } => self.end(mark),
        }
    }

    /// A span ends with the last step of its task.
    fn end(&mut self, mark: Mark) {
        let Mark::End { task, kind } = mark else { return };
        let Some(open) = self.open.get_mut(&task) else { return };
        let spans = &mut self.view.spans;
        let Some(at) = open.iter().rposition(|at| spans[*at].kind == kind) else { return };
        let span = &mut spans[open.remove(at)];
        span.end = self.under.get(&task).map_or(span.begin, |last| span.begin.max(*last));
    }
}
