//! The transitions of one task: what the kernel's code does with its triple of task, CPU and
//! memory.

use emu_arch::hazard::{Hazard, Trigger, Triggers};
use lazy_mmu::design::{Design, Hook, Role, direct};
use lazy_mmu::preempt::PreemptCount;

use super::client::{Doing, Kind, Level, Owner};
use super::model::{MachineModel, Task, Triple};
use super::moves::{LocalMove, Move, Verdicts};
use super::options::Accesses;
use super::property::{self, Marks, Property, Sometimes};
use crate::language::Bracket;
use emu_arch::replay::{Local, Seen};

impl MachineModel {
    /// What the task of a triple can do, in a fixed order.
    pub(super) fn local_moves(&mut self, triple: Triple) -> Vec<LocalMove> {
        let mut moves = Vec::new();
        let (task, local) = self.local(triple);
        let Some(level) = task.levels.last() else {
            // An idle task, or one that has exited, does nothing but go.
            if self.options.preemption {
                moves.push(self.leave(task, local, 0));
            }
            return moves;
        };
        let in_task = task.levels.len() == 1;
        let irqs_off = level.doing.as_ref().is_some_and(|doing| doing.irqs_off);
        let may_fall = in_task && !irqs_off;
        if level.doing.is_some() {
            moves.push(self.go_on(task.clone(), local.clone()));
        } else {
            for op in 0..self.ops.len() as u16 {
                if self.may(&task, level, op, &local) {
                    moves.push(self.begin(task.clone(), local.clone(), op));
                }
            }
            if !in_task && self.may_return(level) {
                moves.push(self.interrupt_ends(task.clone(), local.clone()));
            }
            let may_sleep = level.open.is_empty() && local.task.preempt_count.preemptible();
            if in_task && self.options.fork && (may_sleep || self.options.accesses == Accesses::Any)
            {
                let mv = self.unchanged(Move::Fork { cpu: 0 }, task.clone(), local.clone());
                moves.push(mv);
            }
        }
        if may_fall && self.may_interrupt(&task) {
            let begins = self.interrupt(task.clone(), local.clone());
            if self.options.cpus == 1 {
                moves.extend(self.handled(begins, local.cpu));
            } else {
                moves.push(begins);
            }
        }
        let preemptible = local.task.preempt_count.preemptible();
        if may_fall && preemptible && self.options.preemption {
            moves.push(self.leave(task, local, 0));
        }
        moves
    }

    /// Whether the client of `level` may begin `op`.
    fn may(&self, task: &Task, level: &Level, op: u16, local: &Local) -> bool {
        let op = &self.ops[usize::from(op)];
        let in_task = task.levels.len() == 1;
        let number = task.task.pid - 1;
        let whose = match op.of {
            Owner::All => true,
            Owner::Task(of) => in_task && of == number,
            Owner::Interrupt(cpu) => !in_task && cpu == local.cpu,
            Owner::Program(of, at) => in_task && of == number && at == level.steps,
            Owner::Handler(at) => !in_task && at == level.steps,
        };
        let options = &self.options;
        let (nesting, room) = if in_task {
            (usize::from(options.nesting), true)
        } else {
            (1, self.programs || level.steps < options.interrupt_steps)
        };
        if self.programs {
            return whose;
        }
        // The last steps of a handler are for closing what is open.
        let left = usize::from(options.interrupt_steps).saturating_sub(level.steps.into());
        let closes = matches!(op.kind, Kind::Call(role) if role.closes());
        let must_close = !in_task && left <= level.open.len();
        let opens = matches!(op.kind, Kind::Call(role) if role.opens());
        let fits = in_task || !opens || left >= 2 + level.open.len();
        whose
            && room
            && fits
            && (!must_close || closes)
            && (in_task || options.interrupt_calls || !matches!(op.kind, Kind::Call(_)))
            && level.may(op.kind, options, nesting, &local.memory)
    }

    pub(super) fn begin(&mut self, mut task: Task, local: Local, op: u16) -> LocalMove {
        let pauses = self.ops[usize::from(op)].kind == Kind::Call(Role::OpensPause);
        let mut local = local;
        let active = pauses && self.is_active(&mut local);
        if let Some(level) = task.levels.last_mut() {
            level.doing = Some(Doing::begins(op));
            level.active = active;
        }
        self.run(Move::Begin { cpu: 0, op }, task, local)
    }

