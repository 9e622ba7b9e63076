/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration against the tables and formulas of abi/spec/policy.md: every field's preset and
 * both its bounds, the rules between fields, the derived values and the profiles.
 */
#include "../core/world.h"

#include <string.h>

#include "spec_rows.h"

struct row {
	const char *name;
	size_t offset;
	pvs_u32 min, max, preset;
};

#define AS_ROW(field, min, max, preset) \
	{ #field, offsetof(struct pvs_config, field), min, max, preset },

static const struct row rows[] = { POLICY_ROWS(AS_ROW) };

static pvs_u32 *field(struct pvs_config *cfg, const struct row *row)
{
	return (pvs_u32 *)(void *)((char *)cfg + row->offset);
}

/* Each field can be at either of its bounds without a rule between fields minding. */
static struct pvs_config roomy(void)
{
	struct pvs_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.boost_burst_ns = 100000000;
	cfg.look_cost_ns = 1;
	cfg.debt_start_ns = 1000;
	cfg.debt_max_ns = 4000000000u;
	cfg.vm_quantum_ns = 10000;
	cfg.vm_burst_ns = 1000000000;
	return cfg;
}

static void assert_refused(struct pvs_config *cfg, const char *name, pvs_u32 value, pvs_u32 min,
			   pvs_u32 max)
{
	struct pvs_config_error err = { "", 0, 0, 0 };

	assert_int_equal(pvs_config_check(cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, name);
	assert_int_equal(err.value, value);
	assert_int_equal(err.min, min);
	assert_int_equal(err.max, max);
	assert_int_equal(pvs_config_check(cfg, NULL), PVS_E_RANGE);
}

static void config__zero_stands_for_each_preset(void **state)
{
	struct pvs_config cfg;
	unsigned i;

	(void)state;
	assert_int_equal(offsetof(struct pvs_config, reserved0), POLICY_ROWS_COUNT * 4);
	memset(&cfg, 0, sizeof(cfg));
	pvs_config_resolve(&cfg);
	for (i = 0; i < POLICY_ROWS_COUNT; i++)
		if (strcmp(rows[i].name, "boost_resume_ns"))
			assert_int_equal(*field(&cfg, &rows[i]), rows[i].preset);
	assert_int_equal(cfg.boost_resume_ns, 3500000);
}

static void config__each_field_is_checked_at_both_ends(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < POLICY_ROWS_COUNT; i++) {
		const struct row *row = &rows[i];
		struct pvs_config cfg = roomy();

		*field(&cfg, row) = row->min;
		pvs_config_resolve(&cfg);
		assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
		*field(&cfg, row) = row->max;
		assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
		*field(&cfg, row) = row->max + 1;
		assert_refused(&cfg, row->name, row->max + 1, row->min, row->max);
		*field(&cfg, row) = row->min - 1;
		if (row->min)
			assert_refused(&cfg, row->name, row->min - 1, row->min, row->max);
	}
}

static void config__the_first_bad_field_is_named(void **state)
{
	struct pvs_config cfg = roomy();
	unsigned i;

	(void)state;
	pvs_config_resolve(&cfg);
	for (i = POLICY_ROWS_COUNT; i-- > 0;) {
		*field(&cfg, &rows[i]) = rows[i].max + 1;
		assert_refused(&cfg, rows[i].name, rows[i].max + 1, rows[i].min, rows[i].max);
	}
}

static void config__rules_between_fields(void **state)
{
	struct pvs_config cfg = roomy();

	(void)state;
	pvs_config_resolve(&cfg);
	cfg.boost_burst_ns = 3000000;
	cfg.boost_resume_ns = 3000001;
	assert_refused(&cfg, "boost_resume_ns", 3000001, 1, 3000000);
	cfg.boost_resume_ns = 3000000;
	cfg.look_cost_ns = 1000000;
	assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	cfg.boost_resume_ns = 500000;
	cfg.look_cost_ns = 500000;
	assert_refused(&cfg, "look_cost_ns", 500000, 1, 499999);
	cfg.look_cost_ns = 499999;
	assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	cfg.debt_max_ns = 5000000;
	cfg.debt_start_ns = 5000000;
	assert_refused(&cfg, "debt_start_ns", 5000000, 1, 4999999);
	cfg.debt_start_ns = 4999999;
	assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	cfg.vm_burst_ns = 200000;
	cfg.vm_quantum_ns = 200001;
	assert_refused(&cfg, "vm_quantum_ns", 200001, 1, 200000);
	cfg.vm_quantum_ns = 200000;
	assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	/* the first of these too */
	cfg.vm_quantum_ns = 200001;
	cfg.debt_start_ns = 5000000;
	assert_refused(&cfg, "debt_start_ns", 5000000, 1, 4999999);
	cfg.look_cost_ns = 500000;
	assert_refused(&cfg, "look_cost_ns", 500000, 1, 499999);
	cfg.boost_burst_ns = 400000;
	assert_refused(&cfg, "boost_resume_ns", 500000, 1, 400000);
}

/* ---- P-2.4 ----------------------------------------------------------------------------- */

static pvs_u32 cost(pvs_u32 q)
{
	return (1048576u + q - 1) / q;
}

static pvs_u64 part10(pvs_u64 x, pvs_u64 q)
{
	return x * q / 1024;
}

static void assert_derived(const struct pvs_config *c)
{
	pvs_u64 q = c->boost_share_q10;
	pvs_u64 look = part10(c->look_cost_ns, cost(c->boost_share_q10));
	pvs_u64 span = c->boost_burst_ns * 1024ull / q;
	pvs_u32 resume = c->boost_resume_ns;
	pvs_u64 open;

	if (resume > c->boost_burst_ns)
		resume = c->boost_burst_ns;
	assert_int_equal(c->decision_flags, c->flags & 1 ? 2 : 0);
	assert_int_equal(c->vm_cost_q10, cost(c->vm_share_q10));
	assert_true(c->vm_quantum_wall_ns == part10(c->vm_quantum_ns, cost(c->vm_share_q10)));
	assert_true(c->vm_burst_wall_ns == part10(c->vm_burst_ns, cost(c->vm_share_q10)));
	assert_int_equal(c->boost_cost_q10, cost(c->boost_share_q10));
	assert_int_equal(c->irq_cost_q10, cost(c->irq_share_q10));
	assert_true(c->look_earned_ns == look);
	assert_true(c->boost_span_ns == span);
	open = span - resume * 1024ull / q + look;
	assert_true(c->boost_open_ns == (open < span ? open : span - 1));
	assert_true(c->irq_span_ns == c->irq_burst_ns * 1024ull / c->irq_share_q10);
	assert_true(c->irq_open_ns == c->irq_burst_ns * 1024ull / c->irq_share_q10 / 2);
	assert_int_equal(c->storm_count_max,
			 (pvs_u32)((pvs_u64)c->storm_rate_hz * c->storm_window_ns / 1000000000 +
				   c->storm_burst));
	assert_int_equal(c->storm_cost_ns,
			 (pvs_u32)part10(c->storm_window_ns, c->storm_share_q10));
}

/* Numbers that have no pattern in common with the code's; Marsaglia's xorshift. */
static pvs_u32 next_number(pvs_u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void config__derived_values_follow_their_formulas(void **state)
{
	pvs_u32 seed = 20261122, round;
	unsigned i;

	(void)state;
	for (round = 0; round < 500; round++) {
		struct pvs_config cfg;

		memset(&cfg, 0, sizeof(cfg));
		for (i = 0; i < POLICY_ROWS_COUNT; i++) {
			pvs_u32 wide = rows[i].max - rows[i].min + 1;

			if (round && next_number(&seed) % 3)
				*field(&cfg, &rows[i]) =
					rows[i].min + (wide ? next_number(&seed) % wide : 0);
		}
		pvs_config_resolve(&cfg);
		assert_derived(&cfg);
		cfg.storm_cost_ns = 12345; /* derived anew each time */
		cfg.irq_open_ns = 12345;
		pvs_config_resolve(&cfg);
		assert_derived(&cfg);
	}
}

/* ---- P-2.6 ----------------------------------------------------------------------------- */

static void config__each_profile_is_a_few_fields(void **state)
{
	struct pvs_config wanted[5], cfg, before;
	unsigned i, k;

	(void)state;
	memset(wanted, 0, sizeof(wanted));
	wanted[1].flags = 1;
	wanted[2].boost_share_q10 = 341;
	wanted[2].boost_burst_ns = 6000000;
	wanted[2].vm_share_q10 = 1024;
	wanted[3].boost_share_q10 = 128;
	wanted[3].boost_burst_ns = 2000000;
	wanted[3].grant_max_ns = 1000000;
	wanted[3].vm_share_q10 = 256;
	wanted[3].vm_burst_ns = 10000000;
	wanted[4].boost_burst_ns = 8000000;
	wanted[4].grant_max_ns = 6000000;
	wanted[4].poll_ns = 16000000;
	wanted[4].quiet_poll_ns = 250000000;
	wanted[4].urgent_poll_ns = 4000000;
	for (i = 0; i < 5; i++) {
		pvs_config_resolve(&wanted[i]);
		memset(&cfg, 0xa5, sizeof(cfg));
		assert_int_equal(pvs_config_profile(i, &cfg), PVS_OK);
		for (k = 0; k < POLICY_ROWS_COUNT; k++)
			assert_int_equal(*field(&cfg, &rows[k]), *field(&wanted[i], &rows[k]));
		assert_derived(&cfg);
		assert_int_equal(pvs_config_check(&cfg, NULL), PVS_OK);
	}
	before = cfg;
	assert_int_equal(pvs_config_profile(5, &cfg), PVS_E_INVALID);
	assert_memory_equal(&cfg, &before, sizeof(cfg));
}

/* ---- the same of performance, PP-1.1 ---------------------------------------------------- */

#define AS_PERF_ROW(field, min, max, preset) \
	{ #field, offsetof(struct pvs_perf_config, field), min, max, preset },

static const struct row perf_rows[] = { PERF_ROWS(AS_PERF_ROW) };

static pvs_u32 *perf_field(struct pvs_perf_config *cfg, const struct row *row)
{
	return (pvs_u32 *)(void *)((char *)cfg + row->offset);
}

static void assert_perf_refused(struct pvs_perf_config *cfg, const struct row *row, pvs_u32 value)
{
	struct pvs_config_error err = { "", 0, 0, 0 };

	*perf_field(cfg, row) = value;
	assert_int_equal(pvs_perf_check(cfg, &err), PVS_E_RANGE);
	assert_string_equal(err.field, row->name);
	assert_int_equal(err.value, value);
	assert_int_equal(err.min, row->min);
	assert_int_equal(err.max, row->max);
	assert_int_equal(pvs_perf_check(cfg, NULL), PVS_E_RANGE);
}

static void config__performance_has_its_own_table(void **state)
{
	struct pvs_perf_config cfg;
	unsigned i;

	(void)state;
	for (i = 0; i < PERF_ROWS_COUNT; i++) {
		const struct row *row = &perf_rows[i];

		memset(&cfg, 0, sizeof(cfg));
		pvs_perf_resolve(&cfg);
		assert_int_equal(*perf_field(&cfg, row), row->preset);
		*perf_field(&cfg, row) = row->min;
		pvs_perf_resolve(&cfg);
		assert_int_equal(*perf_field(&cfg, row), row->min);
		assert_int_equal(pvs_perf_check(&cfg, NULL), PVS_OK);
		*perf_field(&cfg, row) = row->max;
		assert_int_equal(pvs_perf_check(&cfg, NULL), PVS_OK);
		assert_perf_refused(&cfg, row, row->max + 1);
		assert_perf_refused(&cfg, row, row->min - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config__zero_stands_for_each_preset),
		cmocka_unit_test(config__each_field_is_checked_at_both_ends),
		cmocka_unit_test(config__the_first_bad_field_is_named),
		cmocka_unit_test(config__rules_between_fields),
		cmocka_unit_test(config__derived_values_follow_their_formulas),
		cmocka_unit_test(config__each_profile_is_a_few_fields),
		cmocka_unit_test(config__performance_has_its_own_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
