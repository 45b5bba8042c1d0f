//! What arch code may do to the machine and to the current task.

use super::{At, Level, Psize, Slot};
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

/// What arch code can do to the machine and to the current task.
///
/// Memory, per-CPU state, effects and BUGs are a machine's own; the provided bodies of the rest are
/// those of a CPU on which no task has a mode, a flag or an interrupt.
pub trait Hw {
    /// A pointer to a page table entry.
    type Ptep: Copy;
    /// What the backend keeps per CPU.
    type PerCpu;

    /// Reads an entry from memory.
    fn read(&mut self, ptep: Self::Ptep) -> Pte;
    /// Writes an entry to memory.
    fn write(&mut self, ptep: Self::Ptep, pte: Pte);
    /// The pointer `n` entries further on in the same table.
    fn ptep_add(&self, ptep: Self::Ptep, n: u16) -> Self::Ptep;
    /// The place of an entry as a number that a queue can hold.
    fn slot(&self, ptep: Self::Ptep) -> Slot;
    /// Reads the entry at `slot` from memory.
    fn read_slot(&mut self, slot: Slot) -> Pte;
    /// Writes the entry at `slot` to memory.
    fn write_slot(&mut self, slot: Slot, pte: Pte);
    /// Reads entries from `slot` on, all of one table, until one is not what `wanted` says, `nr` at
    /// most; returns how many were.
    #[inline]
    fn count_slots(&mut self, slot: Slot, nr: usize, wanted: impl Fn(Pte) -> bool) -> usize {
        (0..nr).find(|n| !wanted(self.read_slot(Slot(slot.0 + *n as u64)))).unwrap_or(nr)
    }
    /// Writes entries from `slot` on, all of one table, to memory, in order.
    #[inline]
    fn write_slots(&mut self, slot: Slot, ptes: &[Pte]) {
        for (n, pte) in (0..).zip(ptes) {
            self.write_slot(Slot(slot.0 + n), *pte);
        }
    }
    /// `is_lazy_mmu_mode_active()` of the current task.
    fn is_lazy_mmu_mode_active(&mut self) -> bool {
        false
    }
    /// `__task_lazy_mmu_mode_active(current)`: the same, whether in interrupt or not.
    fn task_lazy_mmu_mode_active(&mut self) -> bool {
        false
    }
    /// `__task_lazy_mmu_mode_pause(current)`
    fn task_lazy_mmu_mode_pause(&mut self) {}
    /// `__task_lazy_mmu_mode_resume(current)`
    fn task_lazy_mmu_mode_resume(&mut self) {}
    /// `test_thread_flag()` of the current task.
    fn test_thread_flag(&mut self, _: u32) -> bool {
        false
    }
    /// `set_thread_flag()` of the current task.
    fn set_thread_flag(&mut self, _: u32) {}
    /// `test_and_clear_thread_flag()` of the current task.
    fn test_and_clear_thread_flag(&mut self, _: u32) -> bool {
        false
    }
    /// Does one step with the state of the CPU that the task runs on: `this_cpu_ptr()` and what
    /// follows it.
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut Self::PerCpu) -> R) -> R;
    /// `in_interrupt()`
    fn in_interrupt(&mut self) -> bool {
        false
    }
    /// `get_cpu()`: preemption off for a few lines, which records do not show.
    fn get_cpu(&mut self) {}
    /// `put_cpu()`
    fn put_cpu(&mut self) {}
    /// `local_irq_save()`: nothing falls into what follows on this CPU, which records do not show.
    #[inline]
    fn local_irq_save(&mut self) {}
    /// `local_irq_restore()`
    #[inline]
    fn local_irq_restore(&mut self) {}
    /// `preempt_disable()`
    fn preempt_disable(&mut self) {}
    /// `preempt_enable()`
    fn preempt_enable(&mut self) {}
    /// The page size of the slice that `at` lies in (powerpc hash, sparc64), which stands for the
    /// size of huge pages there.
    #[inline]
    fn slice_psize(&self, _: At) -> Psize {
        Psize::default()
    }
    /// Whether the page tables of address space `mm` are pinned (Xen PV): read-only for the guest.
    /// Those of a process that runs are, and the kernel's.
    #[inline]
    fn page_pinned(&self, _mm: u8) -> bool {
        true
    }
    /// Executes an effect.
    fn effect(&mut self, effect: ArchEffect);
    /// Executes an effect on as many entries as `n` says of the CPU's state, which the code reads
    /// behind whatever arrives before the effect.
    #[inline]
    fn effect_on(&mut self, effect: ArchEffect, n: impl FnOnce(&mut Self::PerCpu) -> u32) {
        let n = self.per_cpu(n);
        self.effect(effect.of(n));
    }
    /// The updates of `nr` pages from `at` on join the batch: from now on they are pending.
    #[inline]
    fn defer(&mut self, _: At, _: u16) {}
    /// The update of an entry above the last level joins the batch: until it is done, no walk to a
    /// page under it can be relied on.
    #[inline]
    fn defer_table(&mut self, _: At, _: Level) {}
    /// The batch (the task's on arm64, the CPU's elsewhere) is empty again: nothing of it is
    /// pending any more. An invalidation that was deferred and has not come to
    /// [`tlb_invalidate`](Self::tlb_invalidate) by now is lost.
    fn complete(&mut self) {}
    /// The code writes past the end of the array that holds the batch.
    #[inline]
    fn overflow(&mut self) {}
    /// Whether deferred work is observed. A backend may skip its bookkeeping where it is not.
    #[inline]
    fn watched(&self) -> bool {
        true
    }
    /// Whether [`tlb_invalidate`](Self::tlb_invalidate) has an effect. A backend may skip a loop of
    /// such calls where it has none.
    #[inline]
    fn tracks(&self) -> bool {
        true
    }
    /// No CPU translates `nr` pages from `at` on by an old entry any more.
    #[inline]
    fn tlb_invalidate(&mut self, _: At, _: u32) {}
    /// `BUG_ON(cond)`, whose text is `text`: where `cond` is true the task ends here. Returns
    /// whether the kernel goes on.
    #[must_use]
    fn bug_on(&mut self, cond: bool, text: &'static str) -> bool;
    /// `VM_WARN_ON(cond)`, whose text is `text`.
    #[inline]
    fn vm_warn_on(&mut self, _cond: bool, _text: &'static str) {}
    /// How many entries a batch that holds `max` in the kernel holds here: fewer where a search
    /// scales batches down so that they fill.
    #[inline]
    fn limit(&self, max: usize) -> usize {
        max
    }
}

/// Writes the entries of `nr` consecutive pages, the first of which is `pte`, one after the other.
#[inline]
pub fn write_ptes<H: Hw>(hw: &mut H, ptep: H::Ptep, pte: Pte, nr: u16) {
    for n in 0..nr {
        let ptep = hw.ptep_add(ptep, n);
        hw.write(ptep, pte.advance_pfn(u64::from(n)));
    }
}
