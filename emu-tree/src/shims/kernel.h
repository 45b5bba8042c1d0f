/* What the headers of a kernel take for granted: types, attributes, checks. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef unsigned long size_t;
#define bool _Bool
#define true 1
#define false 0
#define NULL ((void *)0)
#define U8_MAX 255
#define U16_MAX 65535
#define U32_MAX 4294967295U
#define INT_MAX 2147483647

#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define noinstr
#define notrace
#define __must_check
#define __maybe_unused __attribute__((unused))
#define __init
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ __volatile__("" : : : "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

/* An option that is set is the text "1"; any other is its own name. */
#define LZ_TEXT(option) #option
#define IS_ENABLED(option) (LZ_TEXT(option)[0] == '1')
#define __KERNEL__ 1
#define CONFIG_MMU 1
#define CONFIG_ARCH_HAS_LAZY_MMU_MODE 1
#define CONFIG_DEBUG_VM 1

struct mm_struct;
struct vm_area_struct;
typedef struct { unsigned long pte; } pte_t;

void lz_put(const void *from, unsigned n);
void lz_get(void *into, unsigned n);
void lz_flush(void);
void lz_watch(int seconds);
int lz_try(void (*f)(void));
void lz_leave(void);

/* A place where lazymmu looks at what has been stored. */
void lz_point(void);
void lz_warn(u8 check, const char *cond);

/* The checks by number, with their conditions as they are written. */
#define LZ_CHECK(check, text, cond) ({ \
	lz_point(); \
	int lz_found = !!(cond); \
	if (lz_found) \
		lz_warn(check, text); \
	lz_found; })
#define VM_WARN_ON_ONCE(cond) LZ_CHECK(0, #cond, cond)
#define VM_WARN_ON(cond) LZ_CHECK(1, #cond, cond)
#define VM_BUG_ON(cond) LZ_CHECK(2, #cond, cond)
#define BUG_ON(cond) LZ_CHECK(3, #cond, cond)
#define WARN_ON_ONCE(cond) LZ_CHECK(4, #cond, cond)
#define WARN_ON(cond) LZ_CHECK(5, #cond, cond)
#define VM_WARN_ONCE(cond, ...) LZ_CHECK(0, #cond, cond)
#define VM_WARN(cond, ...) LZ_CHECK(1, #cond, cond)
#define WARN_ONCE(cond, ...) LZ_CHECK(4, #cond, cond)
#define WARN(cond, ...) LZ_CHECK(5, #cond, cond)
#define BUG() BUG_ON(1)
