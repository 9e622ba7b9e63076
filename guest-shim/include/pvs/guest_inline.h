/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/guest_inline.h - how the shim touches shared words, and the one function worth inlining.
 *
 * Shared memory is little-endian. Each access is one volatile load or store of the width named;
 * on a big-endian guest its bytes are swapped.
 */
#ifndef PVS_GUEST_INLINE_H
#define PVS_GUEST_INLINE_H

#include <pvs/guest.h>

#define PVS_GUEST_INLINE static __inline__ __attribute__((__always_inline__, __unused__))

/* A port whose compiler does not say its byte order defines this itself. */
#ifndef PVS_GUEST_SWAP
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PVS_GUEST_SWAP 1
#else
#define PVS_GUEST_SWAP 0
#endif
#endif

#if PVS_GUEST_SWAP
#define PVS_GUEST_LE16(x) __builtin_bswap16(x)
#define PVS_GUEST_LE32(x) __builtin_bswap32(x)
#define PVS_GUEST_LE64(x) __builtin_bswap64(x)
#else
#define PVS_GUEST_LE16(x) (x)
#define PVS_GUEST_LE32(x) (x)
#define PVS_GUEST_LE64(x) (x)
#endif

/* Half of a 64-bit word; the low half comes first in memory, whatever the guest's byte order. */
typedef pvs_u32 __attribute__((__may_alias__)) pvs_guest_half;

/* A port that reaches shared memory in another way (or a test that counts) defines all these. */
#ifndef PVS_GUEST_LOAD64
#define PVS_GUEST_LOAD16(p) ((pvs_u16)PVS_GUEST_LE16(*(const volatile pvs_u16 *)(p)))
#define PVS_GUEST_LOAD32(p) ((pvs_u32)PVS_GUEST_LE32(*(const volatile pvs_u32 *)(p)))
#define PVS_GUEST_LOAD64(p) ((pvs_u64)PVS_GUEST_LE64(*(const volatile pvs_u64 *)(p)))
#define PVS_GUEST_STORE16(p, v) (*(volatile pvs_u16 *)(p) = PVS_GUEST_LE16((pvs_u16)(v)))
#define PVS_GUEST_STORE32(p, v) (*(volatile pvs_u32 *)(p) = PVS_GUEST_LE32((pvs_u32)(v)))
#define PVS_GUEST_STORE64(p, v) (*(volatile pvs_u64 *)(p) = PVS_GUEST_LE64((pvs_u64)(v)))
#define PVS_GUEST_STORE_HALF(p, v) \
	(*(volatile pvs_guest_half *)(p) = PVS_GUEST_LE32((pvs_u32)(v)))
#define PVS_GUEST_SWAP_HALF(p, expect, desired) \
	__sync_bool_compare_and_swap((volatile pvs_guest_half *)(p), \
				     (pvs_u32)PVS_GUEST_LE32(expect), \
				     (pvs_u32)PVS_GUEST_LE32(desired))
#endif

/* One statement more, in place. */
#define PVS_GUEST_SEQ_ONE ((pvs_u64)1 << PVS_INTENT_SEQ_SHIFT)
#define PVS_GUEST_SEQ_MASK ((((pvs_u64)1 << PVS_INTENT_SEQ_BITS) - 1u) << PVS_INTENT_SEQ_SHIFT)

/* The slow half of pvs_guest_store_intent(): 32-bit halves with tags (G-11). Not for ports. */
void pvs_guest_store_halves(volatile pvs_u64 *p, pvs_u64 word, pvs_u32 tag);
/* Is the change from `before` to v->intent one the host wants to be told? Not for ports. */
int pvs_guest_kick_due(const struct pvs_guest_vcpu *v, pvs_u64 before, pvs_u64 applied);

/*
 * Publishes a word prepared by pvs_guest_intent_word(): one store, sequence advanced, fields of
 * features not accepted left out. `v` must be online. Result and context as pvs_guest_publish().
 */
PVS_GUEST_INLINE int pvs_guest_store_intent(struct pvs_guest_vcpu *v, pvs_u64 word)
{
	pvs_u64 before = v->intent;
	pvs_u64 applied;

	word &= v->intent_mask;
	word |= (before + PVS_GUEST_SEQ_ONE) & PVS_GUEST_SEQ_MASK;
	v->intent = word;
	if (v->features & PVS_F_SPLIT_WORDS)
		pvs_guest_store_halves(&v->slot->intent, word,
				       (pvs_u32)(word >> PVS_INTENT_SEQ_SHIFT));
	else
		PVS_GUEST_STORE64(&v->slot->intent, word);

	applied = PVS_GUEST_LOAD64(&v->slot->applied);
	if (applied & (PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE))
		return pvs_guest_kick_due(v, before, applied);
	return PVS_GUEST_OK;
}

#endif /* PVS_GUEST_INLINE_H */
