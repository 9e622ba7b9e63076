/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each limit of the policy exactly at its value, one before it and one behind it.
 */
#include "stage.h"

#include "world.h"

#define URGENT PVS_URGENCY_REALTIME

/* Boosted, with a maximum and debts that are out of the way. */
static void boosted(struct world *w, pvs_u32 caps)
{
	world_init(w, caps);
	w->cfg.grant_max_ns = 100 * MS;
	w->cfg.debt_start_ns = 900 * MS;
	configure(w);
	say_urgency(w, URGENT);
	assert_int_equal(ring(w), PVS_CLASS_TASK);
}

/* ---- accounts -------------------------------------------------------------------------------- */

static void bounds__a_boost_account_is_empty_at_its_span(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.v.boost_full_at_ns = w.v.earned_ns + w.cfg.boost_span_ns - 1;
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	assert_int_equal(w.v.boost_empty, 0);
	w.v.boost_full_at_ns++;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	assert_int_equal(w.v.overruns, 1);
}

static void bounds__an_emptied_account_opens_at_its_resume_level(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.v.boost_full_at_ns = w.v.earned_ns + w.cfg.boost_span_ns;
	look(&w);
	assert_int_equal(w.v.boost_empty, 1);
	set_boost_left(&w, (pvs_s64)w.cfg.boost_resume_ns);
	assert_true(w.v.boost_full_at_ns - w.v.earned_ns == w.cfg.boost_open_ns);
	w.v.boost_full_at_ns++;
	look(&w);
	assert_int_equal(w.v.boost_empty, 1);
	assert_int_equal(w.v.overruns, 1); /* one, however long it lasts */
	w.v.boost_full_at_ns--;
	look(&w);
	assert_int_equal(w.v.boost_empty, 0);
}

static void bounds__the_interrupt_account_opens_at_its_half(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	w.v.irq_full_at_ns = w.v.earned_ns + w.cfg.irq_span_ns - 1;
	look(&w);
	assert_int_equal(w.v.irq_empty, 0);
	w.v.irq_full_at_ns++;
	look(&w);
	assert_int_equal(w.v.irq_empty, 1);
	assert_int_equal(w.v.overruns, 1);
	w.v.irq_full_at_ns = w.v.earned_ns + w.cfg.irq_span_ns / 2 + 1;
	look(&w);
	assert_int_equal(w.v.irq_empty, 1);
	w.v.irq_full_at_ns--;
	look(&w);
	assert_int_equal(w.v.irq_empty, 0);
	assert_int_equal(w.v.overruns, 1);
}

static void bounds__looks_that_empty_an_account_are_no_overrun(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.v.boost_full_at_ns = w.v.earned_ns + w.cfg.boost_span_ns;
	look(&w);
	assert_int_equal(w.v.boost_empty, 1);
	assert_int_equal(w.v.overruns, 0);
	/* nor is it one when the other account pays for the boost */
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	w.v.boost_full_at_ns = w.v.earned_ns + w.cfg.boost_span_ns;
	look(&w);
	assert_int_equal(w.v.boost_empty, 1);
	assert_int_equal(w.v.overruns, 0);
}

static void bounds__no_more_than_twice_the_capacity_is_missing(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.io.facts.run_ns += 900 * MS; /* a run clock that jumps */
	look(&w);
	assert_true(w.v.boost_full_at_ns == w.v.earned_ns + 2 * w.cfg.boost_span_ns);
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	w.io.facts.run_ns += 900 * MS;
	look(&w);
	assert_true(w.v.irq_full_at_ns == w.v.earned_ns + 2 * w.cfg.irq_span_ns);
}

static void bounds__an_interrupt_account_that_is_full_is_left_alone(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	run_for(&w, 100 * US);
	w.slot.irq = 0;
	look(&w);
	assert_true(w.v.irq_full_at_ns > w.v.earned_ns);
	sleep_for(&w, 900 * MS);
	look(&w);
	assert_true(w.v.irq_full_at_ns == 0);
}

