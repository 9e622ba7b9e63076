/* SPDX-License-Identifier: BSD-2-Clause */
/* EEVDF on one CPU, by numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "fair_queue.h"

#define SLICE (3 * SIM_MS)
#define TICK (4 * SIM_MS)
#define MANY 40u

static struct fair_queue q;
static struct fair_entity e[MANY];
static uint64_t ran[MANY];

static int fresh(void **state)
{
	uint32_t i;

	(void)state;
	memset(&q, 0, sizeof(q));
	memset(e, 0, sizeof(e));
	memset(ran, 0, sizeof(ran));
	q.base_slice_ns = SLICE;
	q.tick_ns = TICK;
	q.run_to_parity = 1;
	for (i = 0; i < MANY; i++) {
		e[i].weight = FAIR_NICE_0;
		e[i].slice_ns = SLICE;
	}
	return 0;
}

static int gone(void **state)
{
	(void)state;
	fair_free(&q);
	return 0;
}

static void comes(uint32_t i)
{
	fair_place(&q, &e[i]);
	fair_add(&q, &e[i]);
}

/* The CPU decides: who runs is put back, and who is first runs. */
static uint32_t decides(void)
{
	struct fair_entity *first;

	if (q.curr)
		fair_put(&q);
	first = fair_first(&q);
	assert_non_null(first);
	fair_run(&q, first);
	return (uint32_t)(first - e);
}

static void runs(uint64_t ns)
{
	ran[q.curr - e] += ns;
	fair_charge(&q, ns);
}

/* Everybody always wants the CPU. */
static void all_run(uint64_t ns)
{
	uint64_t left;

	while (ns) {
		decides();
		left = fair_left(&q);
		if (left > ns)
			left = ns;
		runs(left);
		ns -= left;
	}
}

static void equal_weights_have_equal_shares(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		comes(i);
	all_run(3 * SIM_S);
	for (i = 0; i < 3; i++)
		assert_in_range(ran[i], SIM_S - SLICE, SIM_S + SLICE);
}

/* Linux: each step of nice is worth 10 % of a CPU between two: 1024 against 820, 335, 110, 15. */
static void shares_follow_weights(void **state)
{
	static const uint32_t weights[] = { 820, 335, 110, 15, 9548, 88761 };
	uint32_t i;

	for (i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		uint64_t total = 100 * SIM_S, share;

		fresh(state);
		fair_set_weight(&e[1], weights[i]);
		comes(0);
		comes(1);
		all_run(total);
		share = total * weights[i] / (weights[i] + 1024u);
		assert_in_range(ran[1], share - share / 50u - SLICE, share + share / 50u + SLICE);
		fair_free(&q);
	}
}

static void a_share_is_exact_however_often_it_is_charged(void **state)
{
	uint32_t i;

	(void)state;
	fair_set_weight(&e[0], 88761);
	comes(0);
	decides();
	for (i = 0; i < 100000; i++)
		fair_charge(&q, 10);
	assert_int_equal(e[0].vruntime, 1000000ull * 1024u / 88761u);
}

static void lag_is_kept_over_a_sleep(void **state)
{
	int64_t lag;

	(void)state;
	comes(0);
	comes(1);
	comes(2);
	decides();
	runs(2 * SIM_MS);
	lag = fair_lag(&q, &e[0]);
	assert_int_equal(lag, -(int64_t)(4 * SIM_MS / 3) - 1);
	fair_leave(&q, &e[0], 0);
	all_run(20 * SIM_MS);
	comes(0);
	assert_in_range(fair_lag(&q, &e[0]) - lag + 2, 0, 4);
}

static void what_is_owed_is_kept_too_but_not_without_end(void **state)
{
	(void)state;
	comes(0);
	comes(1);
	decides();
	runs(100 * SIM_MS);
	fair_leave(&q, &e[1], 0);
	assert_int_equal(e[1].lag, SLICE + TICK);
	comes(1);
	assert_in_range(fair_lag(&q, &e[1]), SLICE + TICK - 1, SLICE + TICK);
}

