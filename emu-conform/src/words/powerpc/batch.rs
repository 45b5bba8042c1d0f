//! Which primitive reached `hpte_need_flush()`, by who called it, and which entries had to.

use emu_input::InputError;
use lazy_mmu::trace::PteOp;

use crate::trace::{Event, Trace};

/// `_PAGE_PTE` of every entry.
///
/// Fidelity: same as arch/powerpc/include/asm/book3s/64/pgtable.h v7.2.
const PAGE_PTE: u64 = 0x4000_0000_0000_0000;

/// The bit of an entry that says that it is in the hash table, where the trace shows entries.
///
/// Fidelity: same as `H_PAGE_HASHPTE` of arch/powerpc/include/asm/book3s/64/hash-4k.h v7.2, with 4K
/// pages; with 64K pages it is another bit, and nothing is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashBit(Option<u64>);

impl HashBit {
    const H_PAGE_HASHPTE_4K: u64 = 0x1000_0000_0000_0000;

    /// The bit, if each entry that reached `hpte_need_flush()` has it.
    pub(super) fn of(trace: &Trace<'_>) -> Self {
        let flushed = trace.events.iter().filter(|event| event.name == "hpte_need_flush");
        let mut ptes = flushed.filter_map(|event| event.number_of("pte").ok().flatten()).peekable();
        let shown = ptes.peek().is_some();
        let all = ptes.all(|pte| pte & Self::H_PAGE_HASHPTE_4K != 0);
        Self((shown && all).then_some(Self::H_PAGE_HASHPTE_4K))
    }

    /// Whether `old=` of an event was in the hash table, where that can be told.
    pub(super) fn old(self, event: &Event<'_>) -> Result<Option<bool>, InputError> {
        let (Some(bit), Some(old)) = (self.0, event.number_of("old")?) else { return Ok(None) };
        // `pte_t` is big endian in memory and as an argument.
        let old = if old & PAGE_PTE != 0 { old } else { old.swap_bytes() };
        Ok((old & PAGE_PTE != 0).then_some(old & bit != 0))
    }
}

/// The primitive that each function has inlined; the names are those of the functions that are left
/// after the compiler has inlined the others.
const INLINED: [(&str, PteOp); 24] = [
    ("__zap_vma_range", PteOp::ptep_get_and_clear),
    ("zap_pte_range", PteOp::ptep_get_and_clear),
    ("unmap_page_range", PteOp::ptep_get_and_clear),
    ("copy_page_range", PteOp::ptep_set_wrprotect),
    ("copy_pte_range", PteOp::ptep_set_wrprotect),
    ("move_page_tables", PteOp::ptep_get_and_clear),
    ("move_ptes", PteOp::ptep_get_and_clear),
    ("move_pages_ptes", PteOp::ptep_get_and_clear),
    ("madvise_free_pte_range", PteOp::ptep_get_and_clear),
    ("madvise_cold_or_pageout_pte_range", PteOp::ptep_test_and_clear_young),
    ("clear_refs_pte_range", PteOp::ptep_test_and_clear_young),
    ("lru_gen_look_around", PteOp::ptep_test_and_clear_young),
    ("damon_ptep_mkold", PteOp::ptep_test_and_clear_young),
    ("folio_referenced_one", PteOp::ptep_test_and_clear_young),
    ("ptep_clear_flush", PteOp::ptep_get_and_clear),
    ("try_to_unmap_one", PteOp::ptep_get_and_clear),
    ("try_to_migrate_one", PteOp::ptep_get_and_clear),
    ("__vunmap_range_noflush", PteOp::ptep_get_and_clear),
    ("vunmap_p4d_range", PteOp::ptep_get_and_clear),
    ("patch_instructions", PteOp::pte_clear),
    ("patch_mem", PteOp::pte_clear),
    ("change_page_attr", PteOp::ptep_modify_prot_start),
    ("set_memory_ro", PteOp::ptep_modify_prot_start),
    ("ptep_modify_prot_start", PteOp::ptep_modify_prot_start),
];

/// The primitive of the function called `name`, where the table has it.
pub(super) fn inlined(name: &str) -> Option<PteOp> {
    INLINED.iter().find(|(known, _)| *known == name).map(|(_, op)| *op)
}

/// Whether an event is a store to `ppc64_tlb_batch.active`: `act12_FUNCTION`.
pub(super) fn active(name: &str) -> bool {
    let number = name.strip_prefix("act").and_then(|rest| rest.split_once('_'));
    number.is_some_and(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}
