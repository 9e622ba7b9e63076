/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting a preemption off, and the run epoch.
 */
#include "world.h"

/* In a critical section, picked, and about to be preempted by `who`. */
static void preempt(struct world *w, pvs_u32 who)
{
	tell(w, PVS_EV_PREEMPT, who);
}

static void in_crit(struct world *w, pvs_u64 crit)
{
	world_init(w, CAPS_OWNER);
	w->slot.crit = PVS_LE64(crit);
	step(w, PVS_EV_PICK);
}

#define assert_defer(w, reason_)                                                             \
	do {                                                                                 \
		assert_int_equal((w)->io.decision.defer, (reason_));                         \
		assert_int_equal(!!((w)->io.decision.flags & PVS_DECISION_DEFER),            \
				 (reason_) == PVS_REASON_DEFERRED);                          \
		assert_int_equal(applied_has((w), PVS_APPLIED_GRANTED),                      \
				 (reason_) == PVS_REASON_DEFERRED);                          \
		/* it runs on, or it does not */                                             \
		assert_int_equal((w)->v.run_epoch & 1, (reason_) != PVS_REASON_DEFERRED);    \
	} while (0)

static void grant__a_critical_section_is_finished_first(void **state)
{
	static const pvs_u64 bits[] = { PVS_CRIT_LOCK_HELD, PVS_CRIT_IRQS_OFF,
					PVS_CRIT_DONT_DESCHED, PVS_CRIT_ALL };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct world w;

		in_crit(&w, bits[i]);
		assert_int_equal(w.io.decision.defer, PVS_REASON_NONE);
		preempt(&w, PVS_CLASS_CRITICAL);
		assert_defer(&w, PVS_REASON_DEFERRED);
		assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns,
				 w.cfg.defer_ns);
		assert_int_equal(w.v.deferrals, 1);
		assert_int_equal(w.v.reasons[PVS_REASON_DEFERRED], 1);
		look(&w); /* whoever looks: it is said as long as it lasts */
		assert_int_equal(w.io.decision.defer, PVS_REASON_NONE);
		assert_false(w.io.decision.flags & PVS_DECISION_DEFER);
		assert_true(applied_has(&w, PVS_APPLIED_GRANTED));
	}
}

static void grant__nothing_else_asks_for_it(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, 0);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	in_crit(&w, PVS_CRIT_PREEMPT_OFF);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	assert_int_equal(w.v.reasons[PVS_REASON_NONE], 1); /* of its class; not of the deferral */
	in_crit(&w, 0);
	w.slot.irq = PVS_LE64(PVS_IRQ_BITS_ALL);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
}

static void grant__needs_both_sides_and_a_running_guest(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	refuse(&w, PVS_F_GRANT);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.io.facts.caps &= ~PVS_CAP_CAN_DEFER;
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	step(&w, PVS_EV_RUN_LEAVE);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	step(&w, PVS_EV_HALT);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_NONE);
	assert_int_equal(w.v.deferrals, 0);
}

static void grant__once_in_a_scheduling_episode(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	preempt(&w, PVS_CLASS_BASELINE);
	assert_defer(&w, PVS_REASON_DEFERRED);
	run_for(&w, w.cfg.defer_ns);
	preempt(&w, PVS_CLASS_BASELINE);
	assert_defer(&w, PVS_REASON_DEFER_SPENT);
	assert_int_equal(w.v.reasons[PVS_REASON_DEFER_SPENT], 1);
	step(&w, PVS_EV_RUN_ENTER); /* the same episode */
	preempt(&w, PVS_CLASS_BASELINE);
	assert_defer(&w, PVS_REASON_DEFER_SPENT);
	step(&w, PVS_EV_PICK);
	preempt(&w, PVS_CLASS_BASELINE);
	assert_defer(&w, PVS_REASON_DEFERRED);
	assert_int_equal(w.v.deferrals, 2);
}

static void grant__is_over_with_the_last_critical_bit(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD | PVS_CRIT_DONT_DESCHED);
	preempt(&w, PVS_CLASS_BASELINE);
	w.slot.crit = PVS_LE64(PVS_CRIT_DONT_DESCHED);
	look(&w);
	assert_true(applied_has(&w, PVS_APPLIED_GRANTED));
	w.slot.crit = 0;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_GRANTED));
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD); /* and does not come back */
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_GRANTED));
	preempt(&w, PVS_CLASS_BASELINE);
	assert_defer(&w, PVS_REASON_DEFER_SPENT);
}

static void grant__is_over_when_it_is_picked_again_or_forgotten(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	preempt(&w, PVS_CLASS_BASELINE);
	step(&w, PVS_EV_PICK);
	assert_false(applied_has(&w, PVS_APPLIED_GRANTED));
	preempt(&w, PVS_CLASS_BASELINE);
	assert_true(applied_has(&w, PVS_APPLIED_GRANTED));
	step(&w, PVS_EV_RESET);
	assert_false(applied_has(&w, PVS_APPLIED_GRANTED));
}

