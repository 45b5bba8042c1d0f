/*
 * sparc64: what is inline assembly or beyond the files that are cut. An entry of the lab has its valid
 * bit where the tree has it. The TSB and the TLBs are the lab's: a page is gone where both flushes
 * find it.
 */
enum { hypervisor = 3, tlb_type = hypervisor };
#define CTX_VALID(context) 1
#define CTX_HWBITS(context) (context)
#define pte_exec(pte) (!(pte_val(pte) >> 3 & 1))
#define pte_dirty(pte) (pte_val(pte) >> 5 & 1)
#define pte_pfn(pte) (pte_val(pte) >> PAGE_SHIFT & 0x3fffffffffUL)
#define pfn_valid(pfn) ((void)(pfn), 0)
#define pfn_to_page(pfn) NULL
#define PageReserved(page) 0
#define page_folio(page) NULL
#define folio_flush_mapping(folio) NULL
#define page_address(page) NULL
#define flush_dcache_folio_all(mm, folio) do { } while (0)
