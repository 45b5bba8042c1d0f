//! One step under way: the [`Hw`] that tells backend code again what it was told before.

use std::cell::RefCell;

use emu_arch::Arch;
use emu_arch::backend::Backend;
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::point_name;
use emu_arch::tracker::{Now, Tracker};
use indexmap::IndexSet;
use lazy_mmu::arch::Point;
use lazy_mmu::design::{Check, Context, Design, Hook, Warn};
use lazy_mmu::trace::Event;
use rustc_hash::FxBuildHasher;

use super::{Fault, Local, Progress, Seen, Stop};

/// The code of one architecture, version and design, and every per-CPU state it has come across.
pub(super) struct World<B: Backend> {
    pub(super) backend: B,
    pub(super) arch: Arch,
    pub(super) design: Design,
    pub(super) fault: Option<Fault>,
    pub(super) per_cpus: IndexSet<B::PerCpu, FxBuildHasher>,
}

impl<B: Backend> World<B> {
    pub(super) fn new(backend: B, arch: Arch, design: Design, fault: Option<Fault>) -> Self {
        let mut per_cpus = IndexSet::default();
        per_cpus.insert(B::PerCpu::default());
        Self { backend, arch, design, fault, per_cpus }
    }

    /// Does `work` from where it stopped to its next point, or to its end.
    pub(super) fn execute(
        &mut self,
        local: &mut Local,
        from: &Progress,
        seen: &mut Seen,
        work: impl FnOnce(&mut Exec<'_, B>),
    ) -> Option<Stop> {
        let mode = if from.points == 0 { Mode::Live } else { Mode::Again };
        let told = RefCell::new(Told { answers: from.answers.clone(), next: 0 });
        let mut exec = Exec::new(self, local, seen, from, told, mode);
        work(&mut exec);
        let (stop, at_stop) = exec.stop.take()?;
        *exec.local = at_stop;
        Some(stop)
    }

    /// Does `work` as one, whatever points are in it.
    pub(super) fn whole(
        &mut self,
        local: &mut Local,
        seen: &mut Seen,
        work: impl FnOnce(&mut Exec<'_, B>),
    ) {
        let told = RefCell::default();
        let from = &Progress::default();
        work(&mut Exec::new(self, local, seen, from, told, Mode::Whole));
    }
}

/// What the code was told so far.
#[derive(Debug, Default)]
struct Told {
    answers: Vec<u64>,
    /// The number of answers given in this run.
    next: usize,
}

/// Which part of a run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Before the point where the step stopped: everything has happened already.
    Again,
    /// From there to the next point.
    Live,
    /// Behind that point: nothing counts, the rest of the code just has to end.
    Over,
    /// A run without points.
    Whole,
}

/// A step under way.
pub(super) struct Exec<'w, B: Backend> {
    pub(super) world: &'w mut World<B>,
    pub(super) local: &'w mut Local,
    pub(super) seen: &'w mut Seen,
    from: &'w Progress,
    told: RefCell<Told>,
    points: u32,
    /// The names of the points passed so far.
    passed: Vec<&'static str>,
    mode: Mode,
    pub(super) irqs_off: u32,
    /// The hook that runs.
    pub(super) hook: Option<Hook>,
    /// Where it stopped, with what everything was like there.
    stop: Option<(Stop, Local)>,
}

impl<'w, B: Backend> Exec<'w, B> {
    fn new(
        world: &'w mut World<B>,
        local: &'w mut Local,
        seen: &'w mut Seen,
        from: &'w Progress,
        told: RefCell<Told>,
        mode: Mode,
    ) -> Self {
        let (points, passed, irqs_off, hook, stop) = (0, Vec::new(), 0, None, None);
        Self { world, local, seen, from, told, points, passed, mode, irqs_off, hook, stop }
    }

