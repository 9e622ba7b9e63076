/* SPDX-License-Identifier: BSD-2-Clause */
#include "stage.h"

#include "world.h"

static void boost(struct world *w)
{
	say_idle(w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(w), PVS_CLASS_TASK);
}

/* What was unused or borrowed is settled when a boost ends. */
static void end_boost(struct world *w)
{
	say_urgency(w, PVS_URGENCY_NORMAL);
	assert_true(look(w) <= PVS_CLASS_BASELINE);
}

static void account__boosted_run_time_is_paid_from_the_boost_account(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 1 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), 3 * MS);
	assert_int_equal(w.v.boosted_ns, 1 * MS);
}

static void account__refills_at_a_part_of_the_entitlement(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 2 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), 2 * MS);
	sleep_for(&w, 12 * MS);
	look(&w);
	/* 25 % of a third of 12 ms, rounded down */
	assert_in_range(boost_left(&w), 3 * MS - 100, 3 * MS);
	sleep_for(&w, 100 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), w.cfg.boost_burst_ns);
}

static void account__unboosted_run_time_costs_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	run_for(&w, 50 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), w.cfg.boost_burst_ns);
	assert_int_equal(w.v.normal_left_ns, 0);
	assert_int_equal(w.v.boosted_ns, 0);
}

static void account__missing_entitlement_means_a_whole_cpu(void **state)
{
	static const pvs_u32 unknown[] = { 0, 65537 };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct world w;

		world_init(&w, CAPS_USER);
		w.io.facts.entitlement_q16 = unknown[i];
		boost(&w);
		run_for(&w, 2 * MS);
		look(&w);
		sleep_for(&w, 4 * MS);
		look(&w);
		assert_int_equal(boost_left(&w), 3 * MS);
	}
}

static void account__never_overspends_across_clock_steps(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 2 * MS);
	look(&w);
	w.io.facts.now_ns -= 500 * MS; /* back: no time */
	look(&w);
	assert_int_equal(boost_left(&w), 2 * MS);
	w.io.facts.run_ns -= 1 * MS; /* a run clock that steps back is not a refund */
	look(&w);
	assert_int_equal(boost_left(&w), 2 * MS);
	w.io.facts.now_ns += 1000000 * MS; /* forward: dt_max at most */
	look(&w);
	assert_true(boost_left(&w) <= (pvs_s64)w.cfg.boost_burst_ns);
	assert_true(w.v.normal_left_ns <= (pvs_s64)w.cfg.credit_max_ns);
}

static void account__overdraft_is_bounded(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.dt_max_ns = 4000 * MS;
	configure(&w);
	boost(&w);
	for (i = 0; i < 3; i++) {
		w.v.klass = PVS_CLASS_TASK; /* a host that went on boosting */
		run_for(&w, 4000 * MS);
		look(&w);
	}
	assert_int_equal(boost_left(&w), -(pvs_s64)w.cfg.boost_burst_ns);
	assert_int_equal(w.v.normal_left_ns, -(pvs_s64)w.cfg.debt_max_ns);
}

static void account__boosted_time_beyond_the_share_is_owed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 3 * MS);
	look(&w);
	/* one third was its own: two thirds are owed */
	assert_in_range(-w.v.normal_left_ns, 2 * MS - 100, 2 * MS + 100);
}

static void account__debt_is_paid_back_below_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 3 * MS);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	assert_int_equal(w.io.decision.reason, PVS_REASON_PAYBACK);
	/* others run for 6 ms: they had 3 ms to catch up, each of two */
	wait_for(&w, 5 * MS);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	wait_for(&w, 1 * MS + 1 * US);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.reason, PVS_REASON_NONE);
}

static void account__run_time_while_paying_back_counts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 3 * MS);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	run_for(&w, 3 * MS); /* nobody else wanted the CPU; it is charged all the same */
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	assert_in_range(-w.v.normal_left_ns, 4 * MS - 200, 4 * MS + 200);
}

