//! Random numbers to a correct program, as the text of a scenario.
//!
//! A program is made op by op. What the contract does not allow at that point is left out, so that
//! any list of ops makes a correct program and a shorter list makes a shorter one; what is still
//! open in the end is closed. All rules are those of a task that knows nothing of the architecture
//! beyond [`Rules`].

use std::fmt::Write;

use super::pages::{Area, Pages, TASKS};
use super::rules::Rules;

/// One random op; what each number means depends on `kind`.
pub(super) type Op = (u8, u8, u8, u8, u16, u8);

/// What a task has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Section,
    Pause,
    Lock,
}

/// A task.
#[derive(Clone, Debug, Default)]
pub(super) struct Task {
    pub(super) frames: Vec<Frame>,
    pub(super) alive: bool,
    /// The area that it works on mostly: that of its latest section.
    pub(super) area: u8,
    /// It is held up inside of a call of its own, before the hook.
    pub(super) inside: bool,
}

impl Task {
    pub(super) fn count(&self, frame: Frame) -> usize {
        self.frames.iter().filter(|open| **open == frame).count()
    }

    /// Whether its updates may be put off.
    pub(super) fn active(&self) -> bool {
        self.count(Frame::Section) > 0 && self.count(Frame::Pause) == 0
    }

    /// Whether it may be switched out.
    pub(super) fn preemptible(&self, rules: Rules) -> bool {
        // Each enter of the architecture has preemption off, each leave on, until the calls count.
        let held = match rules.counts {
            true => self.active(),
            false => self.count(Frame::Section) > self.count(Frame::Pause),
        };
        self.count(Frame::Lock) == 0 && !(rules.holds_cpu && held)
    }
}

/// A program while it is made.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) rules: Rules,
    pub(super) text: String,
    pub(super) pages: Pages,
    pub(super) tasks: [Task; TASKS as usize],
    /// The task that runs on each CPU.
    pub(super) running: [Option<u8>; 2],
    /// Who executed the last line, and where.
    last: (u8, u8),
    /// The text is inside of a block that falls into a call.
    pub(super) in_block: bool,
    pub(super) forked: bool,
}

/// The program that `ops` make.
pub(super) fn program(rules: Rules, ops: &[Op]) -> String {
    let alive = |task| Task { alive: task < 2, ..Task::default() };
    let mut program = Program {
        rules,
        text: String::new(),
        pages: Pages::new(),
        tasks: std::array::from_fn(alive),
        running: [Some(0), Some(1)],
        last: (0, 0),
        in_block: false,
        forked: false,
    };
    let mut ops = ops.iter().copied();
    while let Some(op) = ops.next() {
        program.op(op, &mut ops);
    }
    program.end();
    let (arch, kernel) = (rules.arch.id(), rules.kernel.id());
    let mut head = format!(
        "what: a random program that is correct\nfrom: tests/it/random\ngood: {arch} {kernel}\n---\n"
    );
    for area in Area::all().filter(|area| program.pages.used().any(|(used, _)| used == *area)) {
        let _ = writeln!(head, "map {}{}", area.args(area.first, area.mapped), area.psize);
    }
    head + &program.warm() + &program.text
}

impl Program {
    fn op(&mut self, (task, cpu, kind, area, page, nr): Op, more: &mut dyn Iterator<Item = Op>) {
        // Mostly whoever was the last to do something goes on where it is; inside of a call,
        // another task there.
        let (task, cpu) = match cpu {
            0 | 1 => (task % TASKS, cpu),
            _ if self.in_block => (task % TASKS, self.last.1),
            _ => self.last,
        };
        if !self.can_run(task, cpu) {
            return;
        }
        match kind {
            0..=3 => {
                self.tasks[usize::from(task)].area = area;
                let line = self.enable(task, area, page, nr);
                self.begin((task, cpu), Frame::Section, &line, area, more);
            }
            4 => self.begin((task, cpu), Frame::Pause, "pause", area, more),
            5..=8 => self.close(task, cpu, area, more),
            9 => {
                let line = format!("spin_lock {:#x}", locked(task).base);
                self.begin((task, cpu), Frame::Lock, &line, area, more);
            }
            10 => self.interrupt(task, cpu, area, page),
            11 => self.sleep(task, cpu, nr),
            12 => self.fork_or_exit(task, cpu),
            13 => self.upper_level(task, cpu, area, page),
            _ => {
                let mostly = self.tasks[usize::from(task)].area;
                let area = if area.is_multiple_of(4) { area / 4 } else { mostly };
                self.primitive(task, cpu, (kind - 14) % 20, area, page, nr);
            }
        }
    }

