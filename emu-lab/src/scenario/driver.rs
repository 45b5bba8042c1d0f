//! Lines to steps: which task executes a line and where, what arrives inside a call, and who is
//! dead. The same on both hosts.

use std::rc::Rc;

use emu_arch::kernel::Step;
use lazy_mmu::trace::Event;

use super::lives::Lives;
use super::value::{self, Inside, Line};

/// A machine that executes the lines of a scenario.
pub(super) trait Stage {
    /// The task that executes, and its CPU.
    fn current(&self) -> (u8, u8);
    /// The CPU on which task `pid` runs, if on any.
    fn cpu_of(&self, pid: u8) -> Option<u8>;
    /// Has `cpu` execute from now on; tasks stay where they are.
    fn run_on(&self, cpu: u8);
    /// Switches `cpu` to task `next`.
    fn context_switch(&self, cpu: u8, next: u8);
    /// Does a step, and `script` at the point number `nth`, from 1, called `name` inside of it;
    /// returns whether there was one. The script returns the CPU on which the task continues.
    fn step(&self, step: &Step, inside: Option<(&Inside, Script)>) -> bool;
    /// How many `BUG_ON()`s were hit.
    fn bugs(&self) -> u32;
    /// Appends to the record.
    fn note(&self, event: Event<'_>);
    /// What comes next belongs to line `number`.
    fn begin(&self, _number: u32) {}
    /// A claim is made, or one is not met because there is no point of that name.
    fn claim(&self, _line: &Line, _no_point: Option<&str>) {}
    /// No task can do what a line says.
    fn refuse(&self, _line: &Line, _why: String) {}
}

/// What happens at a point inside a step; returns the CPU on which the interrupted task continues,
/// if it is another one.
pub(super) type Script = Rc<dyn Fn() -> Option<u8>>;

/// A scenario under way.
pub(super) struct Driver<S> {
    pub(super) stage: S,
    insides: Vec<Inside>,
    lives: Lives,
}

impl<S: Stage + 'static> Driver<S> {
    pub(super) fn new(stage: S, insides: &[Inside]) -> Rc<Self> {
        Rc::new(Self { stage, insides: insides.to_vec(), lives: Lives::default() })
    }

    /// Executes a line, and what arrives inside of it.
    pub(super) fn line(self: &Rc<Self>, line: &Line) {
        let bugs = self.stage.bugs();
        self.stage.begin(line.number);
        if let Err(why) = self.try_line(line, bugs) {
            self.stage.refuse(line, why);
        }
        if self.stage.bugs() > bugs {
            self.lives.dies(self.stage.current().0);
            self.stage.note(Event::Note("the task is dead"));
        }
    }

    /// Executes a line unless no task can.
    fn try_line(self: &Rc<Self>, line: &Line, bugs: u32) -> Result<(), String> {
        if line.task > 0 {
            self.lives.runs(line.task)?;
        }
        self.go_to(line);
        let (pid, _) = self.stage.current();
        // The switch to the task may have been deadly.
        if self.stage.bugs() > bugs || !self.lives.is_alive(pid) {
            return Ok(());
        }
        if let value::Step::Kernel(step) = &line.step {
            self.lives.runs(pid)?;
            self.lives.does(pid, step, line.number)?;
        }
        self.execute(line);
        Ok(())
    }

    /// Has the task of a line run where the line says, or where it is, or on CPU 0.
    fn go_to(&self, line: &Line) {
        if line.task > 0 {
            let at = line.cpu.or_else(|| self.stage.cpu_of(line.task)).unwrap_or(0);
            self.stage.context_switch(at, line.task);
        } else if let Some(cpu) = line.cpu {
            self.stage.run_on(cpu);
        }
    }

    fn execute(self: &Rc<Self>, line: &Line) {
        let value::Step::Kernel(step) = &line.step else {
            self.stage.claim(line, line.inside.map(|index| &*self.insides[index as usize].point));
            return;
        };
        let Some(index) = line.inside else {
            self.stage.step(step, None);
            return;
        };
        let (driver, number) = (Rc::clone(self), line.number);
        let inside = &self.insides[index as usize];
        let script = move || {
            let inside = &driver.insides[index as usize];
            inside.steps.iter().for_each(|line| driver.line(line));
            driver.stage.begin(number);
            inside.back_on
        };
        let (pid, _) = self.stage.current();
        let step = || self.stage.step(step, Some((inside, Rc::new(script))));
        if !self.lives.inside(pid, step) {
            self.stage.claim(line, Some(&inside.point));
        }
    }
}