static void the_first_deadline_is_first_if_it_is_eligible(void **state)
{
	(void)state;
	e[1].slice_ns = SLICE / 2;
	e[1].custom = 1;
	comes(0);
	comes(1);
	assert_int_equal(decides(), 1); /* the shorter slice has the earlier deadline */
	runs(SLICE / 2);
	/* It has had more than its share: not eligible, though its deadline is the first again. */
	assert_true(e[1].deadline <= e[0].deadline);
	assert_int_equal(decides(), 0);
}

static void who_runs_is_protected_for_a_slice(void **state)
{
	(void)state;
	comes(0);
	decides();
	runs(SIM_MS);
	comes(1);
	comes(2);
	assert_int_equal(fair_wakeup_preempts(&q, &e[2]), 0);
	assert_int_equal(fair_left(&q), SLICE - SIM_MS);
	/* ... as long as it is eligible: it is, for all came at its own virtual time. */
	assert_int_equal(decides(), 0);
	runs(SIM_MS);
	assert_int_equal(decides(), 1);
}

static void who_is_picked_again_is_not_protected_anew(void **state)
{
	(void)state;
	comes(0);
	decides();
	e[1].lag = -2 * (int64_t)SLICE; /* it has had too much, and is not eligible */
	comes(1);
	runs(SLICE);
	assert_int_equal(decides(), 0);
	assert_false(fair_protected(&e[0]));
}

static void others_that_come_shorten_protection(void **state)
{
	(void)state;
	e[0].slice_ns = 10 * SLICE;
	e[0].custom = 1;
	comes(0);
	decides();
	assert_int_equal(e[0].protected_until, 10 * SLICE);
	runs(SLICE);
	e[1].lag = -2 * (int64_t)SLICE;
	comes(1);
	assert_int_equal(fair_wakeup_preempts(&q, &e[1]), 0);
	assert_in_range(e[0].protected_until, 2 * SLICE - 1, 2 * SLICE);
}

static void beside_shorter_slices_protection_ends_with_eligibility(void **state)
{
	(void)state;
	e[0].slice_ns = 10 * SLICE;
	e[0].custom = 1;
	e[1].lag = -(int64_t)SIM_MS;
	comes(0);
	comes(1);
	assert_int_equal(decides(), 0);
	assert_in_range(e[0].protected_until, e[1].vruntime, e[1].vruntime + 1);
	runs((uint64_t)(e[0].protected_until - e[0].vruntime));
	assert_int_equal(decides(), 1);
}

static void who_left_to_pay_owes_no_more_than_before(void **state)
{
	(void)state;
	comes(0);
	comes(1);
	assert_int_equal(decides(), 0);
	runs(SLICE / 2);
	e[0].lag = fair_lag(&q, &e[0]);
	fair_put(&q);
	q.prev = NULL;
	e[0].delayed = 1;
	q.delayed++;
	comes(2); /* V moves, and its lag with it */
	e[0].vruntime += SLICE;
	q.sum += (int64_t)SLICE * FAIR_NICE_0;
	fair_leave(&q, &e[0], 0);
	assert_int_equal(e[0].lag, -(int64_t)SLICE / 4);
}

static void protected_also_from_one_with_an_earlier_deadline(void **state)
{
	(void)state;
	comes(0);
	decides();
	runs(SIM_MS);
	e[1].lag = SIM_MS;
	comes(1);
	assert_true(e[1].deadline < e[0].deadline);
	assert_int_equal(fair_eligible(&q, &e[0]), 0);
	e[2].lag = -(int64_t)(3 * SIM_MS);
	comes(2);
	assert_int_equal(fair_eligible(&q, &e[0]), 1);
	assert_int_equal(decides(), 0);
}

