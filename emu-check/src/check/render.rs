//! Renders a path through the model as a record and as the lines of a scenario that takes the same
//! path.

use lazy_mmu::preempt::PreemptCount;
use lazy_mmu::trace::{Event, Record};

use super::model::{MachineModel, Task, Words};
use super::moves::{LocalMove, Move};
use super::search::Path;
use super::to_scenario::Lines;
use emu_arch::replay::{Local, Seen};

/// A step that has begun and not ended: the number of its task and of the context in it.
type Under = (usize, usize);

/// A path for people.
pub(super) struct Rendered {
    pub(super) record: Record,
    /// The lines of a scenario, where scenarios have words for the path.
    pub(super) lines: Option<String>,
}

/// Executes the moves of `path` again and records what happens.
pub(super) fn render(model: &mut MachineModel, path: &Path) -> Rendered {
    model.record = Some(Record::new(model.options.design));
    let now = path.states[0];
    let mut renderer = Renderer { model, now, lines: Lines::new(), under: None, away: Vec::new() };
    for (n, mv) in path.moves.iter().enumerate() {
        renderer.render(*mv, path.states.get(n + 1));
    }
    let lines = renderer.lines.end();
    Rendered { record: model.record.take().unwrap_or_default(), lines }
}

struct Renderer<'m> {
    model: &'m mut MachineModel,
    /// The state so far: that of the path, but with the tick at which each update was deferred.
    now: Words,
    lines: Lines,
    /// The step that the last event belongs to, if it is not at its end.
    under: Option<Under>,
    /// Steps inside which something else happens.
    away: Vec<Under>,
}

impl Renderer<'_> {
    /// Renders a move, after which the path is in `next`.
    fn render(&mut self, mv: Move, next: Option<&Words>) {
        let Some(cpu) = mv.cpu() else { return };
        let (runs, triple) = self.model.triple(&self.now, usize::from(cpu));
        let (task, local) = self.model.local(triple);
        let this = (runs, task.levels.len().saturating_sub(1));
        let pid = task.task.pid;
        if matches!(mv, Move::GoOn { .. }) {
            self.back(this, cpu, pid);
        } else if let Some(under) = self.under.take() {
            self.go_away(under);
        }
        let done = match mv {
            Move::Begin { op, .. } => {
                let begun = self.begin(cpu, task, local, op);
                self.see_under(begun.task, this);
                begun
            }
            Move::GoOn { .. } => {
                let gone_on = self.model.go_on(task, local);
                self.see_under(gone_on.task, this);
                gone_on
            }
            Move::Interrupt { .. } => self.interrupt(cpu, task, local),
            Move::Return { .. } => self.interrupt_ends(cpu, task, local),
            Move::Handled { handler, .. } => self.handled(cpu, task, local, handler),
            Move::Switch { to, .. } => return self.switch(cpu, runs, to, task, local),
            Move::Fork { .. } => {
                let child = self.model.last_task(&self.now);
                self.lines.step(cpu, pid, &format!("fork {}", name(child)));
                self.event(cpu, pid, Event::Note(&format!("{} forks {}", name(pid), name(child))));
                if let Some(next) = next {
                    self.model.take_child(&mut self.now, next);
                }
                return;
            }
            Move::Leave => return,
        };
        self.model.apply(&mut self.now, usize::from(cpu), runs, done);
    }

    fn switch(&mut self, cpu: u8, runs: usize, to: u8, task: Task, local: Local) {
        let (at, to) = (usize::from(cpu), usize::from(to));
        let next = self.model.task(self.now.0[to]).task.pid;
        let left = self.model.leave(task, local, next);
        self.lines.switch(cpu, next);
        self.model.apply(&mut self.now, at, runs, left);
        if !self.model.verdicts(left.verdicts).fatal {
            let arrived = self.model.switch_in(self.model.at(self.now.0[to], cpu, left));
            self.model.apply(&mut self.now, at, to, arrived);
        }
    }

    fn begin(&mut self, cpu: u8, task: Task, local: Local, op: u16) -> LocalMove {
        let step = self.model.ops[usize::from(op)].step;
        self.lines.step(cpu, task.task.pid, &step.to_string());
        self.model.begin(task, local, op)
    }

    fn interrupt(&mut self, cpu: u8, task: Task, local: Local) -> LocalMove {
        let pid = task.task.pid;
        self.lines.interrupt(cpu, pid);
        let begun = self.model.interrupt(task, local);
        let count = self.model.task(begun.task).task.preempt_count;
        self.context("hardirq_enter", cpu, pid, count);
        begun
    }

    fn interrupt_ends(&mut self, cpu: u8, task: Task, local: Local) -> LocalMove {
        let pid = task.task.pid;
        self.lines.interrupt_ends();
        let ended = self.model.interrupt_ends(task, local);
        let count = self.model.task(ended.task).task.preempt_count;
        self.context("hardirq_exit", cpu, pid, count);
        ended
    }

    /// An interrupt from its beginning to its end.
    fn handled(&mut self, cpu: u8, task: Task, local: Local, handler: u32) -> LocalMove {
        let mut now = self.interrupt(cpu, task, local);
        for op in self.model.handlers[handler as usize].clone() {
            let (task, local) = self.model.local(self.model.at(now.task, cpu, now));
            now = self.begin(cpu, task, local, op);
        }
        let (task, local) = self.model.local(self.model.at(now.task, cpu, now));
        self.interrupt_ends(cpu, task, local)
    }

    /// The task numbered `task` has come to a point, or to the end of its step.
    fn see_under(&mut self, task: u32, this: Under) {
        let doing = |level: &super::client::Level| level.doing.is_some();
        let under = self.model.task(task).levels.get(this.1).is_some_and(doing);
        self.under = under.then_some(this);
    }

    /// Something else happens inside the step `under`.
    fn go_away(&mut self, under: Under) {
        let (cpu, triple) = self.model.where_is(&self.now, under.0);
        let (task, local) = self.model.local(triple);
        let stop = self.model.stop_of(&task, under.1);
        self.event(cpu, local.task.pid, Event::Away);
        self.lines.go_away(cpu, stop);
        self.away.push(under);
    }

    /// The step `this` goes on.
    fn back(&mut self, this: Under, cpu: u8, pid: u8) {
        if self.under == Some(this) {
            return;
        }
        if self.under.take().is_some() || self.away.pop() != Some(this) {
            self.lines.lose();
        }
        self.event(cpu, pid, Event::Back);
        self.lines.back(cpu, pid);
    }

    fn context(&mut self, name: &'static str, cpu: u8, pid: u8, preempt_count: PreemptCount) {
        self.event(cpu, pid, Event::Context { name, preempt_count, by_arch: false });
    }

    fn event(&mut self, cpu: u8, pid: u8, event: Event<'_>) {
        if let Some(record) = &mut self.model.record {
            record.push(cpu, pid, event);
        }
    }
}

/// The name of a task in scenarios.
pub(super) fn name(pid: u8) -> char {
    char::from(b'A' + pid.clamp(1, 26) - 1)
}

impl MachineModel {
    /// What the code sees, with the record that is written.
    pub(super) fn seen(&mut self) -> Seen {
        Seen { record: self.record.take(), ..Seen::default() }
    }

    /// Takes the record back.
    pub(super) fn keep(&mut self, seen: &mut Seen) {
        self.record = seen.record.take();
    }
}
