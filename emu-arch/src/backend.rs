//! The contract of an architecture: what its code may do, and what it must provide.
//!
//! A backend is a small value that says which version of the code it is; the code is generic over
//! [`Hw`], the machine it runs on, and keeps nothing itself: what the kernel has per CPU is
//! [`Backend::PerCpu`] and reached through [`Hw::per_cpu`], one step at a time. The same code thus
//! runs on the emulated machine, which executes for real and records, and on the plain values of a
//! checker, which may stop it between any two steps.
//!
//! Models asm/pgtable.h and the headers around it; each architecture's folder names its own files.

pub use lazy_mmu::design::{Hook, HookInfo};

pub use crate::hw::Slot;
use crate::hw::addr::VirtAddr;
use crate::hw::effect::Effect;
use crate::hw::pte::Pte;

/// What arch code can do to the machine and to the current task.
pub trait Hw {
    /// A pointer to a page table entry.
    type Ptep: Copy;
    /// What the backend keeps per CPU.
    type PerCpu;

    /// Reads an entry from memory.
    fn read(&self, ptep: Self::Ptep) -> Pte;
    /// Writes an entry to memory.
    fn write(&mut self, ptep: Self::Ptep, pte: Pte);
    /// The pointer `n` entries further on in the same table.
    fn ptep_add(&self, ptep: Self::Ptep, n: u16) -> Self::Ptep;
    /// The place of an entry as a number that a queue can hold.
    fn slot(&self, ptep: Self::Ptep) -> Slot;
    /// Reads the entry at `slot` from memory.
    fn read_slot(&self, slot: Slot) -> Pte;
    /// Writes the entry at `slot` to memory.
    fn write_slot(&mut self, slot: Slot, pte: Pte);
    /// Reads entries from `slot` on, all of one table, until one is not what `wanted` says, `nr` at
    /// most; returns how many were.
    #[inline]
    fn count_slots(&self, slot: Slot, nr: usize, wanted: impl Fn(Pte) -> bool) -> usize {
        let wanted = |n: &usize| wanted(self.read_slot(Slot(slot.0 + *n as u64)));
        (0..nr).find(|n| !wanted(n)).unwrap_or(nr)
    }
    /// Writes entries from `slot` on, all of one table, to memory, in order.
    #[inline]
    fn write_slots(&mut self, slot: Slot, ptes: &[Pte]) {
        for (n, pte) in (0..).zip(ptes) {
            self.write_slot(Slot(slot.0 + n), *pte);
        }
    }
    /// `is_lazy_mmu_mode_active()` of the current task.
    fn is_lazy_mmu_mode_active(&self) -> bool;
    /// `__task_lazy_mmu_mode_active(current)`: the same, whether in interrupt or not.
    fn task_lazy_mmu_mode_active(&self) -> bool;
    /// `__task_lazy_mmu_mode_pause(current)`
    fn task_lazy_mmu_mode_pause(&mut self);
    /// `__task_lazy_mmu_mode_resume(current)`
    fn task_lazy_mmu_mode_resume(&mut self);
    /// `test_thread_flag()` of the current task.
    fn test_thread_flag(&self, flag: u32) -> bool;
    /// `set_thread_flag()` of the current task.
    fn set_thread_flag(&mut self, flag: u32);
    /// `test_and_clear_thread_flag()` of the current task.
    fn test_and_clear_thread_flag(&mut self, flag: u32) -> bool;
    /// Does one step with the state of the CPU that the task runs on: `this_cpu_ptr()` and what
    /// follows it.
    fn per_cpu<R>(&mut self, step: impl FnOnce(&mut Self::PerCpu) -> R) -> R;
    /// `in_interrupt()`
    fn in_interrupt(&self) -> bool;
    /// `get_cpu()`: preemption off for a few lines, which records do not show.
    fn get_cpu(&mut self);
    /// `put_cpu()`
    fn put_cpu(&mut self);
    /// `local_irq_save()`: nothing falls into what follows on this CPU, which records do not show.
    #[inline]
    fn local_irq_save(&mut self) {}
    /// `local_irq_restore()`
    #[inline]
    fn local_irq_restore(&mut self) {}
    /// `preempt_disable()`
    fn preempt_disable(&mut self);
    /// `preempt_enable()`
    fn preempt_enable(&mut self);
    /// The page size of the slice that `at` lies in (powerpc hash; sparc64, where it stands for the
    /// size of a huge page).
    fn slice_psize(&self, at: At) -> Psize;
    /// Executes an effect.
    fn effect(&mut self, effect: Effect);
    /// The updates of `nr` pages from `at` on are put off: from now on they are pending.
    #[inline]
    fn put_off(&mut self, _: At, _: u16) {}
    /// All that this batch (the task's on arm64, the CPU's elsewhere) has put off is done.
    fn settle(&mut self) {}
    /// Whether anyone sees what is put off; asked where putting off is all that an update does.
    #[inline]
    fn watched(&self) -> bool {
        true
    }
    /// Whether anyone wants to know which translations die; asked before a loop over a batch.
    #[inline]
    fn tracks(&self) -> bool {
        true
    }
    /// No CPU translates `nr` pages from `at` on by an old entry any more.
    #[inline]
    fn tlb_invalidate(&mut self, _: At, _: u32) {}
    /// `BUG_ON()` whose condition, `cond`, is true: the task ends here.
    fn bug(&mut self, cond: &'static str);
}

/// An address in an address space: what the kernel passes as `mm, addr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// Number of the address space, 0 for `init_mm`.
    pub mm: u8,
    /// The address of the page.
    pub addr: VirtAddr,
}

