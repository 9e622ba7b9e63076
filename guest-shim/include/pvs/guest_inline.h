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

/* pvs_guest_vcpu.seq holds the sequence in its top byte, where it wraps by itself. */
#define PVS_GUEST_SEQ_ONE ((pvs_u64)1 << (64 - PVS_INTENT_SEQ_BITS))
#define PVS_GUEST_SEQ_DOWN (64 - PVS_INTENT_SEQ_BITS - PVS_INTENT_SEQ_SHIFT)

/* The rest of pvs_guest_store_intent(): split words (G-11) and hosts that asked for a bell. `v`
 * must be online. Result, context and cost as pvs_guest_publish(). */
int pvs_guest_store_slow(struct pvs_guest_vcpu *v, pvs_u64 word);

/*
 * Publishes a word prepared by pvs_guest_intent_word(): one store, sequence advanced, fields of
 * features not accepted left out. `v` must be online. Result and context as pvs_guest_publish().
 * 15 instructions on x86-64 with the word a constant, as long as the host asks for no bell.
 */
PVS_GUEST_INLINE int pvs_guest_store_intent(struct pvs_guest_vcpu *v, pvs_u64 word)
{
	if (PVS_GUEST_LOAD64(v->bell) & (PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE))
		return pvs_guest_store_slow(v, word);
	v->seq += PVS_GUEST_SEQ_ONE;
	word = (word & v->intent_mask) | (v->seq >> PVS_GUEST_SEQ_DOWN);
	v->intent = word;
	PVS_GUEST_STORE64(&v->slot->intent, word);
	return PVS_GUEST_OK;
}

#endif /* PVS_GUEST_INLINE_H */
