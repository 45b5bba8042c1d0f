//! Which tasks of a scenario live: what no task can do is refused, and never happens.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use emu_arch::kernel::{Step, TaskOp};

/// What has become of the tasks so far.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// Tasks that have run or were forked.
    born: RefCell<BTreeSet<u8>>,
    /// Tasks that have exited, with the line in which they did.
    exited: RefCell<BTreeMap<u8, u32>>,
    /// Tasks that hit a `BUG_ON()`: their lines do nothing any more.
    dead: RefCell<BTreeSet<u8>>,
    /// The tasks that are inside of a call, the innermost last.
    inside: RefCell<Vec<u8>>,
}

impl Lives {
    /// Task `pid` runs; an error tells why it cannot.
    pub(super) fn runs(&self, pid: u8) -> Result<(), String> {
        if let Some(line) = self.exited.borrow().get(&pid) {
            let name = name(pid);
            return Err(format!(
                "expected a task that lives, found {name}, which exits in line {line}"
            ));
        }
        self.born.borrow_mut().insert(pid);
        Ok(())
    }

    /// Task `pid` does `step` in line `line`; an error tells why it cannot.
    pub(super) fn does(&self, pid: u8, step: &Step, line: u32) -> Result<(), String> {
        match step {
            Step::Fork(child) if *child == pid => {
                Err(format!("expected another task after fork, found {}, which forks", name(pid)))
            }
            Step::Fork(child) if !self.born.borrow_mut().insert(*child) => {
                let child = name(*child);
                Err(format!("expected a task that was never there after fork, found {child}"))
            }
            Step::Task(TaskOp::Exit) if self.inside.borrow().contains(&pid) => {
                Err(format!("expected {} to end its call before it exits", name(pid)))
            }
            Step::Task(TaskOp::Exit) => {
                self.exited.borrow_mut().insert(pid, line);
                Ok(())
            }
            Step::Fork(_)
            | Step::Call(..)
            | Step::Context(_)
            | Step::Pte(..)
            | Step::Task(_)
            | Step::Lock(..) => Ok(()),
        }
    }

    /// Does `step` of task `pid`, into which other lines fall.
    pub(super) fn inside<R>(&self, pid: u8, step: impl FnOnce() -> R) -> R {
        self.inside.borrow_mut().push(pid);
        let done = step();
        self.inside.borrow_mut().pop();
        done
    }

    /// Task `pid` hit a `BUG_ON()`.
    pub(super) fn dies(&self, pid: u8) {
        self.dead.borrow_mut().insert(pid);
    }

    /// Whether task `pid` never hit one.
    pub(super) fn is_alive(&self, pid: u8) -> bool {
        !self.dead.borrow().contains(&pid)
    }
}

/// The task as a person calls it.
fn name(pid: u8) -> String {
    match pid {
        1..=26 => char::from(b'A' + pid - 1).to_string(),
        _ => "the task that runs".to_owned(),
    }
}
