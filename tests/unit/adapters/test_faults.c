/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine can say to a decision: foreign, gone, failed.
 */
#include "fixture.h"

/* Says "real-time" and kicks, and returns what came of it. */
static int try_boost(struct fixture *f, unsigned index)
{
	sleeps(f, 20 * MS);
	guest_says(f, index, PVS_URGENCY_REALTIME);
	return kick_vcpu(f, index);
}

static void attach__passes_on_why_the_baseline_cannot_be_kept(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	f.nulls[0].fail_capture = PVS_E_PERM;
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_E_PERM);
	assert_true(f.slots[0].ident == 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_STATE);
	fixture_free(&f);
}

static void attach__is_undone_when_the_clock_fails(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	f.nulls[0].fail_now = PVS_E_HOST;
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_E_HOST);
	f.nulls[0].fail_now = PVS_E_GONE;
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_E_GONE);
	assert_true(f.slots[0].ident == 0);
	f.nulls[0].fail_now = PVS_OK;
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	fixture_free(&f);
}

static void foreign_change__means_hands_off_for_good(void **state)
{
	struct fixture f;
	struct pvs_null_vcpu before;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.nulls[0].fail_apply = PVS_E_FOREIGN;
	assert_int_equal(try_boost(&f, 0), PVS_E_FOREIGN);
	assert_int_equal(f.host.counters.foreign, 1);
	assert_int_equal(f.host.counters.errors, 0);
	assert_int_equal(f.vcpus[0].core.reason, PVS_REASON_FOREIGN);
	f.nulls[0].fail_apply = PVS_OK;
	before = f.nulls[0];
	assert_int_equal(try_boost(&f, 0), PVS_E_FOREIGN);
	sleeps(&f, 100 * MS);
	pvs_host_timer(&f.host);
	pvs_host_detach(&f.host, 0);
	assert_memory_equal(&f.nulls[0], &before, sizeof(before));
	fixture_free(&f);
}

static void foreign_change__found_at_the_end_of_a_boost_is_left_alone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	f.nulls[0].fail_restore = PVS_E_FOREIGN;
	pvs_host_detach(&f.host, 0);
	assert_int_equal(f.nulls[0].restores, 1);
	assert_int_equal(f.host.counters.foreign, 1);
	assert_int_equal(f.host.applied_count, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_STATE);
	fixture_free(&f);
}

static void attach__after_a_foreign_change_takes_the_new_baseline(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.nulls[0].fail_apply = PVS_E_FOREIGN;
	assert_int_equal(try_boost(&f, 0), PVS_E_FOREIGN);
	f.nulls[0].fail_apply = PVS_OK;
	pvs_host_detach(&f.host, 0);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	assert_int_equal(f.nulls[0].captures, 2);
	boost_vcpu(&f, 0);
	fixture_free(&f);
}

