/*
 * Runs the calls of a design. A request has a number of states, each with the first slot that is
 * asked for; a slot is a call in a context. What is stored is seen at the next thing that happens.
 * A careful guest tells of each slot at once, so that a sudden end is known by its slot.
 */
#define LZ_BATCH 1024

static u64 lz_seen;

static u64 lz_bits(void)
{
	u64 bits = 0;

	__builtin_memcpy(&bits, &lz_task.LZ_MEMBER, sizeof(lz_task.LZ_MEMBER));
	return bits;
}

void lz_point(void)
{
	struct { u8 tag; u64 bits; } __attribute__((packed)) record = { 'S', lz_bits() };

	if (record.bits != lz_seen)
		lz_put(&record, sizeof(record));
	lz_seen = record.bits;
}

void lz_warn(u8 check, const char *cond)
{
	u8 record[3 + 255] = { 'W', check };
	unsigned n = __builtin_strlen(cond);

	record[2] = n < 255 ? n : 255;
	__builtin_memcpy(record + 3, cond, record[2]);
	lz_put(record, 3 + record[2]);
	if (check == 2 || check == 3)
		lz_leave();
}

void lz_hook(u8 hook)
{
	u8 record[2] = { 'H', hook };

	lz_point();
	lz_put(record, sizeof(record));
}

static void lz_load(u64 bits)
{
	__builtin_memcpy(&lz_task.LZ_MEMBER, &bits, sizeof(lz_task.LZ_MEMBER));
	lz_seen = bits;
}

/* What is known of a state without a call: whether the mode is active, and the fields. */
static void lz_about(u64 bits)
{
	struct { u8 tag, active[2]; s64 fields[LZ_FIELDS]; } __attribute__((packed)) record = { 'I' };

	for (lz_irq = 0; lz_irq < 2; lz_irq++) {
		lz_load(bits);
		record.active[lz_irq] = lz_is_active();
	}
	lz_load(bits);
	for (unsigned at = 0; at < LZ_FIELDS; at++)
		record.fields[at] = lz_fields[at](&lz_task.LZ_MEMBER);
	lz_put(&record, sizeof(record));
}

void lz_run(void)
{
	static struct { u64 bits; u32 from, careful; } ask[LZ_BATCH];
	u32 states;

	for (;;) {
		lz_get(&states, sizeof(states));
		if (states > LZ_BATCH)
			return;
		lz_get(ask, states * sizeof(ask[0]));
		lz_watch(1);
		for (u32 at = 0; at < states; at++) {
			lz_about(ask[at].bits);
			for (u32 slot = ask[at].from; slot < 2 * LZ_CALLS; slot++) {
				lz_load(ask[at].bits);
				lz_irq = slot % 2;
				lz_try(lz_calls[slot / 2]);
				lz_point();
				lz_put("E", 1);
				if (ask[at].careful)
					lz_flush();
			}
		}
		lz_watch(0);
		lz_flush();
	}
}
