//! sparc64 from a tree: arch/sparc/mm/tlb.c, with `set_ptes()` of asm/pgtable_64.h.
//!
//! What the C calls is the lab's: the flushes of the TSB and the TLBs, preemption, the predicates
//! of entries. The primitives of include/linux/pgtable.h around `set_ptes()` are those of the
//! lab's own backend.

use std::sync::OnceLock;

use emu_arch::backend::{At, Backend, Change, Facts, Hw, HwOf, Psize};
use emu_arch::sparc64::{
    FLUSH_TLB_KERNEL_RANGE, FLUSH_TSB_USER, FLUSH_TSB_USER_PAGE, GLOBAL_FLUSH_TLB_PAGE,
    SMP_FLUSH_TLB_PENDING, Sparc64,
};
use emu_arch::{Arch, ArchEffect, Kernel, Pte, VirtAddr};

use super::guest::{ArchGuest, Bytes, Op, Words};
use super::recipe::Recipe;
use crate::shims::SPARC64;

static GUEST: OnceLock<ArchGuest> = OnceLock::new();

pub(super) const RECIPE: Recipe = Recipe {
    id: Sparc64::FACTS.id,
    files: &[
        "arch/sparc/include/asm/tlbflush_64.h",
        "arch/sparc/include/asm/pgtable_64.h",
        "arch/sparc/mm/tlb.c",
    ],
    roots: &[
        "tlb_batch",
        "TLB_BATCH_NR",
        "arch_enter_lazy_mmu_mode",
        "arch_leave_lazy_mmu_mode",
        "arch_flush_lazy_mmu_mode",
        "flush_tlb_pending",
        "maybe_tlb_batch_add",
        "set_ptes",
    ],
    shims: SPARC64,
    before: ("tlb_batch", "active"),
    guest: &GUEST,
    arch: Arch::of::<TreeSparc64>,
};

/// sparc64 with the code of the tree that this process has.
#[derive(Clone, Copy, Debug)]
struct TreeSparc64;

/// The bits of an entry of the lab that have no room below the page frame of the C.
const HIGH_FLAGS: u64 = 0xf000;

const WORDS: Words = Words {
    joins: ArchEffect::step("tlb_batch.tlb_nr="),
    effect: |tag, n| match tag {
        b't' => Some((FLUSH_TSB_USER, true)),
        b's' => Some((FLUSH_TSB_USER_PAGE, false)),
        b'g' => Some((GLOBAL_FLUSH_TLB_PAGE, false)),
        b'T' => Some((SMP_FLUSH_TLB_PENDING.of(n as u32), false)),
        _ => None,
    },
    entry: [
        // The page frame from bit 12, four flags from bit 56, and the valid bit as sparc64 has it.
        |pte| {
            let valid = Pte::PRESENT | Pte::YOUNG;
            let is_valid = pte & (valid | Pte::PROTNONE) == valid;
            pte & 0xfff | (pte & HIGH_FLAGS) << 44 | pte >> 16 << 12 | u64::from(is_valid) << 63
        },
        |entry| entry & 0xfff | entry >> 44 & HIGH_FLAGS | (entry >> 12 & 0x3f_ffff_ffff) << 16,
    ],
};

impl TreeSparc64 {
    fn run<H: Hw<PerCpu = Bytes>>(self, hw: &mut H, op: Op, ptep: Option<H::Ptep>) {
        if let Some(guest) = GUEST.get() {
            guest.run(hw, op, ptep, &WORDS);
        }
    }

    /// `set_pte_at()` of `nr` pages; of a huge page, `__set_pte_at()` with its shift.
    fn set<H: Hw<PerCpu = Bytes>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        let shift = match hw.slice_psize(at) {
            Psize::Page4K => 12,
            Psize::Page64K => 16,
            Psize::Page16M => 22,
        };
        let op = Op { number: 3, name: "set_ptes", at, pte, nr, shift };
        if shift == 12 {
            return self.run(hw, op, Some(ptep));
        }
        for n in 0..nr {
            let (at, pte) = (at.add_pages(n), pte.advance_pfn(n.into()));
            let op = Op { number: 4, name: "maybe_tlb_batch_add", at, pte, nr: 1, shift };
            self.run(hw, op, Some(hw.ptep_add(ptep, n)));
        }
    }
}

/// A hook, or what is done to no entry.
fn plain(number: u32, name: &'static str) -> Op {
    let at = At { mm: 0, addr: VirtAddr::default() };
    Op { number, name, at, pte: Pte::NONE, nr: 0, shift: 12 }
}

impl Backend for TreeSparc64 {
    type PerCpu = Bytes;

    const FACTS: Facts = Sparc64::FACTS;

    fn in_kernel(_: Kernel) -> Self {
        Self
    }

    fn version(self) -> &'static str {
        "tree"
    }

    fn is_in(kernel: Kernel) -> Result<(), &'static str> {
        Sparc64::is_in(kernel)
    }

    fn enter(self, hw: &mut impl HwOf<Self>) {
        self.run(hw, plain(0, "arch_enter_lazy_mmu_mode"), None);
    }

    fn leave(self, hw: &mut impl HwOf<Self>) {
        self.run(hw, plain(1, "arch_leave_lazy_mmu_mode"), None);
    }

    fn flush(self, hw: &mut impl HwOf<Self>) {
        self.run(hw, plain(2, "arch_flush_lazy_mmu_mode"), None);
    }

    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        self.set(hw, at, ptep, pte, nr);
    }

    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, new: impl Change) -> Pte {
        let old = hw.read(ptep);
        self.set(hw, at, ptep, new(old), 1);
        old
    }

    fn ptep_test_and_clear_young<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> bool {
        let young = hw.read(ptep).has(Pte::YOUNG);
        if young {
            self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG));
        }
        young
    }

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

    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        if at.is_init_mm() {
            hw.effect(FLUSH_TLB_KERNEL_RANGE.of(pages));
            hw.tlb_invalidate(at, pages);
        }
    }

    fn tlb_flush(self, hw: &mut impl HwOf<Self>, _: At, _: u32) {
        self.run(hw, plain(5, "flush_tlb_pending"), None);
    }

    fn pending(self, hw: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        let waiting = hw.per_cpu(|state| GUEST.get().map_or(0, |guest| guest.waiting(state)));
        (waiting > 0).then_some((waiting, "tlb_batch"))
    }
}
