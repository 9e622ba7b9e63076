/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What survives a migration or a restart of the host side: accounts and counters, as durations.
 * Points in time and hints do not: the guest says them again.
 */
#include "stage.h"

#define LATCH_BOOST  0x1u
#define LATCH_IRQ    0x2u
#define LATCH_PAYING 0x4u
#define LATCH_ALL    0x7u

/* boosts, denials, overruns and malformed stand together in both */
#define COUNTERS_SIZE (4u * sizeof(pvs_u32))

/* A boost that goes on is not settled yet: its run time is owed, less what a known share gives. */
static pvs_s64 unsettled(const struct pvs_vcpu *v)
{
	pvs_u64 dt = v->clock_ns - v->settled_clock_ns;
	pvs_u64 run = v->ran_ns - v->settled_ran_ns;
	pvs_u64 share;

	if (v->klass < PVS_CLASS_TASK && !v->paying)
		return v->normal_left_ns;
	share = (pvs_min64(dt, (pvs_u64)1 << 47) * v->share_q16) >> 16;
	return v->normal_left_ns - (pvs_s64)pvs_less64(run, share);
}

PVS_API void pvs_state_save(const struct pvs_vcpu *v, struct pvs_saved *out)
{
	out->version = PVS_SAVED_VERSION;
	out->share_q16 = v->share_q16;
	out->boost_used_ns = pvs_used(v->boost_full_at_ns, v->earned_ns);
	out->irq_used_ns = pvs_used(v->irq_full_at_ns, v->earned_ns);
	out->normal_left_ns = unsettled(v);
	out->high_ns = v->high_ns;
	out->high_before_ns = v->high_before_ns;
	out->boosted_ns = v->boosted_ns;
	__builtin_memcpy(&out->boosts, &v->boosts, COUNTERS_SIZE);
	out->latches = (v->boost_empty ? LATCH_BOOST : 0u) | (v->irq_empty ? LATCH_IRQ : 0u) |
		       (v->paying ? LATCH_PAYING : 0u);
	out->reserved = 0;
}

static pvs_s64 clamp(pvs_s64 value, pvs_s64 min, pvs_s64 max)
{
	if (value < min)
		return min;
	return value > max ? max : value;
}

PVS_API int pvs_state_restore(struct pvs_vcpu *v, const struct pvs_config *cfg,
			      const struct pvs_saved *in)
{
	pvs_u64 used_max_ns = 2u * cfg->boost_span_ns;
	pvs_s64 debt_max = cfg->debt_max_ns;

	pvs_vcpu_init(v, cfg);
	if (in->version != PVS_SAVED_VERSION || (in->latches & ~LATCH_ALL) || in->reserved)
		return PVS_E_SAVED;
	/* as far as learning can get, account.c; 0 = not known */
	v->share_q16 = (pvs_u32)pvs_min64(in->share_q16, 65536u);
	if (v->share_q16 && v->share_q16 < 256u)
		v->share_q16 = 256u;
	v->boost_full_at_ns = pvs_min64(in->boost_used_ns, used_max_ns);
	v->irq_full_at_ns = pvs_min64(in->irq_used_ns, 2u * cfg->irq_span_ns);
	v->normal_left_ns = clamp(in->normal_left_ns, -debt_max, 0);
	v->high_ns = pvs_min64(in->high_ns, used_max_ns);
	v->high_before_ns = pvs_min64(in->high_before_ns, used_max_ns);
	v->boosted_ns = in->boosted_ns;
	__builtin_memcpy(&v->boosts, &in->boosts, COUNTERS_SIZE);
	/* an empty account is closed, whatever the record says */
	v->boost_empty = (in->latches & LATCH_BOOST) || v->boost_full_at_ns >= cfg->boost_span_ns;
	v->irq_empty = (in->latches & LATCH_IRQ) || v->irq_full_at_ns >= cfg->irq_span_ns;
	v->paying = (in->latches & LATCH_PAYING) != 0;
	return PVS_OK;
}
