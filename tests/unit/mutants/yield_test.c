/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directed yield and transfer against the tables of abi/spec/policy-yield.md: the configuration,
 * what each length of a queue costs, and slots that there are none of.
 */
#include "../core/world.h"

#include <string.h>

#include "spec_rows.h"

#define SLOTS 64u
#define GRANULARITY_NS 1600000u

static struct pvs_yield y;

static void vm_with(pvs_u32 transfer)
{
	struct pvs_yield_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.transfer = transfer;
	assert_int_equal(pvs_yield_init(&y, &cfg, SLOTS), PVS_OK);
}

static int fresh(void **state)
{
	(void)state;
	vm_with(PVS_TRANSFER_PENALISE);
	return 0;
}

/* ---- PY-1.1 -------------------------------------------------------------------------------- */

struct row {
	const char *name;
	size_t offset;
	pvs_u32 min, max, preset;
};

#define AS_ROW(field, min, max, preset) \
	{ #field, offsetof(struct pvs_yield_config, field), min, max, preset },

static const struct row rows[] = { YIELD_ROWS(AS_ROW) };

static pvs_u32 *field(struct pvs_yield_config *cfg, const struct row *row)
{
	return (pvs_u32 *)(void *)((char *)cfg + row->offset);
}

static void assert_refused(struct pvs_yield_config *cfg, const struct row *row, pvs_u32 value)
{
	struct pvs_config_error err = { "", 0, 0, 0 };

	*field(cfg, row) = value;
	assert_int_equal(pvs_yield_config_check(cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, row->name);
	assert_int_equal(err.value, value);
	assert_int_equal(err.min, row->min);
	assert_int_equal(err.max, row->max);
	assert_int_equal(pvs_yield_config_check(cfg, NULL), PVS_E_RANGE);
	assert_int_equal(pvs_yield_init(&y, cfg, SLOTS), value ? PVS_E_RANGE : PVS_OK);
}

static void config__of_yields_is_checked_at_both_ends(void **state)
{
	struct pvs_yield_config cfg;
	unsigned i;

	(void)state;
	assert_int_equal(sizeof(cfg), YIELD_ROWS_COUNT * sizeof(pvs_u32));
	for (i = 0; i < YIELD_ROWS_COUNT; i++) {
		const struct row *row = &rows[i];

		memset(&cfg, 0, sizeof(cfg));
		pvs_yield_config_resolve(&cfg);
		assert_int_equal(*field(&cfg, row), row->preset);
		*field(&cfg, row) = row->min;
		pvs_yield_config_resolve(&cfg);
		assert_int_equal(*field(&cfg, row), row->min);
		assert_int_equal(pvs_yield_config_check(&cfg, NULL), PVS_OK);
		*field(&cfg, row) = row->max;
		pvs_yield_config_resolve(&cfg);
		assert_int_equal(*field(&cfg, row), row->max);
		assert_int_equal(pvs_yield_config_check(&cfg, NULL), PVS_OK);
		assert_refused(&cfg, row, row->max + 1);
		if (row->min)
			assert_refused(&cfg, row, row->min - 1);
	}
}

/* ---- PY-6.3: in sixteenths of a granularity, by length of the queue ---------------------- */

static const struct {
	pvs_u32 most, base;
} due[] = {
	{ 0, 0 },  { 0, 0 },  { 96, 16 }, { 64, 15 }, { 40, 10 }, { 40, 10 }, { 40, 10 },
	{ 32, 8 }, { 32, 8 }, { 24, 6 },  { 24, 6 },  { 24, 6 },  { 24, 6 },  { 16, 4 },
};

static struct pvs_transfer give(pvs_u32 queued, pvs_s64 gap_ns)
{
	struct pvs_transfer_facts facts;
	struct pvs_transfer out;

	memset(&facts, 0, sizeof(facts));
	facts.now_ns = 1000 * MS;
	facts.granularity_ns = GRANULARITY_NS;
	facts.gap_ns = gap_ns;
	facts.queued = queued;
	facts.lag_ns = -100000000;
	facts.lag_max_ns = 100000000;
	pvs_transfer(&y, 1, 2, &facts, &out);
	return out;
}

static void transfer__each_length_of_a_queue_has_its_price(void **state)
{
	pvs_u32 queued;

	(void)state;
	for (queued = 0; queued < 40; queued++) {
		pvs_u32 row = queued < 13 ? queued : 13;

		vm_with(PVS_TRANSFER_PENALISE);
		assert_int_equal(give(queued, INT64_MAX).penalty_ns, 100000u * due[row].most);
		vm_with(PVS_TRANSFER_PENALISE);
		assert_int_equal(give(queued, 0).penalty_ns, 100000u * due[row].base);
		vm_with(PVS_TRANSFER_CREDIT);
		assert_int_equal(give(queued, 0).credit_ns,
				 due[row].base ? 100000000 + 100000u * due[row].base : 0);
	}
	assert_int_equal(give(0x80000002u, 0).credit_ns, 100000000 + 100000u * due[13].base);
}

static struct pvs_transfer give_at(pvs_u64 now_ns)
{
	struct pvs_transfer_facts facts;
	struct pvs_transfer out;

	memset(&facts, 0, sizeof(facts));
	facts.now_ns = now_ns;
	facts.granularity_ns = GRANULARITY_NS;
	facts.queued = 2;
	pvs_transfer(&y, 1, 2, &facts, &out);
	return out;
}

static void transfer__is_limited_from_any_first_moment(void **state)
{
	pvs_u64 first;

	(void)state;
	for (first = 0; first < 4; first++) {
		assert_int_equal(fresh(NULL), 0);
		assert_int_equal(give_at(first).reason, PVS_TRANSFER_BASE);
		assert_int_equal(give_at(first + 6000000).reason, PVS_TRANSFER_LIMITED);
		assert_int_equal(give_at(first + 6000001).reason, PVS_TRANSFER_BASE);
	}
}

/* ---- slots --------------------------------------------------------------------------------- */

static void slots__that_are_not_there_change_nothing(void **state)
{
	static const pvs_u32 none[] = { SLOTS, SLOTS + 1, 1023, 1024, 1024 + 3, 0xffffffffu };
	static struct pvs_yield before;
	unsigned i;

	(void)state;
	pvs_yield_waits(&y, 3, PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT);
	pvs_yield_ipi(&y, 5, 3, 0x31, 1000 * MS);
	before = y;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		pvs_yield_waits(&y, none[i], PVS_WAITS_ALL);
		pvs_yield_runs(&y, none[i]);
		pvs_yield_blocks(&y, none[i]);
		pvs_yield_removed(&y, none[i]);
		pvs_yield_interrupt(&y, none[i]);
		pvs_yield_ipi(&y, none[i], 3, 0x32, 1000 * MS);
		pvs_yield_ipi(&y, 3, none[i], 0x32, 1000 * MS);
		pvs_yield_eoi(&y, none[i], 0x31);
		assert_memory_equal(&y, &before, sizeof(y));
	}
	pvs_yield_ipi(&y, 3, 3, 0x32, 1000 * MS);
	assert_memory_equal(&y, &before, sizeof(y));
}

static pvs_u32 ask(pvs_u32 yielder, pvs_u32 kind, pvs_u32 target, pvs_u32 mask)
{
	struct pvs_hint hint;
	struct pvs_yield_ask question;
	struct pvs_yield_choice choice;

	memset(&hint, 0, sizeof(hint));
	memset(&question, 0, sizeof(question));
	hint.wait_kind = (pvs_u8)kind;
	hint.wait_target = (pvs_u16)target;
	hint.wait_mask = mask;
	question.now_ns = 1000 * MS;
	memset(&choice, 0xa5, sizeof(choice));
	pvs_yield_choose(&y, yielder, &hint, &question, &choice);
	return choice.target;
}

static void slots__each_bit_of_a_mask_names_its_own_slot(void **state)
{
	pvs_u32 base, bit;

	(void)state;
	for (base = 0; base < SLOTS; base++) {
		for (bit = 0; bit < 32; bit++) {
			pvs_u32 slot = base + bit;

			if (slot == 7)
				continue;
			assert_int_equal(fresh(NULL), 0);
			if (slot < SLOTS)
				pvs_yield_waits(&y, slot, PVS_WAITS_SPINNING);
			assert_int_equal(ask(7, PVS_WAIT_IPI_MANY, base, (pvs_u32)1 << bit),
					 slot < SLOTS ? slot : PVS_NO_TARGET);
		}
	}
	assert_int_equal(ask(7, PVS_WAIT_IPI_MANY, SLOTS, 1), PVS_NO_TARGET);
	assert_int_equal(ask(7, PVS_WAIT_LOCK, SLOTS, 0), PVS_NO_TARGET);
}

/* All who wait, in the order of their turns. */
static void slots__the_relaxed_round_gives_each_its_turn(void **state)
{
	static struct pvs_yield big;
	struct pvs_yield_config cfg;
	pvs_u32 at, step;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	for (step = 1; step < 700; step = step * 2 + 1) {
		assert_int_equal(pvs_yield_init(&big, &cfg, 1024), PVS_OK);
		for (at = 0; at < 1023; at += step)
			pvs_yield_waits(&big, at, 0);
		y = big;
		for (at = 0; at < 1023; at += step)
			assert_int_equal(ask(1023, 0, 0, 0), at);
		assert_int_equal(ask(1023, 0, 0, 0), 0);
	}
}

/* What two who left a word at once may have left behind: a promise in the summary. It is kept if
 * somebody has come to that word meanwhile; who is in others, and in none of them waits, is nothing
 * to it. */
static void slots__a_promise_that_nobody_keeps_is_forgotten(void **state)
{
	const unsigned words = PVS_YIELD_SETS * PVS_YIELD_WORDS;
	struct pvs_yield_config cfg;
	unsigned at, i;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	for (at = 0; at < words; at++) {
		assert_int_equal(pvs_yield_init(&y, &cfg, 1024), PVS_OK);
		for (i = 0; i < words; i++)
			y.word[i] = i != at;
		y.summary = (pvs_u64)1 << at;
		assert_int_equal(ask(7, 0, 0, 0), PVS_NO_TARGET);
		assert_true(y.summary == 0);
		assert_int_equal(pvs_yield_init(&y, &cfg, 1024), PVS_OK);
		y.word[at] = 1;
		y.summary = (pvs_u64)1 << at;
		assert_int_equal(ask(7, 0, 0, 0), PVS_NO_TARGET);
		assert_true(y.summary == (pvs_u64)1 << at);
	}
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(config__of_yields_is_checked_at_both_ends),
		unit(transfer__each_length_of_a_queue_has_its_price),
		unit(transfer__is_limited_from_any_first_moment),
		unit(slots__that_are_not_there_change_nothing),
		unit(slots__each_bit_of_a_mask_names_its_own_slot),
		unit(slots__a_promise_that_nobody_keeps_is_forgotten),
		unit(slots__the_relaxed_round_gives_each_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
