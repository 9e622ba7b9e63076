/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void post__events_are_seen_by_the_next_decision(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	pvs_post(&w.v, PVS_EV_YIELD);
	assert_int_equal(w.v.inbox, 1u << PVS_EV_YIELD);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_YIELD);
	assert_int_equal(w.v.inbox, 0);
}

static void post__unknown_events_mean_look_again(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	pvs_post(&w.v, 12345);
	assert_int_equal(w.v.inbox, 1u << PVS_EV_POLL);
	look(&w);
	assert_int_equal(w.v.inbox, 0);
}

static void decide__says_whether_anything_changed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_false(w.io.decision.flags & PVS_DECISION_CHANGED);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	assert_true(w.io.decision.flags & PVS_DECISION_CHANGED);
	look(&w);
	assert_false(w.io.decision.flags & PVS_DECISION_CHANGED);
	run_for(&w, 1 * MS); /* the rank falls */
	look(&w);
	assert_true(w.io.decision.flags & PVS_DECISION_CHANGED);
	assert_int_equal(w.io.decision.rank, 6);
}

static void decide__measure_only_decides_and_says_so(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.flags = PVS_CONFIG_MEASURE_ONLY;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_true(w.io.decision.flags & PVS_DECISION_MEASURE);
	assert_int_equal(w.v.boosts, 1);
}

static void decide__counts_each_reason_once_an_episode(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	look(&w);
	assert_int_equal(w.v.reasons[PVS_REASON_ARMED], 1);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_int_equal(w.v.reasons[PVS_REASON_URGENT], 1);
	assert_int_equal(w.v.boosts, 1); /* it only went on */
}

static void decide__gives_a_weight_below_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_int_equal(w.io.decision.weight_q10, 1024);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	look(&w);
	assert_int_equal(w.io.decision.weight_q10, w.cfg.below_weight_q10);
	owe(&w, 5 * MS);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.io.decision.weight_q10, w.cfg.pay_weight_q10);
	assert_true(w.io.decision.flags & PVS_DECISION_CHANGED);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_int_equal(w.io.decision.weight_q10, 1024);
}

static pvs_u64 recheck_after(struct world *w)
{
	look(w);
	return w->io.decision.recheck_at_ns - w->io.facts.now_ns;
}

static pvs_u64 recheck_after_ring(struct world *w)
{
	ring(w);
	return w->io.decision.recheck_at_ns - w->io.facts.now_ns;
}

/* Looks at an armed vCPU come up to an eighth early, so as not to fall into step with it. */
static void assert_soon(pvs_u64 after_ns, pvs_u64 limit_ns)
{
	assert_in_range(after_ns, limit_ns - limit_ns / 8, limit_ns);
}

static void decide__asks_again_before_any_limit_is_reached(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	say_idle(&w, PVS_URGENCY_REALTIME);
	assert_soon(recheck_after(&w), w.cfg.grant_max_ns);
	run_for(&w, 2 * MS);
	assert_soon(recheck_after(&w), 1 * MS); /* what is left of the grant */
	sleep_for(&w, 10 * MS);
	assert_soon(recheck_after(&w), 2834 * US); /* of the account */
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_idle(&w, PVS_URGENCY_REALTIME);
	assert_soon(recheck_after(&w), 1 * MS);
}

static void decide__looks_do_not_fall_into_step_with_an_armed_vcpu(void **state)
{
	struct world w;
	pvs_u64 least = PVS_NEVER, most = 0;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_USER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	for (i = 0; i < 200; i++) {
		pvs_u64 after_ns = recheck_after(&w);

		assert_soon(after_ns, w.cfg.grant_max_ns);
		least = after_ns < least ? after_ns : least;
		most = after_ns > most ? after_ns : most;
		sleep_for(&w, after_ns);
	}
	assert_true(most - least > w.cfg.grant_max_ns / 10);
}

static void decide__looks_often_at_a_boost_nobody_will_end(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER & ~PVS_CAP_CAN_KICK);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(recheck_after_ring(&w), w.cfg.recheck_min_ns);
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(recheck_after_ring(&w), w.cfg.grant_max_ns);
}

/* Waiting uses nothing up; who is about to run may use all of its grant until the next look. */
static void decide__looks_in_time_at_a_boost_that_begins_to_run_after_a_wait(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.grant_max_ns = 500 * US;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	tell(&w, PVS_EV_WAKE, 0);
	tell(&w, PVS_EV_PREEMPT, PVS_CLASS_CRITICAL);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	wait_for(&w, 1 * MS);
	assert_true(recheck_after(&w) >= 2 * MS);
	wait_for(&w, 1 * MS);
	tell(&w, PVS_EV_PICK, 0);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_true(w.io.decision.recheck_at_ns - w.io.facts.now_ns <= w.cfg.grant_max_ns);
}

