/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void boost__running_urgency_decides_the_class(void **state)
{
	static const struct {
		pvs_u32 urgency, klass, reason;
	} rows[] = {
		{ PVS_URGENCY_UNSPECIFIED, PVS_CLASS_BASELINE, PVS_REASON_NONE },
		{ PVS_URGENCY_IDLE, PVS_CLASS_BELOW, PVS_REASON_BELOW },
		{ PVS_URGENCY_BACKGROUND, PVS_CLASS_BELOW, PVS_REASON_BELOW },
		{ PVS_URGENCY_NORMAL, PVS_CLASS_BASELINE, PVS_REASON_NONE },
		{ PVS_URGENCY_INTERACTIVE, PVS_CLASS_TASK, PVS_REASON_URGENT },
		{ PVS_URGENCY_REALTIME, PVS_CLASS_TASK, PVS_REASON_URGENT },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;

		world_init(&w, CAPS_USER);
		say_urgency(&w, rows[i].urgency);
		ring(&w);
		assert_decided(&w, rows[i].klass, rows[i].reason);
	}
}

static void boost__urgency_found_by_looking_must_last_until_the_next_look(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BRIEF);
	assert_int_equal(w.v.denials, 0);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.urgent_poll_ns);
	say_urgency(&w, PVS_URGENCY_REALTIME); /* another piece of work, as short */
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BRIEF);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w); /* it is boosted already */
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w); /* a host that sees wake-ups was there when it began */
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

static void boost__idle_is_armed_where_wakeups_cannot_be_seen(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_ARMED);
	say_idle(&w, PVS_URGENCY_NORMAL);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
	say(&w, PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1)); /* no wake urgency given */
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
}

static void boost__wake_urgency_counts_from_the_wakeup_where_it_is_seen(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	step(&w, PVS_EV_HALT);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
	sleep_for(&w, 1 * MS);
	step(&w, PVS_EV_WAKE);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WAKE);
	run_for(&w, 100 * US);
	say_urgency(&w, PVS_URGENCY_NORMAL); /* the guest's own word takes over */
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

static void boost__pending_urgency_raises_and_lifts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	w.slot.pending = PVS_LE64((pvs_u64)PVS_URGENCY_BACKGROUND << 4);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_BELOW);
	w.slot.pending = PVS_LE64((pvs_u64)PVS_URGENCY_NORMAL << 4);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_PENDING);
	w.slot.pending = PVS_LE64((pvs_u64)PVS_URGENCY_REALTIME << 4);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_PENDING);
}

static void boost__critical_bits_outrank_urgency(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	w.slot.irq = PVS_LE64(PVS_IRQ_SOFTIRQ); /* paid as critical, not as interrupt */
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_int_equal(w.v.on_irq, 0);
	w.slot.crit = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
	assert_int_equal(w.v.on_irq, 1);
	/* what an interrupt has woken goes on as it, paid as a task */
	w.slot.irq = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_URGENT);
	assert_int_equal(w.v.on_irq, 0);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_URGENT);
	/* after a critical section it does not */
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	w.slot.crit = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

static void boost__a_window_counts_run_time_from_a_new_sequence(void **state)
{
	struct world w;
	pvs_u64 word = PVS_PUT(500, PVS_INTENT_WINDOW_SHIFT, 16);

	(void)state;
	world_init(&w, CAPS_USER);
	say(&w, word);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	assert_int_equal(w.io.decision.recheck_at_ns, w.io.facts.now_ns + 500 * US);
	sleep_for(&w, 5 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	run_for(&w, 500 * US);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	sleep_for(&w, 5 * MS);
	look(&w); /* the same sequence does not open it again */
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
	say(&w, word);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
}

static void boost__nonsense_does_not_open_the_same_window_again(void **state)
{
	struct world w;
	pvs_u64 life, good;

	(void)state;
	world_init(&w, CAPS_USER);
	life = w.slot.life;
	say(&w, PVS_PUT(500, PVS_INTENT_WINDOW_SHIFT, 16));
	good = w.slot.intent;
	look(&w);
	run_for(&w, 600 * US);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	w.slot.life = 0;
	look(&w);
	w.slot.life = life;
	sleep_for(&w, 50 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	w.slot.intent = PVS_LE64(~0ull);
	look(&w);
	w.slot.intent = good;
	sleep_for(&w, 50 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_true(w.v.window_end_ns <= w.v.ran_ns);
}

static void boost__a_window_is_void_after_idle(void **state)
{
	struct world w;
	pvs_u64 word = PVS_PUT(500, PVS_INTENT_WINDOW_SHIFT, 16);

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, word);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	step(&w, PVS_EV_HALT);
	step(&w, PVS_EV_WAKE);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	say(&w, word | PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1));
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
}

static void boost__a_hint_goes_stale_by_run_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	sleep_for(&w, 100 * MS);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	run_for(&w, 1 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_STALE);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_STALE);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
}

