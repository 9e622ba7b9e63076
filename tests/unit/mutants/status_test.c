/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host writes into a slot, store by store: each word has its place, the counters stand
 * between an odd and an even sequence, and times are whole microseconds, rounded down.
 */
#include "../core/world.h"

#include <string.h>

static struct world w;
static unsigned torn, stores;

pvs_u64 host_load(const volatile void *p, unsigned int size)
{
	pvs_u64 value = 0;

	memcpy(&value, (const void *)(uintptr_t)p, size);
	return value;
}

void host_store(volatile void *p, pvs_u64 value, unsigned int size)
{
	const volatile void *first = &w.slot.boosts, *last = &w.slot.boosted_ns;

	stores++;
	if (p >= first && p <= last && !(w.slot.count_seq & 1))
		torn++; /* a reader would take it for whole */
	memcpy((void *)(uintptr_t)p, &value, size);
}

static int fresh(void **state)
{
	(void)state;
	world_init(&w, CAPS_USER);
	torn = 0;
	stores = 0;
	return 0;
}

static void status__counters_stand_between_an_odd_and_an_even_sequence(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		pvs_u64 before = w.slot.count_seq;

		look(&w);
		assert_int_equal(w.slot.count_seq, before + 2);
		assert_int_equal(w.slot.count_seq & 1, 0);
		assert_int_equal(torn, 0);
	}
}

static void status__each_counter_has_its_own_place(void **state)
{
	(void)state;
	w.v.boosts = 11;
	w.v.denials = 22;
	w.v.overruns = 33;
	w.v.malformed = 44;
	w.v.boosted_ns = 55;
	pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
	assert_int_equal(w.slot.boosts, 11);
	assert_int_equal(w.slot.denials, 22);
	assert_int_equal(w.slot.overruns, 33);
	assert_int_equal(w.slot.malformed, 44);
	assert_int_equal(w.slot.boosted_ns, 55);
}

static void status__time_left_is_in_whole_microseconds(void **state)
{
	static const struct {
		pvs_s64 ns;
		pvs_u64 us;
	} cases[] = {
		{ -1000000, 0 }, { -1, 0 }, { 0, 0 }, { 999, 0 }, { 1000, 1 }, { 1001, 1 },
		{ 1999, 1 }, { 2000, 2 }, { 3999999, 3999 }, { 4000000, 4000 },
		/* as much as fits; no account is that large */
		{ 4294967295000ll, 0xffffffffu }, { 4294967294999ll, 0xfffffffeu },
		{ 4294967296000ll, 0xffffffffu },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].ns <= (pvs_s64)w.cfg.boost_burst_ns) {
			set_boost_left(&w, cases[i].ns);
			w.v.window_end_ns = w.v.ran_ns + 3000;
			pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
			assert_true(w.slot.window_left == (cases[i].us << 32 | 3));
		}
		if (cases[i].ns < 0)
			continue;
		w.v.window_end_ns = w.v.ran_ns + (pvs_u64)cases[i].ns;
		set_boost_left(&w, 5000);
		pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
		assert_true(w.slot.window_left == ((pvs_u64)5 << 32 | cases[i].us));
	}
}

static void status__without_counters_nothing_but_words_is_stored(void **state)
{
	struct pvs_slot before;

	(void)state;
	look(&w);
	w.vm.terms.features &= ~PVS_F_COUNTERS;
	before = w.slot;
	look(&w);
	assert_memory_equal(&w.slot.ident, &before.ident, PVS_LINE_SIZE);
	assert_true(stores > 0);
}

static void status__each_feature_opens_its_own_word(void **state)
{
	static const struct {
		pvs_u64 feature;
		size_t word;
	} rows[] = {
		{ PVS_F_IRQ_TICKET, offsetof(struct pvs_slot, irq_ticket) },
		{ PVS_F_RUN_EPOCH, offsetof(struct pvs_slot, run) },
		{ PVS_F_PERF, offsetof(struct pvs_slot, perf) },
	};
	struct pvs_slot before;
	unsigned feature, i;

	(void)state;
	for (feature = 0; feature < 15; feature++) {
		memset(&w.slot, 0xa5, sizeof(w.slot));
		before = w.slot;
		w.vm.terms.features = (pvs_u64)1 << feature;
		pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			assert_int_equal(!memcmp((char *)&w.slot + rows[i].word,
						 (char *)&before + rows[i].word, 8),
					 rows[i].feature != w.vm.terms.features);
	}
}

static void status__a_contended_guest_that_waits_is_asked_to_yield(void **state)
{
	unsigned feature;

	(void)state;
	w.v.contended = 1;
	for (feature = 0; feature < 15; feature++) {
		w.vm.terms.features = (pvs_u64)1 << feature;
		pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
		assert_int_equal(!(w.slot.applied & PVS_APPLIED_YIELD_SPIN),
				 w.vm.terms.features != PVS_F_WAIT);
	}
	w.v.contended = 0;
	pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
	assert_false(w.slot.applied & PVS_APPLIED_YIELD_SPIN);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(status__counters_stand_between_an_odd_and_an_even_sequence),
		unit(status__each_counter_has_its_own_place),
		unit(status__time_left_is_in_whole_microseconds),
		unit(status__each_feature_opens_its_own_word),
		unit(status__a_contended_guest_that_waits_is_asked_to_yield),
		unit(status__without_counters_nothing_but_words_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
