/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts, preemptions and yields, and what a host says of the CPU: abi/spec/host-rules.md
 * against the engine.
 */
#include "../unit/core/world.h"

#include <string.h>

#define URGENT ((pvs_u64)PVS_URGENCY_REALTIME << PVS_INTENT_CLASS_SHIFT)
#define UTIL_VALID ((pvs_u64)1 << PVS_INTENT_UTIL_VALID_SHIFT)
#define VECTOR 33u

static unsigned int ticket(const struct world *w)
{
	return (unsigned int)PVS_LE64(w->slot.irq_ticket);
}

static void acknowledge(struct world *w, unsigned int number)
{
	w->slot.irq = PVS_LE64((pvs_u64)number << PVS_IRQ_ACK_SHIFT);
}

static unsigned int throttle(const struct world *w)
{
	return PVS_GET(PVS_LE64(w->slot.applied), PVS_APPLIED_THROTTLE_SHIFT, 8);
}

/* ---- PVS-H-38: tickets ----------------------------------------------------------------------- */

static void PVS_H_38__ok_a_delivery_boosts_until_it_is_acknowledged(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 1; i <= 3; i++) {
		assert_int_equal(tell(&w, PVS_EV_INJECT, VECTOR), PVS_CLASS_CRITICAL);
		assert_int_equal(ticket(&w), i);
		acknowledge(&w, i);
		assert_int_equal(look(&w), PVS_CLASS_BASELINE);
		sleep_for(&w, 1 * MS);
	}
	/* the host saw its end, the guest need not say so */
	tell(&w, PVS_EV_INJECT, VECTOR);
	assert_int_equal(tell(&w, PVS_EV_EOI, VECTOR), PVS_CLASS_BASELINE);
	/* the number has 16 bits and is never 0 */
	sleep_for(&w, 1 * MS);
	w.v.ticket = 0xffff;
	tell(&w, PVS_EV_INJECT, VECTOR);
	assert_int_equal(ticket(&w), 1);
}

static void PVS_H_38__bad_a_guest_that_never_acknowledges_is_not_boosted_for_ever(void **state)
{
	struct world w;
	pvs_u64 ran = 0;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.ticket_max_ns = 200 * US;
	configure(&w);
	tell(&w, PVS_EV_INJECT, VECTOR);
	acknowledge(&w, 7); /* nor one that makes numbers up */
	while (look(&w) == PVS_CLASS_CRITICAL && ran < 10 * MS) {
		run_for(&w, 10 * US);
		ran += 10 * US;
	}
	assert_int_equal(ran, 200 * US);
	assert_true(w.v.irq_full_at_ns > w.v.earned_ns); /* from the interrupt account */
	assert_int_equal(boost_left(&w), w.cfg.boost_burst_ns);
}

static void PVS_H_38__bad_without_the_feature_or_while_nested_there_is_no_ticket(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	refuse(&w, PVS_F_IRQ_TICKET);
	assert_int_equal(tell(&w, PVS_EV_INJECT, VECTOR), PVS_CLASS_BASELINE);
	assert_int_equal(ticket(&w), 0);
	world_init(&w, CAPS_OWNER);
	w.io.facts.nested = 1;
	assert_int_equal(tell(&w, PVS_EV_INJECT, VECTOR), PVS_CLASS_BASELINE);
	assert_int_equal(ticket(&w), 0);
}

/* ---- PVS-H-39: run epoch --------------------------------------------------------------------- */

static void PVS_H_39__ok_run_is_odd_while_the_vcpu_does_not_run(void **state)
{
	static const struct {
		pvs_u32 event, run;
	} told[] = { { PVS_EV_PICK, 2 }, { PVS_EV_RUN_ENTER, 2 }, { PVS_EV_PREEMPT, 3 },
		     { PVS_EV_PICK, 4 }, { PVS_EV_HALT, 5 }, { PVS_EV_WAKE, 5 },
		     { PVS_EV_RUN_ENTER, 6 }, { PVS_EV_RUN_LEAVE, 7 }, { PVS_EV_RUN_ENTER, 8 },
		     { PVS_EV_DETACH, 9 } };
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		step(&w, told[i].event);
		assert_int_equal(PVS_LE64(w.slot.run), told[i].run);
	}
}

