/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers, random numbers, histograms, the trace. */
#define _DEFAULT_SOURCE /* M_LN2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "engine.h"

#define TIMERS 500u

static struct sim_queue queue;
static struct sim_timer timers[TIMERS];
static struct sim_rng rng;

static int fresh(void **state)
{
	(void)state;
	sim_queue_free(&queue);
	memset(&queue, 0, sizeof(queue));
	memset(timers, 0, sizeof(timers));
	sim_rng_seed(&rng, 7, 0);
	return 0;
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void the_queue_gives_timers_in_the_order_of_their_times(void **state)
{
	uint64_t last = 0;
	uint32_t i;

	(void)state;
	for (i = 0; i < TIMERS; i++)
		sim_queue_arm(&queue, &timers[i], sim_rng_below(&rng, 1000000));
	for (i = 0; i < TIMERS; i++) {
		struct sim_timer *t = sim_queue_pop_before(&queue, SIM_NEVER);

		assert_null(sim_queue_wrong(&queue, last));
		assert_true(t->at_ns >= last);
		assert_int_equal(t->heap_at, 0);
		last = t->at_ns;
	}
	assert_null(sim_queue_pop_before(&queue, SIM_NEVER));
	assert_int_equal(queue.fired, TIMERS);
}

static void of_two_at_the_same_time_the_one_armed_first_fires_first(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < TIMERS; i++)
		sim_queue_arm(&queue, &timers[(i * 7) % TIMERS], 5);
	for (i = 0; i < TIMERS; i++)
		assert_ptr_equal(sim_queue_pop_before(&queue, SIM_NEVER),
				 &timers[(i * 7) % TIMERS]);
}

static void a_timer_armed_again_moves_both_ways(void **state)
{
	(void)state;
	sim_queue_arm(&queue, &timers[0], 10);
	sim_queue_arm(&queue, &timers[1], 20);
	sim_queue_arm(&queue, &timers[2], 30);
	sim_queue_arm(&queue, &timers[2], 5);
	assert_null(sim_queue_pop_before(&queue, 5));
	assert_ptr_equal(queue.heap[0].timer, &timers[2]);
	sim_queue_arm(&queue, &timers[2], 25);
	assert_ptr_equal(sim_queue_pop_before(&queue, SIM_NEVER), &timers[0]);
	assert_ptr_equal(sim_queue_pop_before(&queue, SIM_NEVER), &timers[1]);
	assert_ptr_equal(sim_queue_pop_before(&queue, SIM_NEVER), &timers[2]);
}

static void arming_for_never_disarms(void **state)
{
	(void)state;
	sim_queue_arm(&queue, &timers[0], 10);
	sim_queue_arm(&queue, &timers[0], SIM_NEVER);
	assert_int_equal(timers[0].heap_at, 0);
	assert_null(sim_queue_pop_before(&queue, SIM_NEVER));
	sim_queue_disarm(&queue, &timers[0]);
}

static uint64_t order_of(const struct sim_timer *t)
{
	return queue.heap[t->heap_at - 1].order;
}

/* The first of those that are armed, by looking at them all. */
static struct sim_timer *first_of_all(void)
{
	struct sim_timer *first = NULL;
	uint32_t i;

	for (i = 0; i < TIMERS; i++) {
		struct sim_timer *t = &timers[i];

		if (!t->heap_at)
			continue;
		if (!first || t->at_ns < first->at_ns ||
		    (t->at_ns == first->at_ns && order_of(t) < order_of(first)))
			first = t;
	}
	return first;
}

static void a_random_history_agrees_with_a_search_of_all_timers(void **state)
{
	uint64_t now_ns = 0;
	uint32_t i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct sim_timer *t = &timers[sim_rng_below(&rng, TIMERS)];

		switch (sim_rng_below(&rng, 4)) {
		case 0:
			sim_queue_disarm(&queue, t);
			break;
		case 1:
			t = first_of_all();
			assert_ptr_equal(sim_queue_pop_before(&queue, SIM_NEVER), t);
			now_ns = t ? t->at_ns : now_ns;
			break;
		default:
			sim_queue_arm(&queue, t, now_ns + sim_rng_below(&rng, 300));
		}
		assert_null(sim_queue_wrong(&queue, now_ns));
	}
}

/* ---- random numbers ---------------------------------------------------------------------------*/

static void the_generator_is_xoshiro256_starstar(void **state)
{
	/* The published code gives these for the state 1, 2, 3, 4. */
	static const uint64_t expected[6] = {11520, 0, 1509978240, 1215971899390074240,
					     1216172134540287360, 607988272756665600};
	struct sim_rng r = {{1, 2, 3, 4}};
	int i;

	(void)state;
	for (i = 0; i < 6; i++)
		assert_true(sim_rng_next(&r) == expected[i]);
}

