/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

/* What is missing in the boost account, in earned time. */
static pvs_u64 missing(const struct pvs_vcpu *v)
{
	return v->boost_full_at_ns > v->earned_ns ? v->boost_full_at_ns - v->earned_ns : 0;
}

static struct pvs_saved saved_of_a_used_vcpu(struct world *w)
{
	struct pvs_saved saved;

	world_init(w, CAPS_USER);
	say_urgency(w, PVS_URGENCY_REALTIME);
	ring(w);
	run_for(w, 5 * MS);
	look(w);
	pvs_state_save(&w->v, &saved);
	return saved;
}

static void saved__accounts_latches_and_counters_survive(void **state)
{
	struct world w;
	struct pvs_saved saved = saved_of_a_used_vcpu(&w);
	struct pvs_vcpu v;

	(void)state;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &saved), PVS_OK);
	assert_int_equal(missing(&v), missing(&w.v));
	assert_int_equal(v.normal_left_ns, w.v.normal_left_ns);
	assert_int_equal(v.high_ns, w.v.high_ns);
	assert_int_equal(v.overruns, 1);
	assert_int_equal(v.boosted_ns, 5 * MS);
	assert_true(v.boost_empty);
	assert_true(v.paying);
	assert_int_equal(v.irq_empty, 0);
	assert_int_equal(v.klass, PVS_CLASS_BASELINE);
	assert_int_equal(v.started, 0);
}

/* A record that says both is damaged, or a lie. */
static void saved__an_empty_account_is_closed_whatever_the_record_says(void **state)
{
	struct world w;
	struct pvs_saved saved;

	(void)state;
	world_init(&w, CAPS_OWNER);
	pvs_state_save(&w.v, &saved);
	saved.boost_used_ns = w.cfg.boost_span_ns - 1;
	saved.irq_used_ns = w.cfg.irq_span_ns - 1;
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, &saved), PVS_OK);
	assert_true(!w.v.boost_empty && !w.v.irq_empty);
	saved.boost_used_ns++;
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, &saved), PVS_OK);
	assert_true(w.v.boost_empty && !w.v.irq_empty);
	saved.irq_used_ns++;
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, &saved), PVS_OK);
	assert_true(w.v.boost_empty && w.v.irq_empty);
}

static void saved__a_latch_without_a_reason_is_looked_at_soon(void **state)
{
	struct world w;
	struct pvs_saved saved;

	(void)state;
	world_init(&w, CAPS_USER);
	pvs_state_save(&w.v, &saved);
	saved.latches = 1; /* and nothing is missing */
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, &saved), PVS_OK);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	w.io.facts.caps |= PVS_CAP_SEES_WAKE; /* believed at once */
	assert_int_equal(step(&w, PVS_EV_ATTACH), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.reason, PVS_REASON_BOOST_EMPTY);
	assert_int_equal(w.io.decision.recheck_at_ns - w.io.facts.now_ns, w.cfg.poll_ns);
}

static void saved__the_irq_latch_survives_too(void **state)
{
	struct world w;
	struct pvs_saved saved;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	look(&w);
	run_for(&w, 2 * MS);
	look(&w);
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.latches, 2); /* an owning host's queue has charged it */
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, &saved), PVS_OK);
	assert_true(w.v.irq_empty);
	assert_int_equal(w.v.boost_empty, 0);
	world_init(&w, CAPS_OWNER);
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.latches, 0);
}