static void PVS_H_39__bad_what_the_guest_writes_there_changes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	step(&w, PVS_EV_PICK);
	w.slot.run = ~0ull;
	look(&w);
	assert_true(PVS_LE64(w.slot.run) == 2);
	refuse(&w, PVS_F_RUN_EPOCH);
	w.slot.run = ~0ull;
	step(&w, PVS_EV_HALT);
	assert_true(w.slot.run == ~0ull); /* not agreed on: not the host's word */
}

/* ---- PVS-H-41: directed yields --------------------------------------------------------------- */

static struct pvs_yield yield;

/* What the engine makes of the wait word in the slot, when `epoch` is that of slot 2. */
static pvs_u32 yield_to(struct world *w, pvs_u32 epoch)
{
	struct pvs_yield_ask ask = { 0, 0, 0 };
	struct pvs_yield_choice choice;

	look(w);
	ask.now_ns = w->io.facts.now_ns;
	ask.target_epoch = epoch;
	pvs_yield_choose(&yield, 0, &w->v.hint, &ask, &choice);
	pvs_yield_runs(&yield, 0);
	return choice.target;
}

static void yield_world(struct world *w)
{
	struct pvs_yield_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	assert_int_equal(pvs_yield_init(&yield, &cfg, 4), PVS_OK);
	world_init(w, CAPS_ALL);
	w->vm.terms.slot_count = 4;
	pvs_yield_waits(&yield, 1, PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT);
	pvs_yield_waits(&yield, 2, PVS_WAITS_PREEMPTED);
}

static void wait_for_slot(struct world *w, pvs_u64 slot, pvs_u64 epoch)
{
	w->slot.wait = PVS_LE64(PVS_WAIT_LOCK | slot << PVS_WAIT_TARGET_SHIFT |
				epoch << PVS_WAIT_EPOCH_SHIFT);
}

static void PVS_H_41__ok_the_vcpu_named_goes_first_then_the_ranking(void **state)
{
	struct world w;

	(void)state;
	yield_world(&w);
	wait_for_slot(&w, 2, 5);
	assert_int_equal(yield_to(&w, 5), 2);
	w.slot.wait = 0;
	assert_int_equal(yield_to(&w, 5), 1); /* preempted in a critical section */
}

static void PVS_H_41__bad_a_name_that_is_stale_or_unheard_of_directs_nothing(void **state)
{
	struct world w;

	(void)state;
	yield_world(&w);
	wait_for_slot(&w, 2, 5);
	assert_int_equal(yield_to(&w, 7), 1); /* it has run since */
	wait_for_slot(&w, 4, 5); /* does not exist */
	assert_int_equal(yield_to(&w, 5), 1);
	assert_int_equal(w.v.malformed, 1);
	yield_world(&w);
	refuse(&w, PVS_F_WAIT);
	wait_for_slot(&w, 2, 5);
	assert_int_equal(yield_to(&w, 5), 1);
	assert_int_equal(w.v.malformed, 1);
}

/* ---- PVS-H-42: grants ------------------------------------------------------------------------ */

static int granted(struct world *w, pvs_u32 who)
{
	int deferred;

	tell(w, PVS_EV_PREEMPT, who);
	deferred = (w->io.decision.flags & PVS_DECISION_DEFER) != 0;
	assert_int_equal(applied_has(w, PVS_APPLIED_GRANTED), deferred);
	return deferred;
}

static void PVS_H_42__ok_a_critical_section_puts_one_preemption_off(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	step(&w, PVS_EV_PICK);
	assert_true(granted(&w, PVS_CLASS_BASELINE));
	assert_true(w.io.decision.recheck_at_ns <= w.io.facts.now_ns + w.cfg.defer_ns);
	assert_false(granted(&w, PVS_CLASS_BASELINE)); /* its time is over */
	step(&w, PVS_EV_PICK);
	assert_true(granted(&w, PVS_CLASS_BASELINE));
	w.slot.crit = 0;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_GRANTED));
}

static void PVS_H_42__bad_a_guest_that_is_always_critical_gains_one_bounded_delay(void **state)
{
	struct world w;
	unsigned int i, deferrals = 0;

	(void)state;
	world_init(&w, CAPS_OWNER);
	step(&w, PVS_EV_PICK);
	for (i = 0; i < 50; i++) { /* a new statement each time changes nothing */
		w.slot.crit = PVS_LE64(i & 1 ? PVS_CRIT_ALL : PVS_CRIT_DONT_DESCHED);
		deferrals += (unsigned int)granted(&w, PVS_CLASS_BELOW);
	}
	assert_int_equal(deferrals, 1);
}