static void streams_and_seeds_differ(void **state)
{
	struct sim_rng a, b, c, d;
	uint64_t first;

	(void)state;
	sim_rng_seed(&a, 1, 0);
	sim_rng_seed(&b, 1, 1);
	sim_rng_seed(&c, 2, 0);
	sim_rng_seed(&d, 1, 0);
	first = sim_rng_next(&a);
	assert_true(first != sim_rng_next(&b));
	assert_true(first != sim_rng_next(&c));
	assert_true(first == sim_rng_next(&d));
}

static void numbers_below_are_below_and_even(void **state)
{
	uint32_t seen[10] = {0};
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		uint64_t n = sim_rng_below(&rng, 10);

		assert_true(n < 10);
		seen[n]++;
	}
	for (i = 0; i < 10; i++)
		assert_in_range(seen[i], 9500, 10500);
	assert_true(sim_rng_below(&rng, 1) == 0);
}

static void the_logarithm_is_within_a_millionth_everywhere(void **state)
{
	double worst = 0;
	uint32_t i, bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		for (i = 0; i < 4000; i++) {
			/* From both ends: next to 0, and next to 1. */
			uint64_t x = (1ull << bit) + sim_rng_below(&rng, 1ull << bit);
			uint64_t y = 0 - x;
			double of_x = -log((double)x) + 64 * M_LN2;
			double of_y = -log1p(-ldexp((double)x, -64));
			double got_x = ldexp((double)sim_neg_ln_q56(x), -56);
			double got_y = ldexp((double)sim_neg_ln_q56(y), -56);

			if (bit == 63)
				continue; /* the other's range */
			worst = fmax(worst, fabs(got_x / of_x - 1));
			/* 2^-34 of a second is less than a ns. */
			if (bit >= 30)
				worst = fmax(worst, fabs(got_y / of_y - 1));
		}
	}
	assert_true(worst < 1e-6);
	assert_true(sim_neg_ln_q56(0) == sim_neg_ln_q56(1));
}

static void drawn_durations_have_their_mean_and_stay_in_their_range(void **state)
{
	struct sim_dist exp = {SIM_DIST_EXP, 0, 100000, 0};
	struct sim_dist uniform = {SIM_DIST_UNIFORM, 0, 100, 200};
	struct sim_dist choice = {SIM_DIST_CHOICE, 65536 / 20, 1000, 10};
	struct sim_dist constant = {SIM_DIST_CONST, 0, 42, 0};
	uint64_t sum = 0, over = 0, rare = 0, low = 0, high = 0;
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		uint64_t d = sim_dist_draw(&exp, &rng);

		sum += d;
		over += d > 300000;
		assert_true(d <= 64 * exp.a);
		d = sim_dist_draw(&uniform, &rng);
		assert_in_range(d, 100, 200);
		low += d == 100;
		high += d == 200;
		d = sim_dist_draw(&choice, &rng);
		assert_true(d == 1000 || d == 10);
		rare += d == 1000;
	}
	assert_in_range(sum / 1000000, 99700, 100300);
	assert_in_range(over, 49000, 50600); /* e^-3 = 0.049787 */
	assert_in_range(rare, 49000, 51000);
	assert_in_range(low, 9300, 10500);
	assert_in_range(high, 9300, 10500);
	assert_int_equal(sim_dist_draw(&constant, &rng), 42);
}

/* ---- histograms -------------------------------------------------------------------------------*/

static void a_bucket_holds_what_begins_at_its_lower_end(void **state)
{
	static struct sim_hist h;
	uint32_t i;

	(void)state;
	for (i = 0; i < 36 * SIM_HIST_SUB; i++) {
		memset(&h, 0, sizeof(h));
		sim_hist_add(&h, sim_hist_lower(i));
		assert_int_equal(h.bucket[i], 1);
		memset(&h, 0, sizeof(h));
		sim_hist_add(&h, sim_hist_lower(i + 1) - 1);
		assert_int_equal(h.bucket[i], 1);
	}
}

static void quantiles_are_known_to_three_percent(void **state)
{
	static struct sim_hist h;
	static const uint32_t q[] = {1, 500000, 900000, 990000, 999000, 1000000};
	uint64_t i;

	(void)state;
	for (i = 1; i <= 100000; i++)
		sim_hist_add(&h, i * 1000);
	for (i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
		uint64_t exact = (uint64_t)q[i] * 100;
		uint64_t got = sim_hist_quantile(&h, q[i]);

		if (exact < 1000)
			exact = 1000;
		assert_true(got >= exact);
		assert_true(got <= exact + exact / 32 + 1);
	}
	assert_true(h.min == 1000 && h.max == 100000000);
	assert_true(sim_hist_mean(&h) == 50000500);
}

static void an_empty_histogram_has_zeros(void **state)
{
	static struct sim_hist h;

	(void)state;
	assert_int_equal(sim_hist_quantile(&h, 500000), 0);
	assert_int_equal(sim_hist_mean(&h), 0);
}

static void huge_values_count_as_the_largest(void **state)
{
	static struct sim_hist h;

	(void)state;
	sim_hist_add(&h, SIM_NEVER);
	assert_true(h.max == (1ull << 40) - 1);
	assert_true(sim_hist_quantile(&h, 1000000) == (1ull << 40) - 1);
}

