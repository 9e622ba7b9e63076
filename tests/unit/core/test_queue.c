/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each call on a run queue does. Weight 64 (PVS_QUEUE_REFERENCE) makes virtual time real time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pvs/pvs.h>

#define US 1000ull
#define MS (1000 * US)
#define SEC (1000 * MS)
#define BUCKET (1ull << 58)
#define START (1000 * SEC) /* virtual time of the queue when a test begins */
#define NOW (50 * SEC)

_Static_assert(sizeof(struct pvs_entity) <= 128, "one vCPU's rank must stay small");

static struct pvs_config cfg;
static struct pvs_queue q;
static struct pvs_entity a, b;

static int fresh(void **state)
{
	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	pvs_queue_init(&q);
	q.base = START;
	pvs_entity_init(&a, &cfg, PVS_QUEUE_REFERENCE);
	pvs_entity_init(&b, &cfg, PVS_QUEUE_REFERENCE);
	return 0;
}

static struct pvs_queue_ask ask_of(unsigned klass, unsigned rank, pvs_u64 now)
{
	struct pvs_queue_ask ask = { .now_ns = now, .klass = (pvs_u8)klass,
				     .rank = (pvs_u8)rank };

	return ask;
}

static int enqueue_at(struct pvs_entity *e, unsigned klass, unsigned rank, pvs_u64 now)
{
	struct pvs_queue_ask ask = ask_of(klass, rank, now);

	return pvs_queue_enqueue(&q, &cfg, e, &ask);
}

static pvs_u64 enqueue(struct pvs_entity *e, unsigned klass, unsigned rank)
{
	assert_int_equal(enqueue_at(e, klass, rank, NOW), PVS_QUEUE_GO);
	return e->key;
}

static int pick(struct pvs_entity *e, unsigned klass, unsigned rank)
{
	struct pvs_queue_ask ask = ask_of(klass, rank, NOW);

	return pvs_queue_pick(&q, &cfg, e, &ask);
}

static void start(struct pvs_entity *e, unsigned klass)
{
	enqueue(e, klass, 7);
	assert_int_equal(pick(e, klass, 7), PVS_QUEUE_GO);
}

static void charge(struct pvs_entity *e, pvs_u64 ns)
{
	pvs_queue_charge(&q, &cfg, e, (pvs_u32)ns, NOW);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void key__before_is_right_across_the_wrap(void **state)
{
	(void)state;
	assert_true(pvs_key_before(1, 2));
	assert_false(pvs_key_before(2, 2));
	assert_false(pvs_key_before(2, 1));
	assert_true(pvs_key_before(~0ull, 0));
	assert_false(pvs_key_before(0, ~0ull));
}

static void key__class_goes_before_rank_and_rank_before_credit(void **state)
{
	unsigned rank;

	(void)state;
	for (rank = 0; rank < PVS_RANKS; rank++) {
		assert_int_equal(enqueue(&a, PVS_CLASS_CRITICAL, rank),
				 START + (7 - rank) * BUCKET);
		assert_int_equal(enqueue(&a, PVS_CLASS_TASK, rank), START + (15 - rank) * BUCKET);
		assert_int_equal(enqueue(&a, PVS_CLASS_BASELINE, rank), START + 16 * BUCKET);
		assert_int_equal(enqueue(&a, PVS_CLASS_BELOW, rank), START + 16 * BUCKET);
		assert_int_equal(enqueue(&a, PVS_CLASS_NONE, rank), START + 16 * BUCKET);
	}
	assert_int_equal(enqueue(&a, 255, 255), START); /* the highest there is */
}

static void key__of_the_least_boosted_goes_first_among_boosted(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_TASK);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	charge(&a, 100 * US);
	enqueue(&a, PVS_CLASS_TASK, 7);
	enqueue(&b, PVS_CLASS_TASK, 7);
	assert_true(pvs_key_before(b.key, a.key));
	assert_int_equal(a.key - b.key, 400 * US); /* a quarter of its share: four times the time */
}

static void key__of_equal_ones_is_equal(void **state)
{
	(void)state;
	assert_int_equal(enqueue(&a, PVS_CLASS_BASELINE, 0), enqueue(&b, PVS_CLASS_BASELINE, 0));
}

