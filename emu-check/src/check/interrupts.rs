//! Interrupts and context switches: transitions between the steps of a task, and inside them.

use lazy_mmu::preempt::{Counted, Layout};

use super::client::{Level, Owner};
use super::model::{MachineModel, Task, Triple};
use super::moves::{LocalMove, Move, Verdicts};
use super::property::{Marks, Sometimes};
use emu_arch::replay::{Local, Seen};

impl MachineModel {
    pub(super) fn may_return(&self, level: &Level) -> bool {
        if self.programs {
            !self.ops.iter().any(|op| op.of == Owner::Handler(level.steps))
        } else {
            level.open.is_empty()
        }
    }

    pub(super) fn may_interrupt(&self, task: &Task) -> bool {
        self.options.interrupts && !(self.programs && task.interrupted)
    }

    /// Each distinct final state of an interrupt handler that `begins` on `cpu`, with a shortest
    /// handler that reaches it. A handler is not preempted on its own CPU; with one CPU it is
    /// atomic, and its inner states are skipped.
    pub(super) fn handled(&mut self, begins: LocalMove, cpu: u8) -> Vec<LocalMove> {
        let mut ends: Vec<LocalMove> = Vec::new();
        let mut runs = vec![(begins, Vec::<u16>::new())];
        while let Some((run, ops)) = (!runs.is_empty()).then(|| runs.remove(0)) {
            let (from, to) = self.moves_of(self.at(run.task, cpu, run));
            for n in from..to {
                let next = self.pool_at(n);
                let verdicts = self.join(run.verdicts, next.verdicts);
                let sometimes = run.sometimes | next.sometimes;
                let fatal = run.fatal | next.fatal;
                let mut joined = LocalMove { verdicts, fatal, sometimes, ..next };
                match next.mv {
                    Move::Begin { op, .. } => {
                        let ops = ops.iter().copied().chain([op]).collect();
                        if fatal {
                            joined.mv = self.handler(ops);
                            ends.push(joined);
                        } else {
                            runs.push((joined, ops));
                        }
                    }
                    Move::Return { .. } => {
                        let same = |end: &LocalMove| {
                            (end.task, end.per_cpu, end.memory, end.verdicts)
                                == (joined.task, joined.per_cpu, joined.memory, joined.verdicts)
                        };
                        match ends.iter_mut().find(|end| same(end)) {
                            Some(end) => end.sometimes |= sometimes,
                            None => {
                                joined.mv = self.handler(ops.clone());
                                ends.push(joined);
                            }
                        }
                    }
                    Move::GoOn { .. }
                    | Move::Interrupt { .. }
                    | Move::Handled { .. }
                    | Move::Leave
                    | Move::Switch { .. }
                    | Move::Fork { .. } => {}
                }
            }
        }
        ends
    }

    /// The move that is an interrupt with the steps `ops`.
    fn handler(&mut self, ops: Vec<u16>) -> Move {
        Move::Handled { cpu: 0, handler: self.handlers.insert_full(ops).0 as u32 }
    }

    /// The number of what two verdicts say.
    fn join(&mut self, one: u32, other: u32) -> u32 {
        if one == 0 || other == 0 {
            return one | other;
        }
        let mut verdicts = self.verdicts(one).clone();
        let more = self.verdicts(other).clone();
        verdicts.fatal |= more.fatal;
        for what in more.broken {
            if !verdicts.broken.contains(&what) {
                verdicts.broken.push(what);
            }
        }
        self.intern_verdicts(verdicts)
    }

    fn preempt_layout(&self) -> Layout {
        self.options.arch.preempt_layout(self.options.kernel)
    }

    pub(super) fn interrupt(&mut self, mut task: Task, mut local: Local) -> LocalMove {
        let inside = task.levels[0].doing.is_some();
        local.task.preempt_count.add(self.preempt_layout(), Counted::Hardirq);
        task.task = local.task;
        task.interrupted |= self.programs;
        task.levels.push(Level::default());
        let sometimes = if inside { Sometimes::InterruptInCall.bit() } else { 0 };
        self.done(Move::Interrupt { cpu: 0 }, task, local, Verdicts::default(), sometimes)
    }

    pub(super) fn interrupt_ends(&mut self, mut task: Task, mut local: Local) -> LocalMove {
        local.task.preempt_count.sub(self.preempt_layout(), Counted::Hardirq);
        task.task = local.task;
        task.levels.pop();
        self.done(Move::Return { cpu: 0 }, task, local, Verdicts::default(), 0)
    }

    /// The first half of a switch.
    pub(super) fn leave(&mut self, task: Task, mut local: Local, next: u8) -> LocalMove {
        let mut sometimes = 0;
        if let Some(level) = task.levels.first() {
            if level.doing.is_some() {
                sometimes |= Sometimes::PreemptedInCall.bit();
            }
            if level.sections() > 0 {
                sometimes |= Sometimes::PreemptedInSection.bit();
            }
        }
        let mut seen = self.seen();
        self.code.switch_out(&mut local, next, &mut seen);
        self.keep(&mut seen);
        self.switched(Move::Leave, task, local, &seen, sometimes)
    }

    /// The second half.
    pub(super) fn switch_in(&mut self, triple: Triple) -> LocalMove {
        let (task, mut local) = self.local(triple);
        let mut seen = self.seen();
        self.code.switch_in(&mut local, &mut seen);
        self.keep(&mut seen);
        self.switched(Move::GoOn { cpu: 0 }, task, local, &seen, 0)
    }

    fn switched(
        &mut self,
        mv: Move,
        mut task: Task,
        local: Local,
        seen: &Seen,
        sometimes: Marks,
    ) -> LocalMove {
        let mut verdicts = Verdicts::default();
        let sometimes = sometimes | self.look_inside(&mut task, seen, &mut verdicts);
        self.broken(&seen.hazards, &task, seen, &mut verdicts);
        self.exercise(seen.exercised);
        task.task = local.task;
        self.done(mv, task, local, verdicts, sometimes)
    }
}
