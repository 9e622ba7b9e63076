/* SPDX-License-Identifier: BSD-2-Clause */
#include "stage.h"

#include "world.h"

static void limit__an_empty_account_ends_the_boost_whatever_the_guest_says(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.grant_max_ns = 100 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 3999 * US);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	run_for(&w, 1 * MS);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_int_equal(w.v.reason, PVS_REASON_PAYBACK);
	assert_int_equal(w.v.overruns, 1);
	assert_true(w.v.boost_empty);
	look(&w);
	assert_int_equal(w.v.overruns, 1);
}

static void limit__stays_closed_until_resume(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.grant_max_ns = 100 * MS;
	w.cfg.debt_start_ns = 1000 * MS;
	configure(&w);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	run_for(&w, 4 * MS + 400 * US);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_BOOST_EMPTY);
	sleep_for(&w, 46 * MS); /* 3.83 ms come back to -0.4: 0.07 ms short of 3.5 ms */
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	sleep_for(&w, 2 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_ARMED);
}

static void limit__a_full_account_opens_whatever_looks_cost(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.look_cost_ns = 15 * US;
	w.cfg.boost_resume_ns = w.cfg.boost_burst_ns;
	configure(&w);
	w.v.boost_empty = 1;
	set_boost_left(&w, 1);
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_BOOST_EMPTY);
	sleep_for(&w, 500 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_ARMED);
}

static void limit__one_boost_lasts_no_longer_than_the_grant(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.cfg.debt_start_ns = 1000 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 3 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_GRANT_MAX);
	sleep_for(&w, 2 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_GRANT_MAX);
	sleep_for(&w, 1 * MS);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
}

static void limit__rest_repays_the_grant_one_to_one(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.entitlement_q16 = 65536;
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w);
	for (i = 0; i < 100; i++) { /* far more than grant_max in all */
		run_for(&w, 200 * US);
		sleep_for(&w, 800 * US);
		say_idle(&w, PVS_URGENCY_REALTIME);
		look(&w);
		assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	}
}

static void limit__raises_are_rate_limited(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_RATE);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_RATE);
	/* asked again when it may be raised, but not sooner than the host wants */
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.recheck_min_ns);
	sleep_for(&w, 100 * US);
	look(&w);
	assert_decided(&w, PVS_CLASS_TASK, PVS_REASON_URGENT);
	assert_int_equal(w.v.boosts, 2);
	assert_int_equal(w.v.denials, 1);
}

static void limit__refuses_what_the_hosts_timer_cannot_enforce(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.io.facts.timer_granularity_ns = 5 * MS; /* more than the account can ever hold */
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_TOO_SHORT);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_BOOST_EMPTY);
	w.io.facts.timer_granularity_ns = 4 * MS;
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
}

static void limit__interrupt_account_ends_interrupt_boosts_only(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.debt_start_ns = 1000 * MS;
	configure(&w);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	run_for(&w, 1100 * US);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_IRQ_EMPTY);
	assert_int_equal(w.v.on_irq, 0);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_IRQ_EMPTY);
	assert_int_equal(w.v.overruns, 1);
	w.slot.crit = PVS_LE64(PVS_CRIT_IRQS_OFF);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	w.slot.crit = 0;
	sleep_for(&w, 30 * MS);
	look(&w);
	assert_decided(&w, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
}

static void limit__the_vms_cap_refuses_and_recovers(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	pvs_cap_charge(&w.vm, &w.cfg, w.io.facts.now_ns, w.cfg.vm_burst_ns);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_VM_CAP);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_VM_CAP);
	sleep_for(&w, 2 * MS);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
}

static void limit__what_was_reserved_of_the_cap_comes_back(void **state)
{
	struct world w;
	pvs_u64 before;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	before = w.vm.cap_ns;
	assert_int_equal(w.v.reserved_ns, w.cfg.vm_quantum_ns);
	run_for(&w, 200 * US);
	look(&w); /* enough in hand: nothing more is taken */
	assert_int_equal(w.vm.cap_ns, before);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	/* 200 us of boost at half a CPU are 400 us of wall time */
	assert_int_equal(w.vm.cap_ns, before - 1 * MS + 400 * US);
	assert_int_equal(w.v.reserved_ns, 0);
}

static void limit__what_was_overrun_of_the_cap_is_charged(void **state)
{
	struct world w;
	pvs_u64 t;

	(void)state;
	world_init(&w, CAPS_USER);
	t = w.io.facts.now_ns;
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 2 * MS);
	look(&w); /* went on: 1.5 ms overrun, and a new quantum */
	assert_int_equal(w.v.reserved_ns, w.cfg.vm_quantum_ns);
	assert_int_equal(w.vm.cap_ns, t + 6 * MS);
	run_for(&w, 700 * US);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w); /* ended: 0.2 ms overrun */
	assert_int_equal(w.v.reserved_ns, 0);
	assert_int_equal(w.vm.cap_ns, t + 6 * MS + 400 * US);
}

static void limit__paying_back_does_not_touch_requests_below_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	owe(&w, 5 * MS);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	look(&w);
	assert_decided(&w, PVS_CLASS_BELOW, PVS_REASON_BELOW);
}

static void limit__a_released_or_outside_vcpu_is_not_made_to_pay(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	owe(&w, 5 * MS);
	step(&w, PVS_EV_RUN_LEAVE);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_OUTSIDE);
	step(&w, PVS_EV_DETACH);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_DETACHED);
}

static void limit__rank_follows_the_low_water_mark(void **state)
{
	struct world w;
	static const struct {
		pvs_s64 low;
		pvs_u8 rank;
	} rows[] = { { 4000000, 7 }, { 3500000, 7 }, { 3499999, 6 }, { 2000000, 4 },
		     { 500000, 1 },  { 499999, 0 },  { -1, 0 } };
	unsigned i;

	(void)state;
	world_init(&w, CAPS_USER);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_low(&w, rows[i].low, 4000000);
		assert_int_equal(pvs_rank(&w.v, &w.cfg), rows[i].rank);
		set_low(&w, 4000000, rows[i].low);
		assert_int_equal(pvs_rank(&w.v, &w.cfg), rows[i].rank);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit__an_empty_account_ends_the_boost_whatever_the_guest_says),
		cmocka_unit_test(limit__stays_closed_until_resume),
		cmocka_unit_test(limit__a_full_account_opens_whatever_looks_cost),
		cmocka_unit_test(limit__one_boost_lasts_no_longer_than_the_grant),
		cmocka_unit_test(limit__rest_repays_the_grant_one_to_one),
		cmocka_unit_test(limit__raises_are_rate_limited),
		cmocka_unit_test(limit__refuses_what_the_hosts_timer_cannot_enforce),
		cmocka_unit_test(limit__interrupt_account_ends_interrupt_boosts_only),
		cmocka_unit_test(limit__the_vms_cap_refuses_and_recovers),
		cmocka_unit_test(limit__what_was_reserved_of_the_cap_comes_back),
		cmocka_unit_test(limit__what_was_overrun_of_the_cap_is_charged),
		cmocka_unit_test(limit__paying_back_does_not_touch_requests_below_baseline),
		cmocka_unit_test(limit__a_released_or_outside_vcpu_is_not_made_to_pay),
		cmocka_unit_test(limit__rank_follows_the_low_water_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
