//! x86 Xen PV: the page table stores themselves are delayed, in a queue of hypercalls.
//!
//! Models arch/x86/xen/ from v6.0 to v7.3. Page tables are read-only for the guest; the hypervisor
//! writes them. In lazy mode updates wait in a per-CPU queue, so that memory holds the old entries
//! until the queue is flushed.

mod cpu;
mod lazy;
mod multicalls;
mod pin;

pub use cpu::{LazyMode, MC_ARGS, MC_BATCH, XenCpu, XenPv};
pub use multicalls::{MMU_UPDATE_CALL, MMUEXT_OP_CALL, MULTICALL, UPDATE_VA_MAPPING_CALL};

use crate::Kernel;
use crate::backend::{At, Backend, Batch, Change, Deferred, Facts, Hw, HwOf, Level, Slot};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;
use multicalls::{Mmuext, Word, extend_mmu_update, queue_flush, xen_mc_flush};

/// An atomic operation on a read-only page table traps, and the hypervisor does it at once.
pub const TRAP_AND_EMULATE: ArchEffect = ArchEffect::other("trap and emulate");

/// The most pages that are flushed one by one.
///
/// Fidelity: same as `tlb_single_page_flush_ceiling` of arch/x86/mm/tlb.c v6.0 to v7.3.
const TLB_SINGLE_PAGE_FLUSH_CEILING: u32 = 33;

impl XenPv {
    /// Updates one entry: queued, or one hypercall at once, ahead of what may be queued.
    ///
    /// Fidelity: same as `xen_set_pte()` of arch/x86/xen/mmu_pv.c v6.0 to v7.3.
    #[inline]
    fn xen_set_pte(self, hw: &mut impl Hw<PerCpu = XenCpu>, at: At, slot: Slot, pte: Pte) {
        if self.batches(hw) {
            hw.local_irq_save();
            extend_mmu_update(hw, Word::Pte(at, slot), pte);
            hw.local_irq_restore();
            return;
        }
        hw.effect(MMU_UPDATE_CALL.of(1));
        hw.write_slot(slot, pte);
    }

    /// `xen_mc_issue(XEN_LAZY_MMU)`: what was queued goes out at once unless the mode is on, and
    /// all that was queued before on this CPU with it.
    ///
    /// Fidelity: same as arch/x86/xen/xen-ops.h v6.0 to v7.3, where the caller asks
    /// `is_lazy_mmu_mode_active()`.
    #[inline]
    fn xen_mc_issue(self, hw: &mut impl Hw<PerCpu = XenCpu>) {
        if !self.batches(hw) {
            xen_mc_flush(hw);
        }
    }

    fn flush_tlb(self, hw: &mut impl Hw<PerCpu = XenCpu>, cmd: Mmuext, at: At, pages: u32) {
        hw.local_irq_save();
        queue_flush(hw, cmd, at, pages);
        self.xen_mc_issue(hw);
        hw.local_irq_restore();
    }
}