static void PVS_H_42__bad_no_grant_against_a_higher_class_or_on_credit(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	w.v.grant_full = 1;
	w.v.grant_used_ns = w.cfg.grant_max_ns;
	step(&w, PVS_EV_PICK);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
	assert_false(granted(&w, PVS_CLASS_TASK));
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	w.v.boost_empty = 1;
	set_boost_left(&w, 0);
	step(&w, PVS_EV_PICK);
	assert_false(granted(&w, PVS_CLASS_BELOW));
	world_init(&w, CAPS_OWNER);
	refuse(&w, PVS_F_GRANT);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	step(&w, PVS_EV_PICK);
	assert_false(granted(&w, PVS_CLASS_BELOW));
}

/* ---- PVS-H-43: storms ------------------------------------------------------------------------ */

static void deliver(struct world *w, unsigned int times)
{
	while (times--)
		tell(w, PVS_EV_INJECT, VECTOR);
}

static void PVS_H_43__ok_the_rate_allowed_is_boosted_and_a_storm_passes(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 0; i < 10; i++) {
		deliver(&w, w.cfg.storm_count_max);
		assert_int_equal(w.io.decision.klass, PVS_CLASS_CRITICAL);
		sleep_for(&w, w.cfg.storm_window_ns);
	}
	deliver(&w, w.cfg.storm_count_max + 1);
	assert_int_equal(throttle(&w), PVS_THROTTLE_STORM);
	sleep_for(&w, w.cfg.storm_window_ns + w.cfg.storm_hold_ns);
	deliver(&w, 1);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_CRITICAL);
	assert_int_equal(throttle(&w), 0);
}

static void PVS_H_43__bad_too_many_or_too_costly_deliveries_do_not_boost(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	deliver(&w, w.cfg.storm_count_max + 1);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
	for (i = 0; i < 100; i++) { /* at more than half the rate it does not end */
		sleep_for(&w, w.cfg.storm_window_ns);
		deliver(&w, w.cfg.storm_count_max / 2 + 1);
		assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
		assert_int_equal(throttle(&w), PVS_THROTTLE_STORM);
	}
	/* few, each of which it takes its time to acknowledge */
	world_init(&w, CAPS_OWNER);
	w.cfg.irq_burst_ns = 10 * MS;
	configure(&w);
	deliver(&w, 1);
	run_for(&w, w.cfg.storm_cost_ns + 1ull);
	deliver(&w, 1);
	assert_int_equal(throttle(&w), PVS_THROTTLE_STORM);
	/* it is not punished otherwise */
	say(&w, URGENT);
	sleep_for(&w, 1 * MS);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

/* ---- PVS-H-44, 45, 47: what a host says of the CPU ------------------------------------------ */

static void PVS_H_44__ok_yield_spin_is_said_while_others_wait(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	w.io.facts.contended = 1;
	look(&w);
	assert_true(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
	w.io.facts.contended = 0;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
}

static void PVS_H_44__bad_without_wait_nothing_is_said_of_spinning(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	refuse(&w, PVS_F_WAIT);
	w.io.facts.contended = 1;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_YIELD_SPIN));
}

static void PVS_H_45__ok_with_a_cpu_of_its_own_it_is_told_not_to_bother(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.dedicated = 1;
	look(&w);
	assert_true(applied_has(&w, PVS_APPLIED_DONT_BOTHER));
	w.io.facts.dedicated = 0;
	look(&w);
	assert_false(applied_has(&w, PVS_APPLIED_DONT_BOTHER));
}

static void PVS_H_45__bad_a_guest_that_bothers_all_the_same_has_no_effect(void **state)
{
	struct world w;
	unsigned int urgency;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.io.facts.dedicated = 1;
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	w.slot.pending = PVS_LE64(0x5full);
	for (urgency = 0; urgency <= PVS_URGENCY_MAX; urgency++) {
		say_urgency(&w, urgency);
		assert_int_equal(ring(&w), PVS_CLASS_BASELINE);
		assert_true(applied_has(&w, PVS_APPLIED_DONT_BOTHER));
	}
	assert_int_equal(w.v.boosts, 0);
}

