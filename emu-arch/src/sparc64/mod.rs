//! sparc64: flushes of the TSB and the TLBs are delayed, for user pages only.
//!
//! Models arch/sparc/include/asm/pgtable_64.h and arch/sparc/mm/tlb.c as of v7.0 (dacd24ec4965) on
//! a sun4v machine with several CPUs: `tlb_type` is `hypervisor`, so that no change of an entry
//! flushes the D-cache, which sun4u does at once and never delays. The code up to v6.19 is in
//! `before`.
//!
//! Entries above the last level are plain stores (`pmd_set()` and its like).
//!
//! Left out are transparent huge pages, and the test whether an address space has a context number
//! (`CTX_VALID()`): here each one has run. That hardware sets no accessed and no dirty bit, so that
//! a first access faults, shows in no effect either.

mod batch;
mod hooks;
mod before;

use crate::Kernel;
use crate::backend::{At, Backend, Change, Deferred, Facts, Hw, HwOf};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

pub use batch::{
    FLUSH_TSB_USER, FLUSH_TSB_USER_PAGE, GLOBAL_FLUSH_TLB_PAGE, SMP_FLUSH_TLB_PENDING,
    TLB_BATCH_NR, TlbBatch,
};

/// That many kernel pages leave the TSB and the TLBs; never delayed.
pub const FLUSH_TLB_KERNEL_RANGE: ArchEffect = ArchEffect::other("flush_tlb_kernel_range");

/// sparc64, in the version of the code that it holds: one batch per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sparc64 {
    /// Up to v6.5.
    V6_0,
    /// v6.6 to v6.14.
    V6_6,
    /// v6.15 to v6.19.
    V6_15,
    /// v7.0 and later.
    #[default]
    V7_0,
}

// Forced into their callers: left to the compiler, a store costs half as much again.
impl Sparc64 {
    /// Sees to it that no CPU translates `at` by its old entry, `orig`, if any may: now if the mode
    /// is off, else with the batch.
    ///
    /// Fidelity: same as `maybe_tlb_batch_add()` of arch/sparc/include/asm/pgtable_64.h and
    /// `tlb_batch_add()` of arch/sparc/mm/tlb.c, v7.0, on sun4v; `fullmm`, which is set only for
    /// entries that are not present, is left out.
    #[inline(always)]
    fn maybe_tlb_batch_add<H: Hw<PerCpu = TlbBatch>>(self, hw: &mut H, at: At, orig: Pte) {
        // Kernel pages are the business of `flush_tlb_kernel_range()`.
        if !at.is_init_mm() && pte_accessible(orig) {
            batch::tlb_batch_add_one(hw, at, pte_exec(orig), |hw| match self {
                Self::V7_0 => hw.is_lazy_mmu_mode_active(),
                Self::V6_0 | Self::V6_6 | Self::V6_15 => before::active(hw),
            });
        }
    }

    /// Writes one entry.
    ///
    /// Fidelity: same as arch/sparc/include/asm/pgtable_64.h v7.0.
    #[inline(always)]
    fn __set_pte_at<H: Hw<PerCpu = TlbBatch>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        let orig = hw.read(ptep);
        hw.write(ptep, pte);
        self.maybe_tlb_batch_add(hw, at, orig);
    }

    /// Runs `stores` as `set_ptes()` does: within a section of its own from v6.6 to v6.14, whose
    /// end flushes the batch and ends the batching of the section around it.
    ///
    /// Fidelity: same as `set_ptes()` of arch/sparc/include/asm/pgtable_64.h v6.5, v6.14
    /// (1a10a44dfc1d) and v6.15 (eb61ad14c459).
    #[inline(always)]
    fn in_set_ptes<H: Hw<PerCpu = TlbBatch>>(self, hw: &mut H, stores: impl FnOnce(&mut H)) {
        if self == Self::V6_6 {
            hw.effect(ArchEffect::ARCH_ENTER);
            self.enter(hw);
        }
        stores(hw);
        if self == Self::V6_6 {
            hw.effect(ArchEffect::ARCH_LEAVE);
            self.leave(hw);
        }
    }
}

