//! The multicall queue: page table updates and TLB flushes on their way to the hypervisor.
//!
//! Models `struct mc_buffer`, `xen_mc_flush()`, `__xen_mc_entry()` and `xen_mc_extend_args()` of
//! arch/x86/xen/multicalls.c, the same in all versions from v6.0 to v7.2. What is queued is not in
//! memory: the hypervisor writes it, in order, when the queue is flushed.

use super::XenCpu;
use crate::backend::{At, Hw, Slot};
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// How many calls the queue holds.
pub const MC_BATCH: usize = 32;
/// How many bytes of arguments the queue holds.
pub const MC_ARGS: usize = MC_BATCH * 16;
/// Bytes of a `struct mmu_update`.
const MMU_UPDATE: usize = 16;
/// Bytes of a `struct mmuext_op`.
const MMUEXT_OP: usize = 24;

/// One hypercall that updates that many entries.
pub const MMU_UPDATE_CALL: Effect = Effect::delayable("HYPERVISOR_mmu_update");
/// One hypercall that flushes TLBs.
pub const MMUEXT_OP_CALL: Effect = Effect::delayable("HYPERVISOR_mmuext_op");
/// One hypercall that makes that many calls.
pub const MULTICALL: Effect = Effect::delayable("HYPERVISOR_multicall");
/// An update joined the newest queued call, which now has that many.
const EXTENDED: Effect = Effect::put_off("mmu_update.args[1]=");
/// A TLB flush was queued; that many calls are now.
const QUEUED: Effect = Effect::put_off("mc_buffer.mcidx=");

/// An update of one entry; entries of upper levels have no place in memory here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Update {
    pub(super) at: At,
    pub(super) slot: Option<Slot>,
    pub(super) pte: Pte,
}

/// One queued call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Entry {
    /// `__HYPERVISOR_mmu_update` with that many updates.
    MmuUpdate(u16),
    /// `__HYPERVISOR_mmuext_op` that flushes pages from the TLBs.
    Flush { at: At, pages: u32 },
}

/// The queue of one CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct McBuffer {
    entries: Vec<Entry>,
    updates: Vec<Update>,
    argidx: usize,
}

impl McBuffer {
    /// How many updates and flushes wait.
    pub(super) fn waiting(&self) -> usize {
        let flushes = self.entries.iter().filter(|entry| matches!(entry, Entry::Flush { .. }));
        self.updates.len() + flushes.count()
    }

    /// `xen_mc_extend_args()`: adds an update to the newest call if that is one of updates and there
    /// is room; tells how many that call has now.
    #[inline]
    fn extend(&mut self, update: Update) -> Option<u16> {
        let room = self.argidx + MMU_UPDATE < MC_ARGS;
        match self.entries.last_mut() {
            Some(Entry::MmuUpdate(n)) if room => {
                *n += 1;
                self.argidx += MMU_UPDATE;
                self.updates.push(update);
                Some(*n)
            }
            _ => None,
        }
    }

    /// Whether a new call with `args` bytes of arguments fits, as `__xen_mc_entry()` asks.
    fn fits(&self, args: usize) -> bool {
        self.entries.len() < MC_BATCH && self.argidx + args < MC_ARGS
    }
}

/// Queues an update: `xen_extend_mmu_update()`.
///
/// Fidelity: same as arch/x86/xen/mmu_pv.c v6.0 to v7.2.
#[inline]
pub(super) fn extend_mmu_update(hw: &mut impl Hw<PerCpu = XenCpu>, update: Update) {
    let n = match hw.per_cpu(|cpu| cpu.queue.extend(update)) {
        Some(n) => n,
        None => {
            make_room(hw, MMU_UPDATE);
            hw.per_cpu(|cpu| {
                cpu.queue.entries.push(Entry::MmuUpdate(1));
                cpu.queue.argidx += MMU_UPDATE;
                cpu.queue.updates.push(update);
            });
            1
        }
    };
    hw.effect(EXTENDED.of(u32::from(n)));
    hw.put_off(update.at, 1);
}

/// Queues a TLB flush.
///
/// Fidelity: changed: arch/x86/xen/mmu_pv.c v7.0; the mask of CPUs is left out of the arguments.
pub(super) fn queue_flush(hw: &mut impl Hw<PerCpu = XenCpu>, at: At, pages: u32) {
    make_room(hw, MMUEXT_OP);
    let calls = hw.per_cpu(|cpu| {
        cpu.queue.entries.push(Entry::Flush { at, pages });
        cpu.queue.argidx += MMUEXT_OP;
        cpu.queue.entries.len()
    });
    hw.effect(QUEUED.of(calls as u32));
}

/// Flushes where a new call does not fit.
fn make_room(hw: &mut impl Hw<PerCpu = XenCpu>, args: usize) {
    if !hw.per_cpu(|cpu| cpu.queue.fits(args)) {
        xen_mc_flush(hw);
    }
}

/// Hands the queue to the hypervisor: one call directly, several in a multicall.
///
/// Fidelity: same as arch/x86/xen/multicalls.c v6.0 to v7.2; its `BUG_ON(preemptible())` cannot fire
/// here, since every caller has preemption or interrupts off, and failures of the hypervisor are
/// left out.
pub(super) fn xen_mc_flush(hw: &mut impl Hw<PerCpu = XenCpu>) {
    let queue = hw.per_cpu(|cpu| std::mem::take(&mut cpu.queue));
    match queue.entries.as_slice() {
        [] => {}
        [Entry::MmuUpdate(n)] => hw.effect(MMU_UPDATE_CALL.of(u32::from(*n))),
        [Entry::Flush { .. }] => hw.effect(MMUEXT_OP_CALL.of(1)),
        several => hw.effect(MULTICALL.of(several.len() as u32)),
    }
    let mut updates = queue.updates.iter();
    for entry in &queue.entries {
        match *entry {
            Entry::MmuUpdate(n) => updates.by_ref().take(usize::from(n)).for_each(|update| {
                if let Some(slot) = update.slot {
                    hw.write_slot(slot, update.pte);
                }
            }),
            Entry::Flush { at, pages } => hw.tlb_invalidate(at, pages),
        }
    }
    if queue.entries.is_empty() {
        return;
    }
    hw.settle();
    // Given back empty, for its memory.
    hw.per_cpu(|cpu| {
        cpu.queue = queue;
        cpu.queue.entries.clear();
        cpu.queue.updates.clear();
        cpu.queue.argidx = 0;
    });
}
