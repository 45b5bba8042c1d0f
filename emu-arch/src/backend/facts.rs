//! What is known of an architecture without running its code.

use crate::hw::effect::ArchEffect;

/// What an architecture defers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deferred {
    /// The barriers after a store (arm64).
    Barriers,
    /// The store itself (Xen PV, s390).
    Store,
    /// The invalidation of the old translation (powerpc hash, sparc64).
    Invalidation,
}

/// Where deferred work waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// With the task: it may be preempted and migrate with work deferred.
    PerTask,
    /// With the CPU: the task must stay on it until the work is done.
    PerCpu,
    /// With the CPU; the context switch completes it, so that the task may be preempted.
    PerCpuSwitched,
}

/// What is known of an architecture without running its code.
///
/// ```
/// use emu_arch::backend::Facts;
/// const RISCV: Facts = Facts { noun: "fences", ..Facts::new("riscv", "delays sfence.vma") };
/// assert_eq!(RISCV.id, "riscv");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The id that the command line, scenarios and snapshots use; never changes.
    pub id: &'static str,
    /// One line on what the architecture delays.
    pub about: &'static str,
    /// What the mode defers, if anything.
    pub defers: Option<Deferred>,
    /// Where it waits.
    pub batch: Batch,
    /// What the mode saves, in the plural: "barriers".
    pub noun: &'static str,
    /// Every effect that costs time, so that scenarios can count it by name.
    pub effects: &'static [ArchEffect],
    /// `ptep_modify_prot_start()` only reads, so that software still sees the entry.
    pub prot_start_reads: bool,
    /// A primitive that changes an entry depends on what it finds in memory, behind any deferred
    /// store.
    pub updates_read_memory: bool,
    /// A TLB flush does not wait for deferred stores, so that it can come before them.
    pub flush_passes_stores: bool,
    /// All CPUs translate by one hash page table; an entry gets there on first use.
    pub hash_table: bool,
    /// User addresses lie below and above a hole, which begins at 2^43 or higher.
    pub va_hole: bool,
    /// `CONFIG_MMU_GATHER_NO_GATHER`: an `mmu_gather` keeps no pages, each is freed at once.
    pub mmu_gather_no_gather: bool,
    /// Its code evaluates a `BUG_ON()` in some version.
    pub bug_on: bool,
    /// It remembers in some version whether the mode is active: `Backend::lazy_mode()` says so.
    pub own_mode: bool,
    /// The mode defers updates of user pages, as far as it defers any.
    pub defers_user: bool,
    /// The mode defers updates of the kernel's pages.
    pub defers_kernel: bool,
    /// `HAS_SEPARATE_PREEMPT_RESCHED_BITS`, on which the layout of the preempt count depends from
    /// v7.3 on.
    pub separate_preempt_resched_bits: bool,
    /// The levels of its page tables, 4 or 5: with 4 the p4d is folded into the pgd.
    pub pgtable_levels: u8,
    /// `ptep_clear_flush()` leaves nothing to flush: the entry is invalidated when it is emptied.
    pub ptep_clear_flushes: bool,
    /// `CONFIG_ARCH_HAS_HW_PTE_YOUNG`: hardware sets the accessed bit, and with that reclaim walks
    /// page tables (`CONFIG_LRU_GEN_WALKS_MMU`).
    pub hw_pte_young: bool,
    /// `arch_has_hw_nonleaf_pmd_young()`: hardware sets it in the entries above too.
    pub hw_nonleaf_pmd_young: bool,
    /// `CONFIG_KASAN_VMALLOC` can be had, and works.
    pub kasan_vmalloc: bool,
    /// `CONFIG_HAVE_ARCH_USERFAULTFD_WP`: userfaultfd can be told of writes.
    pub userfaultfd_wp: bool,
    /// `CONFIG_DEVICE_MIGRATION` can be had: there is memory of devices.
    pub device_migration: bool,
    /// TLBs are filled by a walk of the page tables: `tlb_needs_table_invalidate()`.
    pub tlb_walks_tables: bool,
    /// Between two translations of an address there must be an invalid entry and an invalidation:
    /// break-before-make.
    pub break_before_make: bool,
    /// Its own code may sleep in a section; generic code may not, on any architecture.
    pub arch_code_sleeps: bool,
    /// `arch_wants_lazy_mmu_mode()`, which only the design `sketch` asks.
    pub wants_lazy_mmu_mode: bool,
}

impl Facts {
    /// An architecture that defers nothing, called `id`.
    #[must_use]
    pub const fn new(id: &'static str, about: &'static str) -> Self {
        Self {
            id,
            about,
            defers: None,
            batch: Batch::PerCpu,
            noun: "flushes",
            effects: &[],
            prot_start_reads: false,
            updates_read_memory: false,
            flush_passes_stores: false,
            hash_table: false,
            va_hole: false,
            mmu_gather_no_gather: false,
            bug_on: false,
            own_mode: false,
            defers_user: true,
            defers_kernel: true,
            separate_preempt_resched_bits: false,
            pgtable_levels: 4,
            ptep_clear_flushes: false,
            hw_pte_young: false,
            hw_nonleaf_pmd_young: false,
            kasan_vmalloc: true,
            userfaultfd_wp: true,
            device_migration: true,
            tlb_walks_tables: true,
            break_before_make: false,
            arch_code_sleeps: false,
            wants_lazy_mmu_mode: true,
        }
    }

    /// Tells whether deferred work waits with the CPU.
    #[must_use]
    pub const fn defers_per_cpu(&self) -> bool {
        !matches!(self.batch, Batch::PerTask)
    }

    /// Tells whether a task with deferred work must stay on its CPU.
    #[must_use]
    pub const fn pins_task(&self) -> bool {
        self.defers.is_some() && matches!(self.batch, Batch::PerCpu)
    }

    /// Tells whether stores are deferred, so that memory need not hold what software believes.
    #[must_use]
    pub const fn defers_stores(&self) -> bool {
        matches!(self.defers, Some(Deferred::Store))
    }
}
