//! The hash MMU: hooks and page table primitives.
//!
//! Models arch/powerpc/include/asm/book3s/64/{tlbflush-hash,hash,pgtable}.h, v7.0 (313a05a15a1b).

use super::batch::{self, Ppc64TlbBatch};
use super::before::{self, Preemption};
use crate::Kernel;
use crate::backend::{Access, At, Backend, Change, Deferred, Facts, HwOf};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// A fault put the page into the hash page table.
pub const HASH_PAGE: ArchEffect = ArchEffect::other("hash_page()");

/// powerpc with the hash MMU, in the version of the code that it holds: one batch per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hash {
    /// Up to v6.0.
    V6_0,
    /// v6.1 to v6.19.
    V6_1,
    /// v7.0 and later.
    #[default]
    V7_0,
}

impl Backend for Hash {
    type PerCpu = Ppc64TlbBatch;

    const FACTS: Facts = Facts {
        defers: Some(Deferred::Invalidation),
        noun: "hash flushes",
        effects: &[batch::FLUSH_HASH_PAGE, batch::FLUSH_HASH_RANGE, HASH_PAGE],
        hash_table: true,
        tlb_walks_tables: false,
        userfaultfd_wp: false,
        own_mode: true,
        kasan_vmalloc: false,
        ..Facts::new("powerpc-hash", "delays hash page table invalidations, 192 at most")
    };

    fn in_kernel(kernel: Kernel) -> Self {
        match kernel {
            Kernel::V6_0 => Self::V6_0,
            Kernel::V6_14 | Kernel::V6_12Y | Kernel::V6_16 | Kernel::V6_19 => Self::V6_1,
            Kernel::V7_0 | Kernel::V7_1 | Kernel::V7_2 | Kernel::V7_3 | Kernel::S390V6 => {
                Self::V7_0
            }
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::V6_0 => "V6_0",
            Self::V6_1 => "V6_1",
            Self::V7_0 => "V7_0",
        }
    }

    fn used(pte: Pte) -> Pte {
        pte.with(Pte::YOUNG | Pte::HASHPTE)
    }

