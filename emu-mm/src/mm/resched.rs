//! When the scheduler wants the CPU back: `need_resched()` as a parameter.
//!
//! Models the test and the yield of include/linux/sched.h (v7.0). The emulated kernel has no clock,
//! so the flag is set after a number of questions rather than after a time.

use std::cell::Cell;
use std::num::NonZeroU32;

/// The scheduler's wish to run someone else.
#[derive(Clone, Debug, Default)]
pub struct Resched {
    period: Option<NonZeroU32>,
    asked: Cell<u32>,
}

impl Resched {
    /// The scheduler never wants the CPU back.
    #[must_use]
    pub const fn never() -> Self {
        Self { period: None, asked: Cell::new(0) }
    }

    /// The scheduler wants the CPU back once `period` questions were answered with no since the
    /// task last yielded; `None` is [`never`](Self::never).
    #[must_use]
    pub const fn every(period: Option<NonZeroU32>) -> Self {
        Self { period, asked: Cell::new(0) }
    }

    /// Tells whether the task should yield.
    ///
    /// Fidelity: changed: include/linux/sched.h v7.0 tests a flag that the timer sets.
    #[inline]
    #[must_use]
    pub fn need_resched(&self) -> bool {
        let Some(period) = self.period else { return false };
        let asked = self.asked.get();
        if asked >= period.get() {
            return true;
        }
        self.asked.set(asked + 1);
        false
    }

    /// Yields if the scheduler wants it.
    ///
    /// Fidelity: changed: include/linux/sched.h v7.0 runs other tasks; nothing else runs here.
    #[inline]
    pub fn cond_resched(&self) {
        if self.period.is_some_and(|period| self.asked.get() >= period.get()) {
            self.asked.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yields_after_the_period() {
        let resched = Resched::every(NonZeroU32::new(2));
        let asked: Vec<_> = (0..4).map(|_| resched.need_resched()).collect();
        assert_eq!(asked, [false, false, true, true]);
        resched.cond_resched();
        assert!(!resched.need_resched());
        resched.cond_resched();
        assert!(!resched.need_resched(), "a yield that nobody wants changes nothing");
        assert!(resched.need_resched());
    }
}