static void who_stayed_to_pay_gets_nothing_for_it(void **state)
{
	(void)state;
	comes(0);
	comes(1);
	e[0].delayed = 1;
	q.delayed = 1;
	fair_run(&q, &e[1]);
	runs(2 * SIM_MS);
	assert_true(fair_lag(&q, &e[0]) > 0);
	fair_leave(&q, &e[0], 0);
	assert_int_equal(e[0].lag, 0);
	assert_int_equal(q.delayed, 0);
}

static void a_shorter_slice_preempts(void **state)
{
	(void)state;
	comes(0);
	decides();
	runs(SIM_MS / 2);
	e[1].slice_ns = SIM_MS / 10;
	e[1].custom = 1;
	comes(1);
	assert_int_equal(fair_wakeup_preempts(&q, &e[1]), 1);
	assert_int_equal(decides(), 1);
}

static void a_buddy_goes_first_but_only_if_it_is_eligible(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		comes(i);
	decides();
	runs(SIM_MS);
	q.next = &e[3];
	assert_int_equal(decides(), 3);
	assert_null(q.next);
	runs(2 * SLICE);
	assert_int_equal(decides(), 1);
	q.next = &e[3];
	assert_int_not_equal(decides(), 3);
}

static void who_yields_gives_up_the_rest_of_its_slice(void **state)
{
	(void)state;
	comes(0);
	comes(1);
	decides();
	assert_int_equal(fair_eligible(&q, q.curr), 1);
	fair_forfeit(&q);
	assert_int_equal(e[0].vruntime, SLICE);
	assert_int_equal(e[0].deadline, 2 * SLICE);
	assert_int_equal(decides(), 1);
	/* Not eligible: nothing to give. */
	runs(2 * SLICE);
	fair_forfeit(&q);
	assert_int_equal(e[1].vruntime, 2 * SLICE);
}

static void a_penalty_moves_virtual_time_and_deadline(void **state)
{
	(void)state;
	comes(0);
	comes(1);
	decides();
	fair_advance(&q, 6 * SLICE);
	assert_int_equal(e[0].vruntime, 6 * SLICE);
	assert_int_equal(e[0].deadline, 7 * SLICE);
	all_run(5 * SLICE);
	assert_int_equal(ran[1], 5 * SLICE);
}

static void another_weight_is_another_share_and_the_same_lag(void **state)
{
	int64_t lag;

	(void)state;
	comes(0);
	comes(1);
	decides();
	runs(SIM_MS);
	lag = fair_lag(&q, &e[0]);
	fair_reweight(&q, 2048);
	/* In CPU time: half as much in virtual time. Seen from the new average, it is less. */
	assert_true(lag < 0);
	assert_int_equal(e[0].vruntime, (int64_t)(SIM_MS / 2) + (int64_t)(SIM_MS / 4));
	all_run(3 * SIM_S);
	assert_in_range(ran[0], 2 * SIM_S - 2 * SLICE, 2 * SIM_S + 2 * SLICE);
}

/* Straight from the definitions: sums over all, each time. */
static void the_sums_are_what_they_should_be(void)
{
	long double sum = 0, load = 0, v;
	struct fair_entity *best = NULL;
	uint32_t i;

	for (i = 0; i < q.count; i++) {
		sum += (long double)q.by_deadline[i]->vruntime * q.by_deadline[i]->weight;
		load += q.by_deadline[i]->weight;
		if (i)
			assert_true(q.by_deadline[i - 1]->deadline <= q.by_deadline[i]->deadline);
	}
	if (!q.count)
		return;
	v = sum / load;
	assert_true((long double)fair_average(&q) - v < 1);
	assert_true(v - (long double)fair_average(&q) < 1.001L);
	for (i = 0; i < q.count; i++) {
		struct fair_entity *its = q.by_deadline[i];

		if (fair_eligible(&q, its) && (!best || its->deadline < best->deadline))
			best = its;
	}
	assert_non_null(best); /* somebody always is */
	q.prev = NULL;
	q.next = NULL;
	assert_ptr_equal(fair_first(&q), best);
}

