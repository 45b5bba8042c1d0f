//! What Xen PV keeps per CPU: the lazy mode and the multicall queue.
//!
//! Models `struct mc_buffer` of arch/x86/xen/multicalls.c and `enum xen_lazy_mode` of
//! arch/x86/include/asm/xen/hypervisor.h, v6.0 to v7.2.

use crate::backend::{At, Slot};
use crate::hw::pte::Pte;

/// How many calls the queue holds.
///
/// Fidelity: same as arch/x86/xen/multicalls.c v6.0 to v7.3.
pub const MC_BATCH: usize = 32;
/// How many bytes of arguments are too many: the queue is flushed before it has them.
///
/// Fidelity: same as arch/x86/xen/multicalls.c v6.0 to v7.3.
pub const MC_ARGS: usize = MC_BATCH * 16;
/// Bytes of a `struct mmu_update`.
pub(super) const MMU_UPDATE: usize = 16;
/// Bytes of a `struct mmuext_op`.
pub(super) const MMUEXT_OP: usize = 24;
/// What the CPU is lazy about: `enum xen_lazy_mode`, up to v6.5 `enum paravirt_lazy_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LazyMode {
    /// `XEN_LAZY_NONE`
    #[default]
    None,
    /// `XEN_LAZY_MMU`
    Mmu,
    /// `XEN_LAZY_CPU`: between the two halves of a context switch.
    Cpu,
}

/// x86 Xen PV, in the version of the code that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum XenPv {
    /// Up to v6.5: nesting is a BUG.
    V6_0,
    /// v6.6 to v6.14: the CPU counts nesting; `set_ptes()` is a section of its own.
    V6_6,
    /// Stable v6.12: as v6.6, but `set_ptes()` is no section.
    V6_12Y,
    /// v6.15 to v6.19: nesting is a BUG again.
    V6_15,
    /// v7.0: a context switch goes by the generic counters.
    V7_0,
    /// v7.1: hooks tolerate being called twice.
    V7_1,
    /// v7.2: the generic state alone.
    V7_2,
    /// v7.3: a TLB flush of user pages begins with preemption on.
    #[default]
    V7_3,
}

impl XenPv {
    /// Tells whether the CPU counts how deep the lazy mode is nested.
    pub(super) const fn counts_nesting(self) -> bool {
        matches!(self, Self::V6_6 | Self::V6_12Y)
    }

    /// Tells whether the generic state alone says that the mode is on.
    #[inline]
    pub(super) const fn is_generic(self) -> bool {
        matches!(self, Self::V7_2 | Self::V7_3)
    }
}

/// What Xen PV keeps per CPU.
///
/// Fidelity: changed: `xen_lazy_mode`, `xen_lazy_nesting` and `struct mc_buffer` of arch/x86/xen/
/// v6.6 to v7.3 in one; the bool `xen_cpu_lazy_mode` of v7.2 is the mode CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct XenCpu {
    pub(super) mode: LazyMode,
    pub(super) nesting: u8,
    pub(super) queue: McBuffer,
}

/// One queued call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    /// `__HYPERVISOR_mmu_update` with that many updates.
    MmuUpdate(u16),
    /// `__HYPERVISOR_mmuext_op` that flushes pages from the TLBs.
    MmuextOp { at: At, pages: u32 },
    /// `__HYPERVISOR_mmuext_op` that pins or unpins tables.
    Pin,
    /// `__HYPERVISOR_update_va_mapping` of a page that becomes a table, or is one no more.
    UpdateVaMapping,
}

/// The queue of one CPU.
///
/// Fidelity: changed: `struct mc_buffer` of arch/x86/xen/multicalls.c v7.0, without `callbacks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct McBuffer {
    pub(super) entries: Vec<Entry>,
    /// What all updates write, in order.
    pub(super) ptes: Vec<Pte>,
    /// Where they write it; entries of upper levels have no place in memory here.
    pub(super) slots: Vec<Option<Slot>>,
    pub(super) argidx: usize,
}

impl McBuffer {
    /// How many updates and other calls wait.
    pub(super) fn waiting(&self) -> usize {
        let others = self.entries.iter().filter(|entry| !matches!(entry, Entry::MmuUpdate(_)));
        self.ptes.len() + others.count()
    }

    /// `xen_mc_extend_args()` for an operation on a table: joins the newest call if that is one of
    /// such operations and there is room; tells whether it did.
    pub(super) fn extend_mmuext(&mut self, max: usize) -> bool {
        let extends =
            self.entries.last() == Some(&Entry::Pin) && self.argidx + MMUEXT_OP < mc_args(max);
        if extends {
            self.argidx += MMUEXT_OP;
        }
        extends
    }

    /// `xen_mc_extend_args()`: adds an update to the newest call if that is one of updates and
    /// there is room; tells how many that call has now.
    #[inline]
    pub(super) fn extend(&mut self, max: usize, slot: Option<Slot>, pte: Pte) -> Option<u16> {
        let room = self.argidx + MMU_UPDATE < mc_args(max);
        let Some(Entry::MmuUpdate(n)) = self.entries.last_mut().filter(|_| room) else {
            return None;
        };
        *n += 1;
        let n = *n;
        self.push(slot, pte);
        Some(n)
    }

    #[inline]
    pub(super) fn push(&mut self, slot: Option<Slot>, pte: Pte) {
        self.argidx += MMU_UPDATE;
        self.ptes.push(pte);
        self.slots.push(slot);
    }

    /// Whether a new call with `args` bytes of arguments fits, as `__xen_mc_entry()` asks.
    pub(super) fn fits(&self, max: usize, args: usize) -> bool {
        self.entries.len() < max && self.argidx + args < mc_args(max)
    }
}

/// How many bytes of arguments are too many for `max` calls: [`MC_ARGS`] for [`MC_BATCH`].
#[inline]
const fn mc_args(max: usize) -> usize {
    max * (MC_ARGS / MC_BATCH)
}
