//! The lazy mode of a CPU under Xen PV, by version, and what a context switch makes of it.
//!
//! Models `enter_lazy()`, `leave_lazy()` of arch/x86/include/asm/xen/hypervisor.h, the hooks of
//! arch/x86/xen/mmu_pv.c and `xen_start_context_switch()`, `xen_end_context_switch()` of
//! arch/x86/xen/enlighten_pv.c, v6.6 to v7.2; up to v6.5 all but the leave hook and the end of a
//! switch stood in arch/x86/kernel/paravirt.c.

use super::cpu::{LazyMode, XenCpu, XenPv};
use super::multicalls::xen_mc_flush;
use crate::backend::Hw;
use crate::hw::effect::ArchEffect;

/// Bit of the thread flag of a task that is switched out in a section, up to v6.19.
///
/// Fidelity: same as arch/x86/include/asm/thread_info.h v6.19.
const TIF_LAZY_MMU_UPDATES: u32 = 27;

/// `xen_get_lazy_mode()`: none in interrupt.
///
/// Fidelity: same as arch/x86/xen/enlighten_pv.c v6.0 to v7.1.
#[inline]
pub(super) fn xen_get_lazy_mode(hw: &mut impl Hw<PerCpu = XenCpu>) -> LazyMode {
    if hw.in_interrupt() { LazyMode::None } else { hw.per_cpu(|cpu| cpu.mode) }
}

impl XenPv {
    /// Whether updates are queued at the moment.
    #[inline]
    pub(super) fn batches(self, hw: &mut impl Hw<PerCpu = XenCpu>) -> bool {
        if self.is_generic() {
            hw.is_lazy_mmu_mode_active()
        } else {
            xen_get_lazy_mode(hw) == LazyMode::Mmu
        }
    }

    /// Enters `mode`; tells whether the kernel goes on.
    ///
    /// Fidelity: same as arch/x86/kernel/paravirt.c v6.0 and arch/x86/include/asm/xen/hypervisor.h
    /// v6.6 (49147beb0ccb), v6.15 (c36549ff8d84) and v7.0.
    fn enter_lazy(self, hw: &mut impl Hw<PerCpu = XenCpu>, mode: LazyMode) -> bool {
        let old = hw.per_cpu(|cpu| cpu.mode);
        if self.counts_nesting() && old == mode {
            hw.per_cpu(|cpu| cpu.nesting += 1);
            return true;
        }
        let text = match self {
            Self::V6_0 => "this_cpu_read(paravirt_lazy_mode) != PARAVIRT_LAZY_NONE",
            Self::V6_6 | Self::V6_12Y => "old_mode != XEN_LAZY_NONE",
            Self::V6_15 | Self::V7_0 | Self::V7_1 | Self::V7_2 | Self::V7_3 => {
                "this_cpu_read(xen_lazy_mode) != XEN_LAZY_NONE"
            }
        };
        let goes_on = hw.bug_on(old != LazyMode::None, text);
        if goes_on {
            hw.per_cpu(|cpu| cpu.mode = mode);
        }
        goes_on
    }

    /// Leaves `mode`; tells whether the kernel goes on.
    ///
    /// Fidelity: same as arch/x86/kernel/paravirt.c v6.0 and arch/x86/include/asm/xen/hypervisor.h
    /// v6.6 (49147beb0ccb), v6.15 (c36549ff8d84) and v7.0.
    fn leave_lazy(self, hw: &mut impl Hw<PerCpu = XenCpu>, mode: LazyMode) -> bool {
        let text = match self {
            Self::V6_0 => "this_cpu_read(paravirt_lazy_mode) != mode",
            Self::V6_6
            | Self::V6_12Y
            | Self::V6_15
            | Self::V7_0
            | Self::V7_1
            | Self::V7_2
            | Self::V7_3 => "this_cpu_read(xen_lazy_mode) != mode",
        };
        let current = hw.per_cpu(|cpu| cpu.mode);
        if !hw.bug_on(current != mode, text) {
            return false;
        }
        hw.per_cpu(|cpu| match cpu.nesting.checked_sub(1) {
            Some(less) => cpu.nesting = less,
            None => cpu.mode = LazyMode::None,
        });
        true
    }