    /// Whether `task` may run on `cpu` now: it and whoever runs there may be switched out, if need
    /// be.
    fn can_run(&self, task: u8, cpu: u8) -> bool {
        let at = |task: u8| &self.tasks[usize::from(task)];
        if !at(task).alive || at(task).inside {
            return false;
        }
        let here = self.running[usize::from(cpu)];
        let elsewhere = self.running.contains(&Some(task));
        let leaves = |task: u8| at(task).preemptible(self.rules);
        here == Some(task) || here.is_none_or(leaves) && (!elsewhere || leaves(task))
    }

    /// The begin of a line that `task` executes on `cpu`, where it runs from now on.
    fn at(&mut self, task: u8, cpu: u8) -> String {
        for running in &mut self.running {
            *running = running.filter(|running| *running != task);
        }
        self.running[usize::from(cpu)] = Some(task);
        self.last = (task, cpu);
        let indent = if self.in_block { "    " } else { "" };
        format!("{indent}{}@cpu{cpu}: ", char::from(b'A' + task))
    }

    /// Writes a line that `task` executes on `cpu`.
    pub(super) fn line(&mut self, task: u8, cpu: u8, line: &str) {
        let at = self.at(task, cpu);
        let _ = writeln!(self.text, "{at}{line}");
    }

    /// Writes a call with what falls into it, if `inside` says that something does.
    fn call(
        &mut self,
        (task, cpu): (u8, u8),
        line: &str,
        point: Option<&str>,
        inside: u8,
        more: &mut dyn Iterator<Item = Op>,
    ) {
        let Some(point) = point.filter(|_| inside > 5 && self.rules.counts && !self.in_block)
        else {
            return self.line(task, cpu, line);
        };
        let at = self.at(task, cpu);
        let point = if inside.is_multiple_of(2) { "store" } else { point };
        let _ = writeln!(self.text, "{at}{line} before {point} {{");
        self.in_block = true;
        self.tasks[usize::from(task)].inside = true;
        if inside > 7 {
            more.take(3).for_each(|op| self.op(op, &mut std::iter::empty()));
        } else {
            self.handler(cpu, u16::from(inside));
        }
        self.make_way(task, cpu);
        self.running[usize::from(cpu)] = Some(task);
        self.tasks[usize::from(task)].inside = false;
        self.in_block = false;
        self.text.push_str("}\n");
    }

    /// Has whoever runs on `cpu` in the place of `task` end what keeps it there.
    fn make_way(&mut self, task: u8, cpu: u8) {
        while let Some(other) = self.running[usize::from(cpu)].filter(|other| *other != task) {
            if self.tasks[usize::from(other)].preemptible(self.rules) {
                return;
            }
            self.close(other, cpu, 0, &mut std::iter::empty());
        }
    }

    /// An enable, with a hint or without.
    fn enable(&self, task: u8, area: u8, page: u16, nr: u8) -> String {
        let hinted = Area::of(task, area);
        let first = page % hinted.pages;
        match nr {
            0 | 1 => "enable".to_owned(),
            2 => format!("enable_with_ptes {}", hinted.args(first, hinted.pages - first)),
            _ => format!("enable_with_ptes {}", hinted.args(0, hinted.pages)),
        }
    }

    /// Begins a section, a pause or a lock by `line`, where that is allowed.
    fn begin(
        &mut self,
        (task, cpu): (u8, u8),
        frame: Frame,
        line: &str,
        inside: u8,
        more: &mut dyn Iterator<Item = Op>,
    ) {
        /// The deepest nesting.
        const FRAMES_MAX: usize = 6;
        let (this, rules) = (&self.tasks[usize::from(task)], self.rules);
        let (sections, pauses) = (this.count(Frame::Section), this.count(Frame::Pause));
        // Before the counters a pause is a leave, and stands for nothing else.
        let allowed = match frame {
            Frame::Section => (rules.nests || sections == 0) && (rules.counts || pauses == 0),
            Frame::Pause if sections > 1 && !rules.pauses_nested => false,
            Frame::Pause => rules.counts || sections > 0 && pauses == 0,
            Frame::Lock => !this.active() && this.count(Frame::Lock) == 0,
        };
        if !allowed || this.frames.len() >= FRAMES_MAX {
            return;
        }
        let point = match frame {
            Frame::Section if pauses > 0 => None,
            // With a hint the hook may be another one.
            Frame::Section if sections == 0 && line == "enable" => Some("arch_enter"),
            Frame::Pause if pauses == 0 && sections > 0 => Some("arch_leave"),
            Frame::Section | Frame::Pause => Some("store"),
            Frame::Lock => None,
        };
        self.call((task, cpu), line, point, inside, more);
        if frame == Frame::Pause {
            self.pages.settle(task);
        }
        self.tasks[usize::from(task)].frames.push(frame);
    }