static void grant__not_against_a_higher_class(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.v.grant_full = 1;
	w.v.grant_used_ns = w.cfg.grant_max_ns;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	preempt(&w, PVS_CLASS_TASK);
	assert_defer(&w, PVS_REASON_OUTRANKED);
	assert_int_equal(w.v.reasons[PVS_REASON_OUTRANKED], 1);
	step(&w, PVS_EV_PICK);
	preempt(&w, PVS_CLASS_BASELINE); /* as good as itself */
	assert_defer(&w, PVS_REASON_DEFERRED);
}

static void grant__not_with_an_empty_account(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.v.boost_empty = 1;
	set_boost_left(&w, 0);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_BOOST_EMPTY);
	assert_int_equal(w.v.deferred, 0);
}

static void grant__not_for_an_old_statement(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	w.slot.crit = PVS_LE64(PVS_CRIT_DONT_DESCHED);
	look(&w);
	run_for(&w, 1 * MS - 1);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_DEFERRED);
	step(&w, PVS_EV_PICK);
	run_for(&w, 1);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_STALE);
}

static void grant__not_shorter_than_the_hosts_timer(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.io.facts.timer_granularity_ns = w.cfg.defer_ns + 1;
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_TOO_SHORT);
	w.io.facts.timer_granularity_ns = w.cfg.defer_ns;
	step(&w, PVS_EV_PICK);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_DEFERRED);
}

static void grant__does_not_put_a_look_off(void **state)
{
	struct world w;

	(void)state;
	in_crit(&w, PVS_CRIT_LOCK_HELD);
	w.cfg.defer_ns = 1 * MS;
	configure(&w);
	set_boost_left(&w, 100 * US);
	preempt(&w, PVS_CLASS_BELOW);
	assert_defer(&w, PVS_REASON_DEFERRED);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.recheck_min_ns);
}

/* ---- run epoch ------------------------------------------------------------------------------- */

static void epoch__is_odd_while_it_does_not_run(void **state)
{
	static const struct {
		pvs_u32 event, epoch;
	} rows[] = {
		{ PVS_EV_POLL, 1 },	 { PVS_EV_RUN_ENTER, 2 }, { PVS_EV_RUN_ENTER, 2 },
		{ PVS_EV_RUN_LEAVE, 3 }, { PVS_EV_RUN_LEAVE, 3 }, { PVS_EV_PICK, 4 },
		{ PVS_EV_PICK, 4 },	 { PVS_EV_RUN_ENTER, 4 }, { PVS_EV_PREEMPT, 5 },
		{ PVS_EV_PREEMPT, 5 },	 { PVS_EV_WAKE, 5 },	  { PVS_EV_PICK, 6 },
		{ PVS_EV_YIELD, 6 },	 { PVS_EV_HALT, 7 },	  { PVS_EV_HALT, 7 },
		{ PVS_EV_ENQUEUE, 7 },	 { PVS_EV_PICK, 8 },	  { PVS_EV_MIGRATE, 8 },
		{ PVS_EV_FOREIGN, 9 },	 { PVS_EV_ATTACH, 9 },	  { PVS_EV_PICK, 10 },
		{ PVS_EV_DETACH, 11 },	 { PVS_EV_DETACH, 11 },
	};
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		step(&w, rows[i].event);
		assert_int_equal(w.v.run_epoch, rows[i].epoch);
		assert_int_equal(PVS_LE64(w.slot.run), rows[i].epoch);
	}
}

static void epoch__wraps_at_16_bits(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.v.run_epoch = 0xffff;
	step(&w, PVS_EV_PICK);
	assert_int_equal(PVS_LE64(w.slot.run), 0);
	step(&w, PVS_EV_HALT);
	assert_int_equal(PVS_LE64(w.slot.run), 1);
}

static void epoch__is_not_told_to_who_did_not_ask(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	refuse(&w, PVS_F_RUN_EPOCH);
	w.slot.run = 12345;
	step(&w, PVS_EV_PICK);
	assert_true(w.slot.run == 12345);
	assert_int_equal(w.v.run_epoch, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grant__a_critical_section_is_finished_first),
		cmocka_unit_test(grant__nothing_else_asks_for_it),
		cmocka_unit_test(grant__needs_both_sides_and_a_running_guest),
		cmocka_unit_test(grant__once_in_a_scheduling_episode),
		cmocka_unit_test(grant__is_over_with_the_last_critical_bit),
		cmocka_unit_test(grant__is_over_when_it_is_picked_again_or_forgotten),
		cmocka_unit_test(grant__not_against_a_higher_class),
		cmocka_unit_test(grant__not_with_an_empty_account),
		cmocka_unit_test(grant__not_for_an_old_statement),
		cmocka_unit_test(grant__not_shorter_than_the_hosts_timer),
		cmocka_unit_test(grant__does_not_put_a_look_off),
		cmocka_unit_test(epoch__is_odd_while_it_does_not_run),
		cmocka_unit_test(epoch__wraps_at_16_bits),
		cmocka_unit_test(epoch__is_not_told_to_who_did_not_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
