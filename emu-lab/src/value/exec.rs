//! One step under way: the [`Hw`] that tells backend code again what it was told before.

use std::cell::RefCell;

use emu_arch::backend::{At, Backend, Hw, Psize, Slot};
use emu_arch::hw::effect::{Effect, Kind};
use emu_arch::hw::hazard::Hazard;
use emu_arch::machine::slice;
use emu_arch::tracker::{Now, Tracker};
use emu_arch::{Arch, Pte};
use indexmap::IndexSet;
use lazy_mmu::design::{Call, Check, Context, Design, Warn};
use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::Event;
use rustc_hash::FxBuildHasher;

use super::{Local, Progress, Seen, Stop};

/// The code of one architecture, version and design, and every per-CPU state it has come across.
pub(super) struct World<B: Backend> {
    pub(super) backend: B,
    pub(super) arch: Arch,
    pub(super) design: Design,
    per_cpus: IndexSet<B::PerCpu, FxBuildHasher>,
}

impl<B: Backend> World<B> {
    pub(super) fn new(backend: B, arch: Arch, design: Design) -> Self {
        let mut per_cpus = IndexSet::default();
        per_cpus.insert(B::PerCpu::default());
        Self { backend, arch, design, per_cpus }
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
        let mut exec =
            Exec { world: self, local, seen, from, told, points: 0, mode, irqs_off: 0, stop: None };
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
        // With interrupts off nothing can fall into it.
        let (mode, stop) = (Mode::Whole, None);
        let mut exec =
            Exec { world: self, local, seen, from, told, points: 0, mode, irqs_off: 0, stop };
        work(&mut exec);
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
    mode: Mode,
    irqs_off: u32,
    /// Where it stopped, with what everything was like there.
    stop: Option<(Stop, Local)>,
}

impl<B: Backend> Exec<'_, B> {
    /// Tells whether what happens now counts.
    pub(super) fn live(&self) -> bool {
        matches!(self.mode, Mode::Live | Mode::Whole)
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
    pub(super) fn point(&mut self, point: &'static str) {
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
                let stop = Stop { progress, point, irqs_off: self.irqs_off > 0 };
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
            self.warn(lazy_mmu::sched::bad_preempt_count(preempt_count, offset, add));
        }
    }
}

impl<B: Backend> Hw for Exec<'_, B> {
    type Ptep = Slot;
    type PerCpu = B::PerCpu;

    fn read(&self, ptep: Slot) -> Pte {
        Pte(self.ask(|| self.local.memory.read(ptep).0))
    }

    fn write(&mut self, ptep: Slot, pte: Pte) {
        if self.mode != Mode::Again {
            self.local.memory.write(ptep, pte);
        }
    }

    fn ptep_add(&self, ptep: Slot, n: u16) -> Slot {
        Slot(ptep.0 + u64::from(n))
    }

    fn slot(&self, ptep: Slot) -> Slot {
        ptep
    }

    fn read_slot(&self, slot: Slot) -> Pte {
        self.read(slot)
    }

    fn write_slot(&mut self, slot: Slot, pte: Pte) {
        self.write(slot, pte);
    }

    fn is_lazy_mmu_mode_active(&self) -> bool {
        let active = || {
            let active = self.world.design.is_active(self.local.task.lazy_mmu_state);
            active[usize::from(self.in_interrupt())].into()
        };
        self.ask(active) != 0
    }

    fn task_lazy_mmu_mode_active(&self) -> bool {
        let active = || self.world.design.is_active(self.local.task.lazy_mmu_state)[0].into();
        self.ask(active) != 0
    }

    fn task_lazy_mmu_mode_pause(&mut self) {
        self.note(Event::Effect { name: "__task_lazy_mmu_mode_pause()", n: None });
        self.transition(Call::Pause, Context::default(), None);
    }

    fn task_lazy_mmu_mode_resume(&mut self) {
        self.note(Event::Effect { name: "__task_lazy_mmu_mode_resume()", n: None });
        self.transition(Call::Resume, Context::default(), None);
    }

    fn test_thread_flag(&self, flag: u32) -> bool {
        self.ask(|| self.local.task.flags >> flag & 1) != 0
    }

    fn set_thread_flag(&mut self, flag: u32) {
        if self.mode != Mode::Again {
            self.local.task.flags |= 1 << flag;
        }
    }

    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool {
        let was = self.test_thread_flag(flag);
        if self.mode != Mode::Again {
            self.local.task.flags &= !(1 << flag);
        }
        was
    }

    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut B::PerCpu) -> R) -> R {
        let was = self.ask(|| self.local.per_cpu.into()) as usize;
        let mut state = self.world.per_cpus[was].clone();
        let value = step(&mut state);
        if self.mode != Mode::Again && self.world.per_cpus[was] != state {
            self.local.per_cpu = self.world.per_cpus.insert_full(state).0 as u32;
        }
        value
    }

    fn in_interrupt(&self) -> bool {
        // No one else changes it: whoever interrupts the task restores it.
        self.local.task.preempt_count.in_interrupt()
    }

    fn get_cpu(&mut self) {
        if self.mode != Mode::Again {
            self.local.task.preempt_count.0 += PreemptCount::PREEMPT_OFFSET;
        }
    }

    fn put_cpu(&mut self) {
        if self.mode != Mode::Again {
            let count = self.local.task.preempt_count.0;
            self.local.task.preempt_count.0 = count.saturating_sub(PreemptCount::PREEMPT_OFFSET);
        }
    }

    fn local_irq_save(&mut self) {
        self.irqs_off += 1;
    }

    fn local_irq_restore(&mut self) {
        self.irqs_off -= 1;
    }

    fn preempt_disable(&mut self) {
        self.change_context("preempt_disable", PreemptCount::PREEMPT_OFFSET, true, true);
    }

    fn preempt_enable(&mut self) {
        self.change_context("preempt_enable", PreemptCount::PREEMPT_OFFSET, false, true);
    }

    fn slice_psize(&self, at: At) -> Psize {
        let key = (at.mm, slice(at.addr));
        self.local.memory.slices.get(&key).copied().unwrap_or_default()
    }

    fn effect(&mut self, effect: Effect) {
        self.point(point_name(effect));
        self.note(Event::Effect { name: effect.name, n: effect.n });
    }

    fn put_off(&mut self, at: At, nr: u16) {
        if self.live() {
            self.seen.put_off = true;
        }
        self.track(|tracker, now| tracker.put_off(now, at, nr));
    }

    fn settle(&mut self) {
        if self.live() {
            self.seen.settled = true;
        }
        self.track(|tracker, now| tracker.settle(now));
    }

    fn tlb_invalidate(&mut self, at: At, nr: u32) {
        self.track(|tracker, _| tracker.tlb_invalidate(at, nr));
    }

    fn bug(&mut self, cond: &'static str) {
        if self.live() {
            self.seen.bug.get_or_insert(cond);
        }
        self.warn(Warn { check: Check::BugOn, cond });
        self.report(Hazard::ArchBug);
    }
}

/// The name of the point before `effect`, as scenarios have it.
fn point_name(effect: Effect) -> &'static str {
    debug_assert!(matches!(effect.kind, Kind::PutOff | Kind::Delayable | Kind::Other));
    effect.name.split(['(', '=']).next().unwrap_or(effect.name)
}
