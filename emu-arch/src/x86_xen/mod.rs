//! x86 Xen PV: the page table stores themselves are delayed, in a queue of hypercalls.
//!
//! Models arch/x86/xen/ from v6.0 to v7.2. Page tables are read-only for the guest; the hypervisor
//! writes them. In lazy mode updates wait in a per-CPU queue, so that memory holds the old entries
//! until the queue is flushed.

mod lazy;
mod multicalls;

pub use lazy::LazyMode;
pub use multicalls::{MC_ARGS, MC_BATCH, MMU_UPDATE_CALL, MMUEXT_OP_CALL, MULTICALL};

use crate::backend::{At, Backend, Hw, Level};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;
use multicalls::{McBuffer, Update, extend_mmu_update, queue_flush, xen_mc_flush};

/// An atomic operation on a read-only page table traps, and the hypervisor does it at once.
pub const TRAP_AND_EMULATE: Effect = Effect::other("trap and emulate");

/// x86 Xen PV, in the version of the code that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum XenPv {
    /// Up to v6.5: nesting is a BUG.
    V6_0,
    /// v6.6 to v6.14: the CPU counts nesting; `set_ptes()` is a section of its own.
    V6_6,
    /// v6.15 to v6.19: nesting is a BUG again.
    V6_15,
    /// v7.0: a context switch goes by the generic counters.
    #[default]
    V7_0,
    /// v7.1: hooks tolerate being called twice.
    V7_1,
    /// v7.2: the generic state alone.
    V7_2,
}

/// What Xen PV keeps per CPU.
///
/// Fidelity: changed: `xen_lazy_mode`, `xen_lazy_nesting` and `struct mc_buffer` of arch/x86/xen/ v6.6
/// to v7.2 in one; the bool `xen_cpu_lazy_mode` of v7.2 is the mode CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct XenCpu {
    mode: LazyMode,
    nesting: u8,
    queue: McBuffer,
}

impl XenPv {
    /// Updates one entry: queued, or one hypercall at once, ahead of what may be queued.
    ///
    /// Fidelity: same as `xen_set_pte()` of arch/x86/xen/mmu_pv.c v6.0 to v7.2.
    #[inline]
    fn xen_set_pte(self, hw: &mut impl Hw<PerCpu = XenCpu>, update: Update) {
        if self.batches(hw) {
            extend_mmu_update(hw, update);
            return;
        }
        hw.effect(MMU_UPDATE_CALL.of(1));
        if let Some(slot) = update.slot {
            hw.write_slot(slot, update.pte);
        }
    }

    /// `xen_mc_issue(XEN_LAZY_MMU)`: what was queued goes out at once unless the mode is on.
    #[inline]
    fn xen_mc_issue(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        if !self.batches(hw) {
            xen_mc_flush(hw);
        }
    }
}

impl Backend for XenPv {
    type PerCpu = XenCpu;

    fn enter(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        self.enter_mmu(hw);
    }

    fn leave(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        self.leave_mmu(hw);
    }

    fn flush(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        self.flush_mmu(hw);
    }

    fn switch_out(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        self.start_context_switch(hw);
    }

    fn switch_in(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        self.end_context_switch(hw);
    }

    /// A task that has not run yet is as one that was switched out.
    fn born_paused(self) -> bool {
        self == Self::V7_2
    }

    /// One update per entry; from v6.6 to v6.14 in a section of its own.
    ///
    /// Fidelity: same as the default `set_ptes()` of include/linux/pgtable.h v6.6 (bcc6cc832573), v6.15
    /// (691ee97e1a9d) and v7.0 over `xen_set_pte()`.
    #[inline]
    fn set_ptes<H: Hw<PerCpu = XenCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        if self == Self::V6_6 {
            self.enter_mmu(hw);
        }
        for n in 0..nr {
            let slot = Some(hw.slot(hw.ptep_add(ptep, n)));
            let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
            self.xen_set_pte(hw, Update { at, slot, pte: pte.advance_pfn(u64::from(n)) });
        }
        if self == Self::V6_6 {
            self.leave_mmu(hw);
        }
    }

    /// `xen_set_pte()` without the section that `set_ptes()` was for a while.
    #[inline]
    fn set_pte<H: Hw<PerCpu = XenCpu>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        let slot = Some(hw.slot(ptep));
        self.xen_set_pte(hw, Update { at, slot, pte });
    }

    /// A store of an empty entry, queued like any other.
    ///
    /// Fidelity: same as `native_pte_clear()` by way of `set_pte()`, arch/x86/include/asm/pgtable.h
    /// v6.0 to v7.2.
    #[inline]
    fn pte_clear<H: Hw<PerCpu = XenCpu>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.set_pte(hw, at, ptep, Pte::NONE);
    }

    /// An atomic operation on memory: it takes effect at once, ahead of what is queued.
    ///
    /// Fidelity: same as `native_ptep_get_and_clear()` and its like, arch/x86/include/asm/pgtable.h
    /// v6.0 to v7.2, none of which is a paravirt operation.
    #[inline]
    fn pte_update<H: Hw<PerCpu = XenCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = hw.read(ptep);
        let new = new(old);
        if new != old {
            hw.effect(TRAP_AND_EMULATE);
            hw.write(ptep, new);
        }
        old
    }

    /// A read: the commit keeps what the hardware sets meanwhile.
    ///
    /// Fidelity: same as `xen_ptep_modify_prot_start()` of arch/x86/xen/mmu_pv.c v6.0 to v7.2.
    #[inline]
    fn ptep_modify_prot_start<H: Hw<PerCpu = XenCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
    ) -> Pte {
        hw.read(ptep)
    }

    /// Fidelity: same as `xen_ptep_modify_prot_commit()` of arch/x86/xen/mmu_pv.c v6.0 to v7.2; the
    /// accessed and dirty bits that `MMU_PT_UPDATE_PRESERVE_AD` keeps are not set by anyone here.
    #[inline]
    fn ptep_modify_prot_commit<H: Hw<PerCpu = XenCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
    ) {
        let slot = Some(hw.slot(ptep));
        extend_mmu_update(hw, Update { at, slot, pte });
        self.xen_mc_issue(hw);
    }

    /// Fidelity: same as `xen_set_pmd_hyper()` and its like, arch/x86/xen/mmu_pv.c v6.0 to v7.2, for
    /// tables that are pinned.
    fn set_table(self, hw: &mut impl Hw<PerCpu = XenCpu>, at: At, _: Level, _: bool) {
        extend_mmu_update(hw, Update { at, slot: None, pte: Pte::NONE });
        self.xen_mc_issue(hw);
    }

    /// A flush goes the way of the updates, behind them.
    ///
    /// Fidelity: same as `xen_flush_tlb_multi()` of arch/x86/xen/mmu_pv.c v6.0 to v7.2.
    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = XenCpu>, at: At, pages: u32) {
        queue_flush(hw, at, pages);
        self.xen_mc_issue(hw);
    }

    fn pending(self, hw: &mut impl Hw<PerCpu = XenCpu>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|cpu| cpu.queue.waiting()) {
            0 => None,
            n => Some((n as u32, "mc_buffer")),
        }
    }
}
