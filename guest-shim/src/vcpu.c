/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A vCPU's slot: opened, closed, and what the host says there.
 */
#include "shim.h"

/* An `applied` word that sends every statement the long way. */
static const pvs_u64 long_way = PVS_GUEST_LE64(PVS_APPLIED_KICK_RAISE);

/* Bits of `intent`, but for the sequence, that a guest with these features may set. */
static pvs_u64 intent_mask(pvs_u64 features)
{
	pvs_u64 mask = PVS_SHIM_FIELD(PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS) |
		       PVS_SHIM_FIELD(PVS_INTENT_LEVEL_SHIFT, PVS_INTENT_LEVEL_BITS) |
		       PVS_SHIM_FIELD(PVS_INTENT_IDLE_SHIFT, 1);

	if (features & PVS_F_UTIL)
		mask |= PVS_SHIM_FIELD(PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS) |
			PVS_SHIM_FIELD(PVS_INTENT_UTIL_VALID_SHIFT, 1);
	if (features & PVS_F_WAKE)
		mask |= PVS_SHIM_FIELD(PVS_INTENT_WAKE_CLASS_SHIFT, PVS_INTENT_WAKE_CLASS_BITS) |
			PVS_SHIM_FIELD(PVS_INTENT_WAKE_LEVEL_SHIFT, PVS_INTENT_WAKE_LEVEL_BITS) |
			PVS_SHIM_FIELD(PVS_INTENT_WAKE_VALID_SHIFT, 1);
	if (features & PVS_F_WINDOW)
		mask |= PVS_SHIM_FIELD(PVS_INTENT_WINDOW_SHIFT, PVS_INTENT_WINDOW_BITS);
	return mask;
}

/* A slot that says nothing. `life` is not touched. */
static void say_nothing(volatile struct pvs_slot *s, pvs_u64 features)
{
	if (features & PVS_F_SPLIT_WORDS) {
		pvs_shim_store_halves(&s->intent, 0, 0);
		pvs_shim_store_halves(&s->wait, 0, 0);
	} else {
		PVS_GUEST_STORE64(&s->intent, 0);
		PVS_GUEST_STORE64(&s->wait, 0);
	}
	pvs_shim_store(&s->crit, 0, features);
	pvs_shim_store(&s->irq, 0, features);
	pvs_shim_store(&s->util_bounds, 0, features);
}

int pvs_guest_vcpu_online(const struct pvs_guest *g, pvs_u32 index, struct pvs_guest_vcpu *v)
{
	pvs_u32 reason;

	if (!v)
		return PVS_GUEST_INVALID;
	v->slot = PVS_SHIM_NULL;
	if (!g)
		return PVS_GUEST_INVALID;
	if (pvs_shim_status(g, &reason))
		return PVS_GUEST_STATE;
	if (index >= g->slot_count)
		return PVS_GUEST_INVALID;

	v->intent = 0;
	v->seq = 0;
	v->crit = 0;
	v->irq = 0;
	v->wait = 0;
	v->wait_tag = 0;
	v->features = g->features;
	v->intent_mask = intent_mask(g->features);
	v->slot_count = g->slot_count;
	v->slot = pvs_shim_slot(g, index);
	v->bell = (g->features & PVS_F_SPLIT_WORDS) ? &long_way : &v->slot->applied;
	say_nothing(v->slot, v->features);
	pvs_shim_store(&v->slot->life,
		       PVS_LIFE_ONLINE | PVS_SHIM_PUT(g->generation, PVS_LIFE_GEN_SHIFT),
		       v->features);
	return PVS_GUEST_OK;
}

void pvs_guest_vcpu_offline(struct pvs_guest_vcpu *v)
{
	if (!v->slot)
		return;
	pvs_shim_store(&v->slot->life, 0, v->features);
	say_nothing(v->slot, v->features);
	(void)pvs_guest_pend_clear(v);
	v->slot = PVS_SHIM_NULL;
}

pvs_u64 pvs_guest_applied(const struct pvs_guest_vcpu *v)
{
	return v->slot ? PVS_GUEST_LOAD64(&v->slot->applied) : 0u;
}

static void read_counters(const volatile struct pvs_slot *s, struct pvs_guest_counters *out)
{
	out->boosts = PVS_GUEST_LOAD64(&s->boosts);
	out->denials = PVS_GUEST_LOAD64(&s->denials);
	out->overruns = PVS_GUEST_LOAD64(&s->overruns);
	out->malformed = PVS_GUEST_LOAD64(&s->malformed);
	out->boosted_ns = PVS_GUEST_LOAD64(&s->boosted_ns);
}

int pvs_guest_counters(const struct pvs_guest_vcpu *v, struct pvs_guest_counters *out)
{
	int rc = PVS_GUEST_STATE;
	pvs_u64 seq;
	pvs_u32 i;

	if (pvs_shim_may(v, PVS_F_COUNTERS)) {
		rc = PVS_GUEST_NOT_READY;
		for (i = 0; i < PVS_SHIM_TRIES; i++) {
			seq = PVS_GUEST_LOAD64(&v->slot->count_seq);
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			read_counters(v->slot, out);
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			if (!(seq & 1u) && PVS_GUEST_LOAD64(&v->slot->count_seq) == seq)
				return PVS_GUEST_OK;
		}
	}
	out->boosts = 0;
	out->denials = 0;
	out->overruns = 0;
	out->malformed = 0;
	out->boosted_ns = 0;
	return rc;
}