impl At {
    /// Tells whether the address space is the kernel's.
    #[inline]
    #[must_use]
    pub const fn is_init_mm(self) -> bool {
        self.mm == 0
    }
}

/// The range hint of `lazy_mmu_mode_enable_with_ptes()`: pages of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PteRange {
    /// The first page.
    pub at: At,
    /// The number of pages, 1 to 512.
    pub nr: u16,
    /// The entry of the first page.
    pub slot: Slot,
}

/// A base page size of the hash MMU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Psize {
    /// `MMU_PAGE_4K`
    #[default]
    Page4K,
    /// `MMU_PAGE_64K`
    Page64K,
    /// `MMU_PAGE_16M`
    Page16M,
}

/// A level of the page tables above the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// `set_pmd()`: an entry that points to a page table.
    Pmd,
    /// `set_pud()`
    Pud,
    /// `set_p4d()`
    P4d,
    /// `set_pgd()`
    Pgd,
}

/// How a CPU touches memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
}

impl Access {
    /// Tells whether `pte` lets the access through.
    #[must_use]
    pub const fn permitted_by(self, pte: Pte) -> bool {
        pte.is_present() && (matches!(self, Self::Read) || pte.has(Pte::WRITE))
    }
}

/// Writes the entries of `nr` consecutive pages, the first of which is `pte`, one after the other.
#[inline]
pub(crate) fn write_ptes<H: Hw>(hw: &mut H, ptep: H::Ptep, pte: Pte, nr: u16) {
    for n in 0..nr {
        let ptep = hw.ptep_add(ptep, n);
        hw.write(ptep, pte.advance_pfn(u64::from(n)));
    }
}

/// Runs `hook` on `backend`, or what an architecture without it runs instead.
pub fn run_hook<B: Backend>(
    backend: B,
    hw: &mut impl Hw<PerCpu = B::PerCpu>,
    hook: &HookInfo,
    range: Option<PteRange>,
) {
    if Some(hook.hook) != hook.kernel() && backend.own_hook(hw, hook.hook, range) {
        return;
    }
    match hook.kernel() {
        Some(Hook::ENTER) => backend.enter(hw),
        Some(Hook::LEAVE) => backend.leave(hw),
        Some(Hook::FLUSH) => backend.flush(hw),
        _ => {}
    }
}

/// An architecture's side of the lazy MMU mode.
///
/// The provided bodies are what most architectures do; whoever differs says so.
pub trait Backend: Copy + std::fmt::Debug {
    /// What the kernel keeps per CPU, as after boot when default.
    type PerCpu: Clone + Default + Eq + std::hash::Hash + std::fmt::Debug;

    /// `arch_enter_lazy_mmu_mode()`
    fn enter(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>);
    /// `arch_leave_lazy_mmu_mode()`
    fn leave(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>);
    /// `arch_flush_lazy_mmu_mode()`
    fn flush(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>);

    /// Runs `hook`, which a design has beyond the three, and tells whether the architecture has it; by
    /// default it has none. `range` is the argument of the call, where it is pages of one table.
    fn own_hook(
        self,
        _: &mut impl Hw<PerCpu = Self::PerCpu>,
        _hook: Hook,
        _range: Option<PteRange>,
    ) -> bool {
        false
    }
    /// What a context switch does before the registers of the outgoing task are saved; that task is
    /// current, and preemption is off.
    fn switch_out(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) {}
    /// What a context switch does after it: the incoming task is current, and preemption is off.
    fn switch_in(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) {}

    /// Tells whether a task that has not run yet is paused, as one that was switched out is.
    fn born_paused(self) -> bool {
        false
    }