static void preempts__compares_places(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_BASELINE);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	assert_false(pvs_queue_preempts(&b, &a));
	charge(&a, 1);
	assert_true(pvs_queue_preempts(&b, &a));
	start(&a, PVS_CLASS_CRITICAL);
	assert_false(pvs_queue_preempts(&b, &a));
}

/* ---- weight --------------------------------------------------------------------------------- */

static void weight__is_clamped_and_its_inverse_rounded(void **state)
{
	(void)state;
	pvs_entity_init(&a, &cfg, 0);
	assert_int_equal(a.klass, PVS_CLASS_BASELINE);
	assert_int_equal(a.bucket, 16);
	assert_int_equal(a.weight, 1);
	assert_int_equal(a.inverse, 1u << 31);
	pvs_entity_init(&a, &cfg, 65536);
	assert_int_equal(a.weight, 65535);
	assert_int_equal(a.inverse, 32769); /* 32768.5 */
	pvs_entity_init(&a, &cfg, 64);
	assert_int_equal(a.inverse, 1u << 25);
	assert_int_equal(a.boost_cost_q10, 4096);
	cfg.boost_share_q10 = 1000;
	pvs_entity_init(&a, &cfg, 64);
	assert_int_equal(a.boost_cost_q10, 1049); /* 1048.576, up */
}

static void weight__ages_the_light_faster(void **state)
{
	(void)state;
	pvs_entity_init(&a, &cfg, 32);
	pvs_entity_init(&b, &cfg, 256);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 1 * MS);
	assert_int_equal(a.vtime, START + 2 * MS);
	assert_int_equal(pick(&b, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	charge(&b, 1 * MS);
	assert_int_equal(b.vtime, START + 250 * US);
}

static void weight__rest_of_a_charge_is_kept(void **state)
{
	unsigned i;

	(void)state;
	pvs_entity_init(&a, &cfg, 1024);
	start(&a, PVS_CLASS_BASELINE);
	for (i = 0; i < 16000; i++)
		charge(&a, 1); /* a sixteenth each */
	assert_int_equal(a.vtime, START + 1000);
}

static void weight__debt_and_credit_keep_their_worth(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 3 * MS);
	pvs_entity_set_weight(&q, &cfg, &a, 128);
	assert_int_equal(a.vtime, START + 1500 * US); /* 3 ms of CPU time still */
	pvs_entity_set_weight(&q, &cfg, &a, 64);
	assert_int_equal(a.vtime, START + 3 * MS);
	b.vtime = START - 1 * MS;
	b.boost = START + 800 * US;
	pvs_entity_set_weight(&q, &cfg, &b, 16);
	assert_int_equal(b.vtime, START - 4 * MS);
	/* in units of 1024 ns, rounded up: 782 of them */
	assert_int_equal(b.boost, START + 4 * 782 * 1024);
	b.vtime = START - 1 * SEC; /* asleep for long: no more than the credit there is */
	pvs_entity_set_weight(&q, &cfg, &b, 64);
	assert_int_equal(b.vtime, START - 2 * MS);
}

static void weight__factor_of_the_decision_is_taken_at_enqueue(void **state)
{
	struct pvs_queue_ask ask = ask_of(PVS_CLASS_BELOW, 0, NOW);

	(void)state;
	pvs_entity_init(&a, &cfg, 256);
	ask.weight_q10 = 512;
	assert_int_equal(pvs_queue_enqueue(&q, &cfg, &a, &ask), PVS_QUEUE_GO);
	assert_int_equal(a.weight, 128);
	assert_int_equal(q.weight, 128);
	ask.weight_q10 = 1;
	pvs_queue_enqueue(&q, &cfg, &a, &ask);
	assert_int_equal(a.weight, 1); /* never nothing */
	ask.weight_q10 = 0;
	pvs_queue_enqueue(&q, &cfg, &a, &ask);
	assert_int_equal(a.weight, 256);
	ask.weight_q10 = 1023;
	pvs_queue_enqueue(&q, &cfg, &a, &ask);
	assert_int_equal(a.weight, 255);
	ask.weight_q10 = 99999;
	pvs_queue_enqueue(&q, &cfg, &a, &ask);
	assert_int_equal(a.weight, 256);
	assert_int_equal(a.factor_q10, 1024);
	assert_int_equal(q.weight, 256);
}

