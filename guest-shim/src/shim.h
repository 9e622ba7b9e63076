/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * shim.h - what the files of the shim share. Not installed.
 */
#ifndef PVS_SHIM_H
#define PVS_SHIM_H

#include <pvs/guest_inline.h>

#define PVS_SHIM_NULL ((void *)0)

/* Tries against somebody who keeps changing a word: enough for honest luck, a bound for others. */
#define PVS_SHIM_TRIES 8u

#define PVS_SHIM_MASK(bits) (((pvs_u64)1 << (bits)) - 1u)
#define PVS_SHIM_FIELD(shift, bits) (PVS_SHIM_MASK(bits) << (shift))
#define PVS_SHIM_GET(word, shift, bits) ((pvs_u32)(((word) >> (shift)) & PVS_SHIM_MASK(bits)))
#define PVS_SHIM_PUT(value, shift) ((pvs_u64)(value) << (shift))

PVS_GUEST_INLINE pvs_u32 pvs_shim_min(pvs_u32 a, pvs_u32 b)
{
	return a < b ? a : b;
}

/* Slot `index`, which the caller has checked. */
PVS_GUEST_INLINE volatile struct pvs_slot *pvs_shim_slot(const struct pvs_guest *g, pvs_u32 index)
{
	return (volatile struct pvs_slot *)(volatile void *)
		(g->slots + (__UINTPTR_TYPE__)index * g->slot_stride);
}

/* Online, and this feature was accepted. */
PVS_GUEST_INLINE int pvs_shim_may(const struct pvs_guest_vcpu *v, pvs_u64 feature)
{
	return v->slot && (v->features & feature);
}

/*
 * Stores a word all of whose meaning is in its low half (crit, irq, util_bounds, life): whole, or
 * with PVS_F_SPLIT_WORDS that half alone, which is whole by itself.
 */
PVS_GUEST_INLINE void pvs_shim_store(volatile pvs_u64 *p, pvs_u64 word, pvs_u64 features)
{
	if (features & PVS_F_SPLIT_WORDS)
		PVS_GUEST_STORE_HALF(p, word);
	else
		PVS_GUEST_STORE64(p, word);
}

/* publish.c: 32-bit halves with tags (G-11). */
void pvs_shim_store_halves(volatile pvs_u64 *p, pvs_u64 word, pvs_u32 tag);
/* bind.c: what the host says now of the binding `g` holds, as pvs_guest_ready(). */
int pvs_shim_status(const struct pvs_guest *g, pvs_u32 *reason);

/* publish.c: nothing urgent is left to say, and the host wants to be told: KICK, else OK. */
int pvs_shim_drop_due(const struct pvs_guest_vcpu *v);

#endif /* PVS_SHIM_H */