static void account__unused_share_is_kept_up_to_a_limit(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	sleep_for(&w, 500 * MS);
	end_boost(&w);
	assert_int_equal(w.v.normal_left_ns, w.cfg.credit_max_ns);
	sleep_for(&w, 1 * MS);
	boost(&w);
	run_for(&w, 3 * MS);
	end_boost(&w);
	assert_in_range(w.v.normal_left_ns + 1 * US, 0, 2 * US);
}

static void at_baseline(struct world *w, pvs_u64 run, pvs_u64 wait, unsigned times)
{
	while (times--) {
		run_for(w, run);
		wait_for(w, wait);
		look(w);
	}
}

static void account__learns_the_share_it_gets_at_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	at_baseline(&w, 1 * MS, 1 * MS, 40);
	assert_in_range(w.v.share_q16, 32700, 32800);
}

static void account__ignores_wait_that_was_reported_late(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	wait_for(&w, 500 * MS); /* from before; not yet any run time */
	look(&w);
	run_for(&w, 1 * MS);
	wait_for(&w, 500 * MS);
	look(&w);
	at_baseline(&w, 1 * MS, 1 * MS, 40);
	assert_in_range(w.v.share_q16, 32700, 32800);
}

static void account__learns_nothing_while_boosted_or_blind(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	at_baseline(&w, 50 * US, 1 * MS, 100);
	assert_int_equal(w.v.klass, PVS_CLASS_TASK);
	assert_int_equal(w.v.share_q16, 0);
	world_init(&w, CAPS_USER & ~PVS_CAP_SEES_WAIT);
	at_baseline(&w, 1 * MS, 1 * MS, 100);
	assert_int_equal(w.v.share_q16, 0);
}

static void account__learns_the_share_while_paying_back(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_USER);
	owe(&w, 900 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_PAYBACK);
	for (i = 0; i < 40; i++) { /* at half its weight beside one other: a third, not half */
		run_for(&w, 1 * MS);
		wait_for(&w, 2 * MS);
		look(&w);
	}
	assert_in_range(w.v.share_q16, 32700, 32800);
}

static void account__learns_nothing_from_a_request_for_less(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	look(&w);
	at_baseline(&w, 1 * MS, 50 * MS, 20);
	assert_int_equal(w.v.share_q16, 0);
}

static void account__a_time_without_wait_times_teaches_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	at_baseline(&w, 1 * MS, 1 * MS, 10);
	w.io.facts.wait_known = 0;
	w.io.facts.run_ns += 500 * MS; /* long, and how long it waited nobody can tell */
	w.io.facts.now_ns += 900 * MS;
	look(&w);
	w.io.facts.wait_known = 1;
	at_baseline(&w, 1 * MS, 1 * MS, 40);
	assert_in_range(w.v.share_q16, 32700, 32800);
}

static void account__a_starved_vcpu_still_pays_back_some_day(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	at_baseline(&w, 1, 10 * MS, 20);
	assert_int_equal(w.v.share_q16, 256);
}

/* What 2 ms of boost owe, after it got `run_ns` of `run_ns + wait_ns` at baseline. */
static pvs_s64 owes(pvs_u32 entitlement_q16, pvs_u64 run_ns, pvs_u64 wait_ns, pvs_u64 asleep_ns)
{
	struct world w;

	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = entitlement_q16;
	at_baseline(&w, run_ns, wait_ns, 100);
	while (asleep_ns) {
		sleep_for(&w, asleep_ns < 500 * MS ? asleep_ns : 500 * MS);
		asleep_ns -= asleep_ns < 500 * MS ? asleep_ns : 500 * MS;
		look(&w);
	}
	owe(&w, 0);
	boost(&w);
	run_for(&w, 2 * MS);
	end_boost(&w);
	return -w.v.normal_left_ns;
}

static void account__repays_at_the_learned_share(void **state)
{
	(void)state;
	assert_in_range(owes(THIRD_Q16, 1 * MS, 3 * MS, 0), 1490 * US, 1510 * US);
	assert_in_range(owes(0, 1 * MS, 3 * MS, 0), 1490 * US, 1510 * US);
	assert_in_range(owes(0, 1 * MS, 1 * MS, 0), 990 * US, 1010 * US);
	/* half, while neighbours were idle, although a third is configured */
	assert_in_range(owes(THIRD_Q16, 1 * MS, 1 * MS, 0), 990 * US, 1010 * US);
}

