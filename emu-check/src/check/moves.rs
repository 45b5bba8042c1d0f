//! A move from one state to another, and its verdicts.

use super::property::{Marks, Property};

/// A move from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// The task on the CPU begins the step of that number.
    Begin { cpu: u8, op: u16 },
    /// The task on the CPU goes on with its step.
    GoOn { cpu: u8 },
    /// An interrupt begins on top of the task.
    Interrupt { cpu: u8 },
    /// The interrupt returns.
    Return { cpu: u8 },
    /// An interrupt from its beginning to its end, with the handler of that number.
    Handled { cpu: u8, handler: u32 },
    /// The CPU goes to the task of that number.
    Switch { cpu: u8, to: u8 },
    /// The task on the CPU is left: half of a switch.
    Leave,
    /// The task on the CPU forks the last one.
    Fork { cpu: u8 },
}

impl Move {
    /// The CPU that makes the move.
    pub(super) fn cpu(self) -> Option<u8> {
        match self {
            Self::Begin { cpu, .. }
            | Self::GoOn { cpu }
            | Self::Interrupt { cpu }
            | Self::Return { cpu }
            | Self::Handled { cpu, .. }
            | Self::Switch { cpu, .. }
            | Self::Fork { cpu } => Some(cpu),
            Self::Leave => None,
        }
    }

    /// The move on `cpu`.
    pub(super) fn on(self, cpu: usize) -> Self {
        let cpu = cpu as u8;
        match self {
            Self::Begin { op, .. } => Self::Begin { cpu, op },
            Self::GoOn { .. } => Self::GoOn { cpu },
            Self::Interrupt { .. } => Self::Interrupt { cpu },
            Self::Return { .. } => Self::Return { cpu },
            Self::Handled { handler, .. } => Self::Handled { cpu, handler },
            Self::Leave | Self::Switch { .. } | Self::Fork { .. } => self,
        }
    }
}

/// What a transition violates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Verdicts {
    /// What does not hold, each with the condition of a check where one found it.
    pub(super) broken: Vec<(Property, &'static str)>,
    /// Nothing goes on.
    pub(super) fatal: bool,
}

/// A move of one task: the numbers of what it leaves behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalMove {
    pub(super) mv: Move,
    pub(super) task: u32,
    pub(super) per_cpu: u32,
    pub(super) memory: u32,
    /// The number of its verdicts; 0 is none.
    pub(super) verdicts: u32,
    /// Nothing follows it.
    pub(super) fatal: bool,
    pub(super) sometimes: Marks,
}

impl LocalMove {
    pub(super) fn found(self) -> Found {
        let Self { mv, verdicts, fatal, sometimes, .. } = self;
        let costs = matches!(mv, Move::Interrupt { .. } | Move::Handled { .. } | Move::Leave);
        let cost = u16::from(costs);
        Found { verdicts: [verdicts, 0], fatal, sometimes, cost }
    }
}

/// What a move found, and what it costs a reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The numbers of its verdicts; 0 is none.
    pub(super) verdicts: [u32; 2],
    /// Nothing follows it.
    pub(super) fatal: bool,
    pub(super) sometimes: Marks,
    /// The number of switches and interrupts.
    pub(super) cost: u16,
}

impl Found {
    pub(super) fn and(&mut self, other: Self) {
        self.verdicts[1] = other.verdicts[0];
        self.fatal |= other.fatal;
        self.sometimes |= other.sometimes;
    }
}
