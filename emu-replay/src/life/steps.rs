//! What a task does: it calls, forks, begins another program, stops, is gone.

use super::lives::{Life, NO_PID};
use super::mm::Mm;
use super::snapshot::{self, Checkpoint};
use super::task::Task;
use emu_mm::proc::Mapping;

use crate::space::{Act, Differs, Space};
use crate::strace::flags::clone;
use crate::strace::{Call, Names, Returned, What};

impl Life {
    /// Task `pid` did `what`.
    pub(super) fn of(&mut self, line: usize, pid: u32, what: What, names: &mut Names) {
        if what == What::Stopped {
            return self.stopped(line, pid, names);
        }
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        if std::mem::take(&mut task.is_stopped) {
            let tgid = task.tgid;
            self.check(line, tgid, names);
        }
        match what {
            What::Began(call) => self.with_task(pid, |task| {
                (task.began, task.child, task.is_done) = (Some(call), None, false);
            }),
            What::Returned(call, returned) => {
                self.told.tally(&call, returned);
                self.returned(line, pid, &call, returned);
                self.with_task(pid, |task| (task.began, task.child) = (None, None));
            }
            What::Gone => {
                if let Some(task) = self.tasks.remove(&pid) {
                    self.leave(line, pid, "exit", task.mm);
                }
            }
            What::Superseded(by) => {
                if let (Some(old), Some(mut task)) =
                    (self.tasks.remove(&pid), self.tasks.remove(&by))
                {
                    task.tgid = pid;
                    self.tasks.insert(pid, task);
                    self.leave(line, pid, "execve", old.mm);
                }
            }
            What::Other => self.told.other += 1,
            What::Stopped | What::Attached(_) | What::Nothing => {}
        }
    }

    fn with_task(&mut self, pid: u32, f: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(&pid) {
            f(task);
        }
    }

    fn returned(&mut self, line: usize, pid: u32, call: &Call, returned: Returned) {
        let Returned::Value(value) = returned else { return };
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        let (mm, was_done) = (task.mm, std::mem::take(&mut task.is_done));
        task.is_fresh = false;
        match *call {
            Call::Exec => self.exec(line, pid),
            Call::Clone(_) if value == 0 => {}
            Call::Clone(flags) => self.cloned(line, pid, value, flags),
            Call::Exit => {}
            Call::Mmap(_)
            | Call::Munmap(_)
            | Call::Mprotect(..)
            | Call::Mremap(_)
            | Call::Madvise(..)
            | Call::Brk(_)
            | Call::Shmat { .. }
            | Call::Shmdt(_)
            | Call::Mlock(..)
            | Call::Munlock(_)
            | Call::Mlockall(_)
            | Call::Mbind(..)
            | Call::Userfault(..)
            | Call::SetName(..) => {
                if !was_done {
                    self.change(line, pid, mm, call, value);
                }
            }
        }
    }

    /// A call that changes the address space returned `value`.
    fn change(&mut self, line: usize, pid: u32, mm: usize, call: &Call, value: u64) {
        if let Call::Mmap(mmap) = call {
            self.unmap_begun(line, mm, value, mmap.range.len);
        }
        if let Call::Shmat { size: None, .. } = call {
            self.told.unknown_segments += 1;
        }
        let uncounted = |mm: &mut Mm| {
            mm.space.image_is_unknown() && !std::mem::replace(&mut mm.is_counted, true)
        };
        if self.mm(mm, uncounted) == Some(true) {
            self.told.unknown_images += 1;
        }
        let name = call.name();
        let done = self.acting((line, pid, name), mm, |mm, acting| {
            let acts = apply(&mut mm.space, call, value)?;
            mm.act(&acts, acting);
            Ok(())
        });
        if let Some(Err(differs)) = done {
            self.told.differs(line, name, differs);
        }
    }

    /// Another thread has begun to unmap what the kernel gave away again: that is done already.
    fn unmap_begun(&mut self, line: usize, mm: usize, start: u64, len: u64) {
        let end = start.saturating_add(len);
        let begun = |task: &Task| match task.began {
            Some(Call::Munmap(range)) if task.mm == mm && !task.is_done => {
                range.addr < end && start < range.addr.saturating_add(range.len)
            }
            _ => false,
        };
        let pids: Vec<u32> =
            self.tasks.iter().filter(|(_, task)| begun(task)).map(|(pid, _)| *pid).collect();
        for pid in pids {
            let Some(Task { began: Some(call), .. }) = self.tasks.get(&pid).copied() else {
                continue;
            };
            self.change(line, pid, mm, &call, 0);
            self.with_task(pid, |task| task.is_done = true);
        }
    }

    /// `execve()` succeeded: another program, in an address space of its own.
    fn exec(&mut self, line: usize, pid: u32) {
        let Some(task) = self.tasks.get(&pid) else { return };
        let old = task.mm;
        let mm = self.add_mm(Mm::new(Space::unknown(), pid));
        self.with_task(pid, |task| {
            *task = Task::new(task.tgid, mm);
            task.is_fresh = true;
        });
        self.leave(line, pid, "execve", old);
    }

