//! All tasks of a log: whose a line is, and which address space that has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::mm::{Acting, Mm};
use super::snapshot::Snapshots;
use super::task::Task;
use super::told::Told;
use super::touch::{Fault, Touch};
use crate::job::Job;
use crate::space::Space;
use crate::strace::{Call, Event, Names, What};

/// How many lines of processes that nobody has made yet are kept.
const EARLY_MAX: usize = 1 << 17;

/// How many tasks live at once; what others do is left out.
const TASKS_MAX: usize = 1 << 17;

/// The number of a process where the log has none.
pub(super) const NO_PID: u32 = 0;

/// All processes of a log.
#[derive(Debug)]
pub struct Life {
    pub(super) touch: Touch,
    /// The list of faults and the log have times of one clock.
    clocked: bool,
    pub(super) snapshots: Snapshots,
    pub(super) tasks: BTreeMap<u32, Task>,
    /// Address spaces, by number; those that are gone are none.
    mms: Vec<Option<Mm>>,
    /// Numbers of address spaces that are gone.
    free: Vec<usize>,
    /// Lines of processes that are not made yet.
    pub(super) early: BTreeMap<u32, VecDeque<(usize, Event)>>,
    pub(super) early_events: usize,
    /// Lines that waited, of a process that is made now.
    pub(super) ready: VecDeque<(usize, u32, What)>,
    /// Processes that strace says that it attached to: children, or what `-p` named.
    attached: BTreeSet<u32>,
    pub(super) told: Told,
    jobs: Vec<Job>,
}

impl Life {
    /// Before the first line.
    #[must_use]
    pub fn new(touch: Touch, snapshots: Snapshots) -> Self {
        Self {
            touch,
            clocked: false,
            snapshots,
            tasks: BTreeMap::new(),
            mms: Vec::new(),
            free: Vec::new(),
            early: BTreeMap::new(),
            early_events: 0,
            ready: VecDeque::new(),
            attached: BTreeSet::new(),
            told: Told::default(),
            jobs: Vec::new(),
        }
    }

    /// What the log has said so far.
    #[must_use]
    pub const fn told(&self) -> &Told {
        &self.told
    }

    /// What the calls since the last time did to page tables.
    pub const fn jobs(&mut self) -> &mut Vec<Job> {
        &mut self.jobs
    }

    /// How many snapshots no stop of the log has asked for.
    #[must_use]
    pub fn snapshots_left(&self) -> usize {
        self.snapshots.left()
    }

    /// The address space of `pid`, while it lives.
    #[must_use]
    pub fn space(&self, pid: u32) -> Option<&Space> {
        let task = self.tasks.get(&pid)?;
        Some(&self.mms.get(task.mm)?.as_ref()?.space)
    }