impl Backend for XenPv {
    type PerCpu = XenCpu;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Store),
        batch: Batch::PerCpuSwitched,
        noun: "hypercalls",
        effects: &[MMU_UPDATE_CALL, MMUEXT_OP_CALL, UPDATE_VA_MAPPING_CALL, MULTICALL],
        prot_start_reads: true,
        updates_read_memory: true,
        bug_on: true,
        own_mode: true,
        separate_preempt_resched_bits: true,
        hw_pte_young: true,
        ..Facts::new("xen-pv", "delays the stores, in a queue of hypercalls")
    };

    fn in_kernel(kernel: Kernel) -> Self {
        match kernel {
            Kernel::V6_0 => Self::V6_0,
            Kernel::V6_14 => Self::V6_6,
            Kernel::V6_12Y => Self::V6_12Y,
            Kernel::V6_16 | Kernel::V6_19 => Self::V6_15,
            Kernel::V7_0 => Self::V7_0,
            Kernel::V7_1 | Kernel::S390V6 => Self::V7_1,
            Kernel::V7_2 => Self::V7_2,
            Kernel::V7_3 => Self::V7_3,
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::V6_0 => "V6_0",
            Self::V6_6 => "V6_6",
            Self::V6_12Y => "V6_12Y",
            Self::V6_15 => "V6_15",
            Self::V7_0 => "V7_0",
            Self::V7_1 => "V7_1",
            Self::V7_2 => "V7_2",
            Self::V7_3 => "V7_3",
        }
    }

    fn enter(self, hw: &mut impl HwOf<Self>) {
        self.enter_mmu(hw);
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        self.leave_mmu(hw);
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        self.flush_mmu(hw);
    }

    fn switch_out(self, hw: &mut impl HwOf<Self>) {
        self.start_context_switch(hw);
    }

    fn switch_in(self, hw: &mut impl HwOf<Self>) {
        self.end_context_switch(hw);
    }

    /// `xen_start_context_switch()` pauses the outgoing task, `xen_end_context_switch()` resumes
    /// the incoming one.
    ///
    /// Fidelity: same as arch/x86/xen/enlighten_pv.c v7.2 and v7.3.
    fn switch_pauses(self) -> bool {
        self.is_generic()
    }

    /// One update per entry; from v6.6 to v6.14 in a section of its own.
    ///
    /// Fidelity: same as the default `set_ptes()` of include/linux/pgtable.h v6.6 (bcc6cc832573),
    /// v6.15 (691ee97e1a9d) and v7.0 over `xen_set_pte()`.
    #[inline(always)]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        if self == Self::V6_6 {
            hw.effect(ArchEffect::ARCH_ENTER);
            self.enter_mmu(hw);
        }
        for n in 0..nr {
            let slot = hw.slot(hw.ptep_add(ptep, n));
            let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
            self.xen_set_pte(hw, at, slot, pte.advance_pfn(u64::from(n)));
        }
        if self == Self::V6_6 {
            hw.effect(ArchEffect::ARCH_LEAVE);
            self.leave_mmu(hw);
        }
    }

    /// `xen_set_pte()` without the section that `set_ptes()` was for a while.
    #[inline]
    fn set_pte<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        let slot = hw.slot(ptep);
        self.xen_set_pte(hw, at, slot, pte);
    }

    /// A store of an empty entry, queued like any other.
    ///
    /// Fidelity: same as `pte_clear()` of arch/x86/include/asm/paravirt.h v6.0 to v7.3.
    #[inline]
    fn pte_clear<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.set_pte(hw, at, ptep, Pte::NONE);
    }

    /// An atomic operation on memory: it takes effect at once, ahead of what is queued. It traps
    /// whether it changes anything or not, unless the table is not pinned.
    ///
    /// Fidelity: same as `native_ptep_get_and_clear()` and `ptep_set_wrprotect()`,
    /// arch/x86/include/asm/pgtable.h v6.0 to v7.3, neither of which is a paravirt operation; no
    /// source was found that says how the hypervisor takes them.
    #[inline]
    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, new: impl Change) -> Pte {
        let old = hw.read(ptep);
        if hw.page_pinned(at.mm) {
            hw.effect(TRAP_AND_EMULATE);
        }
        hw.write(ptep, new(old));
        old
    }

    /// An old entry is only read.
    ///
    /// Fidelity: same as arch/x86/mm/pgtable.c v6.0 to v7.3.
    #[inline]
    fn ptep_test_and_clear_young<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> bool {
        hw.read(ptep).has(Pte::YOUNG)
            && self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG)).has(Pte::YOUNG)
    }

    /// A `set_pte()` where the entry is another one: it waits in the queue like any.
    ///
    /// Fidelity: same as arch/x86/mm/pgtable.c v6.0 to v7.3, for an access that writes.
    #[inline]
    fn ptep_set_access_flags<H: HwOf<Self>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let changed = hw.read(ptep) != pte;
        if changed {
            self.set_pte(hw, at, ptep, pte);
        }
        changed
    }

    /// A read: the commit keeps what the hardware sets meanwhile.
    ///
    /// Fidelity: same as `xen_ptep_modify_prot_start()` of arch/x86/xen/mmu_pv.c v6.0 to v7.3.
    #[inline]
    fn ptep_modify_prot_start<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        hw.read(ptep)
    }

    /// Fidelity: same as `xen_ptep_modify_prot_commit()` of arch/x86/xen/mmu_pv.c v6.0 to v7.3; the
    /// accessed and dirty bits that `MMU_PT_UPDATE_PRESERVE_AD` keeps are not set by anyone here.
    #[inline]
    fn ptep_modify_prot_commit<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        let slot = hw.slot(ptep);
        hw.local_irq_save();
        extend_mmu_update(hw, Word::Pte(at, slot), pte);
        self.xen_mc_issue(hw);
        hw.local_irq_restore();
    }

    fn alloc_table(self, hw: &mut impl HwOf<Self>, mm: u8, level: Level) {
        self.alloc_ptpage(hw, mm, level);
    }

    fn dup_mmap(self, hw: &mut impl HwOf<Self>, tables: &[Level]) {
        Self::pgd_pin(hw, tables);
    }

    fn exit_mmap(self, hw: &mut impl HwOf<Self>, mm: u8, tables: &[Level]) {
        Self::pgd_unpin(hw, mm, tables);
    }

    /// Updates of the levels above go through the queue in the mode or not, but for those of a
    /// table that is not pinned, which are plain stores. The root has a copy for user mode, which
    /// has its own entry.
    ///
    /// Fidelity: same as `xen_set_pmd_hyper()`, `xen_set_pud_hyper()` and `xen_set_p4d()` of
    /// arch/x86/xen/mmu_pv.c v6.12 and v7.3, for four levels, where `set_pgd()` is `set_p4d()`; the
    /// root has interrupts off alone.
    fn set_table(self, hw: &mut impl HwOf<Self>, at: At, level: Level, _: bool) {
        if !hw.page_pinned(at.mm) {
            return;
        }
        let root = matches!(level, Level::P4d | Level::Pgd);
        if !root {
            hw.get_cpu();
        }
        hw.local_irq_save();
        extend_mmu_update(hw, Word::Table(at, level), Pte::NONE);
        if root && !at.addr.is_kernel() {
            extend_mmu_update(hw, Word::Table(at, level), Pte::NONE);
        }
        self.xen_mc_issue(hw);
        hw.local_irq_restore();
        if !root {
            hw.put_cpu();
        }
    }

    /// A flush goes the way of the updates, behind them: of user pages one call for all CPUs, of
    /// kernel pages a call per page up to a ceiling.
    ///
    /// Fidelity: changed: `flush_tlb_mm_range()` and `flush_tlb_kernel_range()` of
    /// arch/x86/mm/tlb.c over `xen_flush_tlb_multi()`, `xen_flush_tlb_one_user()` and
    /// `xen_flush_tlb()` of arch/x86/xen/mmu_pv.c v6.0 to v7.3, as for an address space that other
    /// CPUs have used; in v7.3 `flush_tlb_multi()` comes after `put_cpu()`. Kernel pages are
    /// flushed by each CPU for itself; the other CPUs, which do so in interrupt and hence at once,
    /// are left out. No CPU uses tables that are not pinned (`xen_drop_mm_ref()`): in v6.12 a task
    /// switch takes the CPU out of the mask, so that nobody is left; in v7.2 and v7.3 those that
    /// have used an exiting process stay in it, and a flush of all is sent to them. That v6.14 to
    /// v7.1 do so too is an assumption: 209954cbc7d0 is taken to be of v6.14. The own part has
    /// interrupts off as a whole in the kernel, and page by page here.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        let pinned = hw.page_pinned(at.mm);
        if !pinned && matches!(self, Self::V6_0 | Self::V6_12Y) {
            hw.tlb_invalidate(at, pages);
            return;
        }
        let holds_cpu = self < Self::V7_3 || at.is_init_mm();
        if holds_cpu {
            hw.get_cpu();
        }
        match (at.mm, pages) {
            (0, 0..=TLB_SINGLE_PAGE_FLUSH_CEILING) => {
                for n in 0..pages {
                    let at = At { addr: at.addr.add_pages(u64::from(n)), ..at };
                    self.flush_tlb(hw, Mmuext::InvlpgLocal, at, 1);
                }
            }
            (0, _) => self.flush_tlb(hw, Mmuext::TlbFlushLocal, at, pages),
            (_, 0..=1) if pinned => self.flush_tlb(hw, Mmuext::InvlpgMulti, at, pages),
            _ => self.flush_tlb(hw, Mmuext::TlbFlushMulti, at, pages),
        }
        if holds_cpu {
            hw.put_cpu();
        }
    }

    fn lazy_mode(self, hw: &mut impl HwOf<Self>) -> Option<bool> {
        (!self.is_generic()).then(|| hw.per_cpu(|cpu| cpu.mode) == LazyMode::Mmu)
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|cpu| cpu.queue.waiting()) {
            0 => None,
            n => Some((n as u32, "mc_buffer")),
        }
    }
}