static void bounds__the_smallest_shares_of_the_largest_accounts_fit(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.boost_share_q10 = w.cfg.irq_share_q10 = 1;
	w.cfg.boost_burst_ns = w.cfg.grant_max_ns = 100 * MS;
	w.cfg.irq_burst_ns = 10 * MS;
	w.cfg.poll_ns = 1000 * MS;
	w.cfg.stale_ns = 4000 * MS;
	configure(&w);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 10 * MS);
	w.slot.irq = 0;
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 100 * MS);
	assert_int_equal(pvs_boost_left(&w.v, &w.cfg), 100 * MS);
	run_for(&w, 30 * MS);
	look(&w);
	assert_int_equal(pvs_boost_left(&w.v, &w.cfg), 70 * MS);
}

static void bounds__a_look_costs_what_it_costs(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.look_cost_ns = 15 * US;
	configure(&w);
	look(&w);
	assert_int_equal(boost_left(&w), 4 * MS - 15 * US);
	assert_int_equal(low(&w), 4 * MS - 15 * US);
	look(&w);
	assert_int_equal(boost_left(&w), 4 * MS - 30 * US);
	/* a full account cannot pay with time it did not keep */
	sleep_for(&w, 900 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), 4 * MS - 15 * US);
}

/* ---- one boost ------------------------------------------------------------------------------- */

static void bounds__a_boost_ends_at_the_grant_and_comes_back_rested(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.cfg.grant_max_ns = 3 * MS;
	configure(&w);
	run_for(&w, 3 * MS - 1);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.recheck_min_ns);
	run_for(&w, 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	sleep_for(&w, 3 * MS - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	sleep_for(&w, 1);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	assert_true(w.v.grant_used_ns == 0);
}

static void bounds__only_time_without_a_boost_is_rest(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	run_for(&w, 1 * MS);
	look(&w);
	assert_true(w.v.grant_used_ns == 1 * MS);
	run_for(&w, 500 * US);
	wait_for(&w, 300 * US);
	look(&w); /* 500 more, 300 of rest */
	assert_true(w.v.grant_used_ns == 1200 * US);
	w.io.facts.run_ns += 100 * US; /* clocks that disagree: run time beyond the wall's */
	look(&w);
	assert_true(w.v.grant_used_ns == 1300 * US);
}

static void bounds__raises_are_apart_by_the_minimum(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	say_urgency(&w, URGENT);
	sleep_for(&w, w.cfg.raise_min_ns - 1);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_RATE);
	sleep_for(&w, 1);
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.v.boosts, 2);
}

static void bounds__a_malformed_word_is_forgiven_after_its_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.slot.crit = PVS_LE64(1ull << 40);
	look(&w);
	w.slot.crit = 0;
	say_urgency(&w, URGENT);
	sleep_for(&w, w.cfg.malformed_min_ns - 1);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_MALFORMED);
	sleep_for(&w, 1);
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	/* from here on, a raise too soon is one too soon and no more */
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	say_urgency(&w, URGENT);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_RATE);
}

static void bounds__one_that_ended_by_a_malformed_word_is_suspect_still(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.slot.crit = PVS_LE64(1ull << 40); /* does not end it: another word asks */
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	w.slot.crit = 0;
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	say_urgency(&w, URGENT);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_MALFORMED);
}