    pub(super) fn go_on(&mut self, task: Task, local: Local) -> LocalMove {
        self.run(Move::GoOn { cpu: 0 }, task, local)
    }

    /// Continues the task's step to the next point at which something else can happen.
    fn run(&mut self, mv: Move, mut task: Task, mut local: Local) -> LocalMove {
        let in_task = task.levels.len() == 1;
        let last = task.levels.len() - 1;
        let Some(Doing { op, progress: mut from, .. }) = task.levels[last].doing.take() else {
            return self.unchanged(mv, task, local);
        };
        let (step, kind) = (self.ops[usize::from(op)].step, self.ops[usize::from(op)].kind);
        let mut seen = self.seen();
        let stop = loop {
            match self.code.step(&mut local, &step, &from, &mut seen) {
                Some(stop) if stop.mark || self.closed(&local, in_task, stop.irqs_off) => {
                    from = stop.progress;
                }
                stop => break stop,
            }
            if seen.bug.is_some() {
                break None;
            }
        };
        self.keep(&mut seen);
        let mut verdicts = Verdicts::default();
        let mut sometimes = self.look_inside(&mut task, &seen, &mut verdicts);
        match stop {
            Some(stop) => {
                let at = Some((stop.point, stop.nth));
                let (progress, irqs_off) = (stop.progress, stop.irqs_off);
                task.levels[last].doing = Some(Doing { op, progress, at, irqs_off });
            }
            None => {
                let before = task.levels[last].clone();
                task.levels[last].took(kind, in_task);
                if self.programs || !in_task {
                    task.levels[last].steps += 1;
                }
                if in_task && !verdicts.fatal {
                    let more = self.look_after(&before, &task, &mut local, kind, &mut verdicts);
                    seen.exercised = seen.exercised.union(more);
                    if task.levels[last].sections() > 1 {
                        sometimes |= Sometimes::Nested.bit();
                    }
                    if task.levels[last].paused() {
                        sometimes |= Sometimes::Paused.bit();
                    }
                }
                if kind == Kind::Exit {
                    task.levels.clear();
                }
                if let Kind::Claim { line, active } = kind
                    && self.code.is_active(&local.task) != active
                {
                    verdicts.broken.push((Property::Claim(line), found(!active)));
                }
            }
        }
        self.broken(&seen.hazards, &task, &seen, &mut verdicts);
        self.exercise(seen.exercised);
        task.task = local.task;
        self.done(mv, task, local, verdicts, sometimes)
    }

    /// Whether nothing else can happen at a point: then it need not be a state.
    fn closed(&self, local: &Local, in_task: bool, irqs_off: bool) -> bool {
        let preempts = self.options.preemption && local.task.preempt_count.preemptible();
        self.options.cpus == 1 && (irqs_off || !in_task || !(self.options.interrupts || preempts))
    }

    /// Looks at what happened between two points.
    pub(super) fn look_inside(
        &self,
        task: &mut Task,
        seen: &Seen,
        verdicts: &mut Verdicts,
    ) -> Marks {
        let mut sometimes = 0;
        match property::alternate(task.entered, &seen.hooks) {
            Some(entered) => {
                if entered && !task.entered {
                    sometimes |= Sometimes::Entered.bit();
                }
                task.entered = entered;
            }
            None => {
                verdicts.broken.push((Property::HooksAlternate, ""));
                task.entered = seen.hooks.last() != Some(&Hook::LEAVE);
            }
        }
        if seen.exercised.contains(Trigger::Defer) {
            sometimes |= Sometimes::Deferred.bit();
        }
        if seen.exercised.contains(Trigger::Complete) {
            sometimes |= Sometimes::Completed.bit();
        }
        verdicts.fatal = seen.bug.is_some();
        sometimes
    }

