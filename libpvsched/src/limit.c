/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the accounts allow of what the hint asks for. An empty account ends a boost whatever the
 * guest says, and stays closed until it has recovered.
 */
#include "stage.h"

/* The first reason why this boost may not be, or PVS_REASON_NONE. */
PVS_INLINE pvs_u32 objection(const struct pvs_vcpu *v, const struct pvs_facts *facts,
			     const struct pvs_now *now)
{
	if (now->on_irq ? v->irq_empty : v->boost_empty)
		return now->on_irq ? PVS_REASON_IRQ_EMPTY : PVS_REASON_BOOST_EMPTY;
	if (v->grant_full)
		return PVS_REASON_GRANT_MAX;
	if (pvs_boosted(v->klass))
		return PVS_REASON_NONE; /* it goes on; the rest is about raising */
	if (now->left_ns < facts->timer_granularity_ns)
		return PVS_REASON_TOO_SHORT;
	if (v->clock_ns < v->raise_ok_ns)
		return v->suspect ? PVS_REASON_MALFORMED : PVS_REASON_RATE;
	return PVS_REASON_NONE;
}

/* Keeps a piece of the VM's cap in hand while boosted, gives the rest back afterwards. */
PVS_INLINE int hold_cap(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			pvs_u64 now_ns)
{
	if (v->reserved_ns > 0)
		return 1;
	if (v->reserved_ns < 0) {
		pvs_cap_charge(vm, cfg, now_ns, (pvs_u64)-v->reserved_ns);
		v->reserved_ns = 0;
	}
	if (!pvs_cap_take(vm, cfg, now_ns))
		return 0;
	v->reserved_ns = cfg->vm_quantum_ns;
	return 1;
}

static void release_cap(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			pvs_u64 now_ns)
{
	if (v->reserved_ns > 0)
		pvs_cap_refund(vm, cfg, (pvs_u64)v->reserved_ns);
	else
		pvs_cap_charge(vm, cfg, now_ns, (pvs_u64)-v->reserved_ns);
	v->reserved_ns = 0;
}

PVS_INLINE void deny(struct pvs_now *now, pvs_u32 reason)
{
	now->klass = PVS_CLASS_BASELINE;
	now->reason = reason;
	now->denied = reason;
	now->on_irq = 0;
}

/* Boosted run time until the account that would pay is empty. */
PVS_INLINE pvs_u64 left_of(const struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 on_irq)
{
	pvs_u64 used = pvs_used(on_irq ? v->irq_full_at_ns : v->boost_full_at_ns, v->earned_ns);

	if (on_irq)
		return pvs_part_q10(pvs_less64(cfg->irq_span_ns, used), cfg->irq_share_q10);
	return pvs_part_q10(pvs_less64(cfg->boost_span_ns, used), cfg->boost_share_q10);
}

/* A boost begins: the normal account is level with now. */
static void begin(struct pvs_vcpu *v, const struct pvs_config *cfg, const struct pvs_facts *facts)
{
	if (v->paying)
		pvs_settle_normal(v, cfg, facts);
	v->settled_clock_ns = v->clock_ns;
	v->settled_ran_ns = v->ran_ns;
}

/* No boost: what it owes is known, and paid back. */
static void pay(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		const struct pvs_facts *facts, struct pvs_now *now)
{
	pvs_settle_normal(v, cfg, facts);
	if (v->reserved_ns)
		release_cap(v, vm, cfg, facts->now_ns);
	if (v->paying && now->klass == PVS_CLASS_BASELINE && !v->gate) {
		now->klass = PVS_CLASS_BELOW;
		now->reason = PVS_REASON_PAYBACK;
	}
}

PVS_STAGE void pvs_limit(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			 const struct pvs_facts *facts, struct pvs_now *now)
{
	if (pvs_boosted(now->klass)) {
		pvs_u32 reason;

		now->left_ns = left_of(v, cfg, now->on_irq);
		reason = objection(v, facts, now);
		if (reason == PVS_REASON_NONE && !hold_cap(v, vm, cfg, facts->now_ns))
			reason = PVS_REASON_VM_CAP;
		if (reason == PVS_REASON_NONE) {
			if (!pvs_boosted(v->klass))
				begin(v, cfg, facts);
			return;
		}
		deny(now, reason);
	}
	if (pvs_boosted(v->klass) || v->paying)
		pay(v, vm, cfg, facts, now);
}

/*
 * Boosted vCPUs are ranked by what they kept in hand lately, not by what they have now: who
 * empties its account each time it has refilled stays behind who never comes near the bottom.
 * Eighths of the account, by halves.
 */
PVS_STAGE pvs_u32 pvs_rank(const struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_u64 used = pvs_max64(v->high_ns, v->high_before_ns);
	pvs_u64 left = pvs_less64(cfg->boost_span_ns, used);
	pvs_u64 step = cfg->boost_span_ns >> 1;
	pvs_u32 rank = 0;

	if (left >= step) {
		left -= step;
		rank = 4;
	}
	step >>= 1;
	if (left >= step) {
		left -= step;
		rank += 2;
	}
	return rank + (left >= step >> 1);
}
