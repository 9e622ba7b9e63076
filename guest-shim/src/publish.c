/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words a vCPU writes in task context about itself: intent, crit, util_bounds.
 */
#include "shim.h"

#define TAG_MASK PVS_SHIM_MASK(PVS_TAG_BITS)
#define HALF_DATA 0x0fffffffu /* a half without its tag */

/*
 * Both halves carry the same tag once both have arrived; the host takes no word whose tags differ
 * (G-11), so their order does not matter.
 */
void pvs_shim_store_halves(volatile pvs_u64 *p, pvs_u64 word, pvs_u32 tag)
{
	volatile pvs_guest_half *half = (volatile pvs_guest_half *)p;
	pvs_u32 tag_bits = (pvs_u32)((tag & TAG_MASK) << PVS_INTENT_TAG_LO_SHIFT);

	PVS_GUEST_STORE_HALF(half, ((pvs_u32)word & HALF_DATA) | tag_bits);
	PVS_GUEST_STORE_HALF(half + 1, ((pvs_u32)(word >> 32) & HALF_DATA) | tag_bits);
}

pvs_u64 pvs_guest_intent_word(const struct pvs_guest_intent *in)
{
	pvs_u64 word;

	word = PVS_SHIM_PUT(pvs_shim_min(in->util, PVS_UTIL_MAX), PVS_INTENT_UTIL_SHIFT);
	word |= PVS_SHIM_PUT(pvs_shim_min(in->urgency, PVS_URGENCY_MAX), PVS_INTENT_CLASS_SHIFT);
	word |= PVS_SHIM_PUT(pvs_shim_min(in->level, PVS_LEVEL_MAX), PVS_INTENT_LEVEL_SHIFT);
	word |= PVS_SHIM_PUT(pvs_shim_min(in->wake_urgency, PVS_URGENCY_MAX),
			     PVS_INTENT_WAKE_CLASS_SHIFT);
	word |= PVS_SHIM_PUT(pvs_shim_min(in->wake_level, PVS_LEVEL_MAX),
			     PVS_INTENT_WAKE_LEVEL_SHIFT);
	word |= PVS_SHIM_PUT(in->window_us, PVS_INTENT_WINDOW_SHIFT);
	word |= PVS_SHIM_PUT(in->idle != 0, PVS_INTENT_IDLE_SHIFT);
	word |= PVS_SHIM_PUT(in->util_valid != 0, PVS_INTENT_UTIL_VALID_SHIFT);
	word |= PVS_SHIM_PUT(in->wake_valid != 0, PVS_INTENT_WAKE_VALID_SHIFT);
	return word;
}

static int says_idle(pvs_u64 word)
{
	return PVS_SHIM_GET(word, PVS_INTENT_IDLE_SHIFT, 1) != 0;
}

/* What the word says of now; no statement is baseline. */
static pvs_u32 said_class(pvs_u64 word)
{
	pvs_u32 urgency = PVS_SHIM_GET(word, PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS);

	return urgency == PVS_URGENCY_UNSPECIFIED ? PVS_URGENCY_NORMAL : urgency;
}

static int boosted(pvs_u64 applied)
{
	return PVS_SHIM_GET(applied, PVS_APPLIED_CLASS_SHIFT, PVS_APPLIED_CLASS_BITS) >=
	       PVS_CLASS_TASK;
}

static int may_kick(const struct pvs_guest_vcpu *v, pvs_u64 applied)
{
	return (v->features & PVS_F_KICK) && !(applied & PVS_APPLIED_DONT_BOTHER);
}