static void weight__change_while_queued_counts_from_the_next_enqueue(void **state)
{
	pvs_u64 key = enqueue(&a, PVS_CLASS_BASELINE, 0);

	(void)state;
	pvs_entity_set_weight(&q, &cfg, &a, 640);
	assert_int_equal(a.key, key);
	assert_int_equal(q.weight, 64);
	pvs_queue_dequeue(&q, &a);
	assert_int_equal(q.weight, 0);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(q.weight, 640);
}

static void share__is_what_weight_is_of_the_sum(void **state)
{
	(void)state;
	assert_int_equal(pvs_queue_share_q16(&q, &a), 65536);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(pvs_queue_share_q16(&q, &a), 65536);
	assert_int_equal(pvs_queue_share_q16(&q, &b), 32768); /* if it came too */
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	assert_int_equal(pvs_queue_share_q16(&q, &b), 32768);
	q.weight = 1ull << 40;
	assert_int_equal(pvs_queue_share_q16(&q, &b), 1);
}

/* ---- in and out ----------------------------------------------------------------------------- */

static void queue__counts_who_is_in(void **state)
{
	(void)state;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	enqueue(&a, PVS_CLASS_BASELINE, 0); /* again: its class may have changed */
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	assert_int_equal(q.waiting, 2);
	assert_int_equal(q.running, 0);
	assert_int_equal(q.weight, 128);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO); /* may it go on? */
	assert_int_equal(q.waiting, 1);
	assert_int_equal(q.running, 1);
	assert_int_equal(q.weight, 128);
	pvs_queue_dequeue(&q, &a);
	pvs_queue_dequeue(&q, &a);
	pvs_queue_dequeue(&q, &b);
	assert_int_equal(q.waiting, 0);
	assert_int_equal(q.running, 0);
	assert_int_equal(q.weight, 0);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_E_STATE);
}

static void enqueue__newcomer_starts_at_the_base(void **state)
{
	(void)state;
	assert_int_equal(enqueue(&a, PVS_CLASS_BASELINE, 0), START + 16 * BUCKET);
	assert_int_equal(a.boost, START);
	assert_int_equal(a.placed, 1);
}

static void enqueue__sleeper_keeps_credit_up_to_a_limit(void **state)
{
	(void)state;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	pvs_queue_dequeue(&q, &a);
	q.base = START + 2 * MS;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(a.vtime, START);
	q.base = START + 2 * MS + 1;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(a.vtime, START + 1); /* credit_max_ns is 2 ms */
	assert_int_equal(a.boost, q.base);
	q.base = START + (1ull << 62);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(a.vtime, q.base - 2 * MS);
}

static void enqueue__key_stands_still_while_others_run(void **state)
{
	pvs_u64 key = enqueue(&b, PVS_CLASS_TASK, 3);
	unsigned i;

	(void)state;
	start(&a, PVS_CLASS_BASELINE);
	for (i = 0; i < 100; i++) {
		charge(&a, 1 * MS);
		enqueue(&a, PVS_CLASS_BASELINE, 0);
		assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	}
	assert_true(q.base > START);
	assert_int_equal(b.key, key);
	assert_int_equal(pick(&b, PVS_CLASS_TASK, 3), PVS_QUEUE_GO);
}

/* ---- the base ------------------------------------------------------------------------------- */

static void base__follows_the_start_of_who_runs_unboosted(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START); /* it began there */
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START + 1 * MS);
}

static void base__stands_still_while_somebody_waits_for_a_boosted_one(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	charge(&a, 500 * US);
	charge(&a, 500 * US);
	assert_int_equal(q.base, START);
	assert_int_equal(a.vtime, START + 1 * MS);
}

static void base__never_moves_more_than_the_run_is_worth(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	a.vtime = START + 50 * MS; /* a debt from long ago */
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START + 1 * MS);
}

static void base__moves_twice_as_fast_for_one_alone(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_TASK);
	a.vtime = START + 50 * MS;
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START + 2 * MS);
	a.vtime = q.base;
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START + 3 * MS); /* no further than it has run */
}

static void base__is_not_moved_by_a_late_charge(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_BASELINE);
	pvs_queue_dequeue(&q, &a);
	charge(&a, 1 * MS);
	assert_int_equal(q.base, START);
	assert_int_equal(a.vtime, START + 1 * MS);
}

