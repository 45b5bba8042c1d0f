//! Which primitive reached `hpte_need_flush()`, by who called it.

use lazy_mmu::trace::PteOp;

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
