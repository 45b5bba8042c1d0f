//! Who executes, and when.

use lazy_mmu::preempt::PreemptCount;

/// Who executes, and when.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The CPU.
    pub cpu: u8,
    /// The task that runs on it.
    pub task: u8,
    /// The preempt count of that task.
    pub preempt_count: PreemptCount,
    /// The number of the next event of the record; 0 where nobody asks when.
    pub seq: u32,
}

impl Now {
    /// The interrupts that are under way, as the preempt count has them.
    pub(super) const fn interrupts(self) -> u32 {
        self.preempt_count.0 & !PreemptCount::PREEMPT_MASK
    }
}