/* ---- charges -------------------------------------------------------------------------------- */

static void charge__debt_is_forgotten_beyond_a_limit(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 1 * SEC);
	assert_int_equal(a.vtime, START + 1 * SEC);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	q.base -= 1;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(a.vtime, START + 1 * SEC - 1); /* debt_max_ns */
}

static void charge__the_longest_is_no_overflow(void **state)
{
	(void)state;
	cfg.boost_share_q10 = 1;
	cfg.debt_max_ns = 4000000000u;
	pvs_entity_init(&a, &cfg, 1);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_CRITICAL);
	a.rest = (1u << 25) - 1;
	charge(&a, PVS_QUEUE_RUN_MAX_NS);
	assert_int_equal(a.vtime - q.base, 64 * 4000000000ull);
	assert_int_equal(a.boost - q.base, 64 * 1024 * (pvs_u64)PVS_QUEUE_RUN_MAX_NS);
	pvs_entity_set_weight(&q, &cfg, &a, 65535);
	assert_int_equal((a.vtime - q.base) >> 12, (4000000000ull * 64 / 65535) >> 12);
	pvs_entity_set_weight(&q, &cfg, &a, 1);
	/* nothing to speak of is won by changing weights, there and back */
	assert_int_equal((a.boost - q.base + (1ull << 33)) >> 34, (64ull << 42) >> 34);
}

static void charge__boost_account_has_a_floor(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	a.boost = START + 4ull * PVS_QUEUE_RUN_MAX_NS - 1;
	charge(&a, 1 * MS);
	assert_int_equal(a.boost, START + 4ull * PVS_QUEUE_RUN_MAX_NS);
}

static void charge__boosted_time_is_paid_twice(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	charge(&a, 1 * MS);
	assert_int_equal(a.vtime, START + 1 * MS);
	assert_int_equal(a.boost, START + 4 * MS);
	assert_int_equal(a.boosted_ns, 1 * MS);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 1 * MS);
	assert_int_equal(a.vtime, START + 2 * MS);
	assert_int_equal(a.boost, START + 4 * MS);
	assert_int_equal(a.boosted_ns, 1 * MS);
}

static void charge__boost_cost_is_rounded_up(void **state)
{
	(void)state;
	cfg.boost_share_q10 = 1000;
	pvs_entity_init(&a, &cfg, 64);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	charge(&a, 1);
	assert_int_equal(a.boost, START + 2); /* 1.02 */
}

static void charge__waiting_does_not_fill_the_account_beyond_full(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	enqueue(&a, PVS_CLASS_TASK, 7);
	q.base = START + 100 * MS; /* others ran */
	assert_int_equal(pick(&a, PVS_CLASS_TASK, 7), PVS_QUEUE_GO);
	charge(&a, 1 * MS);
	assert_int_equal(a.boost, START + 104 * MS);
}

/* ---- the boost account ---------------------------------------------------------------------- */

static void account__empty_means_not_boosted_until_half_is_back(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	charge(&a, 4 * MS - 1);
	assert_int_equal(a.boosted, 1);
	assert_true(a.key < 16 * BUCKET);
	charge(&a, 1); /* boost_burst_ns */
	assert_int_equal(a.boosted, 0);
	assert_int_equal(a.empty, 1);
	assert_int_equal(a.key, START + 4 * MS + 16 * BUCKET);
	assert_int_equal(a.overruns, 1);
	assert_int_equal(q.overruns, 1);
	charge(&a, 1 * MS); /* as anybody else */
	assert_int_equal(a.boost, START + 16 * MS);
	assert_int_equal(a.overruns, 1);

	q.base = START + 8 * MS - 1;
	enqueue(&a, PVS_CLASS_TASK, 7);
	assert_int_equal(a.bucket, 16);
	q.base = START + 8 * MS;
	enqueue(&a, PVS_CLASS_TASK, 7);
	assert_int_equal(a.bucket, 8);
}

