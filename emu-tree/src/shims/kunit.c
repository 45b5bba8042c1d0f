/* Runs the suites of a KUnit file, one case after the other, and tells lazymmu what comes of them. */
int vsnprintf(char *into, size_t size, const char *format, __builtin_va_list list);

void lz_say(u8 tag, const char *format, ...)
{
	u8 record[3 + 1024] = { tag };
	__builtin_va_list list;
	int len;

	__builtin_va_start(list, format);
	len = vsnprintf((char *)record + 3, 1024, format, list);
	__builtin_va_end(list);
	len = len < 0 ? 0 : len > 1023 ? 1023 : len;
	record[1] = len & 255;
	record[2] = len >> 8;
	lz_put(record, 3 + len);
}

/* Asks for something; a task that has died there does not come back. */
u8 lz_ask(u8 what, u8 number)
{
	u8 request[2] = { what, number };
	u8 answer;

	lz_watch(0);
	lz_put(request, sizeof(request));
	lz_get(&answer, 1);
	lz_watch(1);
	if (answer == 2)
		lz_leave();
	return answer;
}

void lz_point(void)
{
}

void lz_warn(u8 check, const char *cond)
{
	lz_say('N', "WARNING: %s", cond);
	if (check == 2 || check == 3)
		lz_leave();
}

static struct kunit lz_test;
static struct kunit_suite *lz_suite;
static struct kunit_case *lz_case;

static void lz_body(void)
{
	if (lz_suite->init && lz_suite->init(&lz_test))
		lz_test.failed = 1;
	else
		lz_case->run_case(&lz_test);
}

static void lz_after(void)
{
	if (lz_suite->exit)
		lz_suite->exit(&lz_test);
}

void lz_run(void)
{
	for (unsigned at = 0; lz_suites[at]; at++) {
		lz_suite = lz_suites[at];
		lz_say('Q', "%s", lz_suite->name);
		if (lz_suite->suite_init && lz_suite->suite_init(lz_suite))
			lz_say('N', "the suite's init failed");
		for (lz_case = lz_suite->test_cases; lz_case->run_case; lz_case++) {
			lz_test = (struct kunit){ 0 };
			lz_say('B', "%s", lz_case->name);
			lz_watch(1);
			lz_test.failed |= lz_try(lz_body) && !lz_test.skipped;
			lz_try(lz_after);
			lz_watch(0);
			lz_ask('D', lz_test.skipped ? 2 : lz_test.failed);
		}
		if (lz_suite->suite_exit)
			lz_suite->suite_exit(lz_suite);
		lz_say('Z', "%s", lz_suite->name);
	}
	lz_say('O', "%s", "");
	lz_flush();
}