static void decide__looks_seldom_at_a_quiet_guest_that_would_ring(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	refuse(&w, PVS_F_KICK); /* this one would not */
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_BACKGROUND); /* nobody rings for less */
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
}

static void decide__looks_more_often_at_a_vcpu_that_may_spin_for_another(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	assert_int_equal(w.vm.terms.slot_count, 1);
	w.vm.terms.slot_count = 2;
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
	say_idle(&w, PVS_URGENCY_NORMAL); /* it sleeps */
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	say_urgency(&w, PVS_URGENCY_NORMAL); /* it has slept */
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns); /* not since */
	world_init(&w, CAPS_OWNER);
	w.vm.terms.slot_count = 2; /* it sees who waits for whom */
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
}

static void decide__says_from_when_a_ring_can_help(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.grant_max_ns = 100 * MS;
	w.cfg.debt_start_ns = 1000 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_int_equal(w.io.decision.ring_at_ns, w.io.facts.now_ns);
	run_for(&w, 5 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	assert_int_equal(w.io.decision.ring_at_ns, w.io.decision.recheck_at_ns);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.io.decision.ring_at_ns, w.io.facts.now_ns);
	world_init(&w, CAPS_USER);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 1 * MS);
	look(&w); /* a new statement would be a fresh one */
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STALE);
	assert_int_equal(w.io.decision.ring_at_ns, w.io.facts.now_ns);
}

static void decide__looks_often_at_what_is_urgent_but_never_sleeps(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	assert_int_equal(recheck_after(&w), w.cfg.urgent_poll_ns);
	/* it has used much of its account */
	set_low(&w, (pvs_s64)w.cfg.boost_burst_ns / 2 - 1, w.cfg.boost_burst_ns);
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	sleep_for(&w, w.cfg.level_hold_ns); /* long enough for the end of an urgent time */
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_idle(&w, PVS_URGENCY_NORMAL);
	assert_int_equal(recheck_after(&w), w.cfg.quiet_poll_ns);
	world_init(&w, CAPS_OWNER); /* sees it by itself */
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
}

static void decide__asks_again_when_debt_can_be_paid(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	owe(&w, 1100 * US);
	assert_int_equal(recheck_after(&w), 8800 * US);
	owe(&w, 5 * MS);
	assert_int_equal(recheck_after(&w), w.cfg.poll_ns);
	set_irq_left(&w, -1);
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	assert_in_range(recheck_after(&w), w.cfg.irq_burst_ns - 1, w.cfg.irq_burst_ns);
}

static void decide__wants_clocks_only_where_they_matter(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_false(w.io.decision.flags & PVS_DECISION_SAMPLE);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	assert_true(w.io.decision.flags & PVS_DECISION_SAMPLE);
	assert_false(w.io.decision.flags & PVS_DECISION_SAMPLE_WAIT);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_false(w.io.decision.flags & PVS_DECISION_SAMPLE);
	say_urgency(&w, PVS_URGENCY_REALTIME); /* denied, but it matters */
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_RATE);
	assert_true(w.io.decision.flags & PVS_DECISION_SAMPLE);
	assert_true(w.io.decision.flags & PVS_DECISION_SAMPLE_WAIT);
	w.io.facts.caps &= ~PVS_CAP_SEES_WAIT;
	look(&w);
	assert_false(w.io.decision.flags & PVS_DECISION_SAMPLE_WAIT);
	world_init(&w, CAPS_USER);
	w.v.paying = 1;
	w.v.normal_left_ns = -1;
	step(&w, PVS_EV_RUN_LEAVE);
	assert_true(w.io.decision.flags & PVS_DECISION_SAMPLE);
}

static void decide__looks_are_charged_and_do_not_hurry_for_a_sleeper(void **state)
{
	struct world w;
	unsigned looks = 0;
	pvs_u64 end_ns;

	(void)state;
	/* It claims a window of 1 us and halts without a word: it uses nothing up. */
	world_init(&w, CAPS_USER);
	say(&w, PVS_PUT(1, PVS_INTENT_WINDOW_SHIFT, 16));
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	end_ns = w.io.facts.now_ns + 1000 * MS;
	while (w.io.facts.now_ns < end_ns) {
		w.io.facts.now_ns = w.io.decision.recheck_at_ns;
		look(&w);
		looks++;
	}
	assert_in_range(looks, 100, 501);

	/* Thirty-two of them share a CPU: each is entitled to little, and looks use it up. */
	world_init(&w, CAPS_USER);
	w.cfg.look_cost_ns = 100 * US;
	configure(&w);
	w.io.facts.entitlement_q16 = 65536 / 32;
	say(&w, PVS_PUT(1, PVS_INTENT_WINDOW_SHIFT, 16));
	look(&w);
	end_ns = w.io.facts.now_ns + 1000 * MS;
	while (w.io.facts.now_ns < end_ns) {
		w.io.facts.now_ns = w.io.decision.recheck_at_ns;
		look(&w);
	}
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
}