static void limit__is_what_is_left_of_the_account(void **state)
{
	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_BASELINE);
	assert_true(pvs_queue_limit_ns(&q, &cfg, &a, NOW) == PVS_NEVER);
	start(&a, PVS_CLASS_TASK);
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 4 * MS);
	charge(&a, 1 * MS);
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 3 * MS);
	charge(&a, 3 * MS - 1);
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 1000); /* worth a look, no less */
	a.boost = START + 99 * MS;
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 1000);
}

static void limit__is_in_cpu_time_whatever_the_weight(void **state)
{
	static const pvs_u32 weights[] = { 1, 7, 256, 65535 };
	unsigned i;

	(void)state;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	for (i = 0; i < 4; i++) {
		pvs_u64 left;

		pvs_entity_init(&a, &cfg, weights[i]);
		start(&a, PVS_CLASS_TASK);
		left = pvs_queue_limit_ns(&q, &cfg, &a, NOW);
		assert_true(left <= 4 * MS + 200 && left + 1200 >= 4 * MS);
		pvs_queue_dequeue(&q, &a);
	}
}

/* ---- pick ----------------------------------------------------------------------------------- */

static void pick__demotes_one_whose_boost_has_ended(void **state)
{
	(void)state;
	enqueue(&a, PVS_CLASS_CRITICAL, 7);
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_AGAIN);
	assert_int_equal(a.key, START + 16 * BUCKET);
	assert_int_equal(a.state, PVS_ENTITY_QUEUED);
	assert_int_equal(q.requeues, 1);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	assert_int_equal(a.boosted, 0);
	assert_int_equal(q.retries, 0);
}

static void pick__demotes_by_rank_too(void **state)
{
	(void)state;
	enqueue(&a, PVS_CLASS_TASK, 7);
	assert_int_equal(pick(&a, PVS_CLASS_TASK, 6), PVS_QUEUE_AGAIN);
	assert_int_equal(pick(&a, PVS_CLASS_TASK, 6), PVS_QUEUE_GO);
}

static void pick__runs_one_that_is_worth_more_now(void **state)
{
	(void)state;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	assert_int_equal(pick(&a, PVS_CLASS_TASK, 1), PVS_QUEUE_GO);
	assert_int_equal(a.boosted, 1);
	assert_int_equal(a.bucket, 14);
}

static void pick__sends_back_after_a_late_charge(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_BASELINE);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	charge(&a, 1 * MS);
	assert_int_equal(a.key, START + 16 * BUCKET); /* the key in the host's queue stands */
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_AGAIN);
	assert_int_equal(a.key, START + 1 * MS + 16 * BUCKET);
}

static void pick__takes_what_comes_after_some_retries(void **state)
{
	unsigned i;

	(void)state;
	enqueue(&a, PVS_CLASS_CRITICAL, 7);
	for (i = 0; i < PVS_QUEUE_RETRIES; i++)
		assert_int_equal(pick(&a, PVS_CLASS_CRITICAL, 6 - i), PVS_QUEUE_AGAIN);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	assert_int_equal(a.boosted, 0);
	assert_int_equal(q.requeues, PVS_QUEUE_RETRIES);
	/* and the next pick may send back again */
	enqueue(&a, PVS_CLASS_CRITICAL, 7);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_AGAIN);
}

static void pick__of_one_that_runs_tells_what_it_runs_as(void **state)
{
	(void)state;
	start(&a, PVS_CLASS_CRITICAL);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	assert_int_equal(a.boosted, 0);
	assert_int_equal(a.state, PVS_ENTITY_RUNNING);
	assert_int_equal(pick(&a, PVS_CLASS_TASK, 0), PVS_QUEUE_GO);
	assert_int_equal(a.boosted, 1);
}

/* ---- caps ----------------------------------------------------------------------------------- */

static void cap__parks_from_one_period_ahead_until_it_is_even(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 32768);
	start(&a, PVS_CLASS_BASELINE);
	pvs_queue_charge(&q, &cfg, &a, 10 * MS - 1, NOW);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, NOW), PVS_QUEUE_GO);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	pvs_queue_charge(&q, &cfg, &a, 1, NOW);
	assert_int_equal(a.cap_ns, NOW + 10 * MS + 1); /* from NOW - 10 ms + 1 on, twice as long */
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, NOW), PVS_QUEUE_PARK);
	assert_int_equal(a.park_ns, NOW + 10 * MS + 1);
	assert_int_equal(a.parked, 1);
	assert_int_equal(a.state, PVS_ENTITY_OUT);
	assert_int_equal(q.weight, 0);
	assert_int_equal(q.parks, 1);
	/* a wake-up is no way out */
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, NOW), PVS_QUEUE_PARK);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_CRITICAL, 7, NOW + 10 * MS), PVS_QUEUE_PARK);
	assert_int_equal(a.park_ns, NOW + 10 * MS + 1);
	assert_int_equal(q.parks, 1);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, a.park_ns), PVS_QUEUE_GO);
}

