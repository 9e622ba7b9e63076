/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relaxed.h - core and shim for the thread sanitizer: a volatile access to shared memory is what
 * they mean and a data race to the sanitizer; a relaxed atomic access is the same instruction, said
 * so that it understands. Everything else is left to it to judge.
 */
#ifndef PVS_TEST_RELAXED_H
#define PVS_TEST_RELAXED_H

#include <pvs/abi.h>

#define RELAXED_LOAD(type, p) __atomic_load_n((const volatile type *)(p), __ATOMIC_RELAXED)
#define RELAXED_STORE(type, p, v) \
	__atomic_store_n((volatile type *)(p), (type)(v), __ATOMIC_RELAXED)

/* pvs/port.h */
#define PVS_LOAD64(p) PVS_LE64(RELAXED_LOAD(pvs_u64, p))
#define PVS_LOAD32(p) PVS_LE32(RELAXED_LOAD(pvs_u32, p))
#define PVS_LOAD16(p) PVS_LE16(RELAXED_LOAD(pvs_u16, p))
#define PVS_STORE64(p, v) RELAXED_STORE(pvs_u64, p, PVS_LE64((pvs_u64)(v)))
#define PVS_STORE32(p, v) RELAXED_STORE(pvs_u32, p, PVS_LE32((pvs_u32)(v)))
#define PVS_STORE16(p, v) RELAXED_STORE(pvs_u16, p, PVS_LE16((pvs_u16)(v)))
#define PVS_PEEK(type, p) RELAXED_LOAD(type, p)
#define PVS_POKE(type, p, v) RELAXED_STORE(type, p, v)

/* pvs/guest_inline.h */
#define PVS_GUEST_LOAD16(p) ((pvs_u16)PVS_GUEST_LE16(RELAXED_LOAD(pvs_u16, p)))
#define PVS_GUEST_LOAD32(p) ((pvs_u32)PVS_GUEST_LE32(RELAXED_LOAD(pvs_u32, p)))
#define PVS_GUEST_LOAD64(p) ((pvs_u64)PVS_GUEST_LE64(RELAXED_LOAD(pvs_u64, p)))
#define PVS_GUEST_STORE16(p, v) RELAXED_STORE(pvs_u16, p, PVS_GUEST_LE16((pvs_u16)(v)))
#define PVS_GUEST_STORE32(p, v) RELAXED_STORE(pvs_u32, p, PVS_GUEST_LE32((pvs_u32)(v)))
#define PVS_GUEST_STORE64(p, v) RELAXED_STORE(pvs_u64, p, PVS_GUEST_LE64((pvs_u64)(v)))
#define PVS_GUEST_STORE_HALF(p, v) \
	RELAXED_STORE(pvs_guest_half, p, PVS_GUEST_LE32((pvs_u32)(v)))
#define PVS_GUEST_SWAP_HALF(p, expect, desired) \
	__sync_bool_compare_and_swap((volatile pvs_guest_half *)(p), \
				     (pvs_u32)PVS_GUEST_LE32(expect), \
				     (pvs_u32)PVS_GUEST_LE32(desired))

#endif /* PVS_TEST_RELAXED_H */