    /// The processes and threads that live.
    pub fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.tasks.keys().copied()
    }

    /// Line `line` says `event`.
    pub fn event(&mut self, line: usize, event: &Event, names: &mut Names) {
        if let What::Attached(pid) = event.what {
            self.attached.insert(pid);
            return;
        }
        if event.what == What::Nothing {
            return;
        }
        if let Some(time) = event.time {
            self.faults_before(time);
        }
        if let Some(pid) = self.who(line, event) {
            self.of(line, pid, event.what, names);
        }
        self.catch_up(names);
    }

    /// Pages are touched that the list of faults names before `time`.
    fn faults_before(&mut self, time: u64) {
        let Touch::Faults(faults) = &mut self.touch else { return };
        if !faults.is_timed() {
            return;
        }
        self.clocked = true;
        while let Some(Fault { pid, page, write }) = faults.next_before(time) {
            let mm = self.tasks.get(&pid).and_then(|task| self.mms.get_mut(task.mm));
            if let Some(Some(mm)) = mm {
                mm.fault(page, write);
            }
        }
    }

    /// Does what the lines say that waited.
    fn catch_up(&mut self, names: &mut Names) {
        while let Some((line, pid, what)) = self.ready.pop_front() {
            self.of(line, pid, what, names);
        }
    }

    /// The log ends: lines of processes that nobody made are theirs.
    pub fn end(&mut self, names: &mut Names) {
        while let Some((pid, events)) = self.early.pop_first() {
            if !events.is_empty() {
                self.begin(pid);
            }
            self.early_events -= events.len();
            self.ready.extend(events.into_iter().map(|(line, event)| (line, pid, event.what)));
            self.catch_up(names);
        }
    }

    /// Whose line it is; none where it must wait until the process is made.
    fn who(&mut self, line: usize, event: &Event) -> Option<u32> {
        let Some(pid) = event.pid else {
            // With one process only, standard error has no number.
            let only = self.tasks.keys().next().copied();
            return Some(only.unwrap_or_else(|| self.begin(NO_PID)));
        };
        if self.tasks.contains_key(&pid) {
            return Some(pid);
        }
        // The process that had no number gets it once there is a second one.
        let ends_a_call = matches!(event.what, What::Returned(Call::Clone(_), _));
        let other = !self.attached.is_empty() && !self.attached.contains(&pid);
        let cloning = self.tasks.get(&NO_PID).is_some_and(Task::is_cloning);
        if (ends_a_call || other || !cloning)
            && let Some(mut task) = self.tasks.remove(&NO_PID)
        {
            task.tgid = pid;
            self.mm(task.mm, |mm| mm.pids.insert(pid));
            self.tasks.insert(pid, task);
            return Some(pid);
        }
        if let Some(parent) = self.only_parent() {
            self.child(line, parent, pid);
            // Lines that waited come first.
            if self.ready.is_empty() {
                return Some(pid);
            }
            self.ready.push_back((line, pid, event.what));
            return None;
        }
        if self.tasks.values().any(Task::is_cloning) && self.early_events < EARLY_MAX {
            self.early_events += 1;
            self.early.entry(pid).or_default().push_back((line, *event));
            return None;
        }
        Some(self.begin(pid))
    }

    /// The only task that is about to make a child.
    fn only_parent(&self) -> Option<u32> {
        let mut all = self.tasks.iter().filter(|(_, task)| task.is_cloning());
        let (parent, _) = all.next()?;
        all.next().is_none().then_some(*parent)
    }

    /// A process of which nothing is known.
    fn begin(&mut self, pid: u32) -> u32 {
        let mm = self.add_mm(Mm::new(Space::unknown(), pid));
        self.add_task(pid, Task::new(pid, mm));
        pid
    }

    pub(super) fn add_mm(&mut self, mm: Mm) -> usize {
        self.told.mms += 1;
        match self.free.pop() {
            Some(free) => {
                self.mms[free] = Some(mm);
                free
            }
            None => {
                self.mms.push(Some(mm));
                self.mms.len() - 1
            }
        }
    }

    /// A new task; one that had the number is gone, though the log did not say so.
    pub(super) fn add_task(&mut self, pid: u32, task: Task) {
        self.told.tasks += 1;
        if self.tasks.len() == TASKS_MAX {
            return self.leave(0, pid, "exit", task.mm);
        }
        if let Some(old) = self.tasks.insert(pid, task) {
            self.leave(0, pid, "exit", old.mm);
        }
    }

    pub(super) fn mm<R>(&mut self, mm: usize, f: impl FnOnce(&mut Mm) -> R) -> Option<R> {
        self.mms.get_mut(mm)?.as_mut().map(f)
    }

    /// Calls `f` with address space `mm` and what it acts with.
    pub(super) fn acting<R>(
        &mut self,
        (line, pid, call): (usize, u32, &'static str),
        mm: usize,
        f: impl FnOnce(&mut Mm, &mut Acting<'_>) -> R,
    ) -> Option<R> {
        let mm = self.mms.get_mut(mm)?.as_mut()?;
        let (touch, jobs, cut) = (&self.touch, &mut self.jobs, &mut self.told.cut);
        let clocked = self.clocked;
        mm.space.at_line(line);
        Some(f(mm, &mut Acting { line, pid, call, touch, clocked, jobs, cut }))
    }

    /// A task has address space `mm` no more; the last one takes it along.
    pub(super) fn leave(&mut self, line: usize, pid: u32, call: &'static str, mm: usize) {
        let users = self.mm(mm, |mm| {
            mm.users -= 1;
            mm.users
        });
        if users == Some(0) {
            self.acting((line, pid, call), mm, Mm::exit);
            self.mms[mm] = None;
            self.free.push(mm);
        }
    }
}