static void cap__of_exactly_one_period_ahead_is_used_up(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 32768);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	a.cap_ns = NOW + 10 * MS - 1;
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_GO);
	a.cap_ns = NOW + 10 * MS;
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_PARK);
}

static void cap__parks_at_pick_and_while_it_runs(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 655);
	start(&a, PVS_CLASS_BASELINE);
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	charge(&a, 1 * MS); /* a late charge */
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_PARK);
	assert_int_equal(q.waiting, 0);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, a.park_ns), PVS_QUEUE_GO);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_PARK); /* time stepped back */
	pvs_entity_set_cap(&a, 655);
	start(&a, PVS_CLASS_BASELINE);
	charge(&a, 1 * MS);
	assert_int_equal(pick(&a, PVS_CLASS_BASELINE, 0), PVS_QUEUE_PARK);
	assert_int_equal(q.running, 0);
}

static void cap__limit_is_what_is_left_of_it(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 32768);
	start(&a, PVS_CLASS_BASELINE);
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 5 * MS);
	a.cap_ns = NOW + 4 * MS;
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 3 * MS);
	a.cap_ns = NOW + 11 * MS;
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 1000);
	/* the lower of two limits */
	pvs_entity_set_cap(&a, 65536);
	start(&a, PVS_CLASS_TASK);
	assert_int_equal(pvs_queue_limit_ns(&q, &cfg, &a, NOW), 4 * MS);
}

static void cap__is_clamped_and_can_be_taken_off(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 99999);
	assert_int_equal(a.cap_q16, 65536);
	assert_int_equal(a.cap_cost_q16, 65536);
	pvs_entity_set_cap(&a, 3);
	assert_int_equal(a.cap_cost_q16, 1431655766); /* a third, rounded up */
	pvs_entity_set_cap(&a, 1);
	start(&a, PVS_CLASS_BASELINE);
	pvs_queue_charge(&q, &cfg, &a, PVS_QUEUE_RUN_MAX_NS, 0); /* no overflow */
	assert_int_equal(a.cap_ns, 0xffffffffull << 16);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, NOW), PVS_QUEUE_PARK);
	assert_int_equal(a.parked, 1);
	pvs_entity_set_cap(&a, 0);
	assert_int_equal(a.parked, 0);
	assert_int_equal(a.cap_cost_q16, 0);
	assert_int_equal(enqueue_at(&a, PVS_CLASS_BASELINE, 0, NOW), PVS_QUEUE_GO);
	charge(&a, 1 * MS);
	assert_int_equal(a.cap_ns, 0);
}

static void cap__unused_time_is_not_saved_up(void **state)
{
	(void)state;
	pvs_entity_set_cap(&a, 32768);
	start(&a, PVS_CLASS_BASELINE);
	pvs_queue_charge(&q, &cfg, &a, 1 * MS, 1 * SEC);
	assert_int_equal(a.cap_ns, 1 * SEC + 1 * MS); /* began 1 ms ago */
	pvs_queue_charge(&q, &cfg, &a, 1 * MS, 9 * SEC);
	assert_int_equal(a.cap_ns, 9 * SEC + 1 * MS);
}

/* ---- migration ------------------------------------------------------------------------------ */

static void migrate__keeps_the_distance_to_the_base(void **state)
{
	struct pvs_queue to;

	(void)state;
	pvs_queue_init(&to);
	to.base = 77;
	enqueue(&b, PVS_CLASS_BASELINE, 0);
	start(&a, PVS_CLASS_TASK);
	charge(&a, 1 * MS);
	assert_int_equal(pvs_queue_migrate(&q, &to, &cfg, &a), PVS_E_STATE);
	pvs_queue_dequeue(&q, &a);
	assert_int_equal(pvs_queue_migrate(&q, &to, &cfg, &a), PVS_OK);
	assert_int_equal(a.vtime, 77 + 1 * MS);
	assert_int_equal(a.boost, 77 + 4 * MS);
	assert_int_equal(pvs_queue_migrate(&to, &q, &cfg, &a), PVS_OK); /* and back */
	assert_int_equal(a.vtime, START + 1 * MS);
	assert_int_equal(a.boost, START + 4 * MS);
}

