/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was posted or told, and the facts that only words are made of.
 */
#include "world.h"

/* ---- posted events --------------------------------------------------------------------------- */

/* One word cannot tell in which order they were posted. Whoever runs does not sleep. */
static void event__who_runs_does_not_sleep_whatever_was_posted(void **state)
{
	static const pvs_u32 runs[] = { PVS_EV_PICK, PVS_EV_RUN_ENTER };
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct world w;

		world_init(&w, CAPS_OWNER);
		pvs_post(&w.v, PVS_EV_HALT);
		pvs_post(&w.v, PVS_EV_WAKE);
		look(&w);
		assert_int_equal(w.v.asleep, 1);
		step(&w, runs[i]);
		assert_int_equal(w.v.asleep, 0);
	}
}

static void post__of_a_pair_the_safe_one_is_taken_last(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	pvs_post(&w.v, PVS_EV_RUN_LEAVE);
	pvs_post(&w.v, PVS_EV_RUN_ENTER);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OUTSIDE);
	step(&w, PVS_EV_RUN_ENTER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	pvs_post(&w.v, PVS_EV_HALT);
	pvs_post(&w.v, PVS_EV_WAKE);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
	pvs_post(&w.v, PVS_EV_DETACH);
	pvs_post(&w.v, PVS_EV_ATTACH);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DETACHED);
}

static void post__what_is_told_comes_after_what_was_posted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	pvs_post(&w.v, PVS_EV_HALT);
	step(&w, PVS_EV_WAKE);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_WAKE);
}

static void post__every_type_has_a_bit_of_its_own(void **state)
{
	struct world w;
	unsigned type;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (type = 0; type <= PVS_EV_COUNT; type++) {
		pvs_u64 wanted = (pvs_u64)1 << type;

		if (type == PVS_EV_INJECT)
			wanted = (pvs_u64)1 << PVS_INBOX_INJECT_SHIFT;
		if (type == PVS_EV_COUNT)
			wanted = (pvs_u64)1 << PVS_EV_POLL;
		w.v.inbox = 0;
		pvs_post(&w.v, type);
		assert_true(w.v.inbox == wanted);
	}
}

static void post__a_decision_empties_the_inbox_whoever_posts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.v.inbox = ~0ull; /* also bits without a meaning */
	look(&w);
	assert_true(w.v.inbox == 0);
	assert_int_equal(w.v.gate, PVS_REASON_FOREIGN); /* the last of all */
}

/* ---- attached or not ------------------------------------------------------------------------- */

static void attach__time_before_it_does_not_count(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	set_boost_left(&w, 1 * MS);
	step(&w, PVS_EV_DETACH);
	run_for(&w, 500 * MS);
	look(&w);
	assert_int_equal(boost_left(&w), 1 * MS);
	run_for(&w, 500 * MS);
	step(&w, PVS_EV_ATTACH);
	assert_int_equal(boost_left(&w), 1 * MS);
	assert_int_equal(w.v.normal_left_ns, 0);
	sleep_for(&w, 12 * MS);
	look(&w);
	assert_in_range(boost_left(&w), 2 * MS - 100, 2 * MS);
}

static void attach__outside_is_between_leave_and_enter_of_an_attached_one(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	step(&w, PVS_EV_DETACH);
	step(&w, PVS_EV_RUN_LEAVE);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DETACHED);
	step(&w, PVS_EV_RUN_ENTER);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DETACHED);
	step(&w, PVS_EV_ATTACH);
	step(&w, PVS_EV_RUN_LEAVE);
	step(&w, PVS_EV_FOREIGN);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_FOREIGN);
	step(&w, PVS_EV_RUN_ENTER);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_FOREIGN);
	step(&w, PVS_EV_ATTACH); /* from outside it comes inside */
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

