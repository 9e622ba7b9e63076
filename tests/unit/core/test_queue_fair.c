/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the order adds up to over many seconds: shares, and what lying about urgency is worth.
 * A simulation in whole numbers: the same result on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_sim.h"

#define RUN (20 * SIM_SEC)
#define ALL (~0ull)

static struct sim s;

static void claim(struct sim_vcpu *v, pvs_u8 klass, pvs_u64 boost_ns)
{
	v->klass = klass;
	v->rank = PVS_RANKS - 1;
	v->boost_ns = boost_ns;
}

static struct sim_vcpu *liar(pvs_u32 weight)
{
	struct sim_vcpu *v = sim_add(&s, weight);

	claim(v, PVS_CLASS_CRITICAL, ALL);
	return v;
}

/* Work of `run_ns` each `period_ns`, whatever else happens. */
static struct sim_vcpu *periodic(pvs_u32 weight, pvs_u64 run_ns, pvs_u64 period_ns)
{
	struct sim_vcpu *v = sim_add(&s, weight);

	v->run_ns = run_ns;
	v->period_ns = period_ns;
	return v;
}

/* `got` is `want` within so many thousandths of all the time there was. */
static void assert_share(const struct sim_vcpu *v, pvs_u64 want_ns, pvs_u64 thousandths)
{
	pvs_u64 room = RUN * thousandths / 1000;

	assert_true(v->got_ns <= want_ns + room);
	assert_true(v->got_ns + room >= want_ns);
}

static void assert_at_most(const struct sim_vcpu *v, pvs_u64 want_ns, pvs_u64 thousandths)
{
	assert_true(v->got_ns <= want_ns + RUN * thousandths / 1000);
}

/* ---- weights -------------------------------------------------------------------------------- */

static void share__follows_weight_within_a_hundredth(void **state)
{
	static const pvs_u32 sets[][4] = {
		{ 1024, 1024, 1024, 1024 }, { 100, 200, 300, 400 }, { 256, 512, 1024, 2048 },
		{ 1, 8, 64, 512 }, { 65535, 65535, 32767, 16384 }, { 64, 65535, 1, 4096 },
	};
	unsigned set, i;

	(void)state;
	for (set = 0; set < 6; set++) {
		pvs_u64 sum = 0;

		sim_init(&s, 0);
		for (i = 0; i < 4; i++) {
			sim_add(&s, sets[set][i]);
			sum += sets[set][i];
		}
		sim_run(&s, RUN);
		assert_int_equal(s.idle_ns, 0);
		for (i = 0; i < 4; i++) {
			pvs_u64 want = RUN * sets[set][i] / sum;
			pvs_u64 got = s.v[i].got_ns;
			/* one hundredth of its share, and the slice that is never split */
			pvs_u64 room = want / 100 + 2 * s.slice_ns;

			assert_true(got <= want + room && got + room >= want);
		}
	}
}

static void share__rest_of_a_charge_is_kept(void **state)
{
	(void)state;
	sim_init(&s, 0);
	s.slice_ns = 1001; /* 0.95 virtual nanoseconds for the heavier one */
	sim_add(&s, 65535);
	sim_add(&s, 32767);
	sim_run(&s, 100 * SIM_MS);
	assert_true(s.v[0].got_ns > 66 * SIM_MS && s.v[0].got_ns < 67333 * SIM_US);
}

static void share__of_one_that_asks_for_less_is_less(void **state)
{
	(void)state;
	sim_init(&s, 0);
	sim_add(&s, 256);
	sim_add(&s, 256)->below_q10 = 512;
	sim_run(&s, RUN);
	assert_share(&s.v[0], RUN * 2 / 3, 1);
	assert_share(&s.v[1], RUN / 3, 1);
}

static void share__of_idle_time_goes_to_who_wants_it(void **state)
{
	(void)state;
	sim_init(&s, 0);
	periodic(1024, 2 * SIM_MS, 10 * SIM_MS);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	assert_share(&s.v[0], RUN / 5, 1);
	assert_share(&s.v[1], RUN * 4 / 5, 1);
}

