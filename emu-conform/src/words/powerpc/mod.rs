//! The words of powerpc book3s64: kprobes at the stores of the counters, or up to v6.19 of the
//! batch's `active`, on the primitives, on `hpte_need_flush()` and on the flushes.

mod active;
mod effects;
mod batch;
mod probes;
mod reduce;
mod seen;

use emu_arch::{Arch, Kernel};

use super::word::{Words, newest};
use crate::trace::Trace;

/// The words of powerpc with the hash MMU.
pub(super) const HASH: Words = Words {
    arch: Arch::POWERPC_HASH,
    tells: |event| {
        ["hpte_need_flush", "flush_hash_range", "flush_hash_page", "__hash_page_4K"]
            .contains(&event.name)
    },
    also: None,
    events: "hpte_need_flush",
    kernels,
    reduce: reduce::reduce,
    effect: effects::effect,
    recording: probes::recording,
    assumes: ASSUMES,
};

/// The words of powerpc with the radix MMU: the same, of which the flushes never come.
pub(super) const RADIX: Words = Words {
    arch: Arch::POWERPC_RADIX,
    tells: |event| ["modify_start", "set_ptes", "radix_commit", "tlbie"].contains(&event.name),
    also: Some(Arch::POWERPC_HASH),
    events: "set_ptes",
    kernels,
    reduce: reduce::reduce,
    effect: effects::effect,
    recording: probes::recording,
    assumes: ASSUMES,
};

const ASSUMES: &[&str] = &[
    "which primitive an inlined one was, by the function that calls hpte_need_flush (a table)",
    "an entry whose primitive reaches hpte_need_flush was in the hash table, any other not",
    "a flush before `active = 0` (up to v6.19) belongs to the leave",
];

fn kernels(trace: &Trace<'_>) -> (Kernel, Kernel, &'static str) {
    if trace.events.iter().any(|event| batch::active(event.name)) {
        (Kernel::V6_0, Kernel::V6_19, "stores to ppc64_tlb_batch.active, as up to v6.19")
    } else {
        (Kernel::V7_0, newest(), "no store to ppc64_tlb_batch.active: from v7.0 on")
    }
}