static void PVS_H_47__ok_performance_is_asked_for_within_bounds_and_told(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_ALL);
	w.io.facts.capacity = 1024;
	w.io.facts.perf = 512;
	w.io.facts.contention = 77;
	w.slot.util_bounds = PVS_LE64(300ull | 600ull << PVS_BOUNDS_CEIL_SHIFT);
	say(&w, 100 | UTIL_VALID);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 300);
	say(&w, 900 | UTIL_VALID);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 600);
	assert_true(PVS_LE64(w.slot.perf) == (1024ull | 512ull << 11 | 77ull << 32));
	step(&w, PVS_EV_MIGRATE);
	assert_true(PVS_LE64(w.slot.perf) >> PVS_PERF_GEN_SHIFT == 1);
}

static void PVS_H_47__bad_impossible_bounds_are_none_and_impossible_facts_are_cut(void **state)
{
	static const pvs_u64 bad[] = { 600ull | 300ull << PVS_BOUNDS_CEIL_SHIFT,
				       1025ull << PVS_BOUNDS_CEIL_SHIFT, 1ull << 22 };
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_ALL);
	for (i = 0; i < 3; i++) {
		w.slot.util_bounds = PVS_LE64(bad[i]);
		say(&w, 900 | UTIL_VALID);
		look(&w);
		assert_int_equal(w.io.decision.perf_q10, 900);
		assert_int_equal(w.v.malformed, i + 1);
	}
	w.io.facts.capacity = w.io.facts.perf = w.io.facts.contention = 0xffff;
	look(&w);
	assert_true(PVS_LE64(w.slot.perf) == (1024ull | 1024ull << 11 | 1024ull << 32));
	refuse(&w, PVS_F_PERF | PVS_F_UTIL_BOUNDS);
	w.slot.perf = 0;
	w.slot.util_bounds = PVS_LE64(300ull | 600ull << PVS_BOUNDS_CEIL_SHIFT);
	look(&w);
	assert_true(w.slot.perf == 0);
	assert_int_equal(w.io.decision.perf_q10, 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_H_38__ok_a_delivery_boosts_until_it_is_acknowledged),
		cmocka_unit_test(
			PVS_H_38__bad_a_guest_that_never_acknowledges_is_not_boosted_for_ever),
		cmocka_unit_test(
			PVS_H_38__bad_without_the_feature_or_while_nested_there_is_no_ticket),
		cmocka_unit_test(PVS_H_39__ok_run_is_odd_while_the_vcpu_does_not_run),
		cmocka_unit_test(PVS_H_39__bad_what_the_guest_writes_there_changes_nothing),
		cmocka_unit_test(PVS_H_41__ok_the_vcpu_named_goes_first_then_the_ranking),
		cmocka_unit_test(PVS_H_41__bad_a_name_that_is_stale_or_unheard_of_directs_nothing),
		cmocka_unit_test(PVS_H_42__ok_a_critical_section_puts_one_preemption_off),
		cmocka_unit_test(
			PVS_H_42__bad_a_guest_that_is_always_critical_gains_one_bounded_delay),
		cmocka_unit_test(PVS_H_42__bad_no_grant_against_a_higher_class_or_on_credit),
		cmocka_unit_test(PVS_H_43__ok_the_rate_allowed_is_boosted_and_a_storm_passes),
		cmocka_unit_test(PVS_H_43__bad_too_many_or_too_costly_deliveries_do_not_boost),
		cmocka_unit_test(PVS_H_44__ok_yield_spin_is_said_while_others_wait),
		cmocka_unit_test(PVS_H_44__bad_without_wait_nothing_is_said_of_spinning),
		cmocka_unit_test(PVS_H_45__ok_with_a_cpu_of_its_own_it_is_told_not_to_bother),
		cmocka_unit_test(PVS_H_45__bad_a_guest_that_bothers_all_the_same_has_no_effect),
		cmocka_unit_test(PVS_H_47__ok_performance_is_asked_for_within_bounds_and_told),
		cmocka_unit_test(
			PVS_H_47__bad_impossible_bounds_are_none_and_impossible_facts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