    /// `set_pte()`: one entry, by arch code.
    #[inline]
    fn set_pte<H: Hw<PerCpu = Self::PerCpu>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        self.set_ptes(hw, at, ptep, pte, 1);
    }
    /// `pte_clear()`
    #[inline]
    fn pte_clear<H: Hw<PerCpu = Self::PerCpu>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.pte_update(hw, at, ptep, |_| Pte::NONE);
    }

    /// Whether [`ptep_get`](Self::ptep_get) is a read from memory and nothing else.
    const PTEP_GET_IS_READ: bool = true;
    /// `ptep_get()`: by default a read from memory.
    fn ptep_get<H: Hw<PerCpu = Self::PerCpu>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        hw.read(ptep)
    }
    /// `set_ptes()`: `nr` entries of consecutive pages, none of which was present; by default plain
    /// stores, one after the other.
    ///
    /// Fidelity: same as the default of include/linux/pgtable.h v7.0.
    #[inline]
    fn set_ptes<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
        nr: u16,
    ) {
        write_ptes(hw, ptep, pte, nr);
    }
    /// Changes an entry in one atomic step and returns the old one: what `ptep_get_and_clear()`,
    /// `ptep_set_wrprotect()` and their like are made of; by default nothing else happens.
    #[inline]
    fn pte_update<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        new: impl FnOnce(Pte) -> Pte,
    ) -> Pte {
        let old = hw.read(ptep);
        hw.write(ptep, new(old));
        old
    }
    /// `set_pmd()` and the levels above: an entry that is valid or, when cleared, is not; by default a
    /// plain store.
    fn set_table(self, _: &mut impl Hw<PerCpu = Self::PerCpu>, _: At, _: Level, _: bool) {}

    /// `ptep_set_wrprotect()`
    #[inline]
    fn ptep_set_wrprotect<H: Hw<PerCpu = Self::PerCpu>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.pte_update(hw, at, ptep, |pte| pte.without(Pte::WRITE));
    }
    /// `ptep_test_and_clear_young()`
    #[inline]
    fn ptep_test_and_clear_young<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
    ) -> bool {
        self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG)).has(Pte::YOUNG)
    }
    /// `ptep_set_access_flags()`: a present entry gets more permissions; by default it is replaced.
    ///
    /// Fidelity: changed: mm/pgtable-generic.c v7.0, without `flush_tlb_fix_spurious_fault()`.
    #[inline]
    fn ptep_set_access_flags<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        pte: Pte,
    ) -> bool {
        let changed = hw.read(ptep) != pte;
        hw.write(ptep, pte);
        changed
    }
    /// `ptep_modify_prot_start()`: no one changes the entry until the commit.
    fn ptep_modify_prot_start<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
    ) -> Pte {
        self.pte_update(hw, at, ptep, |_| Pte::NONE)
    }
    /// `ptep_modify_prot_commit()`
    fn ptep_modify_prot_commit<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        at: At,
        ptep: H::Ptep,
        pte: Pte,
    ) {
        self.set_ptes(hw, at, ptep, pte, 1);
    }
    /// A CPU touches memory through the entry; hardware or a fault handler may change the entry.
    fn access<H: Hw<PerCpu = Self::PerCpu>>(
        self,
        hw: &mut H,
        _: At,
        ptep: H::Ptep,
        access: Access,
    ) {
        let pte = hw.read(ptep);
        if access.permitted_by(pte) {
            let dirty = if access == Access::Write { Pte::DIRTY } else { 0 };
            hw.write(ptep, pte.with(Pte::YOUNG | dirty));
        } else {
            hw.effect(Effect::PAGE_FAULT);
        }
    }
    /// `flush_tlb_range()`, `flush_tlb_mm()` and, for the kernel's pages, `flush_tlb_kernel_range()`,
    /// over `pages` pages.
    fn flush_tlb_range(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>, at: At, pages: u32);
    /// `tlb_flush()`, the flush at the end of an `mmu_gather`: by default one of the range.
    fn tlb_flush(self, hw: &mut impl Hw<PerCpu = Self::PerCpu>, at: At, pages: u32) {
        self.flush_tlb_range(hw, at, pages);
    }

    /// What the architecture itself remembers of the mode of the current task, where it does.
    fn lazy_mode(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) -> Option<bool> {
        None
    }

    /// What is outstanding: how many, and the kernel's name of the place that holds it; by default
    /// nothing ever is.
    fn pending(self, _: &mut impl Hw<PerCpu = Self::PerCpu>) -> Option<(u32, &'static str)> {
        None
    }
}