static void bounds__a_statement_is_stale_and_a_window_over_at_their_end(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_urgency(&w, URGENT);
	look(&w);
	run_for(&w, 1 * MS - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	run_for(&w, 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STALE);
	say(&w, PVS_PUT(300, PVS_INTENT_WINDOW_SHIFT, 16));
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 300 * US);
	run_for(&w, 300 * US - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	run_for(&w, 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	/* a window is as stale as the statement it came with */
	say(&w, PVS_PUT(65535, PVS_INTENT_WINDOW_SHIFT, 16));
	look(&w);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 1 * MS);
}

static void bounds__as_much_as_the_timer_can_enforce_is_enough(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	set_boost_left(&w, 50 * US - 1);
	say_urgency(&w, URGENT);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_TOO_SHORT);
	set_boost_left(&w, 50 * US);
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	set_boost_left(&w, 50 * US - 1); /* what goes on is not a raise */
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

/* ---- the normal account ---------------------------------------------------------------------- */

static void bounds__paying_back_begins_above_the_start_and_ends_level(void **state)
{
	static const struct {
		pvs_u64 over_ns;
		pvs_u32 klass;
	} rows[] = { { 0, PVS_CLASS_BASELINE }, { 1, PVS_CLASS_BELOW } };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct world w;

		world_init(&w, CAPS_USER);
		say_urgency(&w, URGENT);
		ring(&w);
		/* run time beyond the wall's, so that all of it is owed */
		w.io.facts.run_ns += w.cfg.debt_start_ns + rows[i].over_ns;
		say_urgency(&w, PVS_URGENCY_NORMAL);
		look(&w);
		assert_int_equal(w.io.decision.klass, rows[i].klass);
		assert_int_equal(-w.v.normal_left_ns, w.cfg.debt_start_ns + rows[i].over_ns);
	}
}

/* From `left_ns` on, at so much of a CPU: how long until the next look? */
static pvs_u64 closed_for(pvs_s64 left_ns, pvs_u32 entitlement_q16)
{
	struct world w;

	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = entitlement_q16;
	set_boost_left(&w, left_ns);
	w.v.boost_empty = 1;
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	return w.io.decision.recheck_at_ns - w.io.facts.now_ns;
}

static void bounds__a_closed_account_is_looked_at_when_it_opens(void **state)
{
	(void)state;
	/* 3.5 ms of 4 are missing, a quarter of a CPU refills them */
	assert_int_equal(closed_for(0, 65536), 14 * MS);
	assert_int_equal(closed_for(0, 32768), 28 * MS);
	assert_int_equal(closed_for(-2 * (pvs_s64)MS, 65536), 22 * MS);
	/* never sooner than without a reason, and never later than nobody is looked at */
	assert_int_equal(closed_for(3 * MS, 65536), 10 * MS);
	assert_int_equal(closed_for(0, 65536 / 16), 100 * MS);
}

static void bounds__what_is_paid_back_is_exactly_what_was_owed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 65536; /* a whole CPU: ns for ns */
	owe(&w, 2 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_PAYBACK);
	wait_for(&w, 2 * MS - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_PAYBACK);
	assert_int_equal(w.v.normal_left_ns, -1);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 2 * MS);
	wait_for(&w, 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_int_equal(w.v.normal_left_ns, 0);
}

static void bounds__credit_and_debt_have_their_limits(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 65536;
	wait_for(&w, w.cfg.credit_max_ns + 1);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.v.normal_left_ns, w.cfg.credit_max_ns);
	boosted(&w, CAPS_USER);
	w.cfg.debt_start_ns = 1 * US;
	w.cfg.debt_max_ns = 1 * MS;
	configure(&w);
	w.io.facts.run_ns += 1 * MS + 1;
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.v.normal_left_ns, -(pvs_s64)w.cfg.debt_max_ns);
}

static void bounds__a_boost_that_begins_settles_what_was_being_paid(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 65536;
	owe(&w, 5 * MS);
	look(&w);
	wait_for(&w, 2 * MS);
	say_urgency(&w, URGENT);
	ring(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	assert_int_equal(-w.v.normal_left_ns, 3 * MS);
	/* at baseline the account stands still: its time is no credit for the boost */
	world_init(&w, CAPS_USER);
	wait_for(&w, 90 * MS);
	say_urgency(&w, URGENT);
	ring(&w);
	w.io.facts.run_ns += 500 * US;
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.v.normal_left_ns, -500 * (pvs_s64)US);
}

static void bounds__a_boost_of_days_is_settled_without_overflow(void **state)
{
	struct pvs_saved saved;
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 65536;
	say_idle(&w, URGENT);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	w.v.settled_clock_ns -= (pvs_u64)1 << 49; /* six days ago */
	w.v.share_q16 = 65536;
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, 0);
	w.v.share_q16 = 0;
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_int_equal(w.v.normal_left_ns, w.cfg.credit_max_ns);
}