    /// A call made child `value`.
    fn cloned(&mut self, line: usize, pid: u32, value: u64, flags: u64) {
        let Ok(child) = u32::try_from(value) else { return };
        if self.tasks.get(&pid).is_some_and(|task| task.child == Some(child)) {
            return;
        }
        if child == pid {
            return self.told.differs(line, "clone", Differs { why: "a process made itself" });
        }
        self.with_task(pid, |task| task.began = Some(Call::Clone(flags)));
        self.child(line, pid, child);
    }

    /// `parent` makes `child`, whose lines may have come before.
    pub(super) fn child(&mut self, line: usize, parent: u32, child: u32) {
        let Some(task) = self.tasks.get_mut(&parent) else { return };
        let flags = if let Some(Call::Clone(flags)) = task.began { flags } else { 0 };
        task.child = Some(child);
        let (mut mm, tgid) = (task.mm, task.tgid);
        if flags & clone::VM != 0 {
            self.mm(mm, |mm| {
                mm.users += 1;
                mm.pids.insert(child);
            });
        } else {
            let copy =
                self.acting((line, parent, "clone"), mm, |mm, acting| mm.fork(child, acting));
            mm = copy.map_or(mm, |copy| self.add_mm(copy));
        }
        let tgid = if flags & clone::THREAD != 0 { tgid } else { child };
        self.add_task(child, Task::new(tgid, mm));
        let early = self.early.remove(&child).unwrap_or_default();
        self.early_events -= early.len();
        self.ready.extend(early.into_iter().map(|(line, event)| (line, child, event.what)));
    }

    /// A signal stopped task `pid`: behind an `execve()` its maps are those of the program.
    fn stopped(&mut self, line: usize, pid: u32, names: &mut Names) {
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        task.is_stopped = true;
        if pid == NO_PID || !task.is_fresh {
            return;
        }
        (task.is_fresh, task.is_stopped) = (false, false);
        let mm = task.mm;
        if let Some(maps) = self.snapshots.next(pid) {
            self.learn(line, pid, mm, &maps, names);
        }
    }

    /// What a program of which nothing was known has mapped.
    fn learn(&mut self, line: usize, pid: u32, mm: usize, maps: &[Mapping], names: &mut Names) {
        if self.mm(mm, |mm| mm.space.image_is_unknown()) != Some(true) {
            return;
        }
        if self.mm(mm, |mm| mm.is_counted) == Some(true) {
            self.told.unknown_images -= 1;
        }
        self.acting((line, pid, "execve"), mm, |mm, acting| {
            mm.space = Space::of_image(maps, names);
            mm.begin(acting);
        });
    }

    /// A process goes on that was stopped: its mappings are held against those it had then.
    fn check(&mut self, line: usize, tgid: u32, names: &mut Names) {
        for task in self.tasks.values_mut().filter(|task| task.tgid == tgid) {
            task.is_stopped = false;
        }
        let Some(task) = self.tasks.get(&tgid).copied() else { return };
        let Some(maps) = self.snapshots.next(tgid) else { return };
        let unknown = self.mm(task.mm, |mm| mm.space.image_is_unknown());
        if unknown != Some(false) {
            // From now on it is known.
            return self.learn(line, tgid, task.mm, &maps, names);
        }
        let differs = self.mm(task.mm, |mm| snapshot::difference(&mut mm.space, &maps, names));
        let differs = differs.unwrap_or_default();
        let (pid, mappings) = (tgid, maps.len());
        self.told.checkpoints.push(Checkpoint { line, pid, mappings, differs });
    }
}

/// What `call`, which returned `value`, does to the mappings.
fn apply(space: &mut Space, call: &Call, value: u64) -> Result<Vec<Act>, Differs> {
    match *call {
        Call::Mmap(ref mmap) => space.mmap(mmap, value),
        Call::Munmap(range) => space.munmap(range.addr, range.len),
        Call::Mprotect(range, prot) => space.mprotect(range, prot),
        Call::Mremap(ref mremap) => space.mremap(mremap, value),
        Call::Madvise(range, advice) => space.madvise(range, advice),
        Call::Brk(asked) => space.brk(asked, value),
        Call::Shmat { flags, size, .. } => space.shmat(value, size.unwrap_or(1), flags),
        Call::Shmdt(addr) => space.shmdt(addr),
        Call::Mlock(range, on_fault) => space.mlock(range, Some(on_fault)),
        Call::Munlock(range) => space.mlock(range, None),
        Call::Mlockall(flags) => Ok(space.mlockall(flags)),
        Call::Mbind(range, policy) => {
            space.mbind(range, policy);
            Ok(Vec::new())
        }
        Call::Userfault(range, by, wp) => {
            space.userfault(range, by, wp);
            Ok(Vec::new())
        }
        Call::SetName(range, name) => {
            space.set_name(range, name);
            Ok(Vec::new())
        }
        Call::Exec | Call::Clone(_) | Call::Exit => Ok(Vec::new()),
    }
}
