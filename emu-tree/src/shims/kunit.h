/*
 * What a KUnit test takes from kunit/test.h, and the calls of the mode as questions to lazymmu.
 * Every test case is run as a task of its own.
 */
struct kunit { void *priv; u8 failed, skipped; };
struct kunit_case { void (*run_case)(struct kunit *test); const char *name; };
struct kunit_suite {
	struct kunit_case *test_cases;
	int (*init)(struct kunit *), (*suite_init)(struct kunit_suite *);
	void (*exit)(struct kunit *), (*suite_exit)(struct kunit_suite *);
	const char *name;
};

void lz_say(u8 tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
u8 lz_ask(u8 what, u8 number);

#define MODULE_IMPORT_NS(ns)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define MODULE_AUTHOR(text)
#define KUNIT_CASE(test) { .run_case = test, .name = #test }
#define KUNIT_CASE_SLOW(test) KUNIT_CASE(test)
#define kunit_test_suites(...) \
	struct kunit_suite *lz_suites[] = { __VA_ARGS__, NULL }
#define kunit_test_suite(suite) kunit_test_suites(&suite)

#define lz_fail(test, abort, ...) do { \
	(test)->failed = 1; \
	lz_say('F', __VA_ARGS__); \
	if (abort) \
		lz_leave(); } while (0)
#define LZ_WHERE "%s:%d: %s does not hold\n"
#define LZ_KIND(abort) ((abort) ? "assertion" : "expectation")
#define LZ_TRUTH(test, abort, text, cond, want, word, not) do { \
	if (!!(cond) != (want)) \
		lz_fail(test, abort, LZ_WHERE "    %s is " not ", not " word, \
			__FILE__, __LINE__, LZ_KIND(abort), text); } while (0)
#define LZ_BINARY(test, abort, text, other_text, one, op, other) do { \
	long long lz_one = (long long)(one), lz_other = (long long)(other); \
	if (!(lz_one op lz_other)) \
		lz_fail(test, abort, LZ_WHERE "    not %s " #op " %s:\n" \
			"        %s == %lld (0x%llx)\n        %s == %lld (0x%llx)", \
			__FILE__, __LINE__, LZ_KIND(abort), text, other_text, \
			text, lz_one, lz_one, other_text, lz_other, lz_other); } while (0)
#define KUNIT_FAIL(test, ...) lz_fail(test, 0, LZ_WHERE "    " LZ_FIRST(__VA_ARGS__, ""), \
	__FILE__, __LINE__, LZ_KIND(0))
#define LZ_FIRST(first, ...) first
#define KUNIT_SUCCEED(test) do { } while (0)
#define kunit_skip(test, ...) do { (test)->skipped = 1; lz_say('K', __VA_ARGS__); lz_leave(); } while (0)
#define kunit_info(test, ...) lz_say('N', __VA_ARGS__)
#define kunit_warn(test, ...) lz_say('N', __VA_ARGS__)
#define kunit_err(test, ...) lz_say('N', __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, cond) LZ_TRUTH(test, 0, #cond, cond, 1, "true", "false")
#define KUNIT_EXPECT_FALSE(test, cond) LZ_TRUTH(test, 0, #cond, cond, 0, "false", "true")
#define KUNIT_EXPECT_NULL(test, value) LZ_TRUTH(test, 0, #value, value, 0, "null", "not")
#define KUNIT_EXPECT_NOT_NULL(test, value) LZ_TRUTH(test, 0, #value, value, 1, "not null", "null")
#define KUNIT_EXPECT_EQ(test, one, other) LZ_BINARY(test, 0, #one, #other, one, ==, other)
#define KUNIT_EXPECT_NE(test, one, other) LZ_BINARY(test, 0, #one, #other, one, !=, other)
#define KUNIT_EXPECT_LT(test, one, other) LZ_BINARY(test, 0, #one, #other, one, <, other)
#define KUNIT_EXPECT_LE(test, one, other) LZ_BINARY(test, 0, #one, #other, one, <=, other)
#define KUNIT_EXPECT_GT(test, one, other) LZ_BINARY(test, 0, #one, #other, one, >, other)
#define KUNIT_EXPECT_GE(test, one, other) LZ_BINARY(test, 0, #one, #other, one, >=, other)
#define KUNIT_EXPECT_TRUE_MSG(test, cond, ...) LZ_TRUTH(test, 0, #cond, cond, 1, "true", "false")
#define KUNIT_EXPECT_FALSE_MSG(test, cond, ...) LZ_TRUTH(test, 0, #cond, cond, 0, "false", "true")
#define KUNIT_EXPECT_EQ_MSG(test, one, other, ...) \
	LZ_BINARY(test, 0, #one, #other, one, ==, other)
#define KUNIT_EXPECT_NE_MSG(test, one, other, ...) \
	LZ_BINARY(test, 0, #one, #other, one, !=, other)
#define KUNIT_ASSERT_TRUE(test, cond) LZ_TRUTH(test, 1, #cond, cond, 1, "true", "false")
#define KUNIT_ASSERT_FALSE(test, cond) LZ_TRUTH(test, 1, #cond, cond, 0, "false", "true")
#define KUNIT_ASSERT_NULL(test, value) LZ_TRUTH(test, 1, #value, value, 0, "null", "not")
#define KUNIT_ASSERT_NOT_NULL(test, value) LZ_TRUTH(test, 1, #value, value, 1, "not null", "null")
#define KUNIT_ASSERT_EQ(test, one, other) LZ_BINARY(test, 1, #one, #other, one, ==, other)
#define KUNIT_ASSERT_NE(test, one, other) LZ_BINARY(test, 1, #one, #other, one, !=, other)
#define KUNIT_ASSERT_TRUE_MSG(test, cond, ...) LZ_TRUTH(test, 1, #cond, cond, 1, "true", "false")
#define KUNIT_ASSERT_FALSE_MSG(test, cond, ...) LZ_TRUTH(test, 1, #cond, cond, 0, "false", "true")
#define KUNIT_ASSERT_EQ_MSG(test, one, other, ...) \
	LZ_BINARY(test, 1, #one, #other, one, ==, other)
#define is_lazy_mmu_mode_active() lz_ask('A', 0)
#define in_interrupt() lz_ask('I', 0)