static void saved__can_never_give_more_than_a_fresh_vcpu(void **state)
{
	struct pvs_config cfg;
	struct pvs_saved forged = { .version = PVS_SAVED_VERSION, .share_q16 = 0xffffffffu,
				    .normal_left_ns = INT64_MAX };
	struct pvs_vcpu v;

	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	assert_int_equal(pvs_state_restore(&v, &cfg, &forged), PVS_OK);
	assert_int_equal(pvs_boost_left(&v, &cfg), cfg.boost_burst_ns);
	assert_int_equal(v.irq_full_at_ns, 0);
	assert_int_equal(v.normal_left_ns, 0); /* a fresh one has no credit either */
	assert_int_equal(v.share_q16, 65536);
	forged.boost_used_ns = forged.irq_used_ns = UINT64_MAX;
	forged.high_ns = forged.high_before_ns = UINT64_MAX;
	forged.normal_left_ns = INT64_MIN;
	assert_int_equal(pvs_state_restore(&v, &cfg, &forged), PVS_OK);
	/* nor is anything closed for ever */
	assert_int_equal(v.boost_full_at_ns, 2 * cfg.boost_span_ns);
	assert_int_equal(v.irq_full_at_ns, 2 * cfg.irq_span_ns);
	assert_int_equal(v.high_ns, 2 * cfg.boost_span_ns);
	assert_int_equal(v.high_before_ns, 2 * cfg.boost_span_ns);
	assert_int_equal(v.normal_left_ns, -(pvs_s64)cfg.debt_max_ns);
}

static void saved__unknown_versions_and_latches_are_refused(void **state)
{
	struct world w;
	struct pvs_saved saved = saved_of_a_used_vcpu(&w);
	struct pvs_saved bad = saved;
	struct pvs_vcpu v;

	(void)state;
	bad.version++;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &bad), PVS_E_SAVED);
	assert_int_equal(pvs_boost_left(&v, &w.cfg), w.cfg.boost_burst_ns);
	bad = saved;
	bad.latches |= 8;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &bad), PVS_E_SAVED);
	bad = saved;
	bad.reserved = 1;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &bad), PVS_E_SAVED);
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &saved), PVS_OK);
}

static void saved__a_boost_that_goes_on_is_owed(void **state)
{
	struct pvs_saved saved;
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 1 * MS);
	wait_for(&w, 500 * US);
	look(&w);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, -(pvs_s64)(1 * MS)); /* its share is not known */
	w.v.share_q16 = 32768;
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, -(pvs_s64)(250 * US));
	w.v.share_q16 = 65536; /* more than it ran: no gift */
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, 0);
	assert_int_equal(w.v.normal_left_ns, 0); /* saving changes nothing */
	/* at baseline the time that passes is nobody's */
	w.v.share_q16 = 0;
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w);
	run_for(&w, 5 * MS);
	look(&w);
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, w.v.normal_left_ns);
	/* while it pays back, it is settled at each look, and what it ran since is owed */
	owe(&w, 5 * MS);
	look(&w);
	w.v.ran_ns += 1 * MS;
	pvs_state_save(&w.v, &saved);
	assert_int_equal(saved.normal_left_ns, w.v.normal_left_ns - (pvs_s64)(1 * MS));
}

static void saved__a_share_is_as_good_as_a_learned_one(void **state)
{
	static const pvs_u32 shares[][2] = { { 0, 0 }, { 1, 256 }, { 255, 256 }, { 256, 256 },
					     { 65536, 65536 }, { 65537, 65536 } };
	struct pvs_config cfg;
	struct pvs_vcpu v;
	unsigned i;

	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct pvs_saved saved = { .version = PVS_SAVED_VERSION,
					   .share_q16 = shares[i][0] };

		assert_int_equal(pvs_state_restore(&v, &cfg, &saved), PVS_OK);
		assert_int_equal(v.share_q16, shares[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved__accounts_latches_and_counters_survive),
		cmocka_unit_test(saved__an_empty_account_is_closed_whatever_the_record_says),
		cmocka_unit_test(saved__a_latch_without_a_reason_is_looked_at_soon),
		cmocka_unit_test(saved__the_irq_latch_survives_too),
		cmocka_unit_test(saved__can_never_give_more_than_a_fresh_vcpu),
		cmocka_unit_test(saved__unknown_versions_and_latches_are_refused),
		cmocka_unit_test(saved__a_boost_that_goes_on_is_owed),
		cmocka_unit_test(saved__a_share_is_as_good_as_a_learned_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