/* ---- learning -------------------------------------------------------------------------------- */

#define LEARN_NS 64000000ull /* account.c */

static void bounds__a_share_is_learned_from_enough_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	run_for(&w, 1);
	look(&w); /* from here on wait time is told with run time */
	run_for(&w, LEARN_NS / 4);
	wait_for(&w, LEARN_NS * 3 / 4 - 1);
	look(&w);
	assert_int_equal(w.v.share_q16, 0);
	wait_for(&w, 1);
	look(&w);
	assert_int_equal(w.v.share_q16, 16384);
	assert_true(w.v.share_run_ns + w.v.share_wait_ns == 0);
}

static void bounds__the_least_share_is_a_256th(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	run_for(&w, 1);
	look(&w);
	run_for(&w, LEARN_NS / 128);
	wait_for(&w, LEARN_NS - LEARN_NS / 128);
	look(&w);
	assert_int_equal(w.v.share_q16, 512);
	run_for(&w, LEARN_NS / 512);
	wait_for(&w, LEARN_NS - LEARN_NS / 512);
	look(&w);
	assert_int_equal(w.v.share_q16, 256);
}

static void bounds__waiting_counts_up_to_the_limit_of_a_step(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.dt_max_ns = 10 * MS;
	configure(&w);
	run_for(&w, 1);
	look(&w);
	w.io.facts.wait_ns += 10 * MS;
	look(&w);
	assert_true(w.v.share_wait_ns == 10 * MS);
	w.io.facts.wait_ns += 10 * MS + 1;
	look(&w);
	assert_true(w.v.share_wait_ns == 20 * MS);
	w.io.facts.wait_ns -= 1; /* a step back is none */
	look(&w);
	assert_true(w.v.share_wait_ns == 20 * MS);
}

/* ---- the least that was left, and rank ------------------------------------------------------- */

static void bounds__a_hold_period_ends_at_its_end(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	set_boost_left(&w, 1 * MS);
	look(&w);
	assert_int_equal(low(&w), 1 * MS);
	sleep_for(&w, w.cfg.level_hold_ns - 1);
	look(&w);
	assert_int_equal(low_before(&w), 4 * MS);
	assert_int_equal(low(&w), 1 * MS);
	sleep_for(&w, 1);
	look(&w);
	assert_int_equal(low_before(&w), 1 * MS);
	assert_int_equal(low(&w), 4 * MS);
	sleep_for(&w, w.cfg.level_hold_ns - 1);
	look(&w);
	assert_int_equal(low_before(&w), 1 * MS);
	sleep_for(&w, 1);
	look(&w);
	assert_int_equal(low_before(&w), 4 * MS);
}

static void bounds__rank_is_eighths_of_the_account(void **state)
{
	struct world w;
	unsigned eighth;

	(void)state;
	world_init(&w, CAPS_USER);
	for (eighth = 0; eighth <= 8; eighth++) {
		pvs_u64 used = w.cfg.boost_span_ns / 8 * (8 - eighth);

		w.v.high_before_ns = 0;
		w.v.high_ns = used;
		assert_int_equal(pvs_rank(&w.v, &w.cfg), eighth < 8 ? eighth : 7);
		w.v.high_ns = used + 1;
		assert_int_equal(pvs_rank(&w.v, &w.cfg), eighth ? eighth - 1 : 0);
	}
	w.v.high_before_ns = w.cfg.boost_span_ns;
	w.v.high_ns = 0;
	assert_int_equal(pvs_rank(&w.v, &w.cfg), 0);
}

static void bounds__urgent_now_and_then_ends_after_the_hold_time(void **state)
{
	struct world w;

	(void)state;
	boosted(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	sleep_for(&w, w.cfg.level_hold_ns - 1);
	look(&w);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.urgent_poll_ns);
	assert_true(w.io.decision.flags & PVS_DECISION_SAMPLE);
	assert_false(applied_has(&w, PVS_APPLIED_KICK_RAISE));
	sleep_for(&w, 1);
	look(&w);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.quiet_poll_ns);
	assert_false(w.io.decision.flags & PVS_DECISION_SAMPLE);
	assert_true(applied_has(&w, PVS_APPLIED_KICK_RAISE));
}