    /// Looks at a task that has taken a step and is between two.
    fn look_after(
        &mut self,
        before: &Level,
        task: &Task,
        local: &mut Local,
        kind: Kind,
        verdicts: &mut Verdicts,
    ) -> Triggers {
        let mut triggers = Triggers::default();
        let level = &task.levels[0];
        let active = self.is_active(local);
        let mode = self.code.lazy_mode(local);
        let direct = self.is_direct();
        // An architecture without a mode has none to keep or to lose.
        let has_mode = !direct || mode.is_some();
        let waits = |page| local.memory.is_pending(page);
        let mut must = |holds: bool, property| {
            if !holds {
                verdicts.broken.push((property, ""));
            }
        };
        match kind {
            Kind::Write { page, .. } if level.paused() => {
                triggers.insert(Trigger::PausedUpdate);
                must(!waits(page), Property::ImmediateWhenPaused);
            }
            Kind::Call(Role::ClosesPause) if has_mode => {
                triggers.insert(Trigger::RestoringResume);
                let found = before.open.kept(Bracket::Pause);
                must(property::restores(found, active), Property::ResumeRestores);
            }
            Kind::Call(Role::ClosesSection) if has_mode && level.may_batch() => {
                triggers.insert(Trigger::BatchingDisable);
                must(active && mode != Some(false), Property::BatchesAfterNested);
            }
            Kind::Call(_)
            | Kind::Write { .. }
            | Kind::Read(_)
            | Kind::Lock(_)
            | Kind::Flush
            | Kind::Sleep
            | Kind::Exit
            | Kind::Claim { .. }
            | Kind::Other => {}
        }
        if kind == Kind::Call(Role::ClosesSection) {
            triggers.insert(disabled(level));
        }
        if matches!(kind, Kind::Call(_)) && !direct {
            if mode.is_some() {
                triggers.insert(Trigger::OwnMode);
            }
            must(property::agrees(active, mode), Property::ModeAgrees);
        }
        if level.open.is_empty() && !level.locked && (!self.programs || self.is_last(task)) {
            triggers.insert(Trigger::Outside);
            must(local.task.preempt_count == PreemptCount(0), Property::PreemptBalanced);
        }
        triggers
    }

    /// Whether there is no generic layer: what it would know, the architecture alone knows.
    fn is_direct(&self) -> bool {
        self.options.design == Design::of::<direct::State>()
    }

    /// Whether the mode is active, for the generic layer or, where there is none, for the
    /// architecture.
    fn is_active(&mut self, local: &mut Local) -> bool {
        if self.is_direct() {
            self.code.lazy_mode(local).unwrap_or(false)
        } else {
            self.code.is_active(&local.task)
        }
    }

    /// Whether the program of a task is at its end.
    fn is_last(&self, task: &Task) -> bool {
        let next = Owner::Program(task.task.pid - 1, task.levels[0].steps);
        !self.ops.iter().any(|op| op.of == next)
    }

    /// Notes what the hazards say does not hold.
    pub(super) fn broken(
        &self,
        hazards: &[Hazard],
        task: &Task,
        seen: &Seen,
        verdicts: &mut Verdicts,
    ) {
        let nested = task.levels.first().is_some_and(|level| level.sections() > 0);
        for hazard in hazards {
            let bug = seen.bug.filter(|_| *hazard == Hazard::ArchBug);
            let detail = bug.or(seen.warning.filter(|_| *hazard == Hazard::ApiWarning));
            let broken = (Property::of_hazard(*hazard, nested), detail.unwrap_or(""));
            if !verdicts.broken.contains(&broken) {
                verdicts.broken.push(broken);
            }
        }
        verdicts.broken.retain(|(property, _)| self.options.looks_at(*property));
    }

    fn unchanged(&mut self, mv: Move, task: Task, local: Local) -> LocalMove {
        self.done(mv, task, local, Verdicts::default(), 0)
    }

    pub(super) fn done(
        &mut self,
        mv: Move,
        task: Task,
        local: Local,
        verdicts: Verdicts,
        sometimes: Marks,
    ) -> LocalMove {
        let fatal = verdicts.fatal;
        let verdicts = self.intern_verdicts(verdicts);
        let (task, per_cpu, memory) = self.intern(task, local);
        LocalMove { mv, task, per_cpu, memory, verdicts, fatal, sometimes }
    }
}

/// What a claim has found, in words.
const fn found(active: bool) -> &'static str {
    if active { "expected inactive, found active" } else { "expected active, found inactive" }
}

/// What a disable exercises after which the task is in `level`.
fn disabled(level: &Level) -> Trigger {
    if level.sections() > 0 { Trigger::NestedDisable } else { Trigger::OutermostDisable }
}