    /// Ends what `task` has begun last.
    pub(super) fn close(
        &mut self,
        task: u8,
        cpu: u8,
        inside: u8,
        more: &mut dyn Iterator<Item = Op>,
    ) {
        let this = &self.tasks[usize::from(task)];
        let Some(frame) = this.frames.last().copied() else { return };
        let (sections, pauses) = (this.count(Frame::Section), this.count(Frame::Pause));
        match frame {
            Frame::Section => {
                let point = if sections == 1 { "arch_leave" } else { "arch_flush" };
                let point = (pauses == 0).then_some(point);
                self.call((task, cpu), "disable", point, inside, more);
                self.pages.settle(task);
            }
            Frame::Pause => {
                let acts = pauses == 1 && sections > 0;
                let point = if acts { "arch_enter" } else { "store" };
                self.call((task, cpu), "resume", Some(point), inside, more);
            }
            Frame::Lock => {
                self.flush_stale(task, cpu, locked(task));
                self.line(task, cpu, &format!("spin_unlock {:#x}", locked(task).base));
            }
        }
        self.tasks[usize::from(task)].frames.pop();
    }

    /// What a task may only do where it may sleep.
    fn sleep(&mut self, task: u8, cpu: u8, how: u8) {
        let this = &self.tasks[usize::from(task)];
        if this.active() || !this.preemptible(self.rules) {
            return;
        }
        if how.is_multiple_of(2) || self.in_block {
            return self.line(task, cpu, "might_sleep");
        }
        self.line(task, cpu, "schedule");
        self.running[usize::from(cpu)] = None;
    }

    /// A makes C, and C ends.
    fn fork_or_exit(&mut self, task: u8, cpu: u8) {
        if self.in_block || !self.tasks[usize::from(task)].frames.is_empty() {
            return;
        }
        if task == 0 && !self.forked && self.rules.forks {
            self.line(task, cpu, "fork C");
            (self.forked, self.tasks[2].alive) = (true, true);
        } else if task == 2 {
            self.line(task, cpu, "exit");
            self.tasks[2].alive = false;
        }
    }

    /// Lines that have each CPU touch every page that is mapped when the program begins and used in
    /// it, so that it has a translation that an update must end.
    fn warm(&self) -> String {
        let mapped = |(area, page): &(Area, u16)| area.maps(*page);
        let read =
            |at: &str, (area, page): (Area, u16)| format!("{at}: read {}\n", area.args(page, 1));
        let on = |at: &'static str| {
            self.pages.used().filter(mapped).map(move |place| read(at, place)).collect::<String>()
        };
        on("A@cpu0") + &on("B@cpu1")
    }

    /// Ends all tasks, flushes the TLBs, and has each CPU look at every page that was used.
    fn end(&mut self) {
        for task in 0..TASKS {
            // A task that cannot be switched out ends where it is.
            let runs_on = self.running.iter().position(|running| *running == Some(task));
            let cpu = runs_on.unwrap_or(0) as u8;
            while !self.tasks[usize::from(task)].frames.is_empty() {
                self.make_way(task, cpu);
                self.close(task, cpu, 0, &mut std::iter::empty());
            }
        }
        let used: Vec<_> = self.pages.used().collect();
        for area in Area::all().filter(|area| used.iter().any(|(used, _)| used == area)) {
            self.line(0, 0, &format!("flush_tlb_range {}", area.args(0, area.pages)));
        }
        for (task, cpu) in [(0, 0), (1, 1)] {
            for (area, page) in &used {
                self.line(task, cpu, &format!("raw_read {}", area.args(*page, 1)));
                self.line(task, cpu, &format!("read {}", area.args(*page, 1)));
            }
            self.line(task, cpu, "exit");
        }
        self.text.push_str("expect none\n");
    }
}

/// The area whose page table lock `task` takes: of a user table of A, which has address space 1,
/// and of the kernel tables of the others.
const fn locked(task: u8) -> Area {
    Area::of(task, if task == 0 { 0 } else { super::pages::AREAS - 1 })
}
