//! The preempt count of a task as a plain value.
//!
//! Models the bit fields of include/linux/preempt.h (v7.0) and the test `in_interrupt()` that the
//! generic layer bails out on. Pure: nothing here knows of threads or of a current task.

/// `preempt_count` of one task: nesting of preempt-off, softirq, hardirq and NMI, in the kernel's
/// bit fields. Written by the functions of [`crate::sched`].
///
/// Fidelity: same as include/linux/preempt.h v7.0 (`PREEMPT_BITS` 8, `SOFTIRQ_BITS` 8,
/// `HARDIRQ_BITS` 4, `NMI_BITS` 4); the need-resched bit is left out, and `NMI_OFFSET` is what
/// `__nmi_enter()` adds, the kernel's `NMI_OFFSET` and `HARDIRQ_OFFSET` in one.
///
/// ```
/// use lazy_mmu::preempt::PreemptCount;
/// let mut count = PreemptCount::default();
/// count.add(PreemptCount::HARDIRQ_OFFSET);
/// assert!(count.in_interrupt());
/// count.sub(PreemptCount::HARDIRQ_OFFSET);
/// count.add(PreemptCount::PREEMPT_OFFSET);
/// assert!(!count.in_interrupt() && count.preempt_depth() == 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PreemptCount(pub u32);

impl PreemptCount {
    /// One level of `preempt_disable()`.
    pub const PREEMPT_OFFSET: u32 = 1;
    /// One level of softirq processing.
    pub const SOFTIRQ_OFFSET: u32 = 1 << 8;
    /// One level of `local_bh_disable()`: twice the softirq offset, so that serving a softirq
    /// and having bottom halves off can be told apart.
    pub const SOFTIRQ_DISABLE_OFFSET: u32 = 2 * Self::SOFTIRQ_OFFSET;
    /// One level of hard interrupt.
    pub const HARDIRQ_OFFSET: u32 = 1 << 16;
    /// One level of non-maskable interrupt, which counts as a hard interrupt too.
    pub const NMI_OFFSET: u32 = (1 << 20) + Self::HARDIRQ_OFFSET;
    /// The preempt-off field.
    pub const PREEMPT_MASK: u32 = 0xff;
    /// The softirq field.
    pub const SOFTIRQ_MASK: u32 = 0xff << 8;
    /// The hardirq field.
    pub const HARDIRQ_MASK: u32 = 0xf << 16;
    /// The NMI field.
    pub const NMI_MASK: u32 = 0xf << 20;
    /// The fields that make `in_interrupt()` true.
    pub const INTERRUPT_MASK: u32 = Self::SOFTIRQ_MASK | Self::HARDIRQ_MASK | Self::NMI_MASK;

    /// Tells whether the task is in interrupt context or has bottom halves disabled.
    ///
    /// True in a hard interrupt, a softirq, an NMI and under `local_bh_disable()`; interrupts off
    /// or preemption off alone do not count.
    #[inline]
    #[must_use]
    pub const fn in_interrupt(self) -> bool {
        self.0 & Self::INTERRUPT_MASK != 0
    }

    /// Tells how deep `preempt_disable()` is nested, 0 to 255.
    #[must_use]
    pub const fn preempt_depth(self) -> u8 {
        (self.0 & Self::PREEMPT_MASK) as u8
    }

    /// Tells whether the task may be switched out.
    #[must_use]
    pub const fn preemptible(self) -> bool {
        self.0 == 0
    }

    /// Adds `offset` and tells whether it fitted; a count with a full field stays as it is.
    pub const fn add(&mut self, offset: u32) -> bool {
        let fits = self.each_field(offset, true);
        if fits {
            self.0 += offset;
        }
        fits
    }

    /// Takes `offset` off and tells whether it was there; a count with an empty field stays as it
    /// is.
    pub const fn sub(&mut self, offset: u32) -> bool {
        let there = self.each_field(offset, false);
        if there {
            self.0 -= offset;
        }
        there
    }

    /// Tells whether `offset` can be added to every field, or taken from every field.
    const fn each_field(self, offset: u32, add: bool) -> bool {
        let masks = [Self::PREEMPT_MASK, Self::SOFTIRQ_MASK, Self::HARDIRQ_MASK, Self::NMI_MASK];
        let mut at = 0;
        while at < masks.len() {
            let (have, change) = (self.0 & masks[at], offset & masks[at]);
            if if add { have + change > masks[at] } else { have < change } {
                return false;
            }
            at += 1;
        }
        true
    }
}

/// Tells whether `one` is the lowest bit of the field `mask`.
const fn counts(one: u32, mask: u32) -> bool {
    one == 1 << mask.trailing_zeros()
}

const _: () = {
    use PreemptCount as Count;
    assert!(counts(Count::PREEMPT_OFFSET, Count::PREEMPT_MASK));
    assert!(counts(Count::SOFTIRQ_OFFSET, Count::SOFTIRQ_MASK));
    assert!(counts(Count::HARDIRQ_OFFSET, Count::HARDIRQ_MASK));
    assert!(counts(Count::NMI_OFFSET - Count::HARDIRQ_OFFSET, Count::NMI_MASK));
    let fields = [Count::PREEMPT_MASK, Count::SOFTIRQ_MASK, Count::HARDIRQ_MASK, Count::NMI_MASK];
    assert!(
        fields[0] ^ fields[1] ^ fields[2] ^ fields[3] == (1 << (Count::NMI_MASK.ilog2() + 1)) - 1,
        "the fields lie side by side"
    );
};

/// Shows the depth alone in task context, and all fields in hexadecimal otherwise.
impl std::fmt::Display for PreemptCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.in_interrupt() { write!(f, "{:#x}", self.0) } else { write!(f, "{}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::PreemptCount;

    #[test]
    fn fields_do_not_spill_into_each_other() {
        let mut count = PreemptCount(PreemptCount::PREEMPT_MASK);
        assert!(!count.add(PreemptCount::PREEMPT_OFFSET));
        assert_eq!(count.0, 0xff);
        assert!(!count.sub(PreemptCount::SOFTIRQ_DISABLE_OFFSET));
        assert!(count.add(PreemptCount::SOFTIRQ_OFFSET));
        assert!(!count.sub(PreemptCount::SOFTIRQ_DISABLE_OFFSET), "one softirq is not a bh-off");
        assert!(count.in_interrupt());
    }
}