static void decide__wants_performance_for_who_runs_and_says_so(void **state)
{
	struct world w;
	pvs_u64 util = 700 | PVS_PUT(1, PVS_INTENT_UTIL_VALID_SHIFT, 1);

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, util);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 700);
	step(&w, PVS_EV_RUN_LEAVE);
	assert_int_equal(w.io.decision.perf_q10, 0);
	step(&w, PVS_EV_RUN_ENTER);
	assert_int_equal(w.io.decision.perf_q10, 700);
	step(&w, PVS_EV_HALT);
	assert_int_equal(w.io.decision.perf_q10, 0);
	step(&w, PVS_EV_WAKE);
	run_for(&w, w.cfg.stale_ns);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 0);
	say(&w, util | PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1));
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 0);
	say(&w, util);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 700);
	step(&w, PVS_EV_DETACH);
	assert_int_equal(w.io.decision.perf_q10, 0);
}

static void decide__passes_a_valid_utilisation_on(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 700);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 0);
	say(&w, 700 | PVS_PUT(1, PVS_INTENT_UTIL_VALID_SHIFT, 1));
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 700);
}

static void preempts__compares_class_then_rank(void **state)
{
	struct pvs_vcpu a = { .klass = PVS_CLASS_TASK, .rank = 3 };
	struct pvs_vcpu b = a;

	(void)state;
	assert_int_equal(pvs_preempts(&a, &b), 0);
	b.rank = 4;
	assert_int_equal(pvs_preempts(&a, &b), -1);
	assert_int_equal(pvs_preempts(&b, &a), 1);
	a.klass = PVS_CLASS_CRITICAL;
	assert_int_equal(pvs_preempts(&a, &b), 1);
	assert_int_equal(pvs_preempts(&b, &a), -1);
}

/* A guest that claims everything, always, at every look: its boosted share is bounded. */
static void decide__a_liar_gets_its_boost_share_and_no_more(void **state)
{
	struct world w;
	pvs_u64 boosted = 0, i;

	(void)state;
	world_init(&w, CAPS_USER);
	for (i = 0; i < 100000; i++) {
		say(&w, PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4) |
				PVS_PUT(65535, PVS_INTENT_WINDOW_SHIFT, 16));
		w.slot.pending = PVS_LE64(0x5full);
		step(&w, PVS_EV_KICK);
		run_for(&w, 100 * US);
		if (w.v.klass >= PVS_CLASS_TASK)
			boosted += 100 * US;
	}
	/* 10 s: a quarter of a third, and one burst to begin with */
	assert_in_range(boosted, 700 * MS, 10000 * MS / 12 + 5 * MS);
	assert_true(w.v.boosted_ns - boosted < 1 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post__events_are_seen_by_the_next_decision),
		cmocka_unit_test(post__unknown_events_mean_look_again),
		cmocka_unit_test(decide__says_whether_anything_changed),
		cmocka_unit_test(decide__measure_only_decides_and_says_so),
		cmocka_unit_test(decide__counts_each_reason_once_an_episode),
		cmocka_unit_test(decide__gives_a_weight_below_baseline),
		cmocka_unit_test(decide__looks_seldom_at_a_quiet_guest_that_would_ring),
		cmocka_unit_test(decide__looks_more_often_at_a_vcpu_that_may_spin_for_another),
		cmocka_unit_test(decide__says_from_when_a_ring_can_help),
		cmocka_unit_test(decide__looks_often_at_what_is_urgent_but_never_sleeps),
		cmocka_unit_test(decide__asks_again_before_any_limit_is_reached),
		cmocka_unit_test(decide__looks_do_not_fall_into_step_with_an_armed_vcpu),
		cmocka_unit_test(decide__looks_often_at_a_boost_nobody_will_end),
		cmocka_unit_test(decide__looks_in_time_at_a_boost_that_begins_to_run_after_a_wait),
		cmocka_unit_test(decide__asks_again_when_debt_can_be_paid),
		cmocka_unit_test(decide__wants_clocks_only_where_they_matter),
		cmocka_unit_test(decide__looks_are_charged_and_do_not_hurry_for_a_sleeper),
		cmocka_unit_test(decide__wants_performance_for_who_runs_and_says_so),
		cmocka_unit_test(decide__passes_a_valid_utilisation_on),
		cmocka_unit_test(preempts__compares_class_then_rank),
		cmocka_unit_test(decide__a_liar_gets_its_boost_share_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
