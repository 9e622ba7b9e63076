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

PVS_API void pvs_state_save(const struct pvs_vcpu *v, struct pvs_saved *out)
{
	out->version = PVS_SAVED_VERSION;
	out->share_q16 = v->share_q16;
	out->boost_left_ns = v->boost_left_ns;
	out->irq_left_ns = v->irq_left_ns;
	out->normal_left_ns = v->normal_left_ns;
	out->low_ns = v->low_ns;
	out->low_before_ns = v->low_before_ns;
	out->boosted_ns = v->boosted_ns;
	out->boosts = v->boosts;
	out->denials = v->denials;
	out->overruns = v->overruns;
	out->malformed = v->malformed;
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
	pvs_s64 burst = cfg->boost_burst_ns;
	pvs_s64 debt_max = cfg->debt_max_ns;

	pvs_vcpu_init(v, cfg);
	if (in->version != PVS_SAVED_VERSION || (in->latches & ~LATCH_ALL) || in->reserved)
		return PVS_E_SAVED;
	v->share_q16 = (pvs_u32)clamp(in->share_q16, 0, 65536);
	v->boost_left_ns = clamp(in->boost_left_ns, -debt_max, burst);
	v->irq_left_ns = clamp(in->irq_left_ns, -debt_max, cfg->irq_burst_ns);
	v->normal_left_ns = clamp(in->normal_left_ns, -debt_max, cfg->credit_max_ns);
	v->low_ns = clamp(in->low_ns, -debt_max, burst);
	v->low_before_ns = clamp(in->low_before_ns, -debt_max, burst);
	v->boosted_ns = in->boosted_ns;
	v->boosts = in->boosts;
	v->denials = in->denials;
	v->overruns = in->overruns;
	v->malformed = in->malformed;
	v->boost_empty = (in->latches & LATCH_BOOST) != 0;
	v->irq_empty = (in->latches & LATCH_IRQ) != 0;
	v->paying = (in->latches & LATCH_PAYING) != 0;
	return PVS_OK;
}