/* The neighbours may be back, and nobody has looked since. */
static void account__a_share_above_the_configured_one_is_forgotten(void **state)
{
	(void)state;
	assert_in_range(owes(THIRD_Q16, 1 * MS, 1 * MS, 1900 * MS), 990 * US, 1010 * US);
	assert_in_range(owes(THIRD_Q16, 1 * MS, 1 * MS, 2100 * MS), 1330 * US, 1340 * US);
	assert_in_range(owes(THIRD_Q16, 1 * MS, 3 * MS, 2100 * MS), 1490 * US, 1510 * US);
	assert_in_range(owes(0, 1 * MS, 1 * MS, 2100 * MS), 990 * US, 1010 * US);
}

/* Else an urgent guest among seven hogs would get twice its share. */
static void account__refills_by_the_learned_share_if_none_is_configured(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 0;
	at_baseline(&w, 1 * MS, 7 * MS, 40);
	set_boost_left(&w, 1 * MS);
	sleep_for(&w, 32 * MS);
	look(&w);
	/* a quarter of an eighth of 32 ms */
	assert_in_range(boost_left(&w), 1990 * US, 2010 * US);
	w.io.facts.entitlement_q16 = 65537; /* more than a CPU is one */
	set_boost_left(&w, 1 * MS);
	sleep_for(&w, 8 * MS);
	look(&w);
	assert_in_range(boost_left(&w), 2990 * US, 3010 * US);
}

static void account__interrupt_boosts_have_an_account_of_their_own(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	assert_int_equal(look(&w), PVS_CLASS_CRITICAL);
	run_for(&w, 400 * US);
	look(&w);
	assert_in_range(irq_left(&w), 600 * US - 100, 600 * US); /* a tenth: 102 of 1024 */
	assert_int_equal(boost_left(&w), w.cfg.boost_burst_ns);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
}

static void account__low_water_is_kept_for_two_hold_periods(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	boost(&w);
	run_for(&w, 2 * MS);
	look(&w);
	sleep_for(&w, 900 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), w.cfg.boost_burst_ns);
	assert_int_equal(low(&w), 2 * MS);
	sleep_for(&w, 100 * MS);
	look(&w);
	assert_int_equal(low_before(&w), 2 * MS);
	sleep_for(&w, 1000 * MS);
	look(&w);
	assert_int_equal(low_before(&w), 4 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account__boosted_run_time_is_paid_from_the_boost_account),
		cmocka_unit_test(account__refills_at_a_part_of_the_entitlement),
		cmocka_unit_test(account__unboosted_run_time_costs_nothing),
		cmocka_unit_test(account__missing_entitlement_means_a_whole_cpu),
		cmocka_unit_test(account__never_overspends_across_clock_steps),
		cmocka_unit_test(account__overdraft_is_bounded),
		cmocka_unit_test(account__boosted_time_beyond_the_share_is_owed),
		cmocka_unit_test(account__debt_is_paid_back_below_baseline),
		cmocka_unit_test(account__run_time_while_paying_back_counts),
		cmocka_unit_test(account__unused_share_is_kept_up_to_a_limit),
		cmocka_unit_test(account__learns_the_share_it_gets_at_baseline),
		cmocka_unit_test(account__ignores_wait_that_was_reported_late),
		cmocka_unit_test(account__learns_nothing_while_boosted_or_blind),
		cmocka_unit_test(account__learns_the_share_while_paying_back),
		cmocka_unit_test(account__learns_nothing_from_a_request_for_less),
		cmocka_unit_test(account__a_time_without_wait_times_teaches_nothing),
		cmocka_unit_test(account__a_starved_vcpu_still_pays_back_some_day),
		cmocka_unit_test(account__repays_at_the_learned_share),
		cmocka_unit_test(account__a_share_above_the_configured_one_is_forgotten),
		cmocka_unit_test(account__refills_by_the_learned_share_if_none_is_configured),
		cmocka_unit_test(account__interrupt_boosts_have_an_account_of_their_own),
		cmocka_unit_test(account__low_water_is_kept_for_two_hold_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
