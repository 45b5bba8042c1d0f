//! The multicall queue: page table updates and TLB flushes on their way to the hypervisor.
//!
//! Models `struct mc_buffer`, `xen_mc_flush()`, `__xen_mc_entry()` and `xen_mc_extend_args()` of
//! arch/x86/xen/multicalls.c, the same in all versions from v6.0 to v7.3. What is queued is not in
//! memory: the hypervisor writes it, in order, when the queue is flushed. The multicalls that a
//! context switch collects under `XEN_LAZY_CPU` and the callbacks are left out.

use super::cpu::{Entry, MC_BATCH, MMU_UPDATE, MMUEXT_OP, XenCpu};
use crate::backend::{At, Hw, Level, Slot};
use crate::hw::addr::PTRS_PER_PTE;
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// Bytes of a mask of CPUs, of which there are at most 64.
const CPUMASK: usize = 8;

/// One hypercall that updates that many entries.
pub const MMU_UPDATE_CALL: ArchEffect = ArchEffect::delayable("HYPERVISOR_mmu_update");
/// One hypercall that flushes TLBs.
pub const MMUEXT_OP_CALL: ArchEffect = ArchEffect::delayable("HYPERVISOR_mmuext_op");
/// One hypercall that makes a page of the guest read-only or writable.
pub const UPDATE_VA_MAPPING_CALL: ArchEffect =
    ArchEffect::delayable("HYPERVISOR_update_va_mapping");
/// One hypercall that makes that many calls.
pub const MULTICALL: ArchEffect = ArchEffect::delayable("HYPERVISOR_multicall");
/// An update joined the newest queued call, which now has that many.
const EXTENDED: ArchEffect = ArchEffect::deferral("mmu_update.args[1]=");
/// A call was queued; that many are now.
pub(super) const QUEUED: ArchEffect = ArchEffect::deferral("mc_buffer.mcidx=");

/// What a TLB flush does: the command of a `struct mmuext_op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mmuext {
    TlbFlushLocal,
    InvlpgLocal,
    TlbFlushMulti,
    InvlpgMulti,
}

impl Mmuext {
    const fn effect(self) -> ArchEffect {
        ArchEffect::deferral(match self {
            Self::TlbFlushLocal => "MMUEXT_TLB_FLUSH_LOCAL",
            Self::InvlpgLocal => "MMUEXT_INVLPG_LOCAL",
            Self::TlbFlushMulti => "MMUEXT_TLB_FLUSH_MULTI",
            Self::InvlpgMulti => "MMUEXT_INVLPG_MULTI",
        })
    }

    /// Bytes of arguments.
    const fn args(self) -> usize {
        match self {
            Self::TlbFlushLocal | Self::InvlpgLocal => MMUEXT_OP,
            Self::TlbFlushMulti | Self::InvlpgMulti => MMUEXT_OP + CPUMASK,
        }
    }
}

/// The entry that an update writes; those of upper levels have no place in memory here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// That of a page.
    Pte(At, Slot),
    /// One above.
    Table(At, Level),
}

/// Queues an update: `xen_extend_mmu_update()`.
///
/// Fidelity: same as arch/x86/xen/mmu_pv.c v6.0 to v7.3.
#[inline]
pub(super) fn extend_mmu_update(hw: &mut impl Hw<PerCpu = XenCpu>, word: Word, pte: Pte) {
    let max = hw.limit(MC_BATCH);
    let slot = if let Word::Pte(_, slot) = word { Some(slot) } else { None };
    let n = match hw.per_cpu(|cpu| cpu.queue.extend(max, slot, pte)) {
        Some(n) => n,
        None => start_mmu_update(hw, slot, pte),
    };
    if hw.watched() {
        hw.effect(EXTENDED.of(u32::from(n)));
        match word {
            Word::Pte(at, _) => hw.defer(at, 1),
            Word::Table(at, level) => hw.defer_table(at, level),
        }
    }
}