/* Flags are 0 or 1, so that two states compare as memory. */
static void attach__flags_of_the_state_are_0_or_1(void **state)
{
	static const pvs_u8 events[] = { PVS_EV_PICK, PVS_EV_PREEMPT, PVS_EV_YIELD, PVS_EV_HALT,
					 PVS_EV_WAKE, PVS_EV_INJECT, PVS_EV_RUN_LEAVE,
					 PVS_EV_RUN_ENTER, PVS_EV_DETACH, PVS_EV_ATTACH };
	struct world w;
	unsigned round, i;

	(void)state;
	world_init(&w, CAPS_ALL & ~PVS_CAP_OWNS_QUEUE);
	w.cfg.storm_burst = 1;
	w.cfg.storm_rate_hz = 100;
	configure(&w);
	for (round = 0; round < 300; round++) {
		w.slot.crit = PVS_LE64(round % 5 == 1 ? PVS_CRIT_LOCK_HELD : 0ull);
		w.slot.irq = PVS_LE64(round % 7 == 1 ? PVS_IRQ_HARDIRQ : 0ull);
		w.slot.pending = PVS_LE64(round % 97 == 1 ? 1ull << 40 : 0ull);
		if (round % 3 == 0)
			say_urgency(&w, PVS_URGENCY_REALTIME);
		w.io.facts.contended = round & 1;
		w.io.facts.dedicated = round % 13 == 1;
		for (i = 0; i < sizeof(events); i++) {
			run_for(&w, 300 * US);
			step(&w, events[i]);
			assert_in_range(w.v.boost_empty | w.v.irq_empty | w.v.paying |
					w.v.on_irq | w.v.grant_full | w.v.muted | w.v.asleep, 0, 1);
			assert_in_range(w.v.suspect | w.v.learning | w.v.started | w.v.still |
					w.v.window_known | w.v.storm | w.v.deferred | w.v.granted |
					w.v.contended | w.v.dedicated, 0, 1);
		}
	}
	assert_true(w.v.storms && w.v.deferrals && w.v.overruns && w.v.malformed);
}

/* ---- learning -------------------------------------------------------------------------------- */

static void learn(struct world *w, unsigned times)
{
	while (times--) {
		run_for(w, 1 * MS);
		wait_for(w, 1 * MS);
		look(w);
	}
}

static void learning__begins_anew_on_another_cpu(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	learn(&w, 20);
	assert_int_equal(w.v.share_run_ns, 19 * MS);
	assert_int_equal(w.v.share_wait_ns, 19 * MS);
	step(&w, PVS_EV_MIGRATE);
	assert_int_equal(w.v.share_run_ns + w.v.share_wait_ns, 0);
	assert_int_equal(w.v.learning, 0);
	wait_for(&w, 900 * MS); /* on the other CPU: told with the first run time here */
	learn(&w, 1);
	assert_int_equal(w.v.share_wait_ns, 0);
	learn(&w, 32);
	assert_int_equal(w.v.share_q16, 32768);
}

static void learning__begins_anew_with_another_thread(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	learn(&w, 20);
	step(&w, PVS_EV_ATTACH);
	assert_int_equal(w.v.learning, 0);
	wait_for(&w, 900 * MS);
	learn(&w, 1);
	assert_int_equal(w.v.share_wait_ns, 19 * MS);
}

/* ---- the interrupt window -------------------------------------------------------------------- */

static int arms(const struct world *w)
{
	return (w->io.decision.flags & PVS_DECISION_ARM_IRQ_WINDOW) != 0;
}

static void irq_window__ends_what_masked_interrupts_asked_for(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_true(arms(&w));
	step(&w, PVS_EV_IRQ_WINDOW);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	assert_false(arms(&w));
	sleep_for(&w, 1 * MS);
	look(&w); /* the word may say so as long as it likes */
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_NONE);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF | PVS_CRIT_PREEMPT_OFF);
	look(&w); /* but a new statement is one */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_true(arms(&w));
	step(&w, PVS_EV_IRQ_WINDOW); /* and other bits stand by themselves */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_false(arms(&w));
}

static void irq_window__is_no_reason_to_put_a_preemption_off(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF);
	step(&w, PVS_EV_PICK);
	step(&w, PVS_EV_IRQ_WINDOW);
	tell(&w, PVS_EV_PREEMPT, PVS_CLASS_BELOW);
	assert_int_equal(w.io.decision.defer, PVS_REASON_NONE);
}

static void irq_window__is_armed_only_while_it_matters(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER); /* cannot be armed */
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_CRITICAL);
	assert_false(arms(&w));
	world_init(&w, CAPS_ALL);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL & ~PVS_CRIT_IRQS_OFF);
	look(&w);
	assert_false(arms(&w));
	world_init(&w, CAPS_ALL);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF);
	w.v.grant_full = 1;
	w.v.grant_used_ns = 1 * MS;
	look(&w); /* denied: nothing to end */
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	assert_false(arms(&w));
}

/* ---- words and wishes made of facts ---------------------------------------------------------- */

static pvs_u64 perf_word(const struct world *w, unsigned shift)
{
	return (PVS_LE64(w->slot.perf) >> shift) & 0x7ff;
}