/* ---- time ------------------------------------------------------------------------------------ */

static void bounds__one_step_of_time_counts_up_to_its_limit(void **state)
{
	struct world w;
	pvs_u64 clock_ns, ran_ns;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	clock_ns = w.v.clock_ns;
	ran_ns = w.v.ran_ns;
	run_for(&w, w.cfg.dt_max_ns);
	look(&w);
	assert_true(w.v.clock_ns - clock_ns == w.cfg.dt_max_ns);
	assert_true(w.v.ran_ns - ran_ns == w.cfg.dt_max_ns);
	run_for(&w, w.cfg.dt_max_ns + 1ull);
	look(&w);
	assert_true(w.v.clock_ns - clock_ns == 2 * w.cfg.dt_max_ns);
	assert_true(w.v.ran_ns - ran_ns == 2 * w.cfg.dt_max_ns);
	w.io.facts.now_ns -= 1;
	w.io.facts.run_ns -= 1;
	look(&w);
	assert_true(w.v.clock_ns - clock_ns == 2 * w.cfg.dt_max_ns);
	assert_true(w.v.ran_ns - ran_ns == 2 * w.cfg.dt_max_ns);
}

static void bounds__entitled_time_passes_at_the_configured_share(void **state)
{
	static const struct {
		pvs_u32 entitlement, earned;
	} rows[] = { { 1, 1000 }, { 32768, 32768000 }, { 65535, 65535000 }, { 65536, 65536000 },
		     { 65537, 65536000 }, { 0, 65536000 } };
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		pvs_u64 before;

		world_init(&w, CAPS_USER);
		w.io.facts.entitlement_q16 = rows[i].entitlement;
		before = w.v.earned_ns;
		sleep_for(&w, 65536000);
		look(&w);
		assert_int_equal(w.v.earned_ns - before, rows[i].earned);
	}
}

#define unit(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(bounds__a_boost_account_is_empty_at_its_span),
		unit(bounds__an_emptied_account_opens_at_its_resume_level),
		unit(bounds__the_interrupt_account_opens_at_its_half),
		unit(bounds__looks_that_empty_an_account_are_no_overrun),
		unit(bounds__no_more_than_twice_the_capacity_is_missing),
		unit(bounds__an_interrupt_account_that_is_full_is_left_alone),
		unit(bounds__the_smallest_shares_of_the_largest_accounts_fit),
		unit(bounds__a_look_costs_what_it_costs),
		unit(bounds__a_boost_ends_at_the_grant_and_comes_back_rested),
		unit(bounds__only_time_without_a_boost_is_rest),
		unit(bounds__raises_are_apart_by_the_minimum),
		unit(bounds__a_malformed_word_is_forgiven_after_its_time),
		unit(bounds__one_that_ended_by_a_malformed_word_is_suspect_still),
		unit(bounds__a_statement_is_stale_and_a_window_over_at_their_end),
		unit(bounds__as_much_as_the_timer_can_enforce_is_enough),
		unit(bounds__paying_back_begins_above_the_start_and_ends_level),
		unit(bounds__a_closed_account_is_looked_at_when_it_opens),
		unit(bounds__what_is_paid_back_is_exactly_what_was_owed),
		unit(bounds__credit_and_debt_have_their_limits),
		unit(bounds__a_boost_that_begins_settles_what_was_being_paid),
		unit(bounds__a_boost_of_days_is_settled_without_overflow),
		unit(bounds__a_share_is_learned_from_enough_time),
		unit(bounds__the_least_share_is_a_256th),
		unit(bounds__waiting_counts_up_to_the_limit_of_a_step),
		unit(bounds__a_hold_period_ends_at_its_end),
		unit(bounds__rank_is_eighths_of_the_account),
		unit(bounds__urgent_now_and_then_ends_after_the_hold_time),
		unit(bounds__one_step_of_time_counts_up_to_its_limit),
		unit(bounds__entitled_time_passes_at_the_configured_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