    /// Keeps the task on the CPU whose batch it fills.
    ///
    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0, v6.19 and
    /// v7.3.
    fn enter(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_0 => before::arch_enter_lazy_mmu_mode(hw, Preemption::On),
            Self::V6_1 => before::arch_enter_lazy_mmu_mode(hw, Preemption::Off),
            Self::V7_0 => hw.preempt_disable(),
        }
    }

    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0, v6.19 and
    /// v7.3.
    fn leave(self, hw: &mut impl HwOf<Self>) {
        match self {
            Self::V6_0 => before::arch_leave_lazy_mmu_mode(hw, Preemption::On),
            Self::V6_1 => before::arch_leave_lazy_mmu_mode(hw, Preemption::Off),
            Self::V7_0 => {
                self.flush(hw);
                hw.preempt_enable();
            }
        }
    }

    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v7.0
    /// (c3f0778ffeca) and v7.3.
    fn flush(self, hw: &mut impl HwOf<Self>) {
        // An empty macro before.
        if self == Self::V7_0 {
            batch::flush_pending(hw);
        }
    }

    fn switch_out(self, hw: &mut impl HwOf<Self>) {
        if self != Self::V7_0 {
            before::switch_out(hw);
        }
    }

    fn switch_in(self, hw: &mut impl HwOf<Self>) {
        if self != Self::V7_0 {
            before::switch_in(hw);
        }
    }

    /// Plain stores of entries that were not valid and, whatever the caller copied, are not hashed:
    /// their translations are hashed on first use.
    ///
    /// Fidelity: same as `set_ptes()` and `set_pte_filter()` of arch/powerpc/mm/pgtable.c v6.12 and
    /// v7.3 and `set_pte_at()` of v6.1; that it was a section of its own from v6.6 (9fee28baa601)
    /// until 47b8def9358c is left out.
    #[inline(always)]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        super::set_ptes(hw, ptep, pte.without(Pte::HASHPTE), nr);
    }

    /// Changes the entry and, where the old one was hashed, has its translation invalidated.
    ///
    /// Fidelity: same as `hash__pte_update()` of arch/powerpc/include/asm/book3s/64/hash.h v6.12
    /// and v7.3, for an entry that is not huge; the wait for `H_PAGE_BUSY` is left out, and so is
    /// `assert_pte_locked()`: most scenarios do not take the lock that it asks for.
    #[inline]
    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, new: impl Change) -> Pte {
        let old = hw.read(ptep);
        hw.write(ptep, new(old));
        if old.has(Pte::HASHPTE) {
            self.hpte_need_flush(hw, at, ptep);
        }
        old
    }

    /// Fidelity: same as arch/powerpc/mm/book3s64/hash_tlb.c v6.12 and v7.3.
    #[inline]
    fn hpte_need_flush<H: HwOf<Self>>(self, hw: &mut H, at: At, _: H::Ptep) {
        let joined = if self == Self::V7_0 { batch::JOINED } else { batch::JOINED_V6_19 };
        batch::hpte_need_flush(hw, at, joined, |hw| match self {
            Self::V7_0 => hw.is_lazy_mmu_mode_active(),
            Self::V6_0 | Self::V6_1 => hw.per_cpu(|batch| batch.active),
        });
    }

    /// Does nothing where the entry permits no writing, so that nothing is queued either.
    ///
    /// Fidelity: same as `ptep_set_wrprotect()` of arch/powerpc/include/asm/book3s/64/pgtable.h
    /// v7.0 and v7.3.
    #[inline]
    fn ptep_set_wrprotect<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        if hw.read(ptep).has(Pte::WRITE) {
            self.pte_update(hw, at, ptep, |pte| pte.without(Pte::WRITE));
        }
    }

    /// Does nothing where the entry is neither accessed nor hashed; an old entry that is hashed is
    /// invalidated all the same.
    ///
    /// Fidelity: same as `__ptep_test_and_clear_young()` of
    /// arch/powerpc/include/asm/book3s/64/pgtable.h v7.0 and v7.3.
    #[inline]
    fn ptep_test_and_clear_young<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> bool {
        hw.read(ptep).has(Pte::YOUNG | Pte::HASHPTE)
            && self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG)).has(Pte::YOUNG)
    }

    /// Takes the translation away; the commit is a plain store.
    ///
    /// Fidelity: same as arch/powerpc/mm/book3s64/pgtable.c v7.0 and v7.3.
    #[inline]
    fn ptep_modify_prot_start<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> Pte {
        self.pte_update(hw, at, ptep, super::invalidated)
    }

    /// The entry keeps what it has and is given more.
    ///
    /// Fidelity: same as `__ptep_set_access_flags()` of arch/powerpc/include/asm/book3s/64/hash.h
    /// and its caller in arch/powerpc/mm/book3s64/pgtable.c, v7.0.
    fn ptep_set_access_flags<H: HwOf<Self>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let old = super::relax(hw, ptep, pte);
        old.without(Pte::HASHPTE) != pte.without(Pte::HASHPTE)
    }

    /// A first access finds no translation, and the fault handler hashes one.
    ///
    /// Fidelity: changed: `hash_page_mm()` of arch/powerpc/mm/book3s64/hash_utils.c v7.0 reduced to
    /// its effect on the entry; where the hash bit is still set but the hash entry was flushed, the
    /// kernel faults too and inserts one, which no record and no count shows here.
    fn access<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, access: Access) {
        let pte = hw.read(ptep);
        if !access.permitted_by(pte) {
            hw.effect(ArchEffect::PAGE_FAULT);
            return;
        }
        let dirty = if access == Access::Write { Pte::DIRTY } else { 0 };
        hw.write(ptep, pte.with(Pte::YOUNG | Pte::HASHPTE | dirty));
        if !pte.has(Pte::HASHPTE) {
            hw.effect(HASH_PAGE);
        }
    }

    /// Empty: an entry of the hash table goes when its page table entry does, by the batch.
    ///
    /// Fidelity: same as arch/powerpc/include/asm/book3s/64/tlbflush-hash.h v6.0 to
    /// v7.3.
    fn flush_tlb_range(self, _: &mut impl HwOf<Self>, _: At, _: u32) {}

    /// Flushes the batch of this CPU, whatever was gathered.
    ///
    /// Fidelity: same as `hash__tlb_flush()` of arch/powerpc/mm/book3s64/hash_tlb.c v6.12 and v7.3.
    fn tlb_flush(self, hw: &mut impl HwOf<Self>, _: At, _: u32) {
        hw.get_cpu();
        batch::flush_pending(hw);
        hw.put_cpu();
    }

    fn lazy_mode(self, hw: &mut impl HwOf<Self>) -> Option<bool> {
        (self != Self::V7_0).then(|| hw.per_cpu(|batch| batch.active))
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        match hw.per_cpu(|batch| batch.index()) {
            0 => None,
            n => Some((n as u32, "ppc64_tlb_batch")),
        }
    }
}
