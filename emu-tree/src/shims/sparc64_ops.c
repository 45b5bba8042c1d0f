/* The operations of sparc64 beside the hooks: 3 is set_ptes(), 4 a huge entry, 5 the mmu_gather's. */
static void lz_primitive(u32 op, struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, u32 nr)
{
	pte_t orig = nr ? *ptep : __pte(0);

	if (op == 3) {
		set_ptes(mm, addr, ptep, pte, nr);
	} else if (op == 4) {
		*ptep = pte;
		maybe_tlb_batch_add(mm, addr, ptep, orig, 0, lz_ask.shift);
	} else {
		flush_tlb_pending();
	}
}