static void merged_histograms_are_those_of_all_values(void **state)
{
	static struct sim_hist a, b, all;
	uint32_t i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		uint64_t v = sim_rng_next(&rng) >> (20 + sim_rng_below(&rng, 40));

		sim_hist_add(i % 3 ? &a : &b, v);
		sim_hist_add(&all, v);
	}
	sim_hist_merge(&a, &b);
	assert_memory_equal(&a, &all, sizeof(a));
}

/* ---- trace ------------------------------------------------------------------------------------*/

static uint64_t hash_of(uint64_t at, uint32_t type, uint32_t cpu, uint32_t a, uint32_t b,
			uint64_t v)
{
	struct sim_trace t;

	sim_trace_init(&t);
	sim_trace_add(&t, at, (enum sim_trace_type)type, cpu, a, b, v);
	return t.hash;
}

static void each_field_changes_the_hash(void **state)
{
	uint64_t base = hash_of(1, SIM_T_RUN, 1, 1, 1, 1);

	(void)state;
	assert_true(base == hash_of(1, SIM_T_RUN, 1, 1, 1, 1));
	assert_true(base != hash_of(2, SIM_T_RUN, 1, 1, 1, 1));
	assert_true(base != hash_of(1, SIM_T_STOP, 1, 1, 1, 1));
	assert_true(base != hash_of(1, SIM_T_RUN, 2, 1, 1, 1));
	assert_true(base != hash_of(1, SIM_T_RUN, 1, 2, 1, 1));
	assert_true(base != hash_of(1, SIM_T_RUN, 1, 1, 2, 1));
	assert_true(base != hash_of(1, SIM_T_RUN, 1, 1, 1, 2));
}

static void the_hash_is_the_same_number_on_every_machine(void **state)
{
	(void)state;
	assert_true(hash_of(123456789, SIM_T_CLASS, 3, 17, 0x01020304, 1024) ==
		    0x32ea499f2ec9cadfull);
}

static void the_order_of_records_changes_the_hash(void **state)
{
	struct sim_trace one, two;

	(void)state;
	sim_trace_init(&one);
	sim_trace_init(&two);
	sim_trace_add(&one, 1, SIM_T_RUN, 0, 1, 0, 0);
	sim_trace_add(&one, 1, SIM_T_WAKE, 0, 2, 0, 0);
	sim_trace_add(&two, 1, SIM_T_WAKE, 0, 2, 0, 0);
	sim_trace_add(&two, 1, SIM_T_RUN, 0, 1, 0, 0);
	assert_true(one.hash != two.hash);
}

static void records_are_kept_within_time_and_room(void **state)
{
	struct sim_trace t;
	uint64_t at, hash;

	(void)state;
	sim_trace_init(&t);
	sim_trace_keep(&t, 3, 10, 20);
	for (at = 0; at < 30; at++)
		sim_trace_add(&t, at, SIM_T_LATENCY, 65535, 1, 2, 3 * at);
	assert_int_equal(t.count, 3);
	assert_int_equal(t.total, 30);
	assert_int_equal(t.kept[0].at_ns, 10);
	assert_int_equal(t.kept[2].v, 36);
	assert_int_equal(t.kept[2].cpu, 65535);
	hash = t.hash;
	sim_trace_free(&t);
	sim_trace_init(&t);
	for (at = 0; at < 30; at++)
		sim_trace_add(&t, at, SIM_T_LATENCY, 65535, 1, 2, 3 * at);
	assert_true(t.hash == hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_queue_gives_timers_in_the_order_of_their_times, fresh),
		cmocka_unit_test_setup(of_two_at_the_same_time_the_one_armed_first_fires_first,
				       fresh),
		cmocka_unit_test_setup(a_timer_armed_again_moves_both_ways, fresh),
		cmocka_unit_test_setup(arming_for_never_disarms, fresh),
		cmocka_unit_test_setup(a_random_history_agrees_with_a_search_of_all_timers, fresh),
		cmocka_unit_test(the_generator_is_xoshiro256_starstar),
		cmocka_unit_test(streams_and_seeds_differ),
		cmocka_unit_test_setup(numbers_below_are_below_and_even, fresh),
		cmocka_unit_test_setup(the_logarithm_is_within_a_millionth_everywhere, fresh),
		cmocka_unit_test_setup(drawn_durations_have_their_mean_and_stay_in_their_range,
				       fresh),
		cmocka_unit_test(a_bucket_holds_what_begins_at_its_lower_end),
		cmocka_unit_test(quantiles_are_known_to_three_percent),
		cmocka_unit_test(an_empty_histogram_has_zeros),
		cmocka_unit_test(huge_values_count_as_the_largest),
		cmocka_unit_test_setup(merged_histograms_are_those_of_all_values, fresh),
		cmocka_unit_test(each_field_changes_the_hash),
		cmocka_unit_test(the_hash_is_the_same_number_on_every_machine),
		cmocka_unit_test(the_order_of_records_changes_the_hash),
		cmocka_unit_test(records_are_kept_within_time_and_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
