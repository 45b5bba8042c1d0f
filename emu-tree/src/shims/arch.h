/*
 * What the code of an architecture takes for granted beside kernel.h. Pages have 4 KiB, as the lab's;
 * address spaces lie at fixed places, so that state may point to them.
 */
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define _AC(number, suffix) _AC_(number, suffix)
#define _AC_(number, suffix) (number##suffix)
#define pte_val(entry) ((entry).pte)
#define __pte(entry) ((pte_t){ entry })
#define CONFIG_SMP 1
#define CONFIG_64BIT 1

struct mm_struct { unsigned long context; };
struct address_space;
struct page;
struct folio;
struct mm_struct lz_mms[256];
#define init_mm (lz_mms[0])
#define lz_mm(mm) ((u64)((mm) - lz_mms))

/* State that the kernel keeps per CPU: handed in and out as bytes, with room behind it. */
#define LZ_STATE __attribute__((section("lz_state")))
#define DEFINE_PER_CPU(type, name) LZ_STATE __typeof__(type) name
#define this_cpu_ptr(var) (var)
#define get_cpu_var(var) (*({ lz_event('G', 0, 0); &(var); }))
#define put_cpu_var(var) lz_event('U', 0, 0)
#define preempt_disable() ((void)lz_question('d', 0))
#define preempt_enable() ((void)lz_question('e', 0))
#define is_lazy_mmu_mode_active() lz_question('A', 0)

void lz_event(u8 tag, u64 one, u64 two);
u64 lz_question(u8 tag, u64 n);
extern u32 lz_limit;
