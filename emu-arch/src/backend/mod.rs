//! The contract of an architecture: what its code may do, and what it must provide.
//!
//! A backend is a small value that says which version of the code it is; the code is generic over
//! [`Hw`], the machine it runs on, and keeps nothing itself: what the kernel has per CPU is
//! [`Backend::PerCpu`] and reached through [`Hw::per_cpu`], one step at a time. The same code thus
//! runs on the emulated machine, which executes for real and records, and on the plain values of a
//! checker, which may stop it between any two steps.
//!
//! Models asm/pgtable.h and the headers around it; each architecture's folder names its own files.

mod facts;
mod hw;
mod words;

use crate::Kernel;
use crate::hw::effect::ArchEffect;
use crate::hw::pte::Pte;

pub use lazy_mmu::design::Hook;

pub use crate::hw::Slot;
pub use facts::{Batch, Deferred, Facts};
pub use hw::{Hw, write_ptes};
pub(crate) use words::slice;
pub use words::{Access, At, Level, Psize, RangeHint};

/// An architecture's side of the lazy MMU mode: the contract.
///
/// The provided bodies are what most architectures do; a backend overrides those that differ. The
/// type is a small value that chooses a version of the code; a unit struct will do.
///
/// # Which primitive reaches which method
///
/// Code of mm/ calls primitives ([`pgtable`](crate::pgtable)); each reaches one method. To override
/// a method that the primitive does not reach has no effect: `set_pte_at()` reaches `set_ptes`, not
/// `set_pte`.
///
/// | primitive | method | by default |
/// |---|---|---|
/// | `set_pte_at`, `set_ptes` | [`set_ptes`] | plain stores |
/// | `set_pte` | [`set_pte`] | `set_ptes` of one page |
/// | `ptep_get` | [`ptep_get`] | reads memory |
/// | `ptep_get_and_clear` | [`pte_update`] | reads, then writes |
/// | `pte_clear` | [`pte_clear`] | `pte_update` |
/// | `ptep_set_wrprotect`, `wrprotect_ptes` | [`ptep_set_wrprotect`] per page | `pte_update` |
/// | `ptep_test_and_clear_young` | [`ptep_test_and_clear_young`] | `pte_update` |
/// | `ptep_modify_prot_start` | [`ptep_modify_prot_start`] | `pte_update` |
/// | `ptep_modify_prot_commit` | [`ptep_modify_prot_commit`] | `set_ptes` of one page |
/// | `ptep_set_access_flags` | [`ptep_set_access_flags`] | a plain store |
/// | `pte_update` | [`pte_update`] | reads, then writes |
/// | `hpte_need_flush` | [`hpte_need_flush`](Self::hpte_need_flush) | nothing |
/// | `set_pmd`, `set_pud`, `set_p4d`, `set_pgd` | [`set_table`] | nothing |
/// | `read`, `write` | [`access`] | sets young and dirty, or faults |
/// | `flush_tlb_range`, `flush_tlb_batched_pending` | [`flush_tlb_range`] per range | no default |
/// | `tlb_flush` | [`tlb_flush`] | `flush_tlb_range` |
/// | `raw_read`, `ptep_get_lockless` | none | memory is read |
/// | `tlb_remove_tlb_entries`, `set_tlb_ubc_flush_pending` | none | the caller flushes later |
/// | `pte_free`, `__free_page`, `destroy_context` | none | the tracker looks what is left |
///
/// Code that makes and removes tables reaches [`alloc_table`], [`dup_mmap`] and [`exit_mmap`].
///
/// The hooks are [`enter`](Self::enter), [`leave`](Self::leave), [`flush`](Self::flush), and in
/// [`own_hook`](Self::own_hook) those that a design adds; a context switch calls
/// [`switch_out`](Self::switch_out) and [`switch_in`](Self::switch_in).
///
/// # Duties
///
/// A backend says what it does through [`Hw`]. Records, counters, hazards and searches rest on
/// these calls alone:
///
/// | when | call |
/// |---|---|
/// | an entry in memory changes | [`Hw::write`], or [`Hw::write_slot`] from a queue |
/// | work for a page joins the batch | [`Hw::defer`], behind the write unless that is the work |
/// | work for an entry above joins it | [`Hw::defer_table`] |
/// | the hardware does something that costs time | [`Hw::effect`] |
/// | all work in the batch is done | the effect, then the deferred stores, then [`Hw::complete`] |
/// | no CPU translates by an old entry any more | [`Hw::tlb_invalidate`] |
///
/// * Work is deferred only while [`Hw::is_lazy_mmu_mode_active`], which is false in an interrupt
///   and in a pause. An update that is not deferred takes effect before the primitive returns.
/// * Nothing is pending when `leave` returns, nor, from v7.0 on, when `flush` does.
/// * A deferred invalidation that is not made before [`Hw::complete`] is lost.
/// * `flush` may be called at any time, and a second time.
/// * State that is kept per CPU goes stale when the task moves: `enter` turns preemption off with
///   [`Hw::preempt_disable`], or [`switch_out`](Self::switch_out) completes the batch.
///   [`Facts::batch`] says which.
/// * [`pending`](Self::pending) says what is outstanding.
/// * [`Facts::effects`] lists the effects that scenarios may count.
/// * Where [`ptep_get`](Self::ptep_get) is overridden, [`PTEP_GET_IS_READ`](Self::PTEP_GET_IS_READ)
///   is false.
///
/// [`conformance`](crate::conformance) tests all of these. A backend that omits a call hides its
/// own mistakes from records and searches, so run it first.
///
/// # Points
///
/// Each effect is a point at which an interrupt can arrive or the task be preempted, before the
/// effect happens. A search passes by an [`ArchEffect::deferral`]: what arrives before it must not
/// make a difference to what arrives after it. An [`ArchEffect::step`] is as free, and no search
/// passes it by. What a backend does between two effects is one step, as is each closure of
/// [`Hw::per_cpu`]. Code between [`Hw::local_irq_save`] and [`Hw::local_irq_restore`] is not
/// interrupted, and between [`Hw::get_cpu`] and [`Hw::put_cpu`] not preempted.
///
/// # Example
///
/// `examples/my_arch.rs` has a backend of fewer than 60 lines, tests it, runs it and checks it.
///
/// [`set_ptes`]: Self::set_ptes
/// [`set_pte`]: Self::set_pte
/// [`ptep_get`]: Self::ptep_get
/// [`pte_update`]: Self::pte_update
/// [`pte_clear`]: Self::pte_clear
/// [`ptep_set_wrprotect`]: Self::ptep_set_wrprotect
/// [`ptep_test_and_clear_young`]: Self::ptep_test_and_clear_young
/// [`ptep_modify_prot_start`]: Self::ptep_modify_prot_start
/// [`ptep_modify_prot_commit`]: Self::ptep_modify_prot_commit
/// [`ptep_set_access_flags`]: Self::ptep_set_access_flags
/// [`set_table`]: Self::set_table
/// [`alloc_table`]: Self::alloc_table
/// [`dup_mmap`]: Self::dup_mmap
/// [`exit_mmap`]: Self::exit_mmap
/// [`access`]: Self::access
/// [`flush_tlb_range`]: Self::flush_tlb_range
/// [`tlb_flush`]: Self::tlb_flush
pub trait Backend: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// What the kernel keeps per CPU, as after boot when default.
    type PerCpu: Clone + Default + Eq + std::hash::Hash + std::fmt::Debug;

    /// What is known without running the code.
    const FACTS: Facts;

    /// The code that `kernel` has.
    fn in_kernel(kernel: Kernel) -> Self;
    /// The name of this version of the code: eras with the same name run the same code.
    fn version(self) -> &'static str {
        "all"
    }
    /// Tells why `kernel` does not have the mode on this architecture, if so.
    ///
    /// # Errors
    /// A sentence that says since when the architecture has the mode.
    fn is_in(_: Kernel) -> Result<(), &'static str> {
        Ok(())
    }
    /// Tells whether a batch can outlive the section that filled it, so that tasks meet each
    /// other's.
    fn batch_outlives_section(self) -> bool {
        false
    }
    /// What becomes of the present entry `pte` when the page is used.
    #[must_use]
    fn used(pte: Pte) -> Pte {
        pte.with(Pte::YOUNG)
    }

    /// `arch_enter_lazy_mmu_mode()`
    fn enter(self, hw: &mut impl HwOf<Self>);
    /// `arch_leave_lazy_mmu_mode()`
    fn leave(self, hw: &mut impl HwOf<Self>);
    /// `arch_flush_lazy_mmu_mode()`
    fn flush(self, hw: &mut impl HwOf<Self>);

    /// Runs `hook`, which a design has beyond the three, and returns whether the architecture has
    /// it; by default it has none. `range` is the argument of the call, where it is pages of one
    /// table.
    fn own_hook(self, _: &mut impl HwOf<Self>, _hook: Hook, _range: Option<RangeHint>) -> bool {
        false
    }
    /// What a context switch does before the registers of the outgoing task are saved; that task is
    /// current, and preemption is off.
    fn switch_out(self, _: &mut impl HwOf<Self>) {}
    /// What a context switch does after it: the incoming task is current, and preemption is off.
    fn switch_in(self, _: &mut impl HwOf<Self>) {}

    /// Tells whether a context switch pauses the outgoing task, so that one that waits is paused.
    fn switch_pauses(self) -> bool {
        false
    }

    /// `set_pte()`: one entry, by arch code.
    #[inline]
    fn set_pte<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        self.set_ptes(hw, at, ptep, pte, 1);
    }
    /// `pte_clear()`
    #[inline]
    fn pte_clear<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.pte_update(hw, at, ptep, |_| Pte::NONE);
    }

    /// Whether [`ptep_get`](Self::ptep_get) is a read from memory and nothing else.
    const PTEP_GET_IS_READ: bool = true;
    /// `ptep_get()`: by default a read from memory.
    fn ptep_get<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep) -> Pte {
        hw.read(ptep)
    }
    /// `set_ptes()`: `nr` entries of consecutive pages, none of which was present; by default plain
    /// stores, one after the other.
    ///
    /// Fidelity: same as the default of include/linux/pgtable.h v7.0.
    #[inline]
    fn set_ptes<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, pte: Pte, nr: u16) {
        write_ptes(hw, ptep, pte, nr);
    }
    /// Changes an entry in one atomic step and returns the old one: what `ptep_get_and_clear()`,
    /// `ptep_set_wrprotect()` and their like are made of; by default nothing else happens.
    #[inline]
    fn pte_update<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, new: impl Change) -> Pte {
        let old = hw.read(ptep);
        hw.write(ptep, new(old));
        old
    }
    /// `paravirt_alloc_pte()` and the levels above: a page becomes a table of address space `mm`,
    /// before the entry of `level` points to it; by default nothing.
    fn alloc_table(self, _: &mut impl HwOf<Self>, _mm: u8, _: Level) {}
    /// `arch_dup_mmap()`: the tables of a child are complete, and from now on pinned. `tables` are
    /// the levels of the entries that point to them, in the order of a walk. By default nothing.
    fn dup_mmap(self, _: &mut impl HwOf<Self>, _tables: &[Level]) {}
    /// `arch_exit_mmap()`: address space `mm` goes away, and its tables are pinned no more;
    /// `tables` as above. By default nothing.
    fn exit_mmap(self, _: &mut impl HwOf<Self>, _mm: u8, _tables: &[Level]) {}
    /// `set_pmd()` and the levels above: an entry that is valid or, when cleared, is not; by
    /// default a plain store.
    fn set_table(self, _: &mut impl HwOf<Self>, _: At, _: Level, _: bool) {}

    /// `ptep_set_wrprotect()`
    #[inline]
    fn ptep_set_wrprotect<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) {
        self.pte_update(hw, at, ptep, |pte| pte.without(Pte::WRITE));
    }
    /// `ptep_test_and_clear_young()`
    #[inline]
    fn ptep_test_and_clear_young<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> bool {
        self.pte_update(hw, at, ptep, |pte| pte.without(Pte::YOUNG)).has(Pte::YOUNG)
    }
    /// `ptep_set_access_flags()`: a present entry gets more permissions; by default it is replaced.
    ///
    /// Fidelity: changed: mm/pgtable-generic.c v7.0, without `flush_tlb_fix_spurious_fault()`.
    #[inline]
    fn ptep_set_access_flags<H: HwOf<Self>>(
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
    fn ptep_modify_prot_start<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep) -> Pte {
        self.pte_update(hw, at, ptep, |_| Pte::NONE)
    }
    /// `ptep_modify_prot_commit()`
    fn ptep_modify_prot_commit<H: HwOf<Self>>(self, hw: &mut H, at: At, ptep: H::Ptep, pte: Pte) {
        self.set_ptes(hw, at, ptep, pte, 1);
    }
    /// `hpte_need_flush()`, as arch code calls it for an entry that stays: by default nothing.
    fn hpte_need_flush<H: HwOf<Self>>(self, _: &mut H, _: At, _: H::Ptep) {}
    /// A CPU touches memory through the entry; hardware or a fault handler may change the entry.
    fn access<H: HwOf<Self>>(self, hw: &mut H, _: At, ptep: H::Ptep, access: Access) {
        let pte = hw.read(ptep);
        if access.permitted_by(pte) {
            let dirty = if access == Access::Write { Pte::DIRTY } else { 0 };
            hw.write(ptep, pte.with(Pte::YOUNG | dirty));
        } else {
            hw.effect(ArchEffect::PAGE_FAULT);
        }
    }
    /// `flush_tlb_range()`, `flush_tlb_mm()` and, for the kernel's pages,
    /// `flush_tlb_kernel_range()`, over `pages` pages.
    fn flush_tlb_range(self, hw: &mut impl HwOf<Self>, at: At, pages: u32);
    /// `tlb_flush()`, the flush at the end of an `mmu_gather`: by default one of the range.
    fn tlb_flush(self, hw: &mut impl HwOf<Self>, at: At, pages: u32) {
        self.flush_tlb_range(hw, at, pages);
    }

    /// What the architecture itself remembers of the mode of the current task, where it does:
    /// [`Facts::own_mode`] says so.
    fn lazy_mode(self, _: &mut impl HwOf<Self>) -> Option<bool> {
        None
    }

    /// What is outstanding: how many, and the kernel's name of the place that holds it; by default
    /// nothing ever is.
    fn pending(self, _: &mut impl HwOf<Self>) -> Option<(u32, &'static str)> {
        None
    }
}

/// A machine that keeps per CPU what the backend `B` does.
pub trait HwOf<B: Backend>: Hw<PerCpu = B::PerCpu> {}

impl<B: Backend, H: Hw<PerCpu = B::PerCpu>> HwOf<B> for H {}

/// A change of an entry: from what it was to what it is.
pub trait Change: FnOnce(Pte) -> Pte {}

impl<F: FnOnce(Pte) -> Pte> Change for F {}
