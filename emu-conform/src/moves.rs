//! What a trace says that tasks and CPUs did, and what the kernel was seen to do at each: the form
//! in which the words of an architecture hand an operation to the emulated machine.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use emu_arch::kernel::{PteArgs, Step};

use crate::trace::Task;

/// An effect and the number of the line that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The effect.
    pub(crate) effect: Effect,
    /// The line.
    pub(crate) line: u32,
}

/// Something that the kernel did, or the emulated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    /// The kernel's name.
    pub(crate) name: &'static str,
    /// How many, where it takes a number.
    pub(crate) n: Option<u64>,
}

impl Effect {
    /// An effect without a number.
    #[must_use]
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, n: None }
    }

    /// The same effect on `n`.
    #[must_use]
    pub(crate) const fn of(self, n: u64) -> Self {
        Self { n: Some(n), ..self }
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.n {
            None => f.write_str(self.name),
            Some(n) => write!(f, "{}({n})", self.name),
        }
    }
}

/// The kernel has died.
pub(crate) const BUG: Effect = Effect::new("BUG_ON()");

/// A counter of `struct lazy_mmu_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    /// `enable_count`
    Enable,
    /// `pause_count`
    Pause,
}

impl Counter {
    /// The name of the field.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Enable => "enable_count",
            Self::Pause => "pause_count",
        }
    }
}

/// A store to a counter of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    /// The task.
    pub(crate) task: Task,
    /// The counter.
    pub(crate) counter: Counter,
    /// What was stored.
    pub(crate) value: u8,
}

/// What a task or a CPU did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A call of the API, a primitive, or a change of the task's context.
    Step(Step),
    /// The same, left before the point of that name: the task was switched out there.
    Until(Step, &'static str),
    /// The call that was left goes on to its end.
    Rest,
    /// The CPU switches to that task.
    Switch(Task),
    /// A page is mapped: `true`, and was used, as far as the machine does not have it so already.
    Map(PteArgs, bool),
    /// The number is that of another address space from now on.
    Forget(u8),
}

/// How a move is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// What the emulated machine does is what was seen.
    Exactly,
    /// The trace ends before the call does: what was seen is a beginning.
    Beginning,
    /// Not at all: it only makes the machine what it was.
    Not,
}

/// One thing that a task or a CPU did.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// The number of its line in the trace.
    pub(crate) line: u32,
    /// The CPU.
    pub(crate) cpu: u16,
    /// The task.
    pub(crate) task: Task,
    /// What it did.
    pub(crate) act: Act,
    /// What the kernel did then.
    pub(crate) seen: Vec<Seen>,
    /// What it stored to counters then.
    pub(crate) stores: Vec<Store>,
    /// How it is compared.
    pub(crate) compared: Compared,
}

impl Move {
    /// The trace ends in the move.
    pub(crate) fn cut(&mut self) {
        if self.compared == Compared::Exactly {
            self.compared = Compared::Beginning;
        }
    }
}

/// The counters of a task as it is first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// `enable_count`
    pub(crate) enable: u8,
    /// `pause_count`
    pub(crate) pause: u8,
}

/// How often what happened, in order of names.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

/// An operation as moves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reduced {
    /// What happened, in order.
    pub(crate) moves: Vec<Move>,
    /// The counters with which tasks begin, where the trace says so.
    pub(crate) born: BTreeMap<Task, Counters>,
    /// What was left out, and how often.
    pub(crate) left: Tally,
    /// What was assumed, and how often.
    pub(crate) assumed: Tally,
    /// What else is worth counting.
    pub(crate) counted: Tally,
    /// From which line on all of it is left out, and why, if so.
    pub(crate) whole: Option<(u32, String)>,
    /// What contradicts itself in the trace, with the line.
    pub(crate) broken: Option<(u32, String)>,
    /// Which counters the trace shows the stores of.
    pub(crate) shows: Vec<Counter>,
}

impl Reduced {
    /// Appends a move and returns its index.
    pub(crate) fn push(&mut self, line: u32, cpu: u16, task: Task, act: Act) -> usize {
        let (seen, stores, compared) = (Vec::new(), Vec::new(), Compared::Exactly);
        self.moves.push(Move { line, cpu, task, act, seen, stores, compared });
        self.moves.len() - 1
    }

    /// The kernel did `effect` at the move `index`, as `line` shows.
    pub(crate) fn see(&mut self, index: usize, line: u32, effect: Effect) {
        self.moves[index].seen.push(Seen { effect, line });
    }

    /// Appends a move that is not compared.
    pub(crate) fn prepare(&mut self, line: u32, cpu: u16, task: Task, act: Act) -> usize {
        let index = self.push(line, cpu, task, act);
        self.moves[index].compared = Compared::Not;
        index
    }

    /// Notes a contradiction of the trace with itself; the first line counts.
    pub(crate) fn breaks(&mut self, line: u32, what: impl FnOnce() -> String) {
        if self.broken.as_ref().is_none_or(|(first, _)| line < *first) {
            self.broken = Some((line, what()));
        }
    }

    /// Leaves out all from `line` on; the first line counts.
    pub(crate) fn leave_out_from(&mut self, line: u32, why: &str) {
        if self.whole.as_ref().is_none_or(|(first, _)| line < *first) {
            self.whole = Some((line, why.to_owned()));
        }
    }

    /// Counts something that is left out.
    pub(crate) fn leave_out(&mut self, what: &'static str) {
        *self.left.entry(what).or_default() += 1;
    }

    /// Counts something that is assumed.
    pub(crate) fn assume(&mut self, what: &'static str) {
        *self.assumed.entry(what).or_default() += 1;
    }

    /// Counts something.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }
}
