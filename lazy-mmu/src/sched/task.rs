//! The task as a value: what of `task_struct` the lab keeps.

use crate::design::{Role, StateBits, Token};
use crate::preempt::PreemptCount;

/// What of `task_struct` matters to the lazy MMU mode.
///
/// Fidelity: changed: the four parts of include/linux/sched.h v7.0 that the mode uses, a number
/// that records show, and what is open, which no kernel keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TaskStruct {
    /// Number of the task in records, 0 to 255.
    pub pid: u8,
    /// The design's state.
    pub lazy_mmu_state: StateBits,
    /// Nesting of preempt-off and interrupts.
    pub preempt_count: PreemptCount,
    /// The thread flags; what a bit means is the architecture's business.
    pub flags: u64,
    /// What enables have returned to callers that use the raw calls and keep no local variable.
    pub tokens: Tokens,
    /// What its callers have begun and not ended, whatever the design makes of it: kept by an
    /// emulated machine, for its hazards.
    pub open: Brackets,
}

/// How many sections and pauses are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Brackets {
    sections: u32,
    pauses: u32,
}

impl Brackets {
    /// A task without any.
    pub(super) const NONE: Self = Self { sections: 0, pauses: 0 };

    /// A call of the role was made; tells whether it was one that closes and left nothing open. One
    /// that closes what is not open closes nothing.
    pub fn took(&mut self, role: Role) -> bool {
        match role {
            Role::OpensSection => self.sections = self.sections.saturating_add(1),
            Role::ClosesSection => self.sections = self.sections.saturating_sub(1),
            Role::OpensPause => self.pauses = self.pauses.saturating_add(1),
            Role::ClosesPause => self.pauses = self.pauses.saturating_sub(1),
            Role::Neither => {}
        }
        role.closes() && *self == Self::NONE
    }
}

/// The local variables of callers that use the raw calls: a stack of tokens, 256 deep.
///
/// Fidelity: changed: in v1 and v2 of the series each caller had a variable of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    nested: [u64; 4],
    len: u16,
}

impl Tokens {
    const MAX: u16 = 4 * u64::BITS as u16;
    /// No enable has returned one.
    pub(super) const NONE: Self = Self { nested: [0; 4], len: 0 };

    /// Keeps what an enable returned; the oldest levels are kept where there are too many.
    pub fn push(&mut self, token: Token) {
        if self.len < Self::MAX {
            let (word, bit) = (usize::from(self.len / 64), self.len % 64);
            self.nested[word] &= !(1 << bit);
            self.nested[word] |= u64::from(token.0 & 1) << bit;
        }
        self.len = self.len.saturating_add(1);
    }

    /// Takes what the innermost enable returned; `LAZY_MMU_DEFAULT` where there was none.
    pub fn pop(&mut self) -> Token {
        let Some(len) = self.len.checked_sub(1) else { return Token::DEFAULT };
        self.len = len;
        if len >= Self::MAX {
            return Token::NESTED;
        }
        let (word, bit) = (usize::from(len / 64), len % 64);
        let token = Token((self.nested[word] >> bit & 1) as u8);
        self.nested[word] &= !(1 << bit);
        token
    }
}
