//! arm64: the barriers after writes to kernel page tables are delayed, the writes never are.
//!
//! Models arch/arm64/include/asm/pgtable.h as of v7.0 (4dd9b4d7a8d5): one thread flag,
//! `TIF_LAZY_MMU_PENDING`, says that the task owes a barrier pair; nothing is kept per CPU. The
//! code of v6.16 to v6.19 is in `before.rs`.

mod barriers;
mod hooks;
mod before;

use crate::Kernel;
use crate::backend::{At, Backend, Batch, Deferred, Facts, Hw, HwOf, Level, write_ptes};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

pub use barriers::{DSB_ISHST, ISB, TIF_LAZY_MMU_PENDING};

/// TLB maintenance over a range.
pub const FLUSH_TLB_RANGE: ArchEffect = ArchEffect::other("__flush_tlb_range");

/// The barrier of a context switch.
pub const DSB_ISH: ArchEffect = ArchEffect::other("dsb(ish)");

/// arm64, in the version of the code that it holds; it keeps nothing per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arm64 {
    /// v6.16 to v6.19.
    V6_16,
    /// v7.0 and later.
    #[default]
    V7_0,
}

impl Arm64 {
    /// Asks for barriers, now or later.
    #[inline]
    fn queue_pte_barriers<H: Hw>(self, hw: &mut H, defer: impl FnOnce(&mut H)) {
        match self {
            Self::V6_16 => before::queue_pte_barriers(hw, defer),
            Self::V7_0 => barriers::queue_pte_barriers(hw, defer),
        }
    }
}

impl Backend for Arm64 {
    type PerCpu = ();

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Barriers),
        batch: Batch::PerTask,
        defers_user: false,
        // split_kernel_leaf_mapping() of arch/arm64/mm/mmu.c, v7.2 and v7.3.
        arch_code_sleeps: true,
        noun: "barriers",
        effects: &[DSB_ISHST, ISB, FLUSH_TLB_RANGE],
        own_mode: true,
        separate_preempt_resched_bits: true,
        break_before_make: true,
        hw_pte_young: true,
        ..Facts::new("arm64", "delays the barriers after kernel page table writes")
    };

    fn in_kernel(kernel: Kernel) -> Self {
        if kernel >= Kernel::V7_0 { Self::V7_0 } else { Self::V6_16 }
    }

    fn version(self) -> &'static str {
        match self {
            Self::V6_16 => "V6_16",
            Self::V7_0 => "V7_0",
        }
    }

    fn is_in(kernel: Kernel) -> Result<(), &'static str> {
        if kernel < Kernel::V6_16 { Err("arm64 has the mode since v6.16") } else { Ok(()) }
    }

    fn enter(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_16 => before::arch_enter_lazy_mmu_mode(hw),
            Self::V7_0 => hooks::arch_enter_lazy_mmu_mode(hw),
        }
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_16 => before::arch_leave_lazy_mmu_mode(hw),
            Self::V7_0 => hooks::arch_leave_lazy_mmu_mode(hw),
        }
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_16 => before::arch_flush_lazy_mmu_mode(hw),
            Self::V7_0 => hooks::arch_flush_lazy_mmu_mode(hw),
        }
    }

    /// `__switch_to()` has a barrier of its own, which does not settle what the task owes: the
    /// `isb()` is still to come.
    ///
    /// Fidelity: same as arch/arm64/kernel/process.c v6.16 and v7.0.
    fn switch_out(self, hw: &mut impl HwOf<Self>) {
        hw.effect(DSB_ISH);
    }

    /// `__set_ptes_anysz()`: all stores, then one completion on the last value. No barrier follows
    /// the atomic changes of an entry, which leave no valid kernel entry or a weaker form of the
    /// one before.
    ///
    /// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.16 and v7.0, with
    /// `__ptep_get_and_clear()`, `___ptep_set_wrprotect()` and `__ptep_test_and_clear_young()`;
    /// blocks of contiguous entries, page table checks and MTE tags are left out.
    #[inline(always)]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        write_ptes(hw, ptep, pte, nr);
        // `__set_pte_complete()`: TLB maintenance has the barriers for all other entries.
        if nr > 0 && barriers::pte_valid_not_user(pte) {
            self.queue_pte_barriers(hw, |hw| hw.defer(at, nr));
        }
    }

    /// The entry keeps what it has and is given more.
    ///
    /// Fidelity: changed: `__ptep_set_access_flags()` of arch/arm64/mm/fault.c v7.0, without the
    /// flush of the translation that permitted less.
    fn ptep_set_access_flags<H: HwOf<Self>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let old = hw.read(ptep);
        hw.write(ptep, old.relaxed_to(pte));
        old != pte
    }

    /// `set_pmd()` and `set_pud()` ask for barriers after a valid entry, of user and kernel alike;
    /// `set_p4d()` and `set_pgd()` after any.
    ///
    /// An entry of the swapper's root is written through the fixmap and asks for nothing.
    ///
    /// Fidelity: same as arch/arm64/include/asm/pgtable.h v6.16 and v7.0 with four levels, of which
    /// the p4d is the root.
    fn set_table(self, hw: &mut impl HwOf<Self>, at: At, level: Level, valid: bool) {
        let root = matches!(level, Level::P4d | Level::Pgd);
        if (valid || root) && !(root && at.is_init_mm()) {
            self.queue_pte_barriers(hw, |hw| hw.defer_table(at, level));
        }
    }

    /// TLB maintenance has barriers of its own and is not affected by the mode.
    ///
    /// Fidelity: stub: `__flush_tlb_range()` and `flush_tlb_kernel_range()` of
    /// arch/arm64/include/asm/tlbflush.h v7.0, one name for both, done at once.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        hw.effect(FLUSH_TLB_RANGE.of(pages));
        hw.tlb_invalidate(at, pages);
    }

    fn lazy_mode(self, hw: &mut impl HwOf<Self>) -> Option<bool> {
        (self == Self::V6_16).then(|| hw.test_thread_flag(before::TIF_LAZY_MMU))
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        let flag = match self {
            Self::V6_16 => before::TIF_LAZY_MMU_PENDING,
            Self::V7_0 => TIF_LAZY_MMU_PENDING,
        };
        hw.test_thread_flag(flag).then_some((1, "TIF_LAZY_MMU_PENDING"))
    }
}