/* ---- liars ---------------------------------------------------------------------------------- */

static void liar__gets_its_fair_share_and_two_hundredths_at_most(void **state)
{
	unsigned honest;

	(void)state;
	for (honest = 1; honest <= 8; honest++) {
		unsigned i;

		sim_init(&s, 0);
		liar(1024);
		for (i = 0; i < honest; i++)
			sim_add(&s, 1024);
		sim_run(&s, RUN);
		assert_at_most(&s.v[0], RUN / (honest + 1), 20);
		assert_share(&s.v[0], RUN / (honest + 1), 2);
		for (i = 1; i <= honest; i++)
			assert_share(&s.v[i], RUN / (honest + 1), 2);
		/* a quarter of its share is what it runs out of turn */
		assert_true(s.v[0].e.boosted_ns <= RUN / (honest + 1) / 4 + 8 * SIM_MS);
		assert_true(s.v[0].e.boosted_ns >= RUN / (honest + 1) / 5);
		assert_true(s.q.overruns > 0);
		assert_int_equal(s.q.overruns, s.v[0].e.overruns);
	}
}

static void liar__of_any_weight_gets_what_its_weight_is_worth(void **state)
{
	static const pvs_u32 weights[] = { 1, 16, 256, 4096, 65535 };
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		pvs_u64 want = RUN * weights[i] / (weights[i] + 2 * 512);

		sim_init(&s, 0);
		liar(weights[i]);
		sim_add(&s, 512);
		sim_add(&s, 512);
		sim_run(&s, RUN);
		assert_share(&s.v[0], want, 2);
	}
}

static void liars__together_get_no_more_than_alone(void **state)
{
	unsigned i;

	(void)state;
	sim_init(&s, 0);
	sim_add(&s, 256);
	for (i = 0; i < 35; i++)
		liar(256);
	sim_run(&s, RUN);
	for (i = 0; i < 36; i++)
		assert_share(&s.v[i], RUN / 36, 2);
}

static void liar__that_sleeps_now_and_then_gains_nothing(void **state)
{
	static const pvs_u64 naps[] = { 1, 10 * SIM_US, 100 * SIM_US, 1 * SIM_MS };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct sim_vcpu *v;

		sim_init(&s, 0);
		v = liar(256);
		v->run_ns = 2 * SIM_MS;
		v->sleep_ns = naps[i];
		sim_add(&s, 256);
		sim_add(&s, 256);
		sim_run(&s, RUN);
		assert_at_most(v, RUN / 3, 2);
	}
}

/* The creditor looks away for a moment: its debtor must not be forgiven. */
static void liar__owes_also_to_one_that_sleeps_for_a_moment(void **state)
{
	static const pvs_u64 naps[] = { 1, 1 * SIM_US, 20 * SIM_US, 50 * SIM_US };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct sim_vcpu *v;

		sim_init(&s, 0);
		liar(1024);
		v = sim_add(&s, 1024);
		v->run_ns = 1 * SIM_MS;
		v->sleep_ns = naps[i];
		sim_run(&s, RUN);
		assert_at_most(&s.v[0], RUN / 2, 20);
	}
}

static void liar__alone_runs_all_the_time(void **state)
{
	(void)state;
	sim_init(&s, 0);
	liar(1024);
	sim_run(&s, 1 * SIM_SEC);
	assert_int_equal(s.v[0].got_ns, 1 * SIM_SEC);
	assert_int_equal(s.idle_ns, 0);
}

/* ---- sleepers ------------------------------------------------------------------------------- */

static void sleeper__gets_what_it_wants_beside_a_liar(void **state)
{
	static const pvs_u64 periods[] = { 3 * SIM_MS, 4300 * SIM_US, 10 * SIM_MS, 73 * SIM_MS };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct sim_vcpu *v;

		sim_init(&s, 0);
		liar(256);
		sim_add(&s, 256);
		v = periodic(256, periods[i] / 5, periods[i]); /* fair would be a third */
		sim_run(&s, RUN);
		assert_share(v, RUN / 5, 5);
		assert_at_most(&s.v[0], RUN * 2 / 5, 20);
		/* the liar's burst, and one slice that has begun */
		assert_true(v->worst_ns <= s.cfg.boost_burst_ns + s.slice_ns + v->run_ns);
	}
}

