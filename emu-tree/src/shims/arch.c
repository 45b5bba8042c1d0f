/*
 * Runs an operation of an architecture. A request has the state, the entries and what was answered so
 * far, each answer with the number of its event; the operation is run up to the first question without
 * an answer, which ends it. So it may be left there, and go on another time with one answer more.
 * An event has an answer, too, where the state has changed before what is stored behind it.
 */
#define LZ_PTES 512

extern u8 __start_lz_state[], __stop_lz_state[];

u32 lz_limit;
static struct { u32 op, mm, nr, limit, shift, state, answers, pad; u64 addr, pte; } lz_ask;
static pte_t lz_ptes[LZ_PTES];
static u64 lz_was[LZ_PTES];
static u8 lz_answers[1 << 20];
static u32 lz_next, lz_events, lz_value;
static u64 lz_count;
static u8 lz_joined;

static void lz_primitive(u32 op, struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte, u32 nr);

static void lz_load(const u8 *from, u32 n)
{
	__builtin_memset(__start_lz_state, 0, __stop_lz_state - __start_lz_state);
	__builtin_memcpy(__start_lz_state, from, n);
	lz_count = lz_waiting();
}

/* Takes the answer to the last event, if it came along. */
static int lz_take(void)
{
	struct { u32 value, event, state, joined; } answer;

	if (lz_next == lz_ask.answers)
		return 0;
	__builtin_memcpy(&answer, lz_answers + lz_next, sizeof(answer));
	if (answer.event != lz_events)
		return 0;
	lz_load(lz_answers + lz_next + sizeof(answer), answer.state);
	lz_next += sizeof(answer) + answer.state;
	lz_joined = answer.joined;
	lz_value = answer.value;
	return 1;
}

static void lz_record(u8 tag, u64 one, u64 two)
{
	struct { u8 tag; u64 one, two; u32 n; } __attribute__((packed)) record = { tag, one, two, 0 };

	lz_forget();
	record.n = __stop_lz_state - __start_lz_state;
	while (record.n && !__start_lz_state[record.n - 1])
		record.n--;
	lz_put(&record, sizeof(record));
	lz_put(__start_lz_state, record.n);
	lz_events++;
}

/* What plain stores have done since the last time: entries, and what joined the batch. */
static void lz_observe(void)
{
	for (u32 at = 0; at < lz_ask.nr; at++) {
		if (lz_ptes[at].pte != lz_was[at])
			lz_record('P', at, lz_ptes[at].pte);
		lz_was[at] = lz_ptes[at].pte;
	}
	if (!lz_joined && lz_waiting() > lz_count) {
		lz_record('J', lz_waiting(), 0);
		lz_leave();
	}
	if (lz_joined)
		lz_record('D', lz_last_mm(), lz_last_addr());
	lz_joined = 0;
	if (lz_flushed && !lz_waiting()) {
		lz_flushed = 0;
		lz_record('C', 0, 0);
	}
	lz_count = lz_waiting();
}

void lz_event(u8 tag, u64 one, u64 two)
{
	lz_observe();
	lz_record(tag, one, two);
	lz_take();
}

u64 lz_question(u8 tag, u64 n)
{
	lz_observe();
	lz_record(tag, n, 0);
	if (!lz_take())
		lz_leave();
	return lz_value;
}

static void lz_operation(void)
{
	struct mm_struct *mm = &lz_mms[lz_ask.mm];

	lz_take();
	switch (lz_ask.op) {
	case 0:
		arch_enter_lazy_mmu_mode();
		break;
	case 1:
		arch_leave_lazy_mmu_mode();
		break;
	case 2:
		arch_flush_lazy_mmu_mode();
		break;
	default:
		lz_primitive(lz_ask.op, mm, lz_ask.addr, lz_ptes, __pte(lz_ask.pte), lz_ask.nr);
		break;
	}
	lz_event('E', 0, 0);
}

void lz_run(void)
{
	static u8 state[1 << 16];
	u64 about[2] = { LZ_KERNEL_LIMIT, LZ_WAITING_AT };

	lz_put(about, sizeof(about));
	lz_flush();
	for (;;) {
		lz_get(&lz_ask, sizeof(lz_ask));
		if (lz_ask.nr > LZ_PTES || lz_ask.state > sizeof(state) || lz_ask.answers > sizeof(lz_answers))
			return;
		lz_get(lz_was, lz_ask.nr * sizeof(lz_was[0]));
		__builtin_memcpy(lz_ptes, lz_was, lz_ask.nr * sizeof(lz_was[0]));
		lz_get(state, lz_ask.state);
		lz_get(lz_answers, lz_ask.answers);
		lz_next = lz_events = lz_joined = lz_flushed = 0;
		lz_limit = lz_ask.limit;
		lz_load(state, lz_ask.state);
		lz_watch(1);
		lz_try(lz_operation);
		lz_watch(0);
		lz_put("Z", 1);
		lz_flush();
	}
}

void lz_point(void)
{
}

void lz_warn(u8 check, const char *cond)
{
	u32 n = __builtin_strlen(cond);

	lz_event('W', check, n);
	lz_put(cond, n);
	if (check == 2 || check == 3)
		lz_leave();
}
