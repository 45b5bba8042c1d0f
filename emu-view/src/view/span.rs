//! Spans of a record: what is open over a time, and whose it is.

use std::collections::BTreeMap;

use lazy_mmu::design::{Design, Role};
use lazy_mmu::trace::{Event, Recorded};

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// From enable to disable.
    Section,
    /// From pause to resume.
    Pause,
    /// A hardirq, a softirq or an NMI.
    Interrupt,
    /// Preemption or bottom halves are off by the task's own call.
    Atomic,
    /// A call, a primitive, a change of context, a switch: a line of the tree.
    Step,
}

impl Kind {
    /// The name that views print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::Pause => "pause",
            Self::Interrupt => "interrupt",
            Self::Atomic => "preemption off",
            Self::Step => "step",
        }
    }

    /// What the call or change of context `event` opens and closes under `design`.
    pub(super) fn of(design: Design, event: &Event<'_>) -> (Option<Self>, Option<Self>) {
        match event {
            Event::Call(call) => match design.role(*call) {
                Role::OpensSection => (Some(Self::Section), None),
                Role::ClosesSection => (None, Some(Self::Section)),
                Role::OpensPause => (Some(Self::Pause), None),
                Role::ClosesPause => (None, Some(Self::Pause)),
                Role::Neither => (None, None),
            },
            Event::Context { name, by_arch: false, .. } => {
                let irq = ["hardirq", "softirq", "nmi"].iter().any(|kind| name.contains(kind));
                let kind = Some(if irq { Self::Interrupt } else { Self::Atomic });
                let opens = name.ends_with("_enter") || name.ends_with("_disable");
                let closes = name.ends_with("_exit") || name.ends_with("_enable");
                (kind.filter(|_| opens), kind.filter(|_| closes))
            }
            Event::Context { by_arch: true, .. }
            | Event::Section(_)
            | Event::Store(_)
            | Event::Hook(_)
            | Event::Effect { .. }
            | Event::Pte(_)
            | Event::Warn { .. }
            | Event::Return { .. }
            | Event::Switch { .. }
            | Event::Away
            | Event::Back
            | Event::Hazard { .. }
            | Event::Note(_)
            | Event::Pending { .. }
            | Event::End { .. } => (None, None),
        }
    }
}

/// What an event begins and ends, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The newest open span of the task ends.
    End {
        /// The task.
        task: u8,
        /// What ends.
        kind: Kind,
    },
    /// A span of the event's task begins inside of what is open.
    Begin(Kind),
    /// The step that something fell into goes on.
    GoesOn,
}

/// An open span of a task.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: Kind,
    /// A step inside which something else happens.
    away: bool,
    /// The bracket that ends with the step.
    closes: Option<Kind>,
}

/// Follows the events of a record and tells what begins and ends.
#[derive(Clone, Debug)]
pub struct Spans {
    design: Design,
    open: BTreeMap<u8, Vec<Open>>,
    last: Option<(u8, u8)>,
}

impl Spans {
    /// At the beginning of a record that was seen under `design`.
    #[must_use]
    pub const fn new(design: Design) -> Self {
        Self { design, open: BTreeMap::new(), last: None }
    }

    /// How many spans of `task` are open.
    #[must_use]
    pub fn depth(&self, task: u8) -> usize {
        self.open.get(&task).map_or(0, Vec::len)
    }

    /// Goes behind the event and gives its marks to `to`.
    pub fn event(&mut self, seen: &Recorded<'_>, mut to: impl FnMut(Mark)) {
        let task = seen.task;
        if let Some((cpu, last)) = self.last.replace((seen.cpu, task))
            && cpu == seen.cpu
            && last != task
        {
            // The CPU has gone to another task, and so the switch is over.
            self.end_step(last, &mut to);
        }
        if begins_step(&seen.event) {
            self.end_step(task, &mut to);
            let (opens, closes) = Kind::of(self.design, &seen.event);
            if let Some(kind) = opens {
                self.begin(task, kind, None, &mut to);
            }
            self.begin(task, Kind::Step, closes, &mut to);
        } else if seen.event == Event::Away {
            let top = self.open.get_mut(&task).and_then(|open| open.last_mut());
            top.into_iter().for_each(|top| top.away = true);
        } else if seen.event == Event::Back {
            self.end_step(task, &mut to);
            let open = self.open.entry(task).or_default();
            // Brackets that are open in what fell in would be a fault of whoever made the record.
            if let Some(top) = open.last_mut().filter(|top| top.kind == Kind::Step) {
                top.away = false;
                to(Mark::GoesOn);
            }
        } else if matches!(seen.event, Event::Pending { .. } | Event::End { .. } | Event::Note(_)) {
            self.end_step(task, &mut to);
        }
    }

    /// Ends all that is open, at the end of the record.
    pub fn end(&mut self, mut to: impl FnMut(Mark)) {
        for (task, open) in std::mem::take(&mut self.open) {
            open.iter().rev().for_each(|one| to(Mark::End { task, kind: one.kind }));
        }
    }

    fn begin(&mut self, task: u8, kind: Kind, closes: Option<Kind>, to: &mut impl FnMut(Mark)) {
        self.open.entry(task).or_default().push(Open { kind, away: false, closes });
        to(Mark::Begin(kind));
    }

    /// Ends the step of `task`, unless something fell into it, and the bracket that it closes.
    fn end_step(&mut self, task: u8, to: &mut impl FnMut(Mark)) {
        let open = self.open.entry(task).or_default();
        let step = open.pop_if(|top| top.kind == Kind::Step && !top.away);
        let Some(step) = step else { return };
        to(Mark::End { task, kind: Kind::Step });
        let Some(kind) = step.closes else { return };
        // The innermost of its kind; where brackets cross, what is inside of it stays open.
        let inside = open.iter().rposition(|one| one.kind == Kind::Step).map_or(0, |at| at + 1);
        if let Some(at) = open[inside..].iter().rposition(|one| one.kind == kind) {
            open.remove(inside + at);
            to(Mark::End { task, kind });
        }
    }
}

/// Tells whether a line of the tree begins with the event.
#[must_use]
pub const fn begins_step(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Call(_)
            | Event::Pte(_)
            | Event::Switch { .. }
            | Event::Context { by_arch: false, .. }
    )
}