/* It waits only while it is awake, so it loses, at worst, the liar's boosted time; no more. */
static void sleeper__that_waits_for_itself_loses_at_most_boosted_time(void **state)
{
	static const pvs_u64 naps[] = { 200 * SIM_US, 1200 * SIM_US, 5 * SIM_MS };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pvs_u64 got[2];
		unsigned lies;

		for (lies = 0; lies < 2; lies++) {
			struct sim_vcpu *v;

			sim_init(&s, 0);
			if (lies)
				liar(1024);
			else
				sim_add(&s, 1024);
			v = sim_add(&s, 1024);
			v->run_ns = 1 * SIM_MS;
			v->sleep_ns = naps[i];
			sim_run(&s, RUN);
			got[lies] = v->got_ns;
		}
		assert_true(got[1] + s.v[0].e.boosted_ns >= got[0]);
	}
}

static void sleeper__with_a_modest_boost_does_not_wait(void **state)
{
	struct sim_vcpu *v;

	(void)state;
	sim_init(&s, 0);
	v = periodic(256, 200 * SIM_US, 4300 * SIM_US);
	claim(v, PVS_CLASS_TASK, ALL);
	sim_add(&s, 256);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	/* whoever runs is preempted by the wake-up itself */
	assert_true(v->worst_ns <= 10 * SIM_US);
	assert_int_equal(v->e.overruns, 0);
	assert_share(v, RUN * 200 / 4300, 1);
}

/* Xen's "mixed work" problem: audio, and burning CPU beside it. */
static void mixed__audio_is_on_time_and_the_rest_is_fair(void **state)
{
	struct sim_vcpu *v;

	(void)state;
	sim_init(&s, 0);
	v = sim_add(&s, 256);
	v->irq_ns = 150 * SIM_US; /* 3.5 % */
	v->irq_period_ns = 4300 * SIM_US;
	v->klass = PVS_CLASS_TASK;
	sim_add(&s, 256);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	assert_int_equal(v->irq_missed, 0);
	assert_true(v->irq_worst_ns <= 10 * SIM_US);
	assert_int_equal(v->e.overruns, 0);
	assert_share(v, RUN / 3, 2);
	assert_share(&s.v[1], RUN / 3, 2);
	/* and without boosts it is not */
	sim_init(&s, 0);
	v = sim_add(&s, 256);
	v->irq_ns = 150 * SIM_US;
	v->irq_period_ns = 4300 * SIM_US;
	sim_add(&s, 256);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	assert_true(v->irq_worst_ns > 1 * SIM_MS);
}

static void boost__honest_one_beats_a_liar_by_rank(void **state)
{
	struct sim_vcpu *honest, *lies;

	(void)state;
	sim_init(&s, 0);
	lies = liar(256);
	lies->klass = PVS_CLASS_TASK;
	lies->rank = 0; /* pvs_decide() has seen its account empty */
	honest = periodic(256, 100 * SIM_US, 5 * SIM_MS);
	claim(honest, PVS_CLASS_TASK, ALL);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	assert_true(honest->worst_ns <= 10 * SIM_US);
}

/* ---- caps ----------------------------------------------------------------------------------- */

static void cap__holds_also_when_nobody_else_wants_the_cpu(void **state)
{
	static const pvs_u32 caps[] = { 655, 6554, 32768, 60000 };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		pvs_u64 want = (RUN >> 16) * caps[i];

		sim_init(&s, 0);
		pvs_entity_set_cap(&sim_add(&s, 256)->e, caps[i]);
		sim_run(&s, RUN);
		assert_share(&s.v[0], want, 1);
		assert_int_equal(s.idle_ns, RUN - s.v[0].got_ns);
		assert_true(s.q.parks > 0);
	}
}

