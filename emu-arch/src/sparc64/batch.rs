//! The batch of delayed invalidations: `struct tlb_batch`, one per CPU.
//!
//! Models arch/sparc/include/asm/tlbflush_64.h and arch/sparc/mm/tlb.c, v6.0 to v7.0 (dacd24ec4965).

use crate::backend::{At, Hw};
use crate::hw::addr::VirtAddr;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// How many entries a batch holds before it is flushed.
pub const TLB_BATCH_NR: usize = 192;

/// One page leaves the TSB, at once.
pub const FLUSH_TSB_USER_PAGE: Effect = Effect::delayable("flush_tsb_user_page()");
/// The pages of a batch leave the TSB.
pub const FLUSH_TSB_USER: Effect = Effect::delayable("flush_tsb_user");
/// One page leaves the TLBs of all CPUs.
pub const GLOBAL_FLUSH_TLB_PAGE: Effect = Effect::delayable("global_flush_tlb_page()");
/// The pages of a batch leave the TLBs of all CPUs, in one cross-call.
pub const SMP_FLUSH_TLB_PENDING: Effect = Effect::delayable("smp_flush_tlb_pending");
/// An entry joined the batch, which now holds that many.
const BATCHED: Effect = Effect::put_off("tlb_batch.tlb_nr=");

/// Pages whose translations are still to be invalidated.
///
/// Fidelity: changed: arch/sparc/include/asm/tlbflush_64.h v6.0 to v7.0 with base pages only, so that
/// `hugepage_shift` never differs; the low bit of an address says that the page is executable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlbBatch {
    /// The mode is on; up to v6.19 only.
    pub(super) active: bool,
    mm: u8,
    /// The kernel's `tlb_nr` is its length, at most [`TLB_BATCH_NR`].
    vaddrs: Vec<u64>,
}

impl TlbBatch {
    /// The number of pages that wait.
    #[must_use]
    pub fn tlb_nr(&self) -> usize {
        self.vaddrs.len()
    }

    #[inline]
    fn differs(&self, at: At) -> bool {
        !self.vaddrs.is_empty() && self.mm != at.mm
    }

    #[inline]
    fn append(&mut self, at: At, exec: bool) -> usize {
        if self.vaddrs.is_empty() {
            self.mm = at.mm;
        }
        self.vaddrs.push(at.addr.get() | u64::from(exec));
        self.vaddrs.len()
    }
}

/// Sees to it that the translation of `at`, whose entry was `old`, goes away, if the page belongs to
/// a user and a TLB may hold it.
///
/// Fidelity: same as `maybe_tlb_batch_add()` of arch/sparc/include/asm/pgtable_64.h v6.0 to v7.0, on a
/// sun4v machine, where the D-cache needs no flush; teardown of a whole address space, which skips
/// the batch, is left out.
#[inline]
pub(super) fn maybe_tlb_batch_add<H: Hw<PerCpu = TlbBatch>>(
    hw: &mut H,
    at: At,
    old: Pte,
    active: impl FnOnce(&mut H) -> bool,
) {
    if at.mm != 0 && old.is_present() {
        tlb_batch_add_one(hw, at, !old.has(Pte::UXN), active);
    }
}

/// Fidelity: same as arch/sparc/mm/tlb.c v6.0, v6.15 and v7.0, with base pages only: what waits for
/// another address space is flushed first, even when the mode is off.
#[inline]
fn tlb_batch_add_one<H: Hw<PerCpu = TlbBatch>>(
    hw: &mut H,
    at: At,
    exec: bool,
    active: impl FnOnce(&mut H) -> bool,
) {
    hw.get_cpu();
    if hw.per_cpu(|batch| batch.differs(at)) {
        flush_tlb_pending(hw);
    }
    if active(hw) {
        let nr = hw.per_cpu(|batch| batch.append(at, exec));
        hw.effect(BATCHED.of(nr as u32));
        hw.put_off(at, 1);
        if nr >= TLB_BATCH_NR {
            flush_tlb_pending(hw);
        }
    } else {
        hw.effect(FLUSH_TSB_USER_PAGE);
        hw.effect(GLOBAL_FLUSH_TLB_PAGE);
        hw.tlb_invalidate(at, 1);
    }
    hw.put_cpu();
}

/// Invalidates what waits on this CPU, if anything does: first the TSB, which every CPU reloads
/// from, then the TLBs.
///
/// Fidelity: same as arch/sparc/mm/tlb.c v6.0 to v7.0, for an address space with a valid context.
#[inline(never)]
pub(super) fn flush_tlb_pending(hw: &mut impl Hw<PerCpu = TlbBatch>) {
    let nr = hw.per_cpu(|batch| batch.tlb_nr()) as u32;
    match nr {
        0 => return,
        1 => {
            hw.effect(FLUSH_TSB_USER.of(1));
            hw.effect(GLOBAL_FLUSH_TLB_PAGE);
        }
        nr => {
            hw.effect(FLUSH_TSB_USER.of(nr));
            hw.effect(SMP_FLUSH_TLB_PENDING.of(nr));
        }
    }
    if hw.tracks() {
        let (mm, vaddrs) = hw.per_cpu(|batch| (batch.mm, batch.vaddrs.clone()));
        let addrs = vaddrs.iter().filter_map(|vaddr| VirtAddr::page(vaddr & !1).ok());
        addrs.for_each(|addr| hw.tlb_invalidate(At { mm, addr }, 1));
    }
    hw.per_cpu(|batch| batch.vaddrs.clear());
    hw.settle();
}