static void boost__any_new_statement_refreshes_a_hint(void **state)
{
	static const struct {
		size_t offset;
		pvs_u64 word;
	} rows[] = {
		{ offsetof(struct pvs_slot, crit), PVS_CRIT_PREEMPT_OFF },
		{ offsetof(struct pvs_slot, irq), PVS_IRQ_SOFTIRQ },
		{ offsetof(struct pvs_slot, pending), 0x50 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct world w;

		world_init(&w, CAPS_OWNER);
		w.cfg.stale_ns = 500 * US;
		configure(&w);
		say_urgency(&w, PVS_URGENCY_REALTIME);
		ring(&w);
		run_for(&w, 1 * MS);
		look(&w);
		assert_int_equal(w.io.decision.reason, PVS_REASON_STALE);
		*(pvs_u64 *)(void *)((char *)&w.slot + rows[i].offset) = PVS_LE64(rows[i].word);
		look(&w);
		assert_true(w.io.decision.klass >= PVS_CLASS_TASK);
	}
}

static void boost__requests_below_baseline_do_not_go_stale(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	look(&w);
	run_for(&w, 900 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_BELOW);
}

static void boost__a_yield_mutes_urgency_until_the_next_statement(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	step(&w, PVS_EV_YIELD);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_YIELD);
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_YIELD);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

static void boost__a_kick_ends_it_at_once(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	step(&w, PVS_EV_KICK);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_KICK);
	step(&w, PVS_EV_KICK); /* nothing to end any more */
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	step(&w, PVS_EV_KICK);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_BELOW);
}

static void boost__device_emulation_is_never_boosted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	step(&w, PVS_EV_RUN_LEAVE);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OUTSIDE);
	sleep_for(&w, 1 * MS);
	step(&w, PVS_EV_RUN_ENTER);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

static void boost__detach_and_foreign_release_the_thread(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	step(&w, PVS_EV_FOREIGN);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_FOREIGN);
	assert_true(w.io.decision.flags & PVS_DECISION_RELEASE);
	assert_true(w.io.decision.recheck_at_ns == PVS_NEVER);
	sleep_for(&w, 1 * MS);
	step(&w, PVS_EV_ATTACH);
	assert_false(w.io.decision.flags & PVS_DECISION_RELEASE);
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	step(&w, PVS_EV_DETACH);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DETACHED);
}

static void boost__a_reset_forgets_hints_but_not_debts(void **state)
{
	struct world w;
	pvs_s64 left;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 2 * MS);
	look(&w);
	left = boost_left(&w);
	w.slot.life = 0;
	step(&w, PVS_EV_RESET);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BELOW); /* pays back */
	assert_int_equal(boost_left(&w), left);
	assert_int_equal(w.v.hint.urgency, 0);
}

static void boost__an_offline_slot_is_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	w.slot.life = 0;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OFFLINE);
}

