/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decision -> scheduling attributes. The class and rank are the core's; this only spreads them
 * over what this host has.
 */
#include "kvm_private.h"

#define LEVELS (2u * PVS_RANKS)
#define WEIGHT_BASELINE 1024u

/* Order among boosted vCPUs: 0..15, CRITICAL above TASK. */
static pvs_u32 level_of(const struct pvs_decision *d)
{
	pvs_u32 rank = d->rank < PVS_RANKS ? d->rank : PVS_RANKS - 1u;

	return d->klass == PVS_CLASS_CRITICAL ? PVS_RANKS + rank : rank;
}

/* Sixteen levels over as many priorities as are permitted. */
static pvs_u32 rt_priority(const struct pvs_kvm_range *r, pvs_u32 level)
{
	return r->rt_base + level * r->rt_levels / LEVELS;
}

/* From one step above the baseline (level 0) to the best nice (level 15). */
static pvs_s32 boost_nice(const struct pvs_kvm_range *r, pvs_s32 baseline, pvs_u32 level)
{
	pvs_s32 span = baseline - r->nice_best;
	pvs_s32 up;

	if (span <= 0)
		return baseline;
	up = (span * (pvs_s32)(level + 1u) + (pvs_s32)LEVELS - 1) / (pvs_s32)LEVELS;
	return baseline - up;
}

static void boost(const struct pvs_kvm_range *r, pvs_u32 level, struct pvs_kvm_attr *out)
{
	if (r->knobs & PVS_KVM_KNOB_RT) {
		out->policy = POLICY_FIFO;
		out->priority = rt_priority(r, level);
		out->nice = 0;
		out->runtime_ns = 0;
		return;
	}
	if (r->knobs & PVS_KVM_KNOB_NICE) {
		out->nice = boost_nice(r, out->nice, level);
		if (out->policy == POLICY_IDLE)
			out->policy = POLICY_NORMAL;
	}
	if ((r->knobs & PVS_KVM_KNOB_SLICE) && pvs_kvm_attr_is_fair(out))
		out->runtime_ns = SLICE_MIN_NS;
}

/* Steps of nice that take a weight of 1024 nearest to weight_q10: a step is a factor of 4/5 (Linux,
 * kernel/sched/core.c), so that nearest ends half a step, about 9/10, above it. */
static pvs_s32 nice_steps(pvs_u32 weight_q10)
{
	pvs_u64 weight = (pvs_u64)WEIGHT_BASELINE << 16;
	pvs_u64 wanted = (pvs_u64)weight_q10 << 16;
	pvs_s32 steps = 0;

	while (weight * 9u / 10u > wanted && steps < NICE_MAX - NICE_MIN) {
		weight = weight * 4u / 5u;
		steps++;
	}
	return steps;
}

static void below(const struct pvs_kvm_range *r, pvs_u32 weight_q10, struct pvs_kvm_attr *out)
{
	if (!(r->knobs & PVS_KVM_KNOB_BELOW) || out->policy == POLICY_IDLE)
		return;
	out->nice += nice_steps(weight_q10);
	if (out->nice > NICE_MAX)
		out->nice = NICE_MAX;
}

static void util(const struct pvs_kvm_attr *baseline, pvs_u32 perf_q10, struct pvs_kvm_attr *out)
{
	out->flags |= FLAG_UTIL_MIN;
	out->util_min = perf_q10 > baseline->util_min ? perf_q10 : baseline->util_min;
	if (out->util_min > baseline->util_max)
		out->util_min = baseline->util_max;
	if (!out->util_min)
		out->util_min = UTIL_RESET;
}

void pvs_kvm_plan(const struct pvs_kvm_attr *baseline, const struct pvs_kvm_range *range,
		  const struct pvs_decision *decision, struct pvs_kvm_attr *out)
{
	*out = *baseline;
	if (decision->klass >= PVS_CLASS_TASK)
		boost(range, level_of(decision), out);
	else if (decision->klass == PVS_CLASS_BELOW)
		below(range, decision->weight_q10, out);
	if (range->knobs & PVS_KVM_KNOB_UCLAMP)
		util(baseline, decision->perf_q10, out);
}
