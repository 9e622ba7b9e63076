/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the accounts allow of what the hint asks for. An empty account ends a boost whatever the
 * guest says, and stays closed until it has recovered.
 */
#include "stage.h"

/* Opens or closes the latch of an account. Returns 1 when a running boost has just emptied it. */
static int latch(pvs_u8 *empty, pvs_s64 left, pvs_s64 resume, int boosted)
{
	if (*empty) {
		if (left >= resume)
			*empty = 0;
		return 0;
	}
	if (left > 0)
		return 0;
	*empty = 1;
	return boosted;
}

static void update_latches(struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	int boosted = pvs_boosted(v->klass);
	/* This look's own cost must not keep a full account closed. */
	pvs_s64 resume_ns = (pvs_s64)cfg->boost_resume_ns - cfg->look_cost_ns;
	int emptied = latch(&v->boost_empty, v->boost_left_ns, resume_ns, boosted && !v->on_irq);

	emptied |= latch(&v->irq_empty, v->irq_left_ns, cfg->irq_burst_ns / 2,
			 boosted && v->on_irq);
	if (emptied)
		v->overruns++;

	if (v->grant_used_ns >= cfg->grant_max_ns)
		v->grant_full = 1;
	else if (!v->grant_used_ns)
		v->grant_full = 0;

	if (v->normal_left_ns < -(pvs_s64)cfg->debt_start_ns)
		v->paying = 1;
	else if (v->normal_left_ns >= 0)
		v->paying = 0;

	if (!v->raise_wait_ns)
		v->suspect = 0;
}

/* The first reason why this boost may not be, or PVS_REASON_NONE. */
static pvs_u32 objection(const struct pvs_vcpu *v, const struct pvs_facts *facts, pvs_u32 on_irq)
{
	pvs_s64 left = on_irq ? v->irq_left_ns : v->boost_left_ns;

	if (on_irq ? v->irq_empty : v->boost_empty)
		return on_irq ? PVS_REASON_IRQ_EMPTY : PVS_REASON_BOOST_EMPTY;
	if (v->grant_full)
		return PVS_REASON_GRANT_MAX;
	if (pvs_boosted(v->klass))
		return PVS_REASON_NONE; /* it goes on; the rest is about raising */
	if (left < (pvs_s64)facts->timer_granularity_ns)
		return PVS_REASON_TOO_SHORT;
	if (v->raise_wait_ns)
		return v->suspect ? PVS_REASON_MALFORMED : PVS_REASON_RATE;
	return PVS_REASON_NONE;
}

/* Keeps a piece of the VM's cap in hand while boosted, gives the rest back afterwards. */
static int hold_cap(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		    pvs_u64 now_ns)
{
	if (v->reserved_ns > 0)
		return 1;
	if (v->reserved_ns < 0) {
		pvs_cap_charge(vm, cfg, now_ns, (pvs_u64)-v->reserved_ns);
		v->reserved_ns = 0;
	}
	if (!pvs_cap_take(vm, cfg, now_ns, cfg->vm_quantum_ns))
		return 0;
	v->reserved_ns = cfg->vm_quantum_ns;
	return 1;
}

static void release_cap(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			pvs_u64 now_ns)
{
	if (v->reserved_ns > 0)
		pvs_cap_refund(vm, cfg, (pvs_u64)v->reserved_ns);
	else if (v->reserved_ns < 0)
		pvs_cap_charge(vm, cfg, now_ns, (pvs_u64)-v->reserved_ns);
	v->reserved_ns = 0;
}

static void deny(struct pvs_want *want, pvs_u32 reason)
{
	want->klass = PVS_CLASS_BASELINE;
	want->reason = (pvs_u8)reason;
	want->denied = (pvs_u8)reason;
	want->on_irq = 0;
}

PVS_STAGE void pvs_limit(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			 const struct pvs_facts *facts, struct pvs_want *want)
{
	update_latches(v, cfg);
	if (pvs_boosted(want->klass)) {
		pvs_u32 reason = objection(v, facts, want->on_irq);

		if (reason == PVS_REASON_NONE && !hold_cap(v, vm, cfg, facts->now_ns))
			reason = PVS_REASON_VM_CAP;
		if (reason != PVS_REASON_NONE)
			deny(want, reason);
	}
	if (!pvs_boosted(want->klass)) {
		release_cap(v, vm, cfg, facts->now_ns);
		if (v->paying && v->attached && !v->outside && want->klass == PVS_CLASS_BASELINE) {
			want->klass = PVS_CLASS_BELOW;
			want->reason = PVS_REASON_PAYBACK;
		}
	}
}

/*
 * Boosted vCPUs are ranked by what they kept in hand lately, not by what they have now: who
 * empties its account each time it has refilled stays behind who never comes near the bottom.
 */
PVS_STAGE pvs_u8 pvs_rank(const struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_s64 low = v->low_ns < v->low_before_ns ? v->low_ns : v->low_before_ns;
	pvs_s64 eighth = (pvs_s64)(cfg->boost_burst_ns / PVS_RANKS);
	pvs_s64 step = eighth;
	pvs_u8 rank = 0;
	pvs_u32 i;

	PVS_FOR(i, PVS_RANKS - 1u) {
		rank = (pvs_u8)(rank + (low >= step));
		step += eighth;
	}
	return rank;
}