/* What was said and what was made of it, also what the next statement would set anew. */
static void boost__what_is_forgotten_leaves_no_trace(void **state)
{
	static const struct pvs_hint nothing = { .util_ceil = PVS_UTIL_MAX };
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF | PVS_CRIT_LOCK_HELD);
	say(&w, PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4) |
			PVS_PUT(900, PVS_INTENT_WINDOW_SHIFT, 16));
	step(&w, PVS_EV_PICK);
	step(&w, PVS_EV_IRQ_WINDOW);
	tell(&w, PVS_EV_PREEMPT, PVS_CLASS_BELOW);
	tell(&w, PVS_EV_INJECT, 1);
	step(&w, PVS_EV_YIELD);
	assert_true(w.v.muted && w.v.granted && w.v.still && w.v.crit_mask != PVS_CRIT_ALL);
	assert_true(w.v.window_end_ns && w.v.stale_end_ns && w.v.ticket_end_ns &&
		    w.v.urgent_end_ns);
	w.slot.life = 0;
	look(&w);
	assert_memory_equal(&w.v.hint, &nothing, sizeof(nothing));
	assert_false(w.v.muted || w.v.granted || w.v.still);
	assert_int_equal(w.v.crit_mask, PVS_CRIT_ALL);
	assert_true(!w.v.window_end_ns && !w.v.stale_end_ns && !w.v.ticket_end_ns &&
		    !w.v.urgent_end_ns);
}

static void boost__what_does_not_boost_is_paid_from_no_account(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	assert_int_equal(w.v.on_irq, 1);
	step(&w, PVS_EV_YIELD);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_YIELD);
	assert_int_equal(w.v.on_irq, 0);
}

static void boost__a_nested_guest_leaves_the_last_hint_in_force(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	w.io.facts.nested = 1;
	w.slot.intent = PVS_LE64(~0ull);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.v.malformed, 0);
	assert_false(w.io.decision.flags & PVS_DECISION_MALFORMED);
}

static void boost__a_malformed_word_ends_its_boost_and_delays_the_next(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	w.slot.intent = PVS_LE64(~0ull);
	w.slot.crit = PVS_LE64(1ull << 40);
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_int_equal(w.v.malformed, 2);
	assert_true(w.io.decision.flags & PVS_DECISION_MALFORMED);
	w.slot.crit = 0;
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, 1 * MS);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_MALFORMED);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_MALFORMED);
	sleep_for(&w, 9 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boost__running_urgency_decides_the_class),
		cmocka_unit_test(boost__urgency_found_by_looking_must_last_until_the_next_look),
		cmocka_unit_test(boost__idle_is_armed_where_wakeups_cannot_be_seen),
		cmocka_unit_test(boost__wake_urgency_counts_from_the_wakeup_where_it_is_seen),
		cmocka_unit_test(boost__pending_urgency_raises_and_lifts),
		cmocka_unit_test(boost__critical_bits_outrank_urgency),
		cmocka_unit_test(boost__a_window_counts_run_time_from_a_new_sequence),
		cmocka_unit_test(boost__nonsense_does_not_open_the_same_window_again),
		cmocka_unit_test(boost__a_window_is_void_after_idle),
		cmocka_unit_test(boost__a_hint_goes_stale_by_run_time),
		cmocka_unit_test(boost__any_new_statement_refreshes_a_hint),
		cmocka_unit_test(boost__requests_below_baseline_do_not_go_stale),
		cmocka_unit_test(boost__a_yield_mutes_urgency_until_the_next_statement),
		cmocka_unit_test(boost__a_kick_ends_it_at_once),
		cmocka_unit_test(boost__device_emulation_is_never_boosted),
		cmocka_unit_test(boost__detach_and_foreign_release_the_thread),
		cmocka_unit_test(boost__a_reset_forgets_hints_but_not_debts),
		cmocka_unit_test(boost__an_offline_slot_is_baseline),
		cmocka_unit_test(boost__what_is_forgotten_leaves_no_trace),
		cmocka_unit_test(boost__what_does_not_boost_is_paid_from_no_account),
		cmocka_unit_test(boost__a_nested_guest_leaves_the_last_hint_in_force),
		cmocka_unit_test(boost__a_malformed_word_ends_its_boost_and_delays_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