static void sums_stay_exact_in_a_random_life(void **state)
{
	static const uint32_t weights[] = { 3, 15, 335, 1024, 1024, 9548, 88761 };
	struct sim_rng rng;
	uint32_t step, i;

	(void)state;
	sim_rng_seed(&rng, 5, 1);
	for (i = 0; i < MANY; i++) {
		e[i].weight = weights[sim_rng_below(&rng, 7)];
		e[i].slice_ns = SLICE;
	}
	for (step = 0; step < 20000; step++) {
		i = (uint32_t)sim_rng_below(&rng, MANY);
		if (!e[i].queued)
			comes(i);
		else if (sim_rng_below(&rng, 3) == 0)
			fair_leave(&q, &e[i], (int)sim_rng_below(&rng, 2));
		if (q.count) {
			decides();
			runs(sim_rng_below(&rng, 5 * SIM_MS));
			fair_put(&q);
			the_sums_are_what_they_should_be();
		}
	}
}

static void lag_is_never_beyond_its_bound_when_all_want_the_cpu(void **state)
{
	uint32_t i, step;

	(void)state;
	for (i = 0; i < 7; i++) {
		fair_set_weight(&e[i], 1024u >> (i / 2u));
		comes(i);
	}
	for (step = 0; step < 5000; step++) {
		decides();
		runs(fair_left(&q));
		for (i = 0; i < 7; i++) {
			int64_t lag = fair_average(&q) - e[i].vruntime;
			int64_t most = (int64_t)fair_virtual(&e[i], SLICE) + 1;

			assert_true(lag <= most && lag >= -most);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_weights_have_equal_shares, fresh, gone),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test_setup_teardown(a_share_is_exact_however_often_it_is_charged,
						fresh, gone),
		cmocka_unit_test_setup_teardown(lag_is_kept_over_a_sleep, fresh, gone),
		cmocka_unit_test_setup_teardown(what_is_owed_is_kept_too_but_not_without_end,
						fresh, gone),
		cmocka_unit_test_setup_teardown(the_first_deadline_is_first_if_it_is_eligible,
						fresh, gone),
		cmocka_unit_test_setup_teardown(who_runs_is_protected_for_a_slice, fresh, gone),
		cmocka_unit_test_setup_teardown(who_is_picked_again_is_not_protected_anew,
						fresh, gone),
		cmocka_unit_test_setup_teardown(others_that_come_shorten_protection, fresh, gone),
		cmocka_unit_test_setup_teardown(
			beside_shorter_slices_protection_ends_with_eligibility, fresh, gone),
		cmocka_unit_test_setup_teardown(who_left_to_pay_owes_no_more_than_before,
						fresh, gone),
		cmocka_unit_test_setup_teardown(protected_also_from_one_with_an_earlier_deadline,
						fresh, gone),
		cmocka_unit_test_setup_teardown(who_stayed_to_pay_gets_nothing_for_it, fresh, gone),
		cmocka_unit_test_setup_teardown(a_shorter_slice_preempts, fresh, gone),
		cmocka_unit_test_setup_teardown(a_buddy_goes_first_but_only_if_it_is_eligible,
						fresh, gone),
		cmocka_unit_test_setup_teardown(who_yields_gives_up_the_rest_of_its_slice,
						fresh, gone),
		cmocka_unit_test_setup_teardown(a_penalty_moves_virtual_time_and_deadline,
						fresh, gone),
		cmocka_unit_test_setup_teardown(another_weight_is_another_share_and_the_same_lag,
						fresh, gone),
		cmocka_unit_test_setup_teardown(sums_stay_exact_in_a_random_life, fresh, gone),
		cmocka_unit_test_setup_teardown(lag_is_never_beyond_its_bound_when_all_want_the_cpu,
						fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