static void thread_that_ended__is_detached(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.nulls[0].fail_apply = PVS_E_GONE;
	assert_int_equal(try_boost(&f, 0), PVS_E_GONE);
	assert_int_equal(f.host.counters.gone, 1);
	assert_int_equal(f.nulls[0].restores, 0);
	assert_true(f.slots[0].ident == 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_STATE);

	boost_vcpu(&f, 1);
	f.nulls[1].fail_now = PVS_E_GONE;
	assert_int_equal(poll_vcpu(&f, 1), PVS_E_GONE);
	assert_int_equal(f.host.counters.gone, 2);
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void thread_that_ended__is_found_by_a_guest_reset_of_another(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	boost_vcpu(&f, 1);
	f.nulls[1].fail_now = PVS_E_GONE;
	f.nulls[0].fail_apply = PVS_E_FOREIGN;
	guest_reset(&f);
	assert_int_equal(poll_vcpu(&f, 1), PVS_E_GONE);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_FOREIGN);
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void failed_knob__ends_the_boost_and_charges_nobody(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.nulls[0].fail_apply = PVS_E_HOST;
	assert_int_equal(try_boost(&f, 0), PVS_E_HOST);
	assert_int_equal(f.host.counters.errors, 1);
	assert_int_equal(f.nulls[0].restores, 1);
	assert_int_equal(f.vcpus[0].core.klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.host.applied_count, 0);
	runs(&f, 0, 1 * MS);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.vcpus[0].core.boosted_ns, 0);
	/* The guest's next statement tries again. */
	f.nulls[0].fail_apply = PVS_OK;
	assert_int_equal(try_boost(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_TASK);
	fixture_free(&f);
}

static void failed_knob__that_turns_out_foreign_or_gone_is_let_go(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.nulls[0].fail_apply = PVS_E_HOST;
	f.nulls[0].fail_restore = PVS_E_FOREIGN;
	assert_int_equal(try_boost(&f, 0), PVS_E_HOST);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_FOREIGN);
	f.nulls[1].fail_apply = PVS_E_HOST;
	f.nulls[1].fail_restore = PVS_E_GONE;
	assert_int_equal(try_boost(&f, 1), PVS_E_HOST);
	assert_int_equal(poll_vcpu(&f, 1), PVS_E_STATE);
	fixture_free(&f);
}

static void failed_restore__is_counted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	f.nulls[0].fail_restore = PVS_E_PERM;
	pvs_host_detach(&f.host, 0);
	assert_int_equal(f.host.counters.errors, 2); /* it is tried twice */
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void failed_restore__is_tried_again_at_each_look(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	f.nulls[0].fail_restore = PVS_E_PERM;
	f.nulls[0].fail_apply = PVS_E_PERM;
	guest_says(&f, 0, PVS_URGENCY_NORMAL);
	kick_vcpu(&f, 0);
	assert_int_equal(f.vcpus[0].applied, 1);
	assert_true(f.vcpus[0].recheck_at_ns != PVS_NEVER);
	f.nulls[0].fail_restore = PVS_OK;
	f.nulls[0].fail_apply = PVS_OK;
	f.null.now_ns = f.vcpus[0].recheck_at_ns;
	pvs_host_timer(&f.host);
	assert_int_equal(f.vcpus[0].applied, 0);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	fixture_free(&f);
}

static void failed_clock__restores_and_the_next_event_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	f.nulls[0].fail_now = PVS_E_HOST;
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_HOST);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_true(f.vcpus[0].recheck_at_ns == PVS_NEVER);
	f.nulls[0].fail_now = PVS_OK;
	boost_vcpu(&f, 0);
	assert_true(f.vcpus[0].recheck_at_ns != PVS_NEVER);
	fixture_free(&f);
}

static void failed_clock__does_not_keep_a_detach_from_restoring(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	f.nulls[0].fail_now = PVS_E_HOST;
	pvs_host_detach(&f.host, 0);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.nulls[0].restores, 1);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach__passes_on_why_the_baseline_cannot_be_kept),
		cmocka_unit_test(attach__is_undone_when_the_clock_fails),
		cmocka_unit_test(foreign_change__means_hands_off_for_good),
		cmocka_unit_test(foreign_change__found_at_the_end_of_a_boost_is_left_alone),
		cmocka_unit_test(attach__after_a_foreign_change_takes_the_new_baseline),
		cmocka_unit_test(thread_that_ended__is_detached),
		cmocka_unit_test(thread_that_ended__is_found_by_a_guest_reset_of_another),
		cmocka_unit_test(failed_knob__ends_the_boost_and_charges_nobody),
		cmocka_unit_test(failed_knob__that_turns_out_foreign_or_gone_is_let_go),
		cmocka_unit_test(failed_restore__is_counted),
		cmocka_unit_test(failed_restore__is_tried_again_at_each_look),
		cmocka_unit_test(failed_clock__restores_and_the_next_event_goes_on),
		cmocka_unit_test(failed_clock__does_not_keep_a_detach_from_restoring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
