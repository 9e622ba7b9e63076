/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt tickets and storms.
 */
#include "world.h"

#define VECTOR 33u

static unsigned inject(struct world *w)
{
	return tell(w, PVS_EV_INJECT, VECTOR);
}

/* The guest acknowledges what it sees in its slot. */
static void acknowledge(struct world *w)
{
	w->slot.irq = PVS_LE64(PVS_LE64(w->slot.irq_ticket) << PVS_IRQ_ACK_SHIFT);
}

/* Time passes that nobody uses: from one delivery to the next. */
static void deliver(struct world *w, unsigned times, pvs_u64 apart_ns)
{
	while (times--) {
		sleep_for(w, apart_ns);
		inject(w);
	}
}

/* More deliveries than one window allows; the last window is left open. */
static void begin_storm(struct world *w)
{
	deliver(w, w->cfg.storm_count_max + 1, 0);
	assert_decided(w, PVS_CLASS_BASELINE, PVS_REASON_STORM);
}

/* ---- tickets --------------------------------------------------------------------------------- */

static void ticket__a_delivery_boosts_until_the_guest_acknowledges(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 0);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 1);
	assert_int_equal(w.v.tickets, 1);
	assert_int_equal(w.v.boosts, 1);
	assert_int_equal(w.v.on_irq, 1);
	assert_true(applied_has(&w, PVS_APPLIED_KICK_DEBOOST));
	acknowledge(&w);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_int_equal(w.v.on_irq, 0);
}

/* What the interrupt woke is paid from the other account, and nobody tells when it begins. */
static void ticket__a_running_vcpu_is_looked_at_when_handlers_are_over(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	tell(&w, PVS_EV_RUN_ENTER, 0);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 50 * US);
	/* one that waits for a CPU uses none of it up */
	tell(&w, PVS_EV_PREEMPT, PVS_CLASS_CRITICAL);
	assert_int_equal(w.v.run_epoch & 1, 1);
	look(&w);
	assert_true(w.io.decision.recheck_at_ns - w.io.facts.now_ns > 50 * US);
}

static void ticket__an_old_acknowledgement_does_not_close_a_new_one(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	inject(&w);
	acknowledge(&w);
	inject(&w);
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 2);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	acknowledge(&w);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	/* nor does one that was made up open anything */
	w.slot.irq = PVS_LE64(7ull << PVS_IRQ_ACK_SHIFT);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

static void ticket__closes_by_itself_after_its_run_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.ticket_max_ns = 400 * US;
	configure(&w);
	inject(&w);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, 400 * US);
	wait_for(&w, 5 * MS);
	look(&w); /* it has not run yet */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	run_for(&w, 400 * US - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	run_for(&w, 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

static void ticket__the_end_of_its_interrupt_closes_it(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	inject(&w);
	tell(&w, PVS_EV_EOI, VECTOR + 1);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	tell(&w, PVS_EV_EOI, VECTOR);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

static void ticket__an_unknown_vector_ends_none_and_is_ended_by_none(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	tell(&w, PVS_EV_INJECT, PVS_VECTOR_UNKNOWN);
	tell(&w, PVS_EV_EOI, PVS_VECTOR_UNKNOWN);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	inject(&w);
	pvs_post(&w.v, PVS_EV_EOI); /* of whatever vector: posted events have no arguments */
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	pvs_post(&w.v, PVS_EV_INJECT); /* its vector is not known any more */
	look(&w);
	tell(&w, PVS_EV_EOI, VECTOR);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
}

static void ticket__posted_deliveries_open_one_and_all_count(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 0; i < 3; i++)
		pvs_post(&w.v, PVS_EV_INJECT);
	pvs_post(&w.v, PVS_EV_WAKE);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	assert_int_equal(w.v.ticket, 1);
	assert_int_equal(w.v.tickets, 1);
	assert_int_equal(w.v.storm_count, 3);
	assert_true(w.v.inbox == 0);
	inject(&w);
	assert_int_equal(w.v.storm_count, 4);
}

static void ticket__more_posted_deliveries_than_can_be_counted_are_many(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.v.inbox = (pvs_u64)0x10001 << PVS_INBOX_INJECT_SHIFT;
	look(&w);
	assert_int_equal(w.v.storm_count, 0xffff);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STORM);
	world_init(&w, CAPS_OWNER);
	w.v.inbox = (pvs_u64)0xffff << PVS_INBOX_INJECT_SHIFT;
	look(&w);
	assert_int_equal(w.v.storm_count, 0xffff);
}

static void ticket__is_never_0(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.v.ticket = 0xfffe;
	inject(&w);
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 0xffff);
	acknowledge(&w);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
	inject(&w);
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 1);
}

