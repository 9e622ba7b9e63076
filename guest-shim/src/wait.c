/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What vCPUs say about each other: whom this one waits for, and what was queued on that one.
 *
 * All of `pending` is in its low half, so a compare-and-swap of 32 bits is enough, on guests that
 * have no wider one too. The upper half stays zero.
 */
#include "shim.h"

#define EPOCH_MASK 0xffffu
#define MASK_SLOTS 32u
#define MASK_SLOTS_SPLIT 28u /* four bits of the upper half are the tag */

/* Every bit of the mask names a slot that exists and fits into the word. */
static int mask_fits(const struct pvs_guest_vcpu *v, pvs_u32 base, pvs_u32 mask)
{
	pvs_u32 room = (v->features & PVS_F_SPLIT_WORDS) ? MASK_SLOTS_SPLIT : MASK_SLOTS;

	room = pvs_shim_min(room, v->slot_count - base);
	return ((pvs_u64)mask >> room) == 0;
}

static pvs_u64 wait_word(const struct pvs_guest_vcpu *v, pvs_u32 kind, pvs_u32 target,
			 pvs_u32 epoch_or_mask)
{
	pvs_u64 to = PVS_SHIM_PUT(kind, PVS_WAIT_KIND_SHIFT) |
		     PVS_SHIM_PUT(target, PVS_WAIT_TARGET_SHIFT);

	if (kind == PVS_WAIT_NONE || (kind == PVS_WAIT_IPI_MANY && !epoch_or_mask))
		return PVS_WAIT_NONE;
	if (target < v->slot_count) {
		if (kind == PVS_WAIT_LOCK || kind == PVS_WAIT_IPI)
			return to | PVS_SHIM_PUT(epoch_or_mask & EPOCH_MASK, PVS_WAIT_EPOCH_SHIFT);
		if (kind == PVS_WAIT_IPI_MANY && mask_fits(v, target, epoch_or_mask))
			return to | PVS_SHIM_PUT(epoch_or_mask, PVS_WAIT_MASK_SHIFT);
	}
	return PVS_WAIT_ANY;
}

void pvs_guest_wait(struct pvs_guest_vcpu *v, pvs_u32 kind, pvs_u32 target, pvs_u32 epoch_or_mask)
{
	if (!pvs_shim_may(v, PVS_F_WAIT))
		return;
	v->wait = wait_word(v, kind, target, epoch_or_mask);
	if (v->features & PVS_F_SPLIT_WORDS)
		pvs_shim_store_halves(&v->slot->wait, v->wait, ++v->wait_tag);
	else
		PVS_GUEST_STORE64(&v->slot->wait, v->wait);
}

int pvs_guest_should_yield(const struct pvs_guest_vcpu *v)
{
	return pvs_shim_may(v, PVS_F_WAIT) &&
	       (PVS_GUEST_LOAD64(&v->slot->applied) & PVS_APPLIED_YIELD_SPIN) != 0;
}

pvs_u32 pvs_guest_run_epoch(const struct pvs_guest *g, pvs_u32 index)
{
	if (!(g->features & PVS_F_RUN_EPOCH) || index >= g->slot_count)
		return 0;
	return (pvs_u32)PVS_GUEST_LOAD64(&pvs_shim_slot(g, index)->run) & EPOCH_MASK;
}

int pvs_guest_pend(const struct pvs_guest *g, pvs_u32 index, pvs_u32 urgency, pvs_u32 level)
{
	volatile struct pvs_slot *s;
	pvs_u32 want, now, i;

	if (!(g->features & PVS_F_PENDING))
		return PVS_GUEST_STATE;
	if (index >= g->slot_count)
		return PVS_GUEST_INVALID;

	want = (pvs_shim_min(urgency, PVS_URGENCY_MAX) << PVS_PENDING_CLASS_SHIFT) |
	       pvs_shim_min(level, PVS_LEVEL_MAX);
	s = pvs_shim_slot(g, index);
	for (i = 0; i < PVS_SHIM_TRIES; i++) {
		now = (pvs_u32)PVS_GUEST_LOAD64(&s->pending);
		if (now >= want || PVS_GUEST_SWAP_HALF(&s->pending, now, want))
			return PVS_GUEST_OK;
	}
	return PVS_GUEST_NOT_READY;
}

int pvs_guest_pend_clear(struct pvs_guest_vcpu *v)
{
	pvs_u32 now;

	if (!pvs_shim_may(v, PVS_F_PENDING))
		return PVS_GUEST_STATE;
	now = (pvs_u32)PVS_GUEST_LOAD64(&v->slot->pending);
	if (!now)
		return PVS_GUEST_OK;
	/* one try: when it fails, somebody has queued more, and that stands */
	if (PVS_GUEST_SWAP_HALF(&v->slot->pending, now, 0u))
		return pvs_shim_drop_due(v);
	return PVS_GUEST_OK;
}
