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
	assert_int_equal(cfg.flags, PVS_CONFIG_MEASURE_ONLY);
	assert_int_equal(pvs_config_profile(PVS_PROFILE_COUNT, &cfg), PVS_E_INVALID);
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
		cmocka_unit_test(config__resolve_keeps_what_was_set),
		cmocka_unit_test(config__check_names_the_bad_field_and_its_range),
		cmocka_unit_test(config__resume_above_burst_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