static void ticket__none_is_opened_that_the_guest_would_not_see(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.io.facts.nested = 1;
	inject(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_int_equal(w.v.tickets, 0);
	world_init(&w, CAPS_OWNER);
	refuse(&w, PVS_F_IRQ_TICKET);
	w.v.ticket = 5;
	inject(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_int_equal(w.v.tickets, 0);
	assert_true(w.slot.irq_ticket == 0); /* nor is the word touched */
}

static void ticket__an_open_one_stands_while_a_nested_guest_runs(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	inject(&w);
	acknowledge(&w);
	w.io.facts.nested = 1;
	look(&w); /* its words are not looked at */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	w.io.facts.nested = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

static void ticket__outranks_a_task_and_stands_behind_a_critical_section(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_int_equal(w.v.on_irq, 0);
	w.slot.crit = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	acknowledge(&w);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_URGENT);
	assert_int_equal(w.v.on_irq, 0);
}

static void ticket__boosts_who_yielded_or_said_nothing_new_for_long(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	step(&w, PVS_EV_YIELD);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_YIELD);
	sleep_for(&w, 1 * MS);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	world_init(&w, CAPS_OWNER);
	run_for(&w, w.cfg.stale_ns);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	world_init(&w, CAPS_OWNER);
	say_idle(&w, PVS_URGENCY_NORMAL);
	step(&w, PVS_EV_HALT);
	inject(&w); /* it will be woken for it */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
}

static void ticket__with_its_account_empty_the_task_is_boosted_all_the_same(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.v.irq_empty = 1;
	set_irq_left(&w, 0);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	inject(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_IRQ_EMPTY);
	assert_int_equal(w.v.on_irq, 0);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IRQ_EMPTY);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_IRQ_EMPTY);
	/* interrupt context is no different */
	acknowledge(&w);
	w.slot.irq |= PVS_LE64(PVS_IRQ_HARDIRQ);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_IRQ_EMPTY);
}

static void ticket__waits_until_the_vcpu_is_in_the_guest(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	step(&w, PVS_EV_RUN_LEAVE);
	inject(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OUTSIDE);
	step(&w, PVS_EV_RUN_ENTER);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
}

static void ticket__is_forgotten_with_all_the_rest(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	inject(&w);
	step(&w, PVS_EV_RESET);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	sleep_for(&w, 1 * MS);
	inject(&w);
	assert_int_equal(w.io.decision.reason, PVS_REASON_TICKET);
	step(&w, PVS_EV_ATTACH);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	sleep_for(&w, 1 * MS);
	inject(&w);
	assert_int_equal(w.io.decision.reason, PVS_REASON_TICKET);
	w.slot.life = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OFFLINE);
	assert_true(w.v.ticket_end_ns == 0);
}

/* ---- storms ---------------------------------------------------------------------------------- */

static void storm__begins_with_one_delivery_too_many(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	assert_int_equal(w.cfg.storm_count_max, 264); /* 20 k/s for 10 ms, and 64 */
	deliver(&w, 264, 1 * US);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	assert_int_equal(w.v.storms, 0);
	deliver(&w, 1, 1 * US);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STORM);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_STORM);
	assert_int_equal(w.v.storms, 1);
	assert_int_equal(w.v.denials, 1);
	assert_int_equal(PVS_GET(PVS_LE64(w.slot.applied), PVS_APPLIED_THROTTLE_SHIFT, 8),
			 PVS_THROTTLE_STORM);
	/* tickets are counted on, so that the guest's acknowledgements stay right */
	assert_int_equal(PVS_LE64(w.slot.irq_ticket), 265);
	assert_int_equal(w.v.tickets, 265);
	deliver(&w, 10, 1 * US);
	assert_int_equal(w.v.storms, 1);
}

static void storm__a_new_window_counts_from_none(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	deliver(&w, 264, 0);
	sleep_for(&w, w.cfg.storm_window_ns);
	deliver(&w, 264, 0);
	assert_int_equal(w.v.storms, 0);
	assert_int_equal(w.v.storm_count, 264);
}

static void storm__begins_by_cost(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.irq_burst_ns = 10 * MS;
	w.cfg.storm_window_ns = 100 * MS;
	w.cfg.storm_share_q10 = 10; /* 976562 ns */
	configure(&w);
	w.v.storm_end_ns = w.v.clock_ns + w.cfg.storm_window_ns;
	assert_int_equal(w.cfg.storm_cost_ns, 976562);
	inject(&w);
	run_for(&w, 976562);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	assert_int_equal(w.v.storm_ns, 976562);
	run_for(&w, 1);
	inject(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STORM);
	assert_int_equal(w.v.storms, 1);
	assert_int_equal(w.v.storm_count, 3);
}

static void storm__only_what_tickets_opened_is_its_cost(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
	run_for(&w, 100 * US);
	look(&w);
	assert_int_equal(w.v.storm_ns, 0);
	w.v.storm_ns = 0xffffff00u;
	w.slot.irq = 0;
	inject(&w);
	w.v.storm = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	run_for(&w, 0xff);
	look(&w);
	assert_int_equal(w.v.storm_ns, 0xffffffffu);
	run_for(&w, 1); /* more does not fit */
	look(&w);
	assert_int_equal(w.v.storm_ns, 0xffffffffu);
}

static void storm__leaves_other_boosts_alone(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	begin_storm(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, 1 * MS);
	inject(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_STORM);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_int_equal(w.io.decision.throttle, 0);
	w.slot.crit = 0;
	acknowledge(&w);
	look(&w); /* nothing is delivered that could be denied */
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.io.decision.throttle, 0);
}

