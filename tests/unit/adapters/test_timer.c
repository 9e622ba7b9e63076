/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking again: who is stepped when, and what is armed.
 */
#include "fixture.h"

#define POLL_NS (100 * MS) /* the default of quiet_poll_ns */

static void arm__moves_only_to_an_earlier_time(void **state)
{
	struct fixture f;
	pvs_u64 armed_at_ns, arms;

	(void)state;
	fixture_init(&f, CAPS_USER);
	armed_at_ns = f.null.armed_at_ns;
	assert_true(armed_at_ns <= START_NS + POLL_NS);
	arms = f.null.arms;
	/* A later recheck leaves the timer alone. */
	sleeps(&f, 1 * MS);
	assert_int_equal(kick_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.null.arms, arms);
	/* A nearly spent account asks for an earlier one. */
	boost_vcpu(&f, 0);
	runs(&f, 0, 500 * US);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_true(f.null.armed_at_ns <= f.vcpus[0].recheck_at_ns);
	fixture_free(&f);
}

static void timer__ends_a_boost_whatever_the_guest_says(void **state)
{
	struct fixture f;
	int i;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	for (i = 0; i < 1000 && f.nulls[0].klass == PVS_CLASS_TASK; i++) {
		pvs_u64 next_ns = pvs_host_timer(&f.host);

		assert_true(next_ns > f.null.now_ns);
		assert_true(next_ns == f.null.armed_at_ns);
		runs(&f, 0, next_ns - f.null.now_ns);
	}
	assert_true(f.nulls[0].klass != PVS_CLASS_TASK);
	assert_true(f.vcpus[0].core.boosted_ns <= f.host.config.boost_burst_ns);
	fixture_free(&f);
}

static void timer__leaves_alone_who_is_not_due(void **state)
{
	struct fixture f;
	pvs_u64 steps, quiet;

	(void)state;
	fixture_init(&f, CAPS_USER);
	steps = f.host.counters.steps;
	quiet = f.host.counters.quiet;
	assert_true(pvs_host_timer(&f.host) > f.null.now_ns);
	assert_int_equal(f.host.counters.steps, steps);
	assert_int_equal(f.host.counters.quiet, quiet);
	assert_int_equal(f.host.counters.timers, 1);
	fixture_free(&f);
}

static void timer__polls_quiet_vcpus_together_and_without_clocks(void **state)
{
	struct fixture f;
	pvs_u64 samples, timers;
	int i;

	(void)state;
	fixture_init(&f, CAPS_USER);
	sleeps(&f, 3 * MS);
	assert_int_equal(kick_vcpu(&f, 1), PVS_OK); /* out of step with vCPU 0 */
	sleeps(&f, 2 * POLL_NS);
	pvs_host_timer(&f.host);
	samples = f.nulls[0].samples + f.nulls[1].samples;
	timers = f.host.counters.timers;
	for (i = 0; i < 10; i++) {
		pvs_u64 next_ns = f.null.armed_at_ns;

		assert_true(next_ns - f.null.now_ns <= POLL_NS);
		f.null.now_ns = next_ns;
		pvs_host_timer(&f.host);
		assert_true(f.vcpus[0].recheck_at_ns == f.vcpus[1].recheck_at_ns);
	}
	assert_int_equal(f.nulls[0].samples + f.nulls[1].samples, samples);
	assert_int_equal(f.host.counters.timers, timers + 10);
	fixture_free(&f);
}

static void timer__sees_a_hint_without_any_event(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	sleeps(&f, 20 * MS);
	pvs_host_timer(&f.host);
	guest_says(&f, 1, PVS_URGENCY_REALTIME);
	f.null.now_ns = f.null.armed_at_ns;
	pvs_host_timer(&f.host); /* seen; it must last until the next look */
	f.null.now_ns = f.null.armed_at_ns;
	pvs_host_timer(&f.host);
	assert_int_equal(f.nulls[1].klass, PVS_CLASS_TASK);
	fixture_free(&f);
}

static void timer__sees_the_negotiation(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	guest_accept(&f, 0);
	sleeps(&f, POLL_NS);
	pvs_host_timer(&f.host);
	assert_int_equal(f.header->status, PVS_STATUS_ACTIVE);
	fixture_free(&f);
}

static void timer__arms_never_when_nobody_is_attached(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	pvs_host_detach(&f.host, 0);
	pvs_host_detach(&f.host, 1);
	assert_true(pvs_host_timer(&f.host) == PVS_NEVER);
	assert_true(f.null.armed_at_ns == PVS_NEVER);
	fixture_free(&f);
}

/* A host whose own clock fails, but not its threads'. */
static int broken_now(void *ctx, struct pvs_facts *facts, int sample)
{
	if (!sample)
		return PVS_E_HOST;
	return pvs_null_ops.now(ctx, facts, sample);
}

static void timer__without_a_clock_steps_everybody(void **state)
{
	struct pvs_adapter_ops ops = pvs_null_ops;
	struct fixture f;
	pvs_u64 steps;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	boost_vcpu(&f, 1);
	ops.now = broken_now;
	f.host.ops = &ops;
	steps = f.host.counters.steps;
	pvs_host_timer(&f.host);
	assert_int_equal(f.host.counters.steps, steps + 2);
	assert_int_equal(f.host.counters.errors, 1);
	fixture_free(&f);
}

static int broken_arm(void *ctx, pvs_u64 at_ns)
{
	(void)ctx;
	(void)at_ns;
	return PVS_E_HOST;
}

static void arm__that_fails_is_counted(void **state)
{
	struct pvs_adapter_ops ops = pvs_null_ops;
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	ops.arm = broken_arm;
	f.host.ops = &ops;
	pvs_host_timer(&f.host);
	assert_int_equal(f.host.counters.errors, 1);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arm__moves_only_to_an_earlier_time),
		cmocka_unit_test(timer__ends_a_boost_whatever_the_guest_says),
		cmocka_unit_test(timer__leaves_alone_who_is_not_due),
		cmocka_unit_test(timer__polls_quiet_vcpus_together_and_without_clocks),
		cmocka_unit_test(timer__sees_a_hint_without_any_event),
		cmocka_unit_test(timer__sees_the_negotiation),
		cmocka_unit_test(timer__arms_never_when_nobody_is_attached),
		cmocka_unit_test(timer__without_a_clock_steps_everybody),
		cmocka_unit_test(arm__that_fails_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