static void migrate__takes_no_more_credit_along_than_enqueue_gives(void **state)
{
	struct pvs_queue to;

	(void)state;
	pvs_queue_init(&to);
	to.base = 900 * SEC;
	enqueue(&a, PVS_CLASS_BASELINE, 0);
	pvs_queue_dequeue(&q, &a);
	q.base = START + 100 * MS;
	pvs_queue_migrate(&q, &to, &cfg, &a);
	assert_int_equal(a.vtime, 900 * SEC - 2 * MS);
	assert_int_equal(a.boost, 900 * SEC);
}

static void migrate__of_a_newcomer_starts_at_the_new_base(void **state)
{
	struct pvs_queue to;

	(void)state;
	pvs_queue_init(&to);
	to.base = 5;
	assert_int_equal(pvs_queue_migrate(&q, &to, &cfg, &a), PVS_OK);
	assert_int_equal(a.vtime, 5);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(key__before_is_right_across_the_wrap),
		TEST(key__class_goes_before_rank_and_rank_before_credit),
		TEST(key__of_the_least_boosted_goes_first_among_boosted),
		TEST(key__of_equal_ones_is_equal),
		TEST(preempts__compares_places),
		TEST(weight__is_clamped_and_its_inverse_rounded),
		TEST(weight__ages_the_light_faster),
		TEST(weight__rest_of_a_charge_is_kept),
		TEST(weight__debt_and_credit_keep_their_worth),
		TEST(weight__factor_of_the_decision_is_taken_at_enqueue),
		TEST(weight__change_while_queued_counts_from_the_next_enqueue),
		TEST(share__is_what_weight_is_of_the_sum),
		TEST(queue__counts_who_is_in),
		TEST(enqueue__newcomer_starts_at_the_base),
		TEST(enqueue__sleeper_keeps_credit_up_to_a_limit),
		TEST(enqueue__key_stands_still_while_others_run),
		TEST(base__follows_the_start_of_who_runs_unboosted),
		TEST(base__stands_still_while_somebody_waits_for_a_boosted_one),
		TEST(base__never_moves_more_than_the_run_is_worth),
		TEST(base__moves_twice_as_fast_for_one_alone),
		TEST(base__is_not_moved_by_a_late_charge),
		TEST(charge__debt_is_forgotten_beyond_a_limit),
		TEST(charge__the_longest_is_no_overflow),
		TEST(charge__boost_account_has_a_floor),
		TEST(charge__boosted_time_is_paid_twice),
		TEST(charge__boost_cost_is_rounded_up),
		TEST(charge__waiting_does_not_fill_the_account_beyond_full),
		TEST(account__empty_means_not_boosted_until_half_is_back),
		TEST(limit__is_what_is_left_of_the_account),
		TEST(limit__is_in_cpu_time_whatever_the_weight),
		TEST(pick__demotes_one_whose_boost_has_ended),
		TEST(pick__demotes_by_rank_too),
		TEST(pick__runs_one_that_is_worth_more_now),
		TEST(pick__sends_back_after_a_late_charge),
		TEST(pick__takes_what_comes_after_some_retries),
		TEST(pick__of_one_that_runs_tells_what_it_runs_as),
		TEST(cap__parks_from_one_period_ahead_until_it_is_even),
		TEST(cap__of_exactly_one_period_ahead_is_used_up),
		TEST(cap__parks_at_pick_and_while_it_runs),
		TEST(cap__limit_is_what_is_left_of_it),
		TEST(cap__is_clamped_and_can_be_taken_off),
		TEST(cap__unused_time_is_not_saved_up),
		TEST(migrate__keeps_the_distance_to_the_base),
		TEST(migrate__takes_no_more_credit_along_than_enqueue_gives),
		TEST(migrate__of_a_newcomer_starts_at_the_new_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