static void perf__the_guest_learns_about_the_cpu_it_runs_on(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	w.io.facts.capacity = 800;
	w.io.facts.perf = 400;
	w.io.facts.contention = 100;
	look(&w);
	assert_int_equal(PVS_LE64(w.slot.perf), 800ull | 400ull << 11 | 100ull << 32);
	step(&w, PVS_EV_MIGRATE);
	step(&w, PVS_EV_MIGRATE);
	assert_int_equal(PVS_LE64(w.slot.perf) >> PVS_PERF_GEN_SHIFT, 2);
	w.io.facts.capacity = 1024;
	w.io.facts.perf = 1025;
	w.io.facts.contention = 65535;
	look(&w);
	assert_int_equal(perf_word(&w, PVS_PERF_CAPACITY_SHIFT), 1024);
	assert_int_equal(perf_word(&w, PVS_PERF_CURRENT_SHIFT), 1024);
	assert_int_equal(perf_word(&w, PVS_PERF_CONTENTION_SHIFT), 1024);
	w.v.cpu_gen = 0xffff;
	step(&w, PVS_EV_MIGRATE);
	assert_int_equal(PVS_LE64(w.slot.perf) >> PVS_PERF_GEN_SHIFT, 0);
}

static void perf__is_told_where_it_is_known_and_wanted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	refuse(&w, PVS_F_PERF);
	w.io.facts.capacity = 800;
	w.slot.perf = 12345;
	look(&w);
	assert_true(w.slot.perf == 12345);
	world_init(&w, CAPS_ALL);
	w.io.facts.capacity = 800;
	w.io.facts.caps &= ~PVS_CAP_TELLS_PERF; /* not now */
	look(&w);
	assert_true(w.slot.perf == 0);
}

static pvs_u32 wish(pvs_u32 util, pvs_u32 floor, pvs_u32 ceil)
{
	struct world w;

	world_init(&w, CAPS_ALL);
	w.slot.util_bounds = PVS_LE64((pvs_u64)floor << PVS_BOUNDS_FLOOR_SHIFT |
				      (pvs_u64)ceil << PVS_BOUNDS_CEIL_SHIFT);
	say(&w, util | PVS_PUT(1, PVS_INTENT_UTIL_VALID_SHIFT, 1));
	look(&w);
	return w.io.decision.perf_q10;
}

static void perf__a_wish_stays_within_the_guests_bounds(void **state)
{
	(void)state;
	assert_int_equal(wish(500, 0, 0), 500); /* no bounds */
	assert_int_equal(wish(500, 500, 500), 500);
	assert_int_equal(wish(499, 500, 600), 500);
	assert_int_equal(wish(601, 500, 600), 600);
	assert_int_equal(wish(550, 500, 600), 550);
	assert_int_equal(wish(0, 200, 1024), 200);
	assert_int_equal(wish(1024, 0, 300), 300);
	assert_int_equal(wish(500, 600, 500), 500); /* malformed: no bounds */
}

static void facts__spinning_is_a_waste_where_others_wait(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
	w.io.facts.contended = 1;
	look(&w);
	assert_true(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
	w.io.facts.contended = 0;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
	world_init(&w, CAPS_ALL);
	refuse(&w, PVS_F_WAIT);
	w.io.facts.contended = 1;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
}

static void facts__with_a_cpu_of_its_own_nothing_is_moved(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	w.io.facts.dedicated = 1;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DEDICATED);
	assert_true(applied_has(&w, PVS_APPLIED_DONT_BOTHER));
	assert_int_equal(w.v.denials, 0);
	w.io.facts.dedicated = 0;
	look(&w); /* what it said meanwhile counts */
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	assert_false(applied_has(&w, PVS_APPLIED_DONT_BOTHER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event__who_runs_does_not_sleep_whatever_was_posted),
		cmocka_unit_test(post__of_a_pair_the_safe_one_is_taken_last),
		cmocka_unit_test(post__what_is_told_comes_after_what_was_posted),
		cmocka_unit_test(post__every_type_has_a_bit_of_its_own),
		cmocka_unit_test(post__a_decision_empties_the_inbox_whoever_posts),
		cmocka_unit_test(attach__time_before_it_does_not_count),
		cmocka_unit_test(attach__outside_is_between_leave_and_enter_of_an_attached_one),
		cmocka_unit_test(attach__flags_of_the_state_are_0_or_1),
		cmocka_unit_test(learning__begins_anew_on_another_cpu),
		cmocka_unit_test(learning__begins_anew_with_another_thread),
		cmocka_unit_test(irq_window__ends_what_masked_interrupts_asked_for),
		cmocka_unit_test(irq_window__is_no_reason_to_put_a_preemption_off),
		cmocka_unit_test(irq_window__is_armed_only_while_it_matters),
		cmocka_unit_test(perf__the_guest_learns_about_the_cpu_it_runs_on),
		cmocka_unit_test(perf__is_told_where_it_is_known_and_wanted),
		cmocka_unit_test(perf__a_wish_stays_within_the_guests_bounds),
		cmocka_unit_test(facts__spinning_is_a_waste_where_others_wait),
		cmocka_unit_test(facts__with_a_cpu_of_its_own_nothing_is_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