    /// `xen_enter_lazy_mmu()`
    ///
    /// Fidelity: same as arch/x86/xen/mmu_pv.c v6.6, v6.15, v7.0, v7.1 (4594437880ce) and v7.2,
    /// where it is gone.
    pub(super) fn enter_mmu(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        match self {
            Self::V7_2 | Self::V7_3 => {}
            Self::V7_1 => {
                hw.preempt_disable();
                if xen_get_lazy_mode(hw) == LazyMode::Mmu || self.enter_lazy(hw, LazyMode::Mmu) {
                    hw.preempt_enable();
                }
            }
            Self::V6_0 | Self::V6_6 | Self::V6_12Y | Self::V6_15 | Self::V7_0 => {
                self.enter_lazy(hw, LazyMode::Mmu);
            }
        }
    }

    /// `xen_leave_lazy_mmu()`
    ///
    /// Fidelity: same as arch/x86/xen/mmu_pv.c v6.6, v6.15, v7.0, v7.1 (4594437880ce) and v7.2,
    /// where it is the flush.
    pub(super) fn leave_mmu(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        hw.preempt_disable();
        xen_mc_flush(hw);
        let left =
            self.is_generic() || self == Self::V7_1 && xen_get_lazy_mode(hw) == LazyMode::None;
        let goes_on = left || self.leave_lazy(hw, LazyMode::Mmu);
        if goes_on {
            hw.preempt_enable();
        }
    }

    /// `xen_flush_lazy_mmu()`
    ///
    /// Fidelity: same as arch/x86/xen/mmu_pv.c v6.6, v6.15, v7.0 (66bdd779d344) and v7.2.
    pub(super) fn flush_mmu(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        hw.preempt_disable();
        match self {
            Self::V7_2 | Self::V7_3 => xen_mc_flush(hw),
            _ if xen_get_lazy_mode(hw) != LazyMode::Mmu => {}
            Self::V7_0 | Self::V7_1 => xen_mc_flush(hw),
            Self::V6_0 | Self::V6_6 | Self::V6_12Y | Self::V6_15 => {
                self.leave_mmu(hw);
                self.enter_mmu(hw);
            }
        }
        hw.preempt_enable();
    }

    /// `xen_start_context_switch(prev)`, with `prev` current.
    ///
    /// Fidelity: same as arch/x86/xen/enlighten_pv.c v6.6, v6.15, v7.0 (291b3abed657) and v7.2
    /// (1d5d1b8a4cd1).
    pub(super) fn start_context_switch(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        if self.is_generic() {
            hw.task_lazy_mmu_mode_pause();
            hw.per_cpu(|cpu| cpu.mode = LazyMode::Cpu);
            return;
        }
        if hw.per_cpu(|cpu| cpu.mode) == LazyMode::Mmu {
            self.leave_mmu(hw);
            self.show_mode(hw, LazyMode::None);
            if self < Self::V7_0 {
                hw.set_thread_flag(TIF_LAZY_MMU_UPDATES);
            }
        }
        self.enter_lazy(hw, LazyMode::Cpu);
    }

    /// `xen_end_context_switch(next)`. The lab makes `next` current before it; the kernel's
    /// `__switch_to()` does so a few lines later and passes `next`, on which alone this depends.
    ///
    /// Fidelity: same as arch/x86/xen/enlighten_pv.c v6.6, v6.15, v7.0 (291b3abed657) and v7.2
    /// (1d5d1b8a4cd1).
    pub(super) fn end_context_switch(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        xen_mc_flush(hw);
        if self.is_generic() {
            hw.per_cpu(|cpu| cpu.mode = LazyMode::None);
            hw.task_lazy_mmu_mode_resume();
            return;
        }
        if !self.leave_lazy(hw, LazyMode::Cpu) {
            return;
        }
        let again = if self < Self::V7_0 {
            hw.test_and_clear_thread_flag(TIF_LAZY_MMU_UPDATES)
        } else {
            hw.task_lazy_mmu_mode_active()
        };
        if again {
            self.enter_mmu(hw);
            self.show_mode(hw, LazyMode::Mmu);
        }
    }

    /// Shows that a switch has set the lazy mode of the CPU to `mode`, if it has: the checks of
    /// later calls test it.
    fn show_mode(self, hw: &mut impl Hw<PerCpu = XenCpu>, mode: LazyMode) {
        if hw.per_cpu(|cpu| cpu.mode) != mode {
            return;
        }
        hw.effect(ArchEffect::deferral(match (self == Self::V6_0, mode == LazyMode::Mmu) {
            (true, false) => "paravirt_lazy_mode=PARAVIRT_LAZY_NONE",
            (true, true) => "paravirt_lazy_mode=PARAVIRT_LAZY_MMU",
            (false, false) => "xen_lazy_mode=XEN_LAZY_NONE",
            (false, true) => "xen_lazy_mode=XEN_LAZY_MMU",
        }));
    }
}
