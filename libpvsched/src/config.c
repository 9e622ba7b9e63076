/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Defaults and ranges of every number, one row each. The header has units, sources and costs.
 */
#include "stage.h"

#define US 1000u
#define MS (1000u * US)
#define SEC (1000u * MS)

struct field {
	const char *name;
	pvs_u32 offset;
	pvs_u32 min;
	pvs_u32 max;
	pvs_u32 preset; /* what zero stands for */
};

#define ROW(name, min, max, preset) \
	{ #name, (pvs_u32)__builtin_offsetof(struct pvs_config, name), (min), (max), (preset) }

/* In declaration order. boost_resume_ns has no preset of its own: it is 7/8 of the burst. */
static const struct field fields[] = {
	ROW(flags, 0, PVS_CONFIG_MEASURE_ONLY, 0),
	ROW(boost_share_q10, 1, 1024, 256),
	ROW(boost_burst_ns, 50 * US, 100 * MS, 4 * MS),
	ROW(boost_resume_ns, 1 * US, 100 * MS, 0),
	ROW(grant_max_ns, 5 * US, 100 * MS, 3 * MS),
	ROW(irq_share_q10, 1, 1024, 102),
	ROW(irq_burst_ns, 10 * US, 10 * MS, 1 * MS),
	ROW(credit_max_ns, 1, SEC, 2 * MS),
	ROW(debt_start_ns, 1 * US, SEC, 1 * MS),
	ROW(debt_max_ns, 1 * MS, 4u * SEC, 1 * SEC),
	ROW(vm_share_q10, 1, 65536, 512),
	ROW(vm_burst_ns, 100 * US, SEC, 20 * MS),
	ROW(vm_quantum_ns, 10 * US, 10 * MS, 500 * US),
	ROW(stale_ns, 1 * MS, 4u * SEC, 100 * MS),
	ROW(raise_min_ns, 1, SEC, 100 * US),
	ROW(malformed_min_ns, 1, SEC, 10 * MS),
	ROW(level_hold_ns, 1 * MS, 4u * SEC, 1 * SEC),
	ROW(pay_weight_q10, 1, 1023, 512),
	ROW(below_weight_q10, 1, 1023, 15),
	ROW(recheck_min_ns, 1 * US, 100 * MS, 250 * US),
	ROW(poll_ns, 100 * US, SEC, 10 * MS),
	ROW(quiet_poll_ns, 100 * US, 4u * SEC, 100 * MS),
	ROW(urgent_poll_ns, 100 * US, SEC, 1 * MS),
	ROW(kick_min_ns, 1 * US, SEC, 10 * MS),
	ROW(look_cost_ns, 1, 1 * MS, 15 * US),
	ROW(dt_max_ns, 1 * MS, 4u * SEC, 1 * SEC),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static pvs_u32 *value_of(struct pvs_config *cfg, const struct field *f)
{
	return (pvs_u32 *)(void *)((unsigned char *)cfg + f->offset);
}

PVS_API void pvs_config_resolve(struct pvs_config *cfg)
{
	pvs_u32 i;

	PVS_FOR(i, FIELD_COUNT) {
		pvs_u32 *value = value_of(cfg, &fields[i]);

		if (!*value)
			*value = fields[i].preset;
	}
	if (!cfg->boost_resume_ns)
		cfg->boost_resume_ns = cfg->boost_burst_ns - cfg->boost_burst_ns / 8;
	/* Rounded up: the cap never gives more than its share. */
	cfg->vm_cost_q10 = ((1024u * 1024u) + cfg->vm_share_q10 - 1u) / cfg->vm_share_q10;
}

static int out_of_range(const char *name, pvs_u32 value, pvs_u32 min, pvs_u32 max,
			struct pvs_config_error *err)
{
	if (value >= min && value <= max)
		return 0;
	if (err) {
		err->field = name;
		err->value = value;
		err->min = min;
		err->max = max;
	}
	return 1;
}

PVS_API int pvs_config_check(const struct pvs_config *cfg, struct pvs_config_error *err)
{
	struct pvs_config copy = *cfg;
	pvs_u32 i;

	PVS_FOR(i, FIELD_COUNT) {
		const struct field *f = &fields[i];

		if (out_of_range(f->name, *value_of(&copy, f), f->min, f->max, err))
			return PVS_E_RANGE;
	}
	/* An account that can never fill up to here would stay closed for ever. */
	if (out_of_range("boost_resume_ns", cfg->boost_resume_ns, 1, cfg->boost_burst_ns, err))
		return PVS_E_RANGE;
	return PVS_OK;
}

PVS_API int pvs_config_profile(pvs_u32 profile, struct pvs_config *cfg)
{
	static const struct pvs_config zero;

	if (profile >= PVS_PROFILE_COUNT)
		return PVS_E_INVALID;
	*cfg = zero;
	if (profile == PVS_PROFILE_MEASURE_ONLY)
		cfg->flags = PVS_CONFIG_MEASURE_ONLY;
	pvs_config_resolve(cfg);
	return PVS_OK;
}
