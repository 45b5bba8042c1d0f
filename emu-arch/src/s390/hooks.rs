//! s390 as a value, and its hooks.
//!
//! Models arch/s390/mm/lazy_mmu.c, the proposal v6. The count and the range change with preemption
//! off, so that both belong to one task until its section ends.

use super::ipte_range::{self, IpteRange};
use crate::backend::{At, Hw, RangeHint};

/// s390 as the proposal has it; one cache per CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct S390 {
    /// `test_facility(13)`: the machine can invalidate a range by one IPTE. Without it the hooks do
    /// nothing, and every update takes the old path.
    pub facility_13: bool,
    /// `mm_is_protected()`: the address spaces of protected guests, a bit for each number.
    pub protected: u32,
}

impl Default for S390 {
    /// A machine with facility 13 and without protected guests.
    fn default() -> Self {
        Self { facility_13: true, protected: 0 }
    }
}

impl S390 {
    /// Stays on this CPU; without a range nothing is cached.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    pub(super) fn arch_enter_lazy_mmu_mode(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        if self.facility_13 {
            hw.preempt_disable();
            hw.per_cpu(|cpu| cpu.lazy_mmu_count = cpu.lazy_mmu_count.wrapping_add(1));
        }
    }

    /// Latches the range besides, unless the address space is that of a protected guest.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    pub(super) fn arch_enter_lazy_mmu_mode_with_ptes(
        self,
        hw: &mut impl Hw<PerCpu = IpteRange>,
        range: RangeHint,
    ) {
        self.arch_enter_lazy_mmu_mode(hw);
        let protected = self.protected >> (range.at.mm & 31) & 1 != 0;
        if self.facility_13 && !protected {
            hw.per_cpu(|cpu| cpu.latch(range));
        }
    }

    /// Writes what is cached and drops the range. What an interrupt has put behind the back of the
    /// writing is still pending.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6.
    pub(super) fn arch_leave_lazy_mmu_mode(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        if self.facility_13 {
            if let Some(range) = hw.per_cpu(|cpu| cpu.range()) {
                ipte_range::write_cached(hw, range);
                hw.complete();
                for index in hw.per_cpu(IpteRange::drop_range) {
                    let addr = range.at.addr.add_pages(index as u64);
                    hw.defer(At { addr, ..range.at }, 1);
                }
            }
            hw.per_cpu(|cpu| cpu.lazy_mmu_count = cpu.lazy_mmu_count.wrapping_sub(1));
            hw.preempt_enable();
        }
    }

    /// Leaves and enters again with the same range, if one is latched.
    ///
    /// Fidelity: same as arch/s390/mm/lazy_mmu.c in the proposal v6, which also holds the CPU
    /// around both, so that the task cannot move in between.
    pub(super) fn arch_flush_lazy_mmu_mode(self, hw: &mut impl Hw<PerCpu = IpteRange>) {
        if self.facility_13 {
            hw.get_cpu();
            if let Some(range) = hw.per_cpu(|cpu| cpu.range()) {
                self.arch_leave_lazy_mmu_mode(hw);
                self.arch_enter_lazy_mmu_mode_with_ptes(hw, range);
            }
            hw.put_cpu();
        }
    }
}
