/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void config__default_profile_passes_its_own_check(void **state)
{
	struct pvs_config cfg;
	unsigned p;

	(void)state;
	for (p = 0; p < PVS_PROFILE_COUNT; p++) {
		assert_int_equal(pvs_config_profile(p, &cfg), PVS_OK);
		assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	}
	assert_int_equal(pvs_config_profile(PVS_PROFILE_COUNT, &cfg), PVS_E_INVALID);
}

static void config__each_profile_differs_by_what_its_use_asks_for(void **state)
{
	struct pvs_config cfg[PVS_PROFILE_COUNT];
	unsigned a, b;

	(void)state;
	for (a = 0; a < PVS_PROFILE_COUNT; a++) {
		assert_int_equal(pvs_config_profile(a, &cfg[a]), PVS_OK);
		for (b = 0; b < a; b++)
			assert_memory_not_equal(&cfg[a], &cfg[b], sizeof(cfg[a]));
	}
	assert_int_equal(cfg[PVS_PROFILE_DEFAULT].flags, 0);
	/* it differs by the flag alone: what it counts is what the default would do */
	cfg[PVS_PROFILE_DEFAULT].flags = PVS_CONFIG_MEASURE_ONLY;
	pvs_config_resolve(&cfg[PVS_PROFILE_DEFAULT]);
	assert_memory_equal(&cfg[PVS_PROFILE_MEASURE_ONLY], &cfg[PVS_PROFILE_DEFAULT],
			    sizeof(cfg[0]));
	/* a third of its CPU and a whole one in all; an eighth and a quarter */
	assert_int_equal(cfg[PVS_PROFILE_DESKTOP_AUDIO].boost_share_q10, 341);
	assert_int_equal(cfg[PVS_PROFILE_DESKTOP_AUDIO].boost_burst_ns, 6 * MS);
	assert_int_equal(cfg[PVS_PROFILE_DESKTOP_AUDIO].vm_share_q10, 1024);
	assert_int_equal(cfg[PVS_PROFILE_SERVER_OVERCOMMIT].boost_share_q10, 128);
	assert_int_equal(cfg[PVS_PROFILE_SERVER_OVERCOMMIT].boost_burst_ns, 2 * MS);
	assert_int_equal(cfg[PVS_PROFILE_SERVER_OVERCOMMIT].grant_max_ns, 1 * MS);
	assert_int_equal(cfg[PVS_PROFILE_SERVER_OVERCOMMIT].vm_share_q10, 256);
	assert_int_equal(cfg[PVS_PROFILE_SERVER_OVERCOMMIT].vm_burst_ns, 10 * MS);
	/* fewer looks, longer boosts */
	assert_int_equal(cfg[PVS_PROFILE_MOBILE_DVFS].boost_burst_ns, 8 * MS);
	assert_int_equal(cfg[PVS_PROFILE_MOBILE_DVFS].grant_max_ns, 6 * MS);
	assert_int_equal(cfg[PVS_PROFILE_MOBILE_DVFS].poll_ns, 16 * MS);
	assert_int_equal(cfg[PVS_PROFILE_MOBILE_DVFS].quiet_poll_ns, 250 * MS);
	assert_int_equal(cfg[PVS_PROFILE_MOBILE_DVFS].urgent_poll_ns, 4 * MS);
}

static void config__resolve_keeps_what_was_set(void **state)
{
	struct pvs_config cfg = { .boost_burst_ns = 2 * MS, .vm_share_q10 = 3 };

	(void)state;
	pvs_config_resolve(&cfg);
	assert_int_equal(cfg.boost_burst_ns, 2 * MS);
	assert_int_equal(cfg.boost_resume_ns, 1750 * US);
	assert_int_equal(cfg.boost_share_q10, 256);
	cfg.boost_resume_ns = 3;
	pvs_config_resolve(&cfg);
	assert_int_equal(cfg.boost_resume_ns, 3);
	/* rounded up, so that the cap gives at most its share */
	assert_true((unsigned long long)cfg.vm_cost_q10 * 3 >= 1024 * 1024);
	assert_true((unsigned long long)(cfg.vm_cost_q10 - 1) * 3 < 1024 * 1024);
}

static void config__check_names_the_bad_field_and_its_range(void **state)
{
	struct pvs_config cfg;
	struct pvs_config_error err;

	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	cfg.irq_burst_ns = 9999;
	assert_int_equal(pvs_config_check(&cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, "irq_burst_ns");
	assert_int_equal(err.value, 9999);
	assert_int_equal(err.min, 10000);
	assert_int_equal(err.max, 10 * MS);
	assert_int_equal(pvs_config_check(&cfg, NULL), PVS_E_RANGE);
	cfg.irq_burst_ns = 10000;
	assert_int_equal(pvs_config_check(&cfg, &err), PVS_OK);
	cfg.flags = 2;
	assert_int_equal(pvs_config_check(&cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, "flags");
}

static void config__resume_above_burst_is_refused(void **state)
{
	struct pvs_config cfg;
	struct pvs_config_error err;

	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	cfg.boost_resume_ns = cfg.boost_burst_ns + 1;
	assert_int_equal(pvs_config_check(&cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, "boost_resume_ns");
	assert_int_equal(err.max, cfg.boost_burst_ns);
	cfg.boost_resume_ns = cfg.boost_burst_ns;
	assert_int_equal(pvs_config_check(&cfg, &err), PVS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config__default_profile_passes_its_own_check),
		cmocka_unit_test(config__each_profile_differs_by_what_its_use_asks_for),
		cmocka_unit_test(config__resolve_keeps_what_was_set),
		cmocka_unit_test(config__check_names_the_bad_field_and_its_range),
		cmocka_unit_test(config__resume_above_burst_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
