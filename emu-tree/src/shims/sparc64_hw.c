/* The other side of sparc64: behind the types of the tree, before its functions. */
static struct mm_struct *lz_tsb_mm;
static unsigned long lz_tsb[1024], lz_tsb_nr;
static u8 lz_flushed;
static LZ_STATE u8 lz_room[64];
enum { LZ_KERNEL_LIMIT = TLB_BATCH_NR };
#undef TLB_BATCH_NR
#define TLB_BATCH_NR lz_limit

#define LZ_WAITING_AT ((u64)((u8 *)&tlb_batch.tlb_nr - __start_lz_state))
#define lz_waiting() (tlb_batch.tlb_nr)
#define lz_last_mm() lz_mm(tlb_batch.mm)
#define lz_last_addr() (tlb_batch.vaddrs[tlb_batch.tlb_nr - 1] & PAGE_MASK)

/* Slots that are not in use are no state. */
static void lz_forget(void)
{
	for (unsigned long at = tlb_batch.tlb_nr; at < LZ_KERNEL_LIMIT; at++)
		tlb_batch.vaddrs[at] = 0;
}

static void flush_tsb_user(struct tlb_batch *tb)
{
	lz_question('t', 0);
	lz_tsb_mm = tb->mm;
	for (lz_tsb_nr = 0; lz_tsb_nr < tb->tlb_nr && lz_tsb_nr < 1024; lz_tsb_nr++)
		lz_tsb[lz_tsb_nr] = tb->vaddrs[lz_tsb_nr];
	lz_flushed = 1;
}

static void flush_tsb_user_page(struct mm_struct *mm, unsigned long vaddr, unsigned int shift)
{
	lz_question('s', shift);
	lz_tsb_mm = mm;
	lz_tsb[0] = vaddr;
	lz_tsb_nr = 1;
}

static void lz_gone(struct mm_struct *mm, unsigned long vaddr)
{
	for (unsigned long at = 0; mm == lz_tsb_mm && at < lz_tsb_nr; at++) {
		if (lz_tsb[at] == vaddr && vaddr) {
			lz_event('V', lz_mm(mm), vaddr & PAGE_MASK);
			return;
		}
	}
}

static void smp_flush_tlb_page(struct mm_struct *mm, unsigned long vaddr)
{
	lz_question('g', 0);
	lz_gone(mm, vaddr);
}

static void smp_flush_tlb_pending(struct mm_struct *mm, unsigned long nr, unsigned long *vaddrs)
{
	lz_question('T', nr);
	for (unsigned long at = 0; at < nr; at++)
		lz_gone(mm, vaddrs[at]);
}