/// Begins a call of updates with its first one.
#[inline(never)]
fn start_mmu_update(hw: &mut impl Hw<PerCpu = XenCpu>, slot: Option<Slot>, pte: Pte) -> u16 {
    make_room(hw, MMU_UPDATE);
    hw.per_cpu(|cpu| {
        cpu.queue.entries.push(Entry::MmuUpdate(1));
        cpu.queue.push(slot, pte);
    });
    1
}

/// Queues a TLB flush of `pages` pages from `at` on, as a call of its own.
///
/// Fidelity: same as the middle of `xen_flush_tlb_multi()` and `xen_flush_tlb_one_user()` of
/// arch/x86/xen/mmu_pv.c v6.0 to v7.3.
pub(super) fn queue_flush(hw: &mut impl Hw<PerCpu = XenCpu>, cmd: Mmuext, at: At, pages: u32) {
    make_room(hw, cmd.args());
    let calls = hw.per_cpu(|cpu| {
        cpu.queue.entries.push(Entry::MmuextOp { at, pages });
        cpu.queue.argidx += cmd.args();
        cpu.queue.entries.len()
    });
    hw.effect(cmd.effect());
    hw.effect(QUEUED.of(calls as u32));
}

/// Flushes where a new call does not fit.
pub(super) fn make_room(hw: &mut impl Hw<PerCpu = XenCpu>, args: usize) {
    let max = hw.limit(MC_BATCH);
    if !hw.per_cpu(|cpu| cpu.queue.fits(max, args)) {
        xen_mc_flush(hw);
    }
}

/// Hands the queue to the hypervisor: one call directly, several in a multicall.
///
/// Fidelity: same as arch/x86/xen/multicalls.c v6.0 to v7.3; its `BUG_ON(preemptible())` cannot
/// fire here, since every caller has preemption or interrupts off, and failures of the hypervisor
/// are left out.
#[inline(never)]
pub(super) fn xen_mc_flush(hw: &mut impl Hw<PerCpu = XenCpu>) {
    if hw.per_cpu(|cpu| cpu.queue.entries.is_empty()) {
        return;
    }
    hw.local_irq_save();
    let queue = hw.per_cpu(|cpu| std::mem::take(&mut cpu.queue));
    match queue.entries.as_slice() {
        [Entry::MmuUpdate(n)] => hw.effect(MMU_UPDATE_CALL.of(u32::from(*n))),
        [Entry::MmuextOp { .. } | Entry::Pin] => hw.effect(MMUEXT_OP_CALL.of(1)),
        [Entry::UpdateVaMapping] => hw.effect(UPDATE_VA_MAPPING_CALL),
        several => hw.effect(MULTICALL.of(several.len() as u32)),
    }
    let mut done = 0;
    for entry in &queue.entries {
        match *entry {
            Entry::MmuUpdate(n) => {
                let updates = done..done + usize::from(n);
                write(hw, &queue.slots[updates.clone()], &queue.ptes[updates]);
                done += usize::from(n);
            }
            Entry::MmuextOp { at, pages } => hw.tlb_invalidate(at, pages),
            Entry::Pin | Entry::UpdateVaMapping => {}
        }
    }
    hw.complete();
    // Given back empty, for its memory.
    hw.per_cpu(|cpu| {
        cpu.queue = queue;
        cpu.queue.entries.clear();
        cpu.queue.ptes.clear();
        cpu.queue.slots.clear();
        cpu.queue.argidx = 0;
    });
    hw.local_irq_restore();
}

/// What the hypervisor does on `HYPERVISOR_mmu_update`: in order, neighbours in one go.
fn write(hw: &mut impl Hw<PerCpu = XenCpu>, slots: &[Option<Slot>], ptes: &[Pte]) {
    let follows = |before: &Option<Slot>, slot: &Option<Slot>| match (before, slot) {
        (Some(before), Some(slot)) => {
            slot.0 == before.0 + 1 && !slot.0.is_multiple_of(PTRS_PER_PTE as u64)
        }
        _ => false,
    };
    let mut done = 0;
    for run in slots.chunk_by(follows) {
        let end = done + run.len();
        if let Some(first) = run[0] {
            hw.write_slots(first, &ptes[done..end]);
        }
        done = end;
    }
}
