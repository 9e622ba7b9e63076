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

/* Every number that is set: its range, and what zero stands for. */
#define ROW(name, min, max, preset) \
	{ #name, offsetof(struct pvs_config, name), (min), (max), (preset) }
static const struct {
	const char *name;
	size_t offset;
	pvs_u64 min, max, preset;
} rows[] = {
	ROW(flags, 0, 1, 0),
	ROW(boost_share_q10, 1, 1024, 256),
	ROW(boost_burst_ns, 50 * US, 100 * MS, 4 * MS),
	ROW(boost_resume_ns, 15 * US + 1, 4 * MS, 3500 * US), /* a default look to the burst */
	ROW(grant_max_ns, 5 * US, 100 * MS, 3 * MS),
	ROW(irq_share_q10, 1, 1024, 102),
	ROW(irq_burst_ns, 10 * US, 10 * MS, 1 * MS),
	ROW(credit_max_ns, 1, 1000 * MS, 2 * MS),
	ROW(debt_start_ns, 1 * US, 1000 * MS - 1, 1 * MS), /* below the default maximum */
	ROW(debt_max_ns, 1 * MS + 1, 4000 * MS, 1000 * MS), /* above the default start */
	ROW(vm_share_q10, 1, 65536, 512),
	ROW(vm_burst_ns, 500 * US, 1000 * MS, 20 * MS), /* from the default quantum on */
	ROW(vm_quantum_ns, 10 * US, 10 * MS, 500 * US),
	ROW(stale_ns, 1 * MS, 4000 * MS, 100 * MS),
	ROW(raise_min_ns, 1, 1000 * MS, 100 * US),
	ROW(malformed_min_ns, 1, 1000 * MS, 10 * MS),
	ROW(level_hold_ns, 1 * MS, 4000 * MS, 1000 * MS),
	ROW(pay_weight_q10, 1, 1023, 512),
	ROW(below_weight_q10, 1, 1023, 15),
	ROW(recheck_min_ns, 1 * US, 100 * MS, 250 * US),
	ROW(poll_ns, 100 * US, 1000 * MS, 10 * MS),
	ROW(quiet_poll_ns, 100 * US, 4000 * MS, 100 * MS),
	ROW(urgent_poll_ns, 100 * US, 1000 * MS, 1 * MS),
	ROW(kick_min_ns, 1 * US, 1000 * MS, 10 * MS),
	ROW(look_cost_ns, 1, 1 * MS, 15 * US),
	ROW(dt_max_ns, 1 * MS, 4000 * MS, 1000 * MS),
	ROW(ticket_max_ns, 10 * US, 100 * MS, 1 * MS),
	ROW(storm_window_ns, 1 * MS, 1000 * MS, 10 * MS),
	ROW(storm_share_q10, 1, 1024, 102),
	ROW(storm_rate_hz, 100, 1000000, 20000),
	ROW(storm_burst, 1, 65535, 64),
	ROW(storm_hold_ns, 1 * MS, 4000 * MS, 100 * MS),
	ROW(defer_ns, 1 * US, 1 * MS, 50 * US),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static pvs_u32 *value_of(struct pvs_config *cfg, unsigned row)
{
	return (pvs_u32 *)(void *)((char *)cfg + rows[row].offset);
}

static int check_with(unsigned row, pvs_u64 value, struct pvs_config_error *err)
{
	struct pvs_config cfg;

	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
	*value_of(&cfg, row) = (pvs_u32)value;
	if (rows[row].offset == offsetof(struct pvs_config, boost_burst_ns))
		cfg.boost_resume_ns = (pvs_u32)(value - value / 8);
	err->field = "";
	return pvs_config_check(&cfg, err);
}

static void config__every_number_has_its_default_and_its_range(void **state)
{
	struct pvs_config_error err;
	struct pvs_config cfg;
	unsigned i;

	(void)state;
	assert_int_equal(ROWS, offsetof(struct pvs_config, reserved0) / sizeof(pvs_u32));
	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
	for (i = 0; i < ROWS; i++) {
		assert_int_equal(*value_of(&cfg, i), rows[i].preset);
		assert_int_equal(check_with(i, rows[i].min, &err), PVS_OK);
		assert_int_equal(check_with(i, rows[i].max, &err), PVS_OK);
		assert_int_equal(check_with(i, rows[i].max + 1, &err), PVS_E_RANGE);
		if (rows[i].min)
			assert_int_equal(check_with(i, rows[i].min - 1, &err), PVS_E_RANGE);
	}
}

/* What the error says of the row that was put out of its range. */
static void config__an_error_names_its_field_value_and_range(void **state)
{
	struct pvs_config_error err;
	unsigned i;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		assert_int_equal(check_with(i, 0xffffffffu, &err), PVS_E_RANGE);
		assert_string_equal(err.field, rows[i].name);
		assert_true(err.value == 0xffffffffu);
		assert_true(err.max >= rows[i].max && err.max < 0xffffffffu);
		assert_true(err.min <= rows[i].min);
	}
}

/* Numbers that are in order alone and not together. */
static void config__numbers_that_do_not_go_together_are_named(void **state)
{
	static const struct {
		const char *field;
		size_t offset, other_offset;
		pvs_u32 value, other;
		int rc;
	} pairs[] = {
#define PAIR(field, value, other_field, other, rc)                                      \
	{ #field, offsetof(struct pvs_config, field),                                   \
	  offsetof(struct pvs_config, other_field), (value), (other), (rc) }
		PAIR(boost_resume_ns, 2000001, boost_burst_ns, 2000000, PVS_E_RANGE),
		PAIR(boost_resume_ns, 2000000, boost_burst_ns, 2000000, PVS_OK),
		PAIR(look_cost_ns, 20000, boost_resume_ns, 20000, PVS_E_RANGE),
		PAIR(look_cost_ns, 19999, boost_resume_ns, 20000, PVS_OK),
		PAIR(debt_start_ns, 2000000, debt_max_ns, 2000000, PVS_E_RANGE),
		PAIR(debt_start_ns, 1999999, debt_max_ns, 2000000, PVS_OK),
		PAIR(vm_quantum_ns, 200001, vm_burst_ns, 200000, PVS_E_RANGE),
		PAIR(vm_quantum_ns, 200000, vm_burst_ns, 200000, PVS_OK),
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct pvs_config_error err = { "", 0, 0, 0 };
		struct pvs_config cfg;
		pvs_u32 value;

		assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
		*(pvs_u32 *)(void *)((char *)&cfg + pairs[i].offset) = pairs[i].value;
		*(pvs_u32 *)(void *)((char *)&cfg + pairs[i].other_offset) = pairs[i].other;
		assert_int_equal(pvs_config_check(&cfg, &err), pairs[i].rc);
		if (pairs[i].rc == PVS_OK)
			continue;
		assert_string_equal(err.field, pairs[i].field);
		assert_int_equal(err.value, pairs[i].value);
		assert_int_equal(err.min, 1);
		/* mended by what it names, it is in order */
		value = err.max;
		*(pvs_u32 *)(void *)((char *)&cfg + pairs[i].offset) = value;
		assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	}
}

static void config__what_follows_from_the_numbers(void **state)
{
	struct pvs_config cfg;

	(void)state;
	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
	assert_int_equal(cfg.boost_cost_q10, 4096);
	assert_int_equal(cfg.boost_span_ns, 16 * MS);
	assert_int_equal(cfg.look_earned_ns, 60 * US);
	assert_int_equal(cfg.boost_open_ns, 2 * MS + 60 * US);
	assert_int_equal(cfg.irq_cost_q10, 10281); /* 1024 * 1024 / 102, rounded up */
	assert_int_equal(cfg.irq_span_ns, 10039215); /* ... and the capacity down */
	assert_int_equal(cfg.irq_open_ns, 10039215 / 2);
	assert_int_equal(cfg.vm_cost_q10, 2048);
	assert_int_equal(cfg.vm_quantum_wall_ns, 1 * MS);
	assert_int_equal(cfg.vm_burst_wall_ns, 40 * MS);
	assert_int_equal(cfg.storm_count_max, 264);
	assert_int_equal(cfg.storm_cost_ns, 996093);
	assert_int_equal(cfg.decision_flags, 0);
	cfg.flags = PVS_CONFIG_MEASURE_ONLY;
	cfg.boost_resume_ns = cfg.boost_burst_ns + 1; /* refused, but harmless */
	pvs_config_resolve(&cfg);
	assert_int_equal(cfg.decision_flags, PVS_DECISION_MEASURE);
	assert_int_equal(cfg.boost_open_ns, 60 * US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config__default_profile_passes_its_own_check),
		cmocka_unit_test(config__each_profile_differs_by_what_its_use_asks_for),
		cmocka_unit_test(config__resolve_keeps_what_was_set),
		cmocka_unit_test(config__check_names_the_bad_field_and_its_range),
		cmocka_unit_test(config__resume_above_burst_is_refused),
		cmocka_unit_test(config__every_number_has_its_default_and_its_range),
		cmocka_unit_test(config__an_error_names_its_field_value_and_range),
		cmocka_unit_test(config__numbers_that_do_not_go_together_are_named),
		cmocka_unit_test(config__what_follows_from_the_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