static void storm__silence_ends_it_after_the_hold_time(void **state)
{
	struct world w;
	pvs_u64 window_ns, hold_ns;

	(void)state;
	world_init(&w, CAPS_OWNER);
	window_ns = w.cfg.storm_window_ns;
	hold_ns = w.cfg.storm_hold_ns;
	begin_storm(&w);
	sleep_for(&w, window_ns + hold_ns - 1); /* from the end of its window on */
	inject(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STORM);
	/* that window was calm, and began with 1 ns to go */
	sleep_for(&w, window_ns);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
	begin_storm(&w);
	assert_int_equal(w.v.storms, 2);
	sleep_for(&w, window_ns + hold_ns);
	inject(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_TICKET);
}

static void storm__half_the_rate_is_calm_and_more_is_not(void **state)
{
	struct world w;
	pvs_u64 window_ns;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	window_ns = w.cfg.storm_window_ns;
	begin_storm(&w);
	/* each window is closed, and the next one opened, by its first delivery */
	for (i = 0; i < 10; i++) {
		sleep_for(&w, window_ns);
		deliver(&w, w.cfg.storm_count_max / 2, 0);
		assert_int_equal(w.v.storm, 1);
	}
	sleep_for(&w, window_ns);
	deliver(&w, 1, 0); /* 10 windows of 10 ms were calm: the hold time */
	assert_int_equal(w.v.storm, 0);

	begin_storm(&w);
	for (i = 0; i < 40; i++) {
		sleep_for(&w, window_ns);
		deliver(&w, w.cfg.storm_count_max / 2 + 1, 0);
		assert_int_equal(w.v.storm, 1);
	}
	assert_int_equal(w.v.storms, 2);
}

static void storm__half_the_cost_is_calm_and_more_is_not(void **state)
{
	static const unsigned more[] = { 0, 1 };
	unsigned i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		struct world w;

		world_init(&w, CAPS_OWNER);
		begin_storm(&w);
		for (i = 0; i < 11; i++) {
			sleep_for(&w, w.cfg.storm_window_ns);
			inject(&w);
			w.v.storm_ns = w.cfg.storm_cost_ns / 2 + more[k];
		}
		assert_int_equal(w.v.storm, more[k]);
	}
}

static void storm__one_busy_window_begins_the_hold_time_again(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	begin_storm(&w);
	for (i = 0; i < 10; i++) {
		sleep_for(&w, w.cfg.storm_window_ns);
		deliver(&w, 1, 0);
	}
	assert_int_equal(w.v.storm, 1);
	begin_storm(&w); /* one too many again: no second storm, but not calm either */
	assert_int_equal(w.v.storms, 1);
	for (i = 0; i < 10; i++) {
		sleep_for(&w, w.cfg.storm_window_ns);
		deliver(&w, 1, 0);
		assert_int_equal(w.v.storm, 1);
	}
	sleep_for(&w, w.cfg.storm_window_ns);
	deliver(&w, 1, 0);
	assert_int_equal(w.v.storm, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticket__a_delivery_boosts_until_the_guest_acknowledges),
		cmocka_unit_test(ticket__a_running_vcpu_is_looked_at_when_handlers_are_over),
		cmocka_unit_test(ticket__an_old_acknowledgement_does_not_close_a_new_one),
		cmocka_unit_test(ticket__closes_by_itself_after_its_run_time),
		cmocka_unit_test(ticket__the_end_of_its_interrupt_closes_it),
		cmocka_unit_test(ticket__an_unknown_vector_ends_none_and_is_ended_by_none),
		cmocka_unit_test(ticket__posted_deliveries_open_one_and_all_count),
		cmocka_unit_test(ticket__more_posted_deliveries_than_can_be_counted_are_many),
		cmocka_unit_test(ticket__is_never_0),
		cmocka_unit_test(ticket__none_is_opened_that_the_guest_would_not_see),
		cmocka_unit_test(ticket__an_open_one_stands_while_a_nested_guest_runs),
		cmocka_unit_test(ticket__outranks_a_task_and_stands_behind_a_critical_section),
		cmocka_unit_test(ticket__boosts_who_yielded_or_said_nothing_new_for_long),
		cmocka_unit_test(ticket__with_its_account_empty_the_task_is_boosted_all_the_same),
		cmocka_unit_test(ticket__waits_until_the_vcpu_is_in_the_guest),
		cmocka_unit_test(ticket__is_forgotten_with_all_the_rest),
		cmocka_unit_test(storm__begins_with_one_delivery_too_many),
		cmocka_unit_test(storm__a_new_window_counts_from_none),
		cmocka_unit_test(storm__begins_by_cost),
		cmocka_unit_test(storm__only_what_tickets_opened_is_its_cost),
		cmocka_unit_test(storm__leaves_other_boosts_alone),
		cmocka_unit_test(storm__silence_ends_it_after_the_hold_time),
		cmocka_unit_test(storm__half_the_rate_is_calm_and_more_is_not),
		cmocka_unit_test(storm__half_the_cost_is_calm_and_more_is_not),
		cmocka_unit_test(storm__one_busy_window_begins_the_hold_time_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