impl Backend for Sparc64 {
    type PerCpu = TlbBatch;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Invalidation),
        defers_kernel: false,
        noun: "TSB/TLB flushes",
        va_hole: true,
        effects: &[
            FLUSH_TSB_USER,
            FLUSH_TSB_USER_PAGE,
            GLOBAL_FLUSH_TLB_PAGE,
            SMP_FLUSH_TLB_PENDING,
        ],
        own_mode: true,
        kasan_vmalloc: false,
        tlb_walks_tables: false,
        userfaultfd_wp: false,
        device_migration: false,
        ..Facts::new("sparc64", "delays TSB and TLB invalidations, 192 at most")
    };

    fn in_kernel(kernel: Kernel) -> Self {
        match kernel {
            Kernel::V6_0 => Self::V6_0,
            Kernel::V6_14 => Self::V6_6,
            Kernel::V6_12Y | Kernel::V6_16 | Kernel::V6_19 => Self::V6_15,
            Kernel::V7_0 | Kernel::V7_1 | Kernel::V7_2 | Kernel::V7_3 | Kernel::S390V6 => {
                Self::V7_0
            }
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::V6_0 => "V6_0",
            Self::V6_6 => "V6_6",
            Self::V6_15 => "V6_15",
            Self::V7_0 => "V7_0",
        }
    }

    fn batch_outlives_section(self) -> bool {
        matches!(self, Self::V6_0 | Self::V6_6)
    }

    fn enter(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_0 | Self::V6_6 => before::arch_enter_lazy_mmu_mode_v6_14(hw),
            Self::V6_15 => before::arch_enter_lazy_mmu_mode(hw),
            Self::V7_0 => hooks::arch_enter_lazy_mmu_mode(hw),
        }
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_0 | Self::V6_6 => before::arch_leave_lazy_mmu_mode_v6_14(hw),
            Self::V6_15 => before::arch_leave_lazy_mmu_mode(hw),
            Self::V7_0 => hooks::arch_leave_lazy_mmu_mode(hw),
        }
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        // An empty macro before.
        if self == Self::V7_0 {
            hooks::arch_flush_lazy_mmu_mode(hw);
        }
    }

    /// Each entry in turn; empty ones, which is what callers fill, queue nothing.
    ///
    /// Fidelity: same as arch/sparc/include/asm/pgtable_64.h v6.5, v6.14 and v7.0; up to v6.5 it
    /// was a loop of the caller's over `set_pte_at()`.
    #[inline(always)]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        self.in_set_ptes(hw, |hw| {
            for n in 0..nr {
                let pages = u64::from(n);
                let (ptep, pte) = (hw.ptep_add(ptep, n), pte.advance_pfn(pages));
                self.__set_pte_at(hw, At { addr: at.addr.add_pages(pages), ..at }, ptep, pte);
            }
        });
    }

    /// A read and a `set_pte_at()`: no step is atomic, the lock of the table protects the entry.
    ///
    /// Fidelity: same as `ptep_get_and_clear()`, `ptep_set_wrprotect()` and their like of
    /// include/linux/pgtable.h v7.0, and `pte_clear()` of arch/sparc/include/asm/pgtable_64.h.
    #[inline]
    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, new: impl Change) -> Pte {
        let old = hw.read(ptep);
        self.in_set_ptes(hw, |hw| self.__set_pte_at(hw, at, ptep, new(old)));
        old
    }

    /// Does nothing where the entry is old already.
    ///
    /// Fidelity: same as include/linux/pgtable.h v7.0.
    #[inline]
    fn ptep_test_and_clear_young<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> bool {
        let young = hw.read(ptep).has(Pte::YOUNG);
        if young {
            self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG));
        }
        young
    }

    /// A `set_pte_at()` like any other, so that the batch learns of an entry that only gains.
    ///
    /// Fidelity: same as mm/pgtable-generic.c v7.0, whose `flush_tlb_fix_spurious_fault()` is empty
    /// here.
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
            self.pte_update(hw, at, ptep, |_| pte);
        }
        changed
    }

    /// Empty for user pages, whose batch is the flush.
    ///
    /// Fidelity: same as arch/sparc/include/asm/tlbflush_64.h and `flush_tlb_kernel_range()` of
    /// arch/sparc/mm/init_64.c, v7.0; the latter's detour around the firmware's addresses is left
    /// out.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        if at.is_init_mm() {
            hw.effect(FLUSH_TLB_KERNEL_RANGE.of(pages));
            hw.tlb_invalidate(at, pages);
        }
    }

    /// Flushes the batch of this CPU, whatever was gathered.
    ///
    /// Fidelity: same as arch/sparc/include/asm/tlb_64.h v7.0.
    fn tlb_flush(self, hw: &mut impl HwOf<Self>, _: At, _: u32) {
        batch::flush_tlb_pending(hw);
    }

    fn lazy_mode(self, hw: &mut impl HwOf<Self>) -> Option<bool> {
        (self != Self::V7_0).then(|| before::active(hw))
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|batch| batch.tlb_nr()) {
            0 => None,
            n => Some((n as u32, "tlb_batch")),
        }
    }
}

/// Tells whether a translation by `pte` may be in the TSB or in a TLB: `_PAGE_VALID` is the same
/// bit as `_PAGE_R`, which `pte_mkold()` clears with the accessed bit.
///
/// Fidelity: same as arch/sparc/include/asm/pgtable_64.h v7.0.
#[inline]
const fn pte_accessible(pte: Pte) -> bool {
    const VALID: u64 = Pte::PRESENT | Pte::YOUNG;
    pte.0 & (VALID | Pte::PROTNONE) == VALID
}

/// Fidelity: same as arch/sparc/include/asm/pgtable_64.h v7.0.
#[inline]
const fn pte_exec(pte: Pte) -> bool {
    !pte.has(Pte::UXN)
}
