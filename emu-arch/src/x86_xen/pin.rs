//! Pinned page tables: a guest may only read them, and the hypervisor does each update.
//!
//! Models `xen_pgd_pin()`, `xen_pgd_unpin()`, `xen_alloc_ptpage()` and what they call, of
//! arch/x86/xen/mmu_pv.c, the same in v6.12, v7.2 and v7.3. The tables of a process are pinned from
//! the end of its fork (`arch_dup_mmap()`), or from its exec, until it exits (`arch_exit_mmap()`,
//! before the first entry is cleared). Entries of the levels above the last one are stored plainly
//! before and after that. The locks of the tables, which a multicall holds until it is done, are
//! left out.

use super::cpu::{Entry, MC_BATCH, MMUEXT_OP, XenCpu, XenPv};
use super::multicalls::{QUEUED, make_room, xen_mc_flush};
use crate::backend::{Hw, Level};
use crate::hw::effect::ArchEffect;

/// A page becomes read-only, or writable again.
const UPDATE_VA_MAPPING: ArchEffect = ArchEffect::deferral("update_va_mapping");
const PIN_L1: ArchEffect = ArchEffect::deferral("MMUEXT_PIN_L1_TABLE");
const PIN_L4: ArchEffect = ArchEffect::deferral("MMUEXT_PIN_L4_TABLE");
const UNPIN: ArchEffect = ArchEffect::deferral("MMUEXT_UNPIN_TABLE");

impl XenPv {
    /// Pins the tables of an address space, of which `tables` are all but the root and its copy
    /// for user mode.
    ///
    /// Fidelity: same as `xen_enter_mmap()`, `__xen_pgd_pin()` and `xen_pin_page()` of
    /// arch/x86/xen/mmu_pv.c v6.12 to v7.3, with split page table locks, without the flush of
    /// the CPU's own TLB that comes with the two roots.
    pub(super) fn pgd_pin(hw: &mut impl Hw<PerCpu = XenCpu>, tables: &[Level]) {
        hw.local_irq_save();
        for level in tables {
            update_va_mapping(hw);
            if *level == Level::Pmd {
                do_pin(hw, PIN_L1);
            }
        }
        // The root, then its copy for user mode.
        for _ in 0..2 {
            update_va_mapping(hw);
            do_pin(hw, PIN_L4);
        }
        xen_mc_flush(hw);
        hw.local_irq_restore();
    }

    /// Makes the tables of address space `mm` writable again, where they are pinned.
    ///
    /// Fidelity: same as `xen_exit_mmap()`, `__xen_pgd_unpin()` and `xen_unpin_page()` of
    /// arch/x86/xen/mmu_pv.c v6.12 to v7.3, with split page table locks, without the switch to the
    /// kernel's own tables in `xen_drop_mm_ref()` and the flush that comes with the two roots.
    pub(super) fn pgd_unpin(hw: &mut impl Hw<PerCpu = XenCpu>, mm: u8, tables: &[Level]) {
        if !hw.page_pinned(mm) {
            return;
        }
        hw.local_irq_save();
        do_pin(hw, UNPIN);
        do_pin(hw, UNPIN);
        update_va_mapping(hw);
        for level in tables {
            if *level == Level::Pmd {
                do_pin(hw, UNPIN);
            }
            update_va_mapping(hw);
        }
        update_va_mapping(hw);
        xen_mc_flush(hw);
        hw.local_irq_restore();
    }

    /// Makes a page that becomes a table of a pinned address space read-only, and pins it where it
    /// is one of the last level: in the queue of the updates, behind what waits there.
    ///
    /// Fidelity: same as `xen_alloc_ptpage()` of arch/x86/xen/mmu_pv.c v6.12 to v7.3, with split
    /// page table locks; `xen_release_ptpage()` is left out: `___pte_free_tlb()` calls it, and
    /// `pte_free()`, which is all that there is here, does not.
    pub(super) fn alloc_ptpage(self, hw: &mut impl Hw<PerCpu = XenCpu>, mm: u8, level: Level) {
        if !hw.page_pinned(mm) {
            return;
        }
        hw.local_irq_save();
        update_va_mapping(hw);
        if level == Level::Pmd {
            do_pin(hw, PIN_L1);
        }
        self.xen_mc_issue(hw);
        hw.local_irq_restore();
    }
}

/// Queues `MULTI_update_va_mapping()`, whose arguments are in the call itself.
fn update_va_mapping(hw: &mut impl Hw<PerCpu = XenCpu>) {
    make_room(hw, 0);
    push(hw, Entry::UpdateVaMapping, UPDATE_VA_MAPPING);
}

/// Queues an operation on a table: joins the newest call if that is one of such operations.
///
/// Fidelity: same as `xen_do_pin()` and `xen_extend_mmuext_op()` of arch/x86/xen/mmu_pv.c v6.12 to
/// v7.3, but for a flush of TLBs, which nothing is ever put behind here.
fn do_pin(hw: &mut impl Hw<PerCpu = XenCpu>, op: ArchEffect) {
    let max = hw.limit(MC_BATCH);
    if hw.per_cpu(|cpu| cpu.queue.extend_mmuext(max)) {
        hw.effect(op);
        return;
    }
    make_room(hw, MMUEXT_OP);
    hw.per_cpu(|cpu| cpu.queue.argidx += MMUEXT_OP);
    push(hw, Entry::Pin, op);
}

fn push(hw: &mut impl Hw<PerCpu = XenCpu>, entry: Entry, effect: ArchEffect) {
    let calls = hw.per_cpu(|cpu| {
        cpu.queue.entries.push(entry);
        cpu.queue.entries.len()
    });
    hw.effect(effect);
    hw.effect(QUEUED.of(calls as u32));
}
