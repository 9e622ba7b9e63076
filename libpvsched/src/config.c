/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Defaults and ranges of every number, one row each. The header has units, sources and costs.
 */
#include "stage.h"

#define US 1000u
#define MS (1000u * US)
#define SEC (1000u * MS)

#define ROW(name, min, max, preset) { #name, (min), (max), (preset) }

/* In declaration order. boost_resume_ns has no preset of its own: it is 7/8 of the burst. */
static const struct pvs_field fields[] = {
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
	ROW(ticket_max_ns, 10 * US, 100 * MS, 1 * MS),
	ROW(storm_window_ns, 1 * MS, SEC, 10 * MS),
	ROW(storm_share_q10, 1, 1024, 102),
	ROW(storm_rate_hz, 100, 1000000, 20000),
	ROW(storm_burst, 1, 65535, 64),
	ROW(storm_hold_ns, 1 * MS, 4u * SEC, 100 * MS),
	ROW(defer_ns, 1 * US, 1 * MS, 50 * US),
};

/* Rounded up: an account never gives more than its share. */
static pvs_u32 cost_of_share(pvs_u32 share_q10)
{
	return ((1024u * 1024u) + share_q10 - 1u) / share_q10;
}

/* Time of an account in earned time, rounded down. */
static pvs_u64 earned(pvs_u64 ns, pvs_u32 share_q10)
{
	return PVS_DIV64(ns << 10, share_q10);
}

/*
 * A value that pvs_config_check() refuses must not be divided by, nor make an account larger than
 * its capacity.
 */
static void derive(struct pvs_config *cfg)
{
	pvs_u64 per_window;

	cfg->decision_flags = (cfg->flags & PVS_CONFIG_MEASURE_ONLY) ? PVS_DECISION_MEASURE : 0u;
	cfg->vm_cost_q10 = cost_of_share(cfg->vm_share_q10);
	cfg->vm_quantum_wall_ns = pvs_part_q10(cfg->vm_quantum_ns, cfg->vm_cost_q10);
	cfg->vm_burst_wall_ns = pvs_part_q10(cfg->vm_burst_ns, cfg->vm_cost_q10);
	cfg->boost_cost_q10 = cost_of_share(cfg->boost_share_q10);
	cfg->irq_cost_q10 = cost_of_share(cfg->irq_share_q10);

	cfg->look_earned_ns = pvs_part_q10(cfg->look_cost_ns, cfg->boost_cost_q10);
	cfg->boost_span_ns = earned(cfg->boost_burst_ns, cfg->boost_share_q10);
	/* The look that finds it full enough has been charged already: that must not keep a full
	 * account closed. */
	cfg->boost_open_ns = cfg->boost_span_ns -
			     earned(pvs_min64(cfg->boost_resume_ns, cfg->boost_burst_ns),
				    cfg->boost_share_q10) +
			     cfg->look_earned_ns;
	/* an empty account is closed, however the numbers above are rounded */
	cfg->boost_open_ns = pvs_min64(cfg->boost_open_ns, cfg->boost_span_ns - 1u);
	cfg->irq_span_ns = earned(cfg->irq_burst_ns, cfg->irq_share_q10);
	cfg->irq_open_ns = cfg->irq_span_ns / 2u;

	per_window = PVS_DIV64((pvs_u64)cfg->storm_rate_hz * cfg->storm_window_ns, SEC);
	cfg->storm_count_max = (pvs_u32)(per_window + cfg->storm_burst);
	cfg->storm_cost_ns = (pvs_u32)pvs_part_q10(cfg->storm_window_ns, cfg->storm_share_q10);
}

PVS_API void pvs_config_resolve(struct pvs_config *cfg)
{
	pvs_fields_resolve(&cfg->flags, fields, PVS_FIELDS(fields));
	if (!cfg->boost_resume_ns)
		cfg->boost_resume_ns = cfg->boost_burst_ns - cfg->boost_burst_ns / 8;
	derive(cfg);
}

/* A field that may not be above another one, whatever its own range. */
static int at_most(const char *name, pvs_u32 value, pvs_u32 max, struct pvs_config_error *err)
{
	const struct pvs_field row = { name, 1, max, 0 };

	return pvs_field_check(&row, value, err) == PVS_OK;
}

PVS_API int pvs_config_check(const struct pvs_config *cfg, struct pvs_config_error *err)
{
	if (pvs_fields_check(&cfg->flags, fields, PVS_FIELDS(fields), err) != PVS_OK)
		return PVS_E_RANGE;
	/* An account that can never fill up to here would stay closed for ever ... */
	if (at_most("boost_resume_ns", cfg->boost_resume_ns, cfg->boost_burst_ns, err) &&
	    /* ... as would one that a look empties, ... */
	    at_most("look_cost_ns", cfg->look_cost_ns, cfg->boost_resume_ns - 1u, err) &&
	    /* ... a debt that is forgotten before it is paid ... */
	    at_most("debt_start_ns", cfg->debt_start_ns, cfg->debt_max_ns - 1u, err) &&
	    /* ... and a cap that never has a quantum. */
	    at_most("vm_quantum_ns", cfg->vm_quantum_ns, cfg->vm_burst_ns, err))
		return PVS_OK;
	return PVS_E_RANGE;
}

/* The default is for a desktop or a server nobody has thought about. */
static void choose(pvs_u32 profile, struct pvs_config *cfg)
{
	switch (profile) {
	case PVS_PROFILE_MEASURE_ONLY:
		cfg->flags = PVS_CONFIG_MEASURE_ONLY;
		break;
	case PVS_PROFILE_DESKTOP_AUDIO:
		/* one VM may use most of what a person is not using: a third of its CPU and a CPU
		 * in all, in bursts of two 2.67 ms periods' work and a frame's compositing */
		cfg->boost_share_q10 = 341;
		cfg->boost_burst_ns = 6 * MS;
		cfg->vm_share_q10 = 1024;
		break;
	case PVS_PROFILE_SERVER_OVERCOMMIT:
		/* holders of locks and receivers of IPIs, no long work: an eighth, and short */
		cfg->boost_share_q10 = 128;
		cfg->boost_burst_ns = 2 * MS;
		cfg->grant_max_ns = 1 * MS;
		cfg->vm_share_q10 = 256;
		cfg->vm_burst_ns = 10 * MS;
		break;
	case PVS_PROFILE_MOBILE_DVFS:
		/* a look may wake a CPU from deep idle: fewer of them, and longer boosts */
		cfg->boost_burst_ns = 8 * MS;
		cfg->grant_max_ns = 6 * MS;
		cfg->poll_ns = 16 * MS; /* a 60 Hz frame */
		cfg->quiet_poll_ns = 250 * MS;
		cfg->urgent_poll_ns = 4 * MS;
		break;
	default:
		break;
	}
}

PVS_API int pvs_config_profile(pvs_u32 profile, struct pvs_config *cfg)
{
	if (profile >= PVS_PROFILE_COUNT)
		return PVS_E_INVALID;
	__builtin_memset(cfg, 0, sizeof(*cfg));
	choose(profile, cfg);
	pvs_config_resolve(cfg);
	return PVS_OK;
}
