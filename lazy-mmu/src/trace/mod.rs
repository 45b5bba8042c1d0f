//! What was seen: events, the record that holds them, and the record's text.
//!
//! A record is written while code runs (see [`record_hooks`](crate::record_hooks)) and read
//! afterwards. Its `Display` is the tree that people and snapshots read. Nothing here knows which
//! task or architecture runs.

mod packed;
mod record;
mod tree;

pub use record::{Record, Recorded};
pub use tree::{call_text, task_name};

use crate::design::{Call, Hook, StateBits, UnknownName, Warn};
use crate::preempt::PreemptCount;

crate::rows! {
    /// A page table primitive of include/linux/pgtable.h, by its kernel name; a packed event holds
    /// the index of its row.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[expect(non_camel_case_types, reason = "kernel names verbatim")]
    pub enum PteOp, name, UnknownName::new("a page table primitive") {
        set_pte = "set_pte";
        set_pte_at = "set_pte_at";
        set_ptes = "set_ptes";
        ptep_get = "ptep_get";
        ptep_get_lockless = "ptep_get_lockless";
        ptep_get_and_clear = "ptep_get_and_clear";
        pte_clear = "pte_clear";
        ptep_set_wrprotect = "ptep_set_wrprotect";
        wrprotect_ptes = "wrprotect_ptes";
        ptep_modify_prot_start = "ptep_modify_prot_start";
        ptep_modify_prot_commit = "ptep_modify_prot_commit";
        ptep_test_and_clear_young = "ptep_test_and_clear_young";
        ptep_set_access_flags = "ptep_set_access_flags";
        pte_update = "pte_update";
        hpte_need_flush = "hpte_need_flush";
        set_pmd = "set_pmd";
        set_pud = "set_pud";
        set_p4d = "set_p4d";
        set_pgd = "set_pgd";
        flush_tlb_range = "flush_tlb_range";
        tlb_flush = "tlb_flush";
        tlb_remove_tlb_entries = "tlb_remove_tlb_entries";
        set_tlb_ubc_flush_pending = "set_tlb_ubc_flush_pending";
        flush_tlb_batched_pending = "flush_tlb_batched_pending";
        pte_free = "pte_free";
        __free_page = "__free_page";
        destroy_context = "destroy_context";
        /// Not a kernel function: `*ptep`, past the accessor.
        raw_read = "raw_read";
        /// Not a kernel function: a CPU reads memory through the mapping.
        read = "read";
        /// Not a kernel function: a CPU writes memory through the mapping.
        write = "write";
    }
}

impl PteOp {
    /// Tells whether the primitive sets an entry to a value of the caller's.
    #[must_use]
    pub const fn sets(self) -> bool {
        matches!(
            self,
            Self::set_pte
                | Self::set_pte_at
                | Self::set_ptes
                | Self::set_pmd
                | Self::set_pud
                | Self::set_p4d
                | Self::set_pgd
        )
    }

    /// Tells whether the primitive takes a number of entries.
    #[must_use]
    pub const fn takes_nr(self) -> bool {
        matches!(
            self,
            Self::set_ptes
                | Self::wrprotect_ptes
                | Self::flush_tlb_range
                | Self::tlb_flush
                | Self::tlb_remove_tlb_entries
                | Self::set_tlb_ubc_flush_pending
        )
    }
}

/// One use of a page table primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PteEvent {
    /// The primitive.
    pub op: PteOp,
    /// The address space, 0 for `init_mm`; at most 31.
    pub mm: u8,
    /// The virtual address: a multiple of 4096 below 2^48, from 0xffff_0000_0000_0000 on, or from
    /// 0xc000_0000_0000_0000 to 0xc00d_ffff_ffff_ffff.
    pub addr: u64,
    /// The entry written, or read where nothing is written; bits 54 and up are 0.
    pub pte: u64,
    /// How many entries, 1 to 1023.
    pub nr: u16,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'r> {
    /// An annotated function begins; the section's call follows.
    Section(&'r str),
    /// A call of the generic API begins; what follows up to its return belongs to it.
    Call(Call),
    /// The call changes the task's state.
    Store(StateBits),
    /// The call reaches the architecture; the effects that follow are the hook's.
    Hook(Hook),
    /// The architecture does something to the hardware, maybe to `n` things at once.
    Effect {
        /// The kernel's name of it.
        name: &'r str,
        /// The number of entries, where the operation takes one.
        n: Option<u32>,
    },
    /// A page table primitive; the effects that follow are its.
    Pte(PteEvent),
    /// A sanity check found something.
    Warn {
        /// The macro of the check, by its kernel name.
        check: &'r str,
        /// The condition that was true.
        cond: &'r str,
        /// The check reports once and has done so earlier in the record: a kernel is silent.
        /// [`Record::push`] sees to it.
        again: bool,
    },
    /// The call returns.
    Return {
        /// The call.
        call: Call,
        /// What arch code is told from now on when it asks whether to batch.
        active: bool,
        /// The task's state.
        state: StateBits,
    },
    /// The task's context changes: preemption, bottom halves, interrupts.
    Context {
        /// The kernel's name of the change.
        name: &'r str,
        /// The preempt count after it.
        preempt_count: PreemptCount,
        /// A hook, a primitive or a switch of the architecture changed it, not the task itself.
        by_arch: bool,
    },
    /// The CPU goes from the current task to another one; what the switch does follows.
    Switch {
        /// The number of the other task.
        next: u8,
    },
    /// Here, inside the call or primitive that is under way, something else happens: an interrupt,
    /// a preemption.
    Away,
    /// The call or primitive goes on.
    Back,
    /// Something went wrong that the kernel itself may not notice.
    Hazard {
        /// The name of the kind of damage.
        name: &'r str,
        /// The number of the event that caused it, where one did.
        cause: Option<u32>,
    },
    /// A remark of whoever drives the run.
    Note(&'r str),
    /// At the end of the record something is outstanding.
    Pending {
        /// How many.
        n: u32,
        /// Of what, by the kernel's name of the place that holds it.
        what: &'r str,
    },
    /// The record ends.
    End {
        /// The task's state.
        state: StateBits,
        /// The preempt count.
        preempt_count: PreemptCount,
    },
}

/// An effect in the notation of the tree: `isb()`, `flush_hash_range(4)`, or an assignment where
/// the name ends in `=`.
///
/// ```
/// use lazy_mmu::trace::effect_text;
/// assert_eq!(effect_text("flush_hash_range", Some(4)), "flush_hash_range(4)");
/// assert_eq!(effect_text("ppc64_tlb_batch.index=", Some(4)), "ppc64_tlb_batch.index=4");
/// ```
#[must_use]
pub fn effect_text(name: &str, n: Option<u32>) -> String {
    match n {
        Some(n) if name.ends_with('=') => format!("{name}{n}"),
        Some(n) => format!("{name}({n})"),
        None => name.to_owned(),
    }
}

impl From<&Warn> for Event<'static> {
    fn from(warn: &Warn) -> Self {
        Event::Warn { check: warn.check.name(), cond: warn.cond, again: false }
    }
}
