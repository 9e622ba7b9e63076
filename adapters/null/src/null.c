/* SPDX-License-Identifier: BSD-2-Clause */
#include <pvs/null.h>

#include <stddef.h>

#define WEIGHT_BASELINE 1024u

static int null_capture(void *ctx)
{
	struct pvs_null_vcpu *v = ctx;

	v->captures++;
	if (v->fail_capture != PVS_OK)
		return v->fail_capture;
	v->captured = 1;
	v->klass = PVS_CLASS_BASELINE;
	v->weight_q10 = WEIGHT_BASELINE;
	return PVS_OK;
}

static int null_apply(void *ctx, const struct pvs_decision *decision)
{
	struct pvs_null_vcpu *v = ctx;

	v->records[v->applies++ & (PVS_NULL_RECORDS - 1u)] = *decision;
	if (v->fail_apply != PVS_OK)
		return v->fail_apply;
	v->klass = decision->klass;
	v->weight_q10 = decision->weight_q10;
	return PVS_OK;
}

static int null_restore(void *ctx)
{
	struct pvs_null_vcpu *v = ctx;

	v->restores++;
	if (v->fail_restore != PVS_OK)
		return v->fail_restore;
	v->klass = PVS_CLASS_BASELINE;
	v->weight_q10 = WEIGHT_BASELINE;
	return PVS_OK;
}

static int null_now(void *ctx, struct pvs_facts *facts, int sample)
{
	struct pvs_null_vcpu *v = ctx;
	const struct pvs_null *null = sample ? v->null : ctx;

	facts->now_ns = null->now_ns;
	facts->timer_granularity_ns = null->timer_granularity_ns;
	if (sample == PVS_SAMPLE_CLOCK)
		return PVS_OK;
	v->samples++;
	if (v->fail_now != PVS_OK)
		return v->fail_now;
	facts->run_ns = v->run_ns;
	facts->wait_ns = v->wait_ns;
	facts->wait_known = sample == PVS_SAMPLE_RUN_WAIT;
	facts->entitlement_q16 = v->entitlement_q16;
	facts->nested = v->nested;
	return PVS_OK;
}

static int null_arm(void *ctx, pvs_u64 at_ns)
{
	struct pvs_null *null = ctx;

	null->armed_at_ns = at_ns;
	null->arms++;
	return PVS_OK;
}

static int null_kick(void *ctx)
{
	struct pvs_null_vcpu *v = ctx;

	v->kicks++;
	return v->fail_kick;
}

const struct pvs_adapter_ops pvs_null_ops = {
	.capture = null_capture,
	.apply = null_apply,
	.restore = null_restore,
	.now = null_now,
	.arm = null_arm,
	.kick = null_kick,
};

const struct pvs_decision *pvs_null_last(const struct pvs_null_vcpu *v)
{
	if (!v->applies)
		return NULL;
	return &v->records[(v->applies - 1u) & (PVS_NULL_RECORDS - 1u)];
}