    /// Tells whether the code has the fault.
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.world.fault == Some(fault)
    }

    /// Tells whether what happens now counts.
    pub(super) fn live(&self) -> bool {
        matches!(self.mode, Mode::Live | Mode::Whole)
    }

    /// Tells whether what happens now happens at all, and not again.
    pub(super) fn happens(&self) -> bool {
        self.mode != Mode::Again
    }

    /// The answer to a question that others can change the answer of.
    pub(super) fn ask(&self, live: impl FnOnce() -> u64) -> u64 {
        match self.mode {
            Mode::Again => {
                let mut told = self.told.borrow_mut();
                told.next += 1;
                told.answers[told.next - 1]
            }
            Mode::Live => {
                let answer = live();
                self.told.borrow_mut().answers.push(answer);
                answer
            }
            Mode::Over | Mode::Whole => live(),
        }
    }

    /// A question whose answer changes something.
    pub(super) fn ask_mut(&mut self, live: impl FnOnce(&mut Self) -> u64) -> u64 {
        match self.mode {
            Mode::Again => self.ask(|| 0),
            Mode::Live => {
                let answer = live(self);
                self.told.borrow_mut().answers.push(answer);
                answer
            }
            Mode::Over | Mode::Whole => live(self),
        }
    }

    /// The step is at a point: it stops here if it has come from another one.
    pub(super) fn point(&mut self, point: Point, mark: bool) {
        let point = point_name(point);
        if matches!(self.mode, Mode::Again | Mode::Live) {
            self.passed.push(point);
        }
        match self.mode {
            Mode::Again => {
                self.points += 1;
                if self.points == self.from.points {
                    self.mode = Mode::Live;
                }
            }
            Mode::Live => {
                let points = self.from.points + 1;
                let progress = Progress { points, answers: self.told.borrow().answers.clone() };
                let nth = self.passed.iter().filter(|passed| **passed == point).count() as u32;
                let stop = Stop { progress, point, nth, irqs_off: self.irqs_off > 0, mark };
                self.stop = Some((stop, self.local.clone()));
                self.mode = Mode::Over;
            }
            Mode::Over | Mode::Whole => {}
        }
    }

    /// Appends to the record, if one is written.
    pub(super) fn note(&mut self, event: Event<'_>) {
        if self.live()
            && let Some(record) = &mut self.seen.record
        {
            record.push(self.local.cpu, self.local.task.pid, event);
        }
    }

    /// Calls `f` with the tracker and notes what it finds.
    pub(super) fn track(&mut self, f: impl FnOnce(&mut Tracker, Now)) {
        if !self.live() {
            return;
        }
        let now = Now {
            cpu: self.local.cpu,
            task: self.local.task.pid,
            preempt_count: self.local.task.preempt_count,
            seq: self.seen.record.as_ref().map_or(0, |record| record.len() as u32),
        };
        f(&mut self.local.memory.tracker, now);
        for (hazard, cause) in self.local.memory.take_found() {
            self.seen.hazards.push(hazard);
            if hazard.has_event() {
                self.note(Event::Hazard { name: hazard.id(), cause });
            }
        }
    }

    /// Reports a hazard that the tracker need not be asked about.
    pub(super) fn report(&mut self, hazard: Hazard) {
        self.track(|tracker, _| tracker.report(hazard, None));
    }

    /// Reports what a sanity check has found.
    pub(super) fn warn(&mut self, found: Warn) {
        self.note(Event::from(&found));
        if found.check != Check::BugOn {
            if self.live() {
                self.seen.warning.get_or_insert(found.cond);
            }
            self.report(Hazard::ApiWarning);
        }
    }

    /// What a transition may know of its surroundings.
    pub(super) fn context(&self) -> Context {
        let in_interrupt = self.local.task.preempt_count.in_interrupt();
        let in_interrupt = in_interrupt && !self.has(Fault::CallsInInterrupt);
        let arch_wants = self.world.arch.wants_lazy_mmu_mode();
        Context { in_interrupt, arch_wants, ..Context::default() }
    }

    /// Changes the preempt count by `offset`, and records it.
    pub(super) fn change_context(
        &mut self,
        name: &'static str,
        offset: u32,
        add: bool,
        by_arch: bool,
    ) {
        if !self.live() {
            return;
        }
        let count = &mut self.local.task.preempt_count;
        let fits = if add { count.add(offset) } else { count.sub(offset) };
        let preempt_count = *count;
        self.note(Event::Context { name, preempt_count, by_arch });
        if !fits {
            self.warn(lazy_mmu::machine_api::bad_preempt_count(preempt_count, offset, add));
        }
    }
}