static void cap__holds_for_a_liar(void **state)
{
	(void)state;
	sim_init(&s, 0);
	pvs_entity_set_cap(&liar(256)->e, 6554);
	sim_add(&s, 256);
	sim_run(&s, RUN);
	assert_share(&s.v[0], RUN / 10, 1);
	assert_share(&s.v[1], RUN * 9 / 10, 1);
}

static void cap__of_a_whole_cpu_does_not_bite(void **state)
{
	(void)state;
	sim_init(&s, 0);
	pvs_entity_set_cap(&sim_add(&s, 256)->e, 65536);
	sim_run(&s, RUN);
	assert_int_equal(s.v[0].got_ns, RUN);
	assert_int_equal(s.q.parks, 0);
}

/* ---- a long life ---------------------------------------------------------------------------- */

static void wrap__nothing_changes_when_virtual_time_wraps(void **state)
{
	static const pvs_u64 bases[] = { 0, 0ull - 64 * SIM_SEC, (1ull << 63) - 3 * SIM_SEC,
					 (1ull << 62) - 1, (1ull << 58) - 1 };
	pvs_u64 got[5][3];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 5; i++) {
		sim_init(&s, bases[i]);
		liar(1);
		sim_add(&s, 2);
		periodic(16, 300 * SIM_US, 7 * SIM_MS);
		sim_run(&s, RUN);
		for (k = 0; k < 3; k++)
			got[i][k] = s.v[k].got_ns;
	}
	for (i = 1; i < 5; i++)
		assert_memory_equal(got[i], got[0], sizeof(got[0]));
}

static void wrap__shares_hold_after_2_to_the_40_nanoseconds(void **state)
{
	unsigned i;

	(void)state;
	sim_init(&s, 0 - (1ull << 42)); /* 2^43 virtual nanoseconds will pass */
	sim_add(&s, 1);
	sim_add(&s, 3);
	liar(4);
	s.slice_ns = 50 * SIM_MS;
	sim_run(&s, 1ull << 40);
	for (i = 0; i < 3; i++) {
		pvs_u64 want = ((1ull << 40) >> 3) * (i == 0 ? 1 : i == 1 ? 3 : 4);

		assert_true(s.v[i].got_ns <= want + want / 100);
		assert_true(s.v[i].got_ns + want / 100 >= want);
	}
	assert_true(s.q.base < 1ull << 43); /* it did wrap */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share__follows_weight_within_a_hundredth),
		cmocka_unit_test(share__rest_of_a_charge_is_kept),
		cmocka_unit_test(share__of_one_that_asks_for_less_is_less),
		cmocka_unit_test(share__of_idle_time_goes_to_who_wants_it),
		cmocka_unit_test(liar__gets_its_fair_share_and_two_hundredths_at_most),
		cmocka_unit_test(liar__of_any_weight_gets_what_its_weight_is_worth),
		cmocka_unit_test(liars__together_get_no_more_than_alone),
		cmocka_unit_test(liar__that_sleeps_now_and_then_gains_nothing),
		cmocka_unit_test(liar__owes_also_to_one_that_sleeps_for_a_moment),
		cmocka_unit_test(liar__alone_runs_all_the_time),
		cmocka_unit_test(sleeper__gets_what_it_wants_beside_a_liar),
		cmocka_unit_test(sleeper__that_waits_for_itself_loses_at_most_boosted_time),
		cmocka_unit_test(sleeper__with_a_modest_boost_does_not_wait),
		cmocka_unit_test(mixed__audio_is_on_time_and_the_rest_is_fair),
		cmocka_unit_test(boost__honest_one_beats_a_liar_by_rank),
		cmocka_unit_test(cap__holds_also_when_nobody_else_wants_the_cpu),
		cmocka_unit_test(cap__holds_for_a_liar),
		cmocka_unit_test(cap__of_a_whole_cpu_does_not_bite),
		cmocka_unit_test(wrap__nothing_changes_when_virtual_time_wraps),
		cmocka_unit_test(wrap__shares_hold_after_2_to_the_40_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