/* Is the change from `before` to v->intent one the host wants to be told? */
static int kick_due(const struct pvs_guest_vcpu *v, pvs_u64 before, pvs_u64 applied)
{
	pvs_u32 was = said_class(before);
	pvs_u32 is = said_class(v->intent);

	if (!may_kick(v, applied) || says_idle(v->intent))
		return PVS_GUEST_OK;
	/*
	 * Going idle rang no bell, and the host may have boosted for the wake-up or not: what it
	 * applies now tells more than what was said then.
	 */
	if (says_idle(before)) {
		was = PVS_URGENCY_NORMAL;
		if (boosted(applied))
			was = is < PVS_URGENCY_INTERACTIVE ? PVS_URGENCY_INTERACTIVE : is;
	}
	if (is > was && (applied & PVS_APPLIED_KICK_RAISE))
		return PVS_GUEST_KICK;
	if (is < was && (applied & PVS_APPLIED_KICK_DEBOOST))
		return PVS_GUEST_KICK;
	return PVS_GUEST_OK;
}

int pvs_guest_store_slow(struct pvs_guest_vcpu *v, pvs_u64 word)
{
	pvs_u64 before = v->intent;

	v->seq += PVS_GUEST_SEQ_ONE;
	v->intent = (word & v->intent_mask) | (v->seq >> PVS_GUEST_SEQ_DOWN);
	if (v->features & PVS_F_SPLIT_WORDS)
		pvs_shim_store_halves(&v->slot->intent, v->intent,
				      (pvs_u32)(v->intent >> PVS_INTENT_SEQ_SHIFT));
	else
		PVS_GUEST_STORE64(&v->slot->intent, v->intent);
	return kick_due(v, before, PVS_GUEST_LOAD64(&v->slot->applied));
}

int pvs_shim_drop_due(const struct pvs_guest_vcpu *v)
{
	pvs_u64 applied;

	if (v->crit || (v->irq & PVS_IRQ_BITS_ALL))
		return PVS_GUEST_OK;
	if (says_idle(v->intent) || said_class(v->intent) >= PVS_URGENCY_INTERACTIVE)
		return PVS_GUEST_OK;
	applied = PVS_GUEST_LOAD64(&v->slot->applied);
	if ((applied & PVS_APPLIED_KICK_DEBOOST) && boosted(applied) && may_kick(v, applied))
		return PVS_GUEST_KICK;
	return PVS_GUEST_OK;
}

int pvs_guest_publish(struct pvs_guest_vcpu *v, const struct pvs_guest_intent *in)
{
	if (!v->slot)
		return PVS_GUEST_STATE;
	return pvs_guest_store_intent(v, pvs_guest_intent_word(in));
}

int pvs_guest_retract(struct pvs_guest_vcpu *v)
{
	if (!v->slot)
		return PVS_GUEST_STATE;
	return pvs_guest_store_intent(v, 0);
}

/* The last critical bit has gone: was a preemption put off for it? */
static int grant_used(const struct pvs_guest_vcpu *v)
{
	pvs_u64 applied;

	if (!(v->features & PVS_F_GRANT))
		return 0;
	applied = PVS_GUEST_LOAD64(&v->slot->applied);
	return (applied & PVS_APPLIED_GRANTED) != 0;
}

int pvs_guest_crit(struct pvs_guest_vcpu *v, pvs_u64 set, pvs_u64 clear)
{
	pvs_u64 before;

	if (!pvs_shim_may(v, PVS_F_CRIT))
		return PVS_GUEST_STATE;
	before = v->crit;
	v->crit = ((before & ~clear) | set) & PVS_CRIT_ALL;
	pvs_shim_store(&v->slot->crit, v->crit, v->features);
	if (before && !v->crit && grant_used(v))
		return PVS_GUEST_YIELD;
	return pvs_shim_drop_due(v);
}

void pvs_guest_util_bounds(struct pvs_guest_vcpu *v, pvs_u32 floor, pvs_u32 ceil)
{
	if (!pvs_shim_may(v, PVS_F_UTIL_BOUNDS))
		return;
	ceil = pvs_shim_min(ceil, PVS_UTIL_MAX);
	floor = pvs_shim_min(floor, ceil);
	pvs_shim_store(&v->slot->util_bounds,
		       PVS_SHIM_PUT(floor, PVS_BOUNDS_FLOOR_SHIFT) |
			       PVS_SHIM_PUT(ceil, PVS_BOUNDS_CEIL_SHIFT),
		       v->features);
}
